/* SPDX-License-Identifier: Apache-2.0 */
/* The real kithd, as a process of its own: arguments, exit codes, signals, what it keeps
 * when it is killed, what its log says, what its memory costs.  KITH_BIN is the folder it
 * is in. */
#define _GNU_SOURCE /* memmem */
#include "tests/support/control_client.h"
#include "tests/support/relay_host.h"
#include "tests/support/support.h"

#include "lib/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct relay_host
    host; /* its folder, keys and helpers; the relay is another process */
static char program[512], config_file[128], log_file[128];
static struct wire one, two;

static uint64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

static void nap(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    (void)nanosleep(&t, NULL);
}

static void write_config(const char *more)
{
    FILE *f = fopen(config_file, "w");

    if (f == NULL)
        fail_msg("cannot write %s", config_file);
    assert_true(fprintf(f,
                        "relay { name = \"Night Owls\" address = \"127.0.0.1:%u\"\n"
                        "listen = { \"127.0.0.1:%u\" } }\nboard { mail_buckets = 2 }\n%s",
                        (unsigned)host.port, (unsigned)host.port, more) > 0);
    assert_int_equal(fclose(f), 0);
}

static uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    (void)close(fd);
    return ntohs(at.sin_port);
}

static int prepare(void **state)
{
    (void)state;
    relay_host_prepare(&host);
    (void)snprintf(config_file, sizeof config_file, "%s/kithd.conf", host.dir);
    (void)snprintf(log_file, sizeof log_file, "%s/log", host.dir);
    host.port = free_port();
    write_config("log { level = \"debug\" }\n");
    return 0;
}

static int drop(void **state)
{
    (void)state;
    relay_host_drop(&host);
    return 0;
}

/* Output of all kinds goes to log_file. */
static pid_t spawn(char *const argv[])
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(log_file, O_WRONLY | O_CREAT | O_APPEND, 0600);

        if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
            _exit(126);
        (void)execv(program, argv);
        _exit(127);
    }
    return pid;
}

static pid_t start(void)
{
    char *argv[] = {"kithd", "--dir", host.dir, "--foreground", NULL};
    pid_t pid = spawn(argv);

    for (int i = 0; i < 500; i++) {
        int fd = control_open(host.dir);

        if (fd >= 0) {
            (void)close(fd);
            return pid;
        }
        nap(10);
    }
    fail_msg("kithd did not start");
    return -1;
}

static int wait_for(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static int run(char *const argv[])
{
    return wait_for(spawn(argv));
}

static size_t read_log(char *out, size_t room)
{
    FILE *f = fopen(log_file, "r");
    size_t n = 0;

    if (f != NULL) {
        n = fread(out, 1, room - 1, f);
        (void)fclose(f);
    }
    out[n] = '\0';
    return n;
}

static void expect_said(const char *text)
{
    static char log[1 << 20];

    (void)read_log(log, sizeof log);
    if (strstr(log, text) == NULL)
        fail_msg("not said: \"%s\", but:\n%s", text, log);
}

/* ---- exit codes ------------------------------------------------------------------- */

static void kithd__refuses__to_run_without_a_configuration(void **state)
{
    char *argv[] = {"kithd", "--dir", host.dir, NULL};

    (void)state;
    assert_int_equal(unlink(config_file), 0);
    assert_int_equal(run(argv), 78);
    expect_said("Run: kithctl up");
}

static void kithd__tells_every_problem__and_exits_78(void **state)
{
    char *argv[] = {"kithd", "--dir", host.dir, NULL};
    char *check[] = {"kithd", "--check", "--config", config_file, NULL};

    (void)state;
    write_config("bord { }\nlimits { connections = 0 }\n");
    assert_int_equal(run(argv), 78);
    expect_said("kithd.conf:4: \"bord\" is not known here. Did you mean \"board\"?");
    expect_said("kithd.conf:5: connections must be 1 to 100000, found \"0\".");
    expect_said("2 problems");
    assert_int_equal(run(check), 78);
    write_config("");
    assert_int_equal(run(check), 0);
    expect_said("no problems");
}

static void kithd__shows_its_settings(void **state)
{
    char *show[] = {"kithd", "--dir", host.dir, "--show-config", NULL};
    char *changed[] = {"kithd", "--dir", host.dir, "--show-config", "--changed", NULL};

    (void)state;
    assert_int_equal(run(changed), 0);
    expect_said("log.level = \"debug\"");
    assert_int_equal(run(show), 0);
    expect_said("limits.connections = 4096");
}

static void kithd__refuses__keys_that_others_may_read(void **state)
{
    char *argv[] = {"kithd", "--dir", host.dir, NULL};
    char key[128];

    (void)state;
    (void)snprintf(key, sizeof key, "%s/relay.key", host.dir);
    assert_int_equal(chmod(key, 0644), 0);
    assert_int_equal(run(argv), 78);
    expect_said("Run: chmod 600 ");
    assert_int_equal(unlink(key), 0);
    assert_int_equal(run(argv), 78);
    expect_said("Run: kithctl up");
}

static void kithd__refuses__bad_arguments_with_64(void **state)
{
    char *unknown[] = {"kithd", "--frob", NULL};
    char *verb[] = {"kithd", "up", NULL};
    char *help[] = {"kithd", "-h", NULL};

    (void)state;
    assert_int_equal(run(unknown), 64);
    assert_int_equal(run(verb), 64);
    assert_int_equal(run(help), 0);
}

static void kithd__leaves_a_running_relay_alone(void **state)
{
    char *argv[] = {"kithd", "--dir", host.dir, NULL};
    pid_t pid = start();
    struct buf answer;

    (void)state;
    assert_int_equal(run(argv), 78);
    expect_said("Another kithd is running");
    assert_int_equal(control_once(host.dir, "status", NULL, 0, &answer), 0);
    assert_true(control_good(&answer));
    buf_free(&answer);
    assert_int_equal(control_once(host.dir, "stop", NULL, 0, &answer), 0);
    assert_true(control_good(&answer));
    buf_free(&answer);
    assert_int_equal(wait_for(pid), 0);
}

static void kithd__says_69__when_its_port_is_taken(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(host.port)};
    char *argv[] = {"kithd", "--dir", host.dir, NULL};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(run(argv), 69);
    expect_said("Can't listen on port");
    (void)close(fd);
}

