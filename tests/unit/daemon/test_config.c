/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], file[128];

static int make_folder(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/kith-config-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(file, sizeof file, "%s/kithd.conf", folder);
    return 0;
}

static int drop_folder(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (f == NULL)
        fail_msg("cannot write %s", path);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void drop_in(const char *name, const char *text)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s.d", file);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof path, "%s.d/%s", file, name);
    write_text(path, text);
}

static void expect_problem(const struct config_problems *p, const char *line)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->line[i], line) == 0)
            return;
    for (size_t i = 0; i < p->count; i++)
        print_message("  said: %s\n", p->line[i]);
    fail_msg("not said: %s", line);
}

static void config_load__fills_in_defaults__when_only_the_name_is_given(void **state)
{
    struct config_problems p = {0};
    struct config c;

    (void)state;
    write_text(file, "relay { name = \"Night Owls\" }\n");
    assert_int_equal(config_load(file, &c, &p), 0);
    assert_string_equal(c.name, "Night Owls");
    assert_int_equal(c.listen_n, 2);
    assert_int_equal(c.listen[0].port, 7443);
    assert_int_equal(c.retention_days, 14);
    assert_int_equal(c.connections, 4096);
    assert_int_equal(c.connections_per_address, 512);
    assert_int_equal(c.log, LOG_LEVEL_NOTICE);
    assert_int_equal(p.count, 0);
}

static void config_load__reads_every_key(void **state)
{
    struct config_problems p = {0};
    struct config c;

    (void)state;
    write_text(
        file,
        "# a comment { with braces\n"
        "relay {\n name = \"Night \\\"Owls\" // so\n"
        " listen = { \"127.0.0.1:99\", '[::1]:98' }\n address = relay.example.edu:99\n"
        " user = kith }\n"
        "/* and\n so */ board { retention = 30d mail_buckets = 4\n members = 800 "
        "map_size = \"512m\" }\n"
        "limits { connections = 10 connections_per_address = 5 }\n"
        "log { level = debug }\n");
    assert_int_equal(config_load(file, &c, &p), 0);
    assert_string_equal(c.name, "Night \"Owls");
    assert_int_equal(c.listen_n, 2);
    assert_string_equal(c.listen[1].host, "::1");
    assert_int_equal(c.listen[1].port, 98);
    assert_string_equal(c.address, "relay.example.edu:99");
    assert_string_equal(c.user, "kith");
    assert_int_equal(c.retention_days, 30);
    assert_int_equal(c.mail_buckets, 4);
    assert_int_equal(c.members, 800);
    assert_true(c.map_bytes == UINT64_C(512) << 20);
    assert_int_equal(c.connections, 10);
    assert_int_equal(c.connections_per_address, 5);
    assert_int_equal(c.log, LOG_LEVEL_DEBUG);
}

static void config_load__lets_the_later_drop_in_win(void **state)
{
    struct config_problems p = {0};
    struct config c;

    (void)state;
    write_text(file,
               "relay { name = \"A\" listen = { \"127.0.0.1:1\", \"127.0.0.1:2\" } }\n");
    drop_in("20-b.conf",
            "limits { connections = 2 }\nrelay { listen = { \"127.0.0.1:3\" } }\n");
    drop_in("10-a.conf", "limits { connections = 1 }\n");
    drop_in("30-c.conf.off", "limits { connections = 3 }\n");
    drop_in(".hidden.conf", "limits { connections = 4 }\n");
    assert_int_equal(config_load(file, &c, &p), 0);
    assert_int_equal(c.connections, 2);
    assert_int_equal(c.listen_n, 1);
    assert_int_equal(c.listen[0].port, 3);
}

static void config_load__tells_all_problems__of_all_files_at_once(void **state)
{
    struct config_problems p = {0};
    struct config c;

    (void)state;
    write_text(file, "relay {\n"
                     "  nmae = \"Night Owls\"\n"
                     "  listen = { \"127.0.0.1:7443\", \"somewhere\" }\n"
                     "  foo { a = 1\n b = { \"}\", 2 } }\n"
                     "}\n"
                     "bord { retention = 4d }\n"
                     "board {\n"
                     "  retension = \"14d\"\n"
                     "  members = many\n"
                     "  retention = \"400d\"\n"
                     "}\n"
                     "zebra = { 1 }\n");
    drop_in("20-local.conf", "limits {\n\n connections = 0 }\n");
    drop_in("30-broken.conf", "limits {\n connections 5 }\n");
    assert_int_equal(config_load(file, &c, &p), CONFIG_E_BAD);
    expect_problem(&p,
                   "kithd.conf:2: \"nmae\" is not known here. Did you mean \"name\"?");
    expect_problem(&p, "kithd.conf:3: listen must be an IP address and port, such as "
                       "\"0.0.0.0:7443\" or \"[::]:7443\", found \"somewhere\".");
    expect_problem(&p, "kithd.conf:4: \"foo\" is not known here.");
    expect_problem(&p,
                   "kithd.conf:7: \"bord\" is not known here. Did you mean \"board\"?");
    expect_problem(
        &p, "kithd.conf:9: \"retension\" is not known here. Did you mean \"retention\"?");
    expect_problem(&p, "kithd.conf:10: members must be 2 to 50000, found \"many\".");
    expect_problem(&p,
                   "kithd.conf:11: retention must be \"1d\" to \"90d\", found \"400d\".");
    expect_problem(&p, "kithd.conf:13: \"zebra\" is not known here.");
    expect_problem(&p,
                   "kithd.conf.d/20-local.conf:3: connections must be 1 to 100000, found "
                   "\"0\".");
    assert_int_equal(p.count, 10);
    assert_non_null(strstr(p.line[9], "kithd.conf.d/30-broken.conf:2: "));
    config_problems_free(&p);
}

