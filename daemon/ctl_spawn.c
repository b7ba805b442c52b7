/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_spawn.h"

#include "daemon/ctl_link.h"
#include "daemon/ctl_say.h"
#include "daemon/ctl_words.h"
#include "lib/seam.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    POLL_NS = 10 * 1000 * 1000,
    POLLS_A_SECOND = 100,
    CHILD_FAILED = 127,
    LAST_CHARS = 512,
};

static volatile sig_atomic_t child;

static void pass_on(int signal)
{
    if (child > 0)
        (void)kill((pid_t)child, signal);
}

/* The kithd that was built or installed with this kithctl, else whichever is in PATH. */
static void find_program(char out[PATH_MAX])
{
    static const char *const places[] = {"kithd", "../sbin/kithd"};
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    memcpy(out, "kithd", sizeof "kithd");
    if (n <= 0)
        return;
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (slash == NULL)
        return;
    slash[1] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s%s", self, places[i]);

        if (length > 0 && (size_t)length < sizeof path && access(path, X_OK) == 0) {
            memcpy(out, path, (size_t)length + 1);
            return;
        }
    }
}

/* In the child, before exec: away from this terminal, talk goes to the log. */
static int leave_terminal(const char *log)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (null < 0 || fd < 0 || setsid() < 0)
        return -errno;
    if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(fd, STDERR_FILENO) < 0)
        return -errno;
    return 0;
}

static void become_relay(const struct ctl *c, const char *program, const char *log)
{
    char *const argv[] = {(char *)"kithd", (char *)"--dir", (char *)c->dir,
                          (char *)"--foreground", NULL};

    /* In the foreground it has a process group of its own, so that Ctrl-C reaches it
     * once, through kithctl, and it ends with kithctl whatever ends that. */
    if (c->foreground ? setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0
                      : leave_terminal(log) != 0)
        _exit(CHILD_FAILED);
    (void)execvp(program, argv);
    _exit(CHILD_FAILED);
}

static off_t log_size(const char *log)
{
    struct stat st;

    return stat(log, &st) ? 0 : st.st_size;
}

/* The last line that came into the log after its first `from` bytes, without "kithd: ".
 */
static bool last_words(const char *log, off_t from, char out[LAST_CHARS])
{
    off_t end = log_size(log);
    int fd = open(log, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;
    char *line;

    if (end - from > LAST_CHARS - 1)
        from = end - (LAST_CHARS - 1);
    if (fd >= 0 && end > from)
        n = pread(fd, out, (size_t)(end - from), from);
    if (fd >= 0)
        (void)close(fd);
    while (n > 0 && out[n - 1] == '\n')
        n--;
    if (n <= 0)
        return false;
    out[n] = '\0';
    line = strrchr(out, '\n');
    line = line == NULL ? out : line + 1;
    if (strncmp(line, "kithd: ", 7) == 0)
        line += 7;
    memmove(out, line, strlen(line) + 1);
    return true;
}

/* In the foreground its words went to the terminal; else the admin should not have to
 * look. */
static int tell_ended(const struct ctl *c, int status, const char *log, off_t from)
{
    int exit = WIFEXITED(status) && WEXITSTATUS(status) == CTL_CONFIG ? CTL_CONFIG
                                                                      : CTL_UNREACHABLE;
    char why[LAST_CHARS];

    if (!c->foreground && last_words(log, from, why))
        return ctl_fail(c, exit, "did-not-start", W_DID_NOT_START_WHY, why);
    return ctl_fail(c, exit, "did-not-start", W_DID_NOT_START, log);
}

static int wait_ready(const struct ctl *c, pid_t relay, const char *log, off_t from)
{
    static const struct timespec pause = {.tv_nsec = POLL_NS};

    for (uint32_t polls = c->timeout_s * POLLS_A_SECOND; polls > 0; polls--) {
        struct ctl_answer answer = {0};
        int rc = ctl_ask(c, "status", (struct bytes){0}, &answer);
        int status;

        ctl_answer_free(&answer);
        if (rc == 0)
            return CTL_DONE;
        if (waitpid(relay, &status, WNOHANG) == relay)
            return tell_ended(c, status, log, from);
        (void)nanosleep(&pause, NULL);
    }
    return ctl_fail(c, CTL_TIMED_OUT, "timeout", W_SLOW_START, c->timeout_s);
}

int ctl_spawn(const struct ctl *c, pid_t *relay)
{
    char program[PATH_MAX];
    char log[CONFIG_PATH_BYTES];
    off_t from;
    int rc = seam_check(SEAM_THREAD);

    find_program(program);
    if (ctl_path(c, "kithd.log", log))
        return ctl_fail(c, CTL_USAGE, "path-too-long", "%s", W_PATH_LONG);
    from = log_size(log);
    (void)fflush(NULL);
    if (rc == 0) {
        *relay = fork();
        if (*relay == 0)
            become_relay(c, program, log);
        if (*relay < 0)
            rc = -errno;
    }
    if (rc)
        return ctl_fail(c, CTL_UNREACHABLE, "did-not-start", W_CANNOT_START,
                        err_text(rc));
    if (c->foreground) {
        struct sigaction pass = {.sa_handler = pass_on};

        child = (sig_atomic_t)*relay;
        (void)sigaction(SIGINT, &pass, NULL);
        (void)sigaction(SIGTERM, &pass, NULL);
        (void)sigaction(SIGHUP, &pass, NULL);
    }
    return wait_ready(c, *relay, log, from);
}

int ctl_spawn_wait(const struct ctl *c, pid_t relay, int exit)
{
    int status = 0;

    if (exit != CTL_DONE)
        pass_on(SIGTERM);
    while (waitpid(relay, &status, 0) < 0)
        if (errno != EINTR)
            return exit;
    if (exit != CTL_DONE)
        return exit;
    ctl_note(c, "%s", W_STOPPED);
    return WIFEXITED(status) ? WEXITSTATUS(status) : CTL_BUG;
}