/* ---- signals ---------------------------------------------------------------------- */

static void kithd__reloads__on_sighup(void **state)
{
    pid_t pid = start();

    (void)state;
    write_config("limits { connections = many }\n");
    assert_int_equal(kill(pid, SIGHUP), 0);
    nap(300);
    expect_said("kithd.conf:4: connections must be");
    expect_said("the old one stays in force");
    write_config("limits { connections = 50 }\n");
    assert_int_equal(kill(pid, SIGHUP), 0);
    nap(300);
    expect_said("reloaded: 2 setting(s) changed"); /* and the level */
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(wait_for(pid), 0);
}

enum { MOST = 50000 };
static uint64_t seqs[MOST];

static void fill(uint8_t envelope[ENVELOPE_BYTES], uint32_t mark)
{
    memset(envelope, 0x5a, ENVELOPE_BYTES);
    le_put(envelope, mark, 4);
}

/* Posts until the relay closes; after `after` answers it gets the signal. */
static uint32_t post_until_closed(pid_t pid, int number, uint32_t after)
{
    uint8_t envelope[ENVELOPE_BYTES];
    uint32_t sent = 0, acked = 0, id;
    bool open = true;

    while (acked < MOST) {
        struct msg_post_result r;
        struct frame f;

        while (open && sent < MOST && sent - acked < 200) {
            fill(envelope, sent);
            open = wire_post_send(&one, BUCKET_MAIL, envelope, &id) == 0;
            sent += open;
        }
        if (wire_next(&one, &f))
            break;
        assert_int_equal(f.code, CODE_OK);
        assert_int_equal(msg_post_result_read(f.body, &r), 0);
        seqs[acked++] = r.seq;
        if (acked == after)
            assert_int_equal(kill(pid, number), 0);
    }
    return acked;
}

static void expect_kept(const uint8_t sk[SIGN_SK_BYTES], uint32_t acked)
{
    uint32_t seen = 0;

    relay_host_enter(&host, &two, sk);
    assert_int_equal(wire_subscribe(&two, BUCKET_MAIL, seqs[0], CREDIT_MAX, NULL), 0);
    while (seen < acked) {
        struct msg_envelopes got;
        struct msg_gap gap;
        bool is_gap;
        size_t n;

        assert_int_equal(wire_envelopes(&two, &got, &gap, &is_gap), 0);
        n = got.envelopes.n / ENVELOPE_BYTES;
        for (size_t i = 0; i < n && seen < acked; i++, seen++) {
            assert_int_equal(seqs[seen], got.first + i);
            assert_int_equal(le_get(got.envelopes.p + i * ENVELOPE_BYTES, 4), seen);
        }
        assert_int_equal(wire_credit(&two, BUCKET_MAIL, (uint32_t)n), 0);
    }
    wire_close(&two);
}

static void kithd__keeps_what_it_acknowledged__through_sigterm_and_sigkill(void **state)
{
    static const struct {
        int number, code;
    } ends[] = {
        {SIGTERM, 0}, {SIGKILL, 256 + SIGKILL}, {SIGKILL, 256 + SIGKILL}, {SIGINT, 0}};
    uint8_t sk[SIGN_SK_BYTES];
    pid_t pid = start();

    (void)state;
    relay_host_member(&host, sk);
    for (size_t i = 0; i < COUNT(ends); i++) {
        uint32_t acked;
        uint64_t since;

        relay_host_enter(&host, &one, sk);
        acked = post_until_closed(pid, ends[i].number, 700 + 531 * (uint32_t)i);
        wire_close(&one);
        since = now_ms();
        assert_int_equal(wait_for(pid), ends[i].code);
        assert_in_range(now_ms() - since, 0, 5000);
        assert_in_range(acked, 700, MOST - 1);
        pid = start();
        expect_kept(sk, acked);
    }
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(wait_for(pid), 0);
}