static void config_load__refuses__a_file_without_a_name(void **state)
{
    struct config_problems p = {0};
    struct config c;

    (void)state;
    write_text(file, "");
    assert_int_equal(config_load(file, &c, &p), CONFIG_E_BAD);
    assert_int_equal(p.count, 1);
    config_problems_free(&p);
}

static void config_load__survives__cut_and_broken_files(void **state)
{
    static const char whole[] =
        "relay {\n name = \"Night \\\"Owls\" /* c */ listen = { '[::1]:98' }"
        "\n x += { \"a\" } }\nboard { retention = 30d } # end\n"
        "log { level = \"debug\" }";
    struct config c;

    (void)state;
    for (size_t n = 0; n < sizeof whole; n++) {
        struct config_problems p = {0};
        char cut[sizeof whole];

        memcpy(cut, whole, n);
        cut[n] = '\0';
        write_text(file, cut);
        assert_in_range(config_load(file, &c, &p), 0, CONFIG_E_BAD);
        config_problems_free(&p);
        if (n + 1 < sizeof whole) { /* and with one byte that does not belong */
            memcpy(cut, whole, sizeof whole);
            cut[n] = "{}=\"'#/*\\"[n % 9];
            write_text(file, cut);
            assert_in_range(config_load(file, &c, &p), 0, CONFIG_E_BAD);
            config_problems_free(&p);
        }
    }
}

static void config_load__says_absent__without_a_file(void **state)
{
    struct config_problems p = {0};
    struct config c;

    (void)state;
    assert_int_equal(config_load(file, &c, &p), CONFIG_E_ABSENT);
}

static void config_load__fails_cleanly__when_memory_does(void **state)
{
    struct support_fault fault;
    struct config c;

    (void)state;
    write_text(file, "relay { nmae = x listen = { \"nowhere\" } }\n");
    for (unsigned nth = 1;; nth++) {
        struct config_problems p = {0};
        int rc;

        support_fail_nth(&fault, SEAM_ALLOC, nth, -ENOMEM);
        rc = config_load(file, &c, &p);
        support_fail_none();
        config_problems_free(&p);
        if (!fault.fired)
            break;
        assert_true(rc == -ENOMEM || rc == CONFIG_E_BAD);
    }
}

static void config_create__writes_what_config_load_reads(void **state)
{
    struct config_problems p = {0};
    struct config c, again;

    (void)state;
    config_defaults(&c);
    (void)strcpy(c.name, "Night Owls");
    (void)strcpy(c.address, "relay.example.edu");
    c.mail_buckets = 3;
    assert_int_equal(config_create(file, &c), 0);
    assert_int_equal(config_create(file, &c), -EEXIST);
    assert_int_equal(config_load(file, &again, &p), 0);
    assert_memory_equal(&c.listen, &again.listen, sizeof c.listen);
    assert_string_equal(again.name, c.name);
    assert_string_equal(again.address, c.address);
    assert_int_equal(again.mail_buckets, 3);
}

static void config_create__refuses__a_name_it_could_not_read_back(void **state)
{
    struct config c;

    (void)state;
    config_defaults(&c);
    (void)strcpy(c.name, "a\" } relay { user = \"root");
    assert_int_equal(config_create(file, &c), -EINVAL);
    (void)strcpy(c.name, "${HOME}");
    assert_int_equal(config_create(file, &c), -EINVAL);
    assert_int_equal(access(file, F_OK), -1);
}

static void on_line(const char *text, void *arg)
{
    (void)strcat(arg, text);
    (void)strcat(arg, "\n");
}

static void config_show__prints_only_changes__when_asked(void **state)
{
    char text[4096] = "";
    struct config c;

    (void)state;
    config_defaults(&c);
    (void)strcpy(c.name, "N");
    c.map_bytes = UINT64_C(1536) << 20;
    config_show(&c, true, on_line, text);
    assert_string_equal(text, "relay.name = \"N\"\nboard.map_size = \"1536m\"\n");
}

static void on_differs(const char *key, enum config_applies how, void *arg)
{
    char line[128];

    (void)snprintf(line, sizeof line, "%s %d;", key, (int)how);
    (void)strcat(arg, line);
}

static void config_diff__names__each_changed_key_and_how_it_applies(void **state)
{
    char text[512] = "", want[512];
    struct config a, b;

    (void)state;
    config_defaults(&a);
    b = a;
    b.log = LOG_LEVEL_DEBUG;
    b.listen_n = 1;
    b.members = 500;
    config_diff(&a, &b, on_differs, text);
    (void)snprintf(want, sizeof want, "relay.listen %d;board.members %d;log.level %d;",
                   CONFIG_RESTART, CONFIG_DESCRIPTOR, CONFIG_LIVE);
    assert_string_equal(text, want);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(config_load__fills_in_defaults__when_only_the_name_is_given),
        IN_FOLDER(config_load__reads_every_key),
        IN_FOLDER(config_load__lets_the_later_drop_in_win),
        IN_FOLDER(config_load__tells_all_problems__of_all_files_at_once),
        IN_FOLDER(config_load__refuses__a_file_without_a_name),
        IN_FOLDER(config_load__survives__cut_and_broken_files),
        IN_FOLDER(config_load__says_absent__without_a_file),
        IN_FOLDER(config_load__fails_cleanly__when_memory_does),
        IN_FOLDER(config_create__writes_what_config_load_reads),
        IN_FOLDER(config_create__refuses__a_name_it_could_not_read_back),
        IN_FOLDER(config_show__prints_only_changes__when_asked),
        IN_FOLDER(config_diff__names__each_changed_key_and_how_it_applies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
