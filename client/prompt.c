/* SPDX-License-Identifier: Apache-2.0 */
#include "client/prompt.h"

#include "lib/seam.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* ---- signals ---------------------------------------------------------------------- */

static volatile sig_atomic_t signal_came;
static void (*wake_loop)(void);

static void on_signal(int number)
{
    int saved = errno;

    signal_came = number;
    if (wake_loop)
        wake_loop();
    errno = saved;
}

void prompt_catch_signals(void (*wake)(void))
{
    struct sigaction act;

    memset(&act, 0, sizeof act);
    act.sa_handler = on_signal; /* without SA_RESTART: a waiting prompt must return */
    (void)sigemptyset(&act.sa_mask);
    wake_loop = wake;
    (void)sigaction(SIGINT, &act, NULL);
    (void)sigaction(SIGTERM, &act, NULL);
    (void)sigaction(SIGHUP, &act, NULL);
    act.sa_handler = SIG_IGN; /* a reader that left shows as a failed write */
    (void)sigaction(SIGPIPE, &act, NULL);
}

int prompt_signal(void)
{
    return signal_came;
}

/* ---- lines ------------------------------------------------------------------------ */

bool prompt_stdin_is_terminal(void)
{
    return isatty(STDIN_FILENO) == 1;
}

void prompt_drop_typed(void)
{
    if (prompt_stdin_is_terminal())
        (void)tcflush(STDIN_FILENO, TCIFLUSH);
}

/* Byte by byte: what follows the line belongs to whoever reads next. */
static int read_line(int fd, size_t cap, struct buf *out)
{
    char c = 0;

    while (out->n <= cap) {
        int rc = seam_check(SEAM_READ);
        ssize_t n = rc ? -1 : read(fd, &c, 1);

        if (signal_came)
            return PROMPT_E_INTERRUPTED;
        if (n < 0 && rc == 0 && errno == EINTR)
            continue;
        if (n < 0)
            return rc ? rc : -errno;
        if (n == 0)
            return out->n > 0 ? 0 : PROMPT_E_NONE;
        if (c == '\n')
            return 0;
        buf_put(out, &c, 1);
        if (out->rc)
            return out->rc == -ENOSPC ? -EFBIG : out->rc;
    }
    return -EFBIG;
}

static void say(int fd, const char *text)
{
    size_t n = strlen(text);

    while (n > 0) {
        ssize_t k = write(fd, text, n);

        if (k <= 0)
            return; /* a question that cannot be shown still may be answered */
        text += k;
        n -= (size_t)k;
    }
}

static void drop_return(struct buf *b)
{
    if (b->n > 0 && b->p[b->n - 1] == '\r')
        b->n--;
}

int prompt_line(const char *question, struct buf *out)
{
    int rc;

    if (prompt_stdin_is_terminal())
        say(STDERR_FILENO, question);
    rc = read_line(STDIN_FILENO, PROMPT_LINE_BYTES_MAX, out);
    if (rc == 0)
        drop_return(out);
    else if (prompt_stdin_is_terminal())
        say(STDERR_FILENO, "\n");
    return rc;
}

static int yes_or_no(const char *question, bool *yes)
{
    struct buf line;
    char first;
    int rc;

    buf_init(&line, PROMPT_LINE_BYTES_MAX + 1);
    rc = prompt_line(question, &line);
    first = line.n > 0 ? (char)(line.p[0] | 0x20) : '\0'; /* small, if it is a letter */
    buf_free(&line);
    if (rc)
        return rc == -EFBIG ? PROMPT_E_NONE : rc;
    *yes = first == 'y';
    return first == 'y' || first == 'n' ? 0 : PROMPT_E_NONE;
}

int prompt_yes(const char *question, bool *yes)
{
    int rc, tries = 1;

    *yes = false;
    do
        rc = yes_or_no(question, yes);
    while (rc == PROMPT_E_NONE && prompt_stdin_is_terminal() && tries++ < PROMPT_TRIES);
    return rc;
}

int prompt_all(size_t cap, struct buf *out)
{
    uint8_t some[4096];

    for (;;) {
        int rc = seam_check(SEAM_READ);
        ssize_t n = rc ? -1 : read(STDIN_FILENO, some, sizeof some);

        if (signal_came)
            return PROMPT_E_INTERRUPTED;
        if (n < 0 && rc == 0 && errno == EINTR)
            continue;
        if (n < 0)
            return rc ? rc : -errno;
        if (n == 0)
            return 0;
        if (out->n + (size_t)n > cap)
            return -EFBIG;
        buf_put(out, some, (size_t)n);
        if (out->rc)
            return out->rc;
    }
}

/* ---- secrets ---------------------------------------------------------------------- */

int prompt_secret(const char *question, struct buf *out)
{
    struct termios before, quiet;
    int fd, rc;

    if (signal_came)
        return PROMPT_E_INTERRUPTED;
    fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || tcgetattr(fd, &before)) {
        if (fd >= 0)
            (void)close(fd);
        return PROMPT_E_NO_TTY;
    }
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    (void)tcsetattr(fd, TCSAFLUSH, &quiet);
    say(fd, question);
    rc = read_line(fd, PROMPT_LINE_BYTES_MAX, out);
    say(fd, "\n");
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    (void)close(fd);
    return rc;
}

int prompt_secret_file(const char *path, struct buf *out)
{
    struct stat st;
    int fd, rc;

    if (strcmp(path, "-") == 0) {
        rc = read_line(STDIN_FILENO, PROMPT_LINE_BYTES_MAX, out);
        drop_return(out);
        return rc;
    }
    rc = seam_check(SEAM_OPEN);
    if (rc)
        return rc;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st))
        rc = -errno;
    else if (S_ISDIR(st.st_mode))
        rc = -EISDIR;
    else if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
        rc = PROMPT_E_OPEN;
    else
        rc = read_line(fd, PROMPT_LINE_BYTES_MAX, out);
    (void)close(fd);
    drop_return(out);
    return rc == 0 && out->n == 0 ? PROMPT_E_NONE : rc;
}