/* ---- what it shows of others ------------------------------------------------------ */

static void kithd__logs_no_address_key_or_text__at_any_level(void **state)
{
    static char log[1 << 20];
    uint8_t sk[SIGN_SK_BYTES], envelope[ENVELOPE_BYTES];
    char hex[2 * 8 + 1];
    pid_t pid = start();
    struct rlimit core;
    size_t n;

    (void)state;
    relay_host_member(&host, sk);
    relay_host_enter(&host, &one, sk);
    memset(envelope, 'Q', sizeof envelope);
    assert_int_equal(wire_post(&one, BUCKET_MAIL, envelope, NULL), 0);
    assert_int_equal(wire_write(&one, envelope, sizeof envelope),
                     0); /* damaged: closes */
    assert_int_equal(wire_await_close(&one), 0);
    wire_close(&one);
    assert_int_equal(prlimit(pid, RLIMIT_CORE, NULL, &core), 0);
    assert_int_equal(core.rlim_max, 0);
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(wait_for(pid), 0);
    n = read_log(log, sizeof log);
    assert_non_null(strstr(log, "connection 1:")); /* debug was on */
    assert_null(strstr(log, "127.0.0.1"));
    assert_null(strstr(log, "QQQQ"));
    hex_encode((struct bytes){sk + SIGN_SK_BYTES - SIGN_PK_BYTES, 8}, hex);
    assert_null(strstr(log, hex));
    hex_encode((struct bytes){host.cohort, 8}, hex);
    assert_null(strstr(log, hex));
    assert_null(memmem(log, n, sk + SIGN_SK_BYTES - SIGN_PK_BYTES, 8));
}

static long resident_kb(pid_t pid)
{
    char path[64], line[256];
    long kb = -1;
    FILE *f;

    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    f = fopen(path, "r");
    if (f == NULL)
        fail_msg("cannot read %s", path);
    while (fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "VmRSS: %ld", &kb) == 1)
            break;
    (void)fclose(f);
    return kb;
}

enum { IDLE = 1000 };

static void kithd__spends_at_most_6_kilobytes__on_an_idle_connection(void **state)
{
    uint8_t sk[SIGN_SK_BYTES];
    int *fds = calloc(IDLE, sizeof *fds);
    struct rlimit files;
    pid_t pid;
    long before, after;

    (void)state;
    assert_non_null(fds);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    write_config("log { level = \"error\" }\n");
    pid = start();
    relay_host_member(&host, sk);
    before = resident_kb(pid);
    for (size_t i = 0; i < IDLE; i++) {
        relay_host_enter(&host, &one, sk);
        for (uint32_t b = 0; b < 3; b++)
            assert_int_equal(wire_subscribe(&one, b, 0, 100, NULL), 0);
        fds[i] = one.fd;
    }
    after = resident_kb(pid);
    print_message("resident: %ld KB at rest, %.2f KB more for each of %d idle readers\n",
                  before, (double)(after - before) / (double)IDLE, IDLE);
#if !defined(__SANITIZE_ADDRESS__) /* whose own bookkeeping dwarfs what is measured */
    assert_in_range(after - before, 0, 6 * IDLE);
#endif
    for (size_t i = 0; i < IDLE; i++)
        (void)close(fds[i]);
    free(fds);
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(wait_for(pid), 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, prepare, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(kithd__refuses__to_run_without_a_configuration),
        IN_FOLDER(kithd__tells_every_problem__and_exits_78),
        IN_FOLDER(kithd__shows_its_settings),
        IN_FOLDER(kithd__refuses__keys_that_others_may_read),
        IN_FOLDER(kithd__refuses__bad_arguments_with_64),
        IN_FOLDER(kithd__leaves_a_running_relay_alone),
        IN_FOLDER(kithd__says_69__when_its_port_is_taken),
        IN_FOLDER(kithd__reloads__on_sighup),
        IN_FOLDER(kithd__keeps_what_it_acknowledged__through_sigterm_and_sigkill),
        IN_FOLDER(kithd__logs_no_address_key_or_text__at_any_level),
        IN_FOLDER(kithd__spends_at_most_6_kilobytes__on_an_idle_connection),
    };
    const char *folder = getenv("KITH_BIN");

    (void)snprintf(program, sizeof program, "%s/kithd", folder == NULL ? "." : folder);
    if (access(program, X_OK)) {
        (void)fprintf(stderr, "KITH_BIN does not name the folder of kithd: skipped\n");
        return SUPPORT_SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
