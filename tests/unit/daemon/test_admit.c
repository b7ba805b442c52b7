/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/admit.h"
#include "tests/support/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static struct sockaddr_storage from(const char *address)
{
    struct sockaddr_storage s;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&s;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&s;

    memset(&s, 0, sizeof s);
    if (strchr(address, ':')) {
        v6->sin6_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, address, &v6->sin6_addr), 1);
    } else {
        v4->sin_family = AF_INET;
        assert_int_equal(inet_pton(AF_INET, address, &v4->sin_addr), 1);
    }
    return s;
}

static int take(struct admit *a, const char *address, uint32_t most, uint32_t most_each,
                struct admit_ticket *t)
{
    struct sockaddr_storage s = from(address);

    return admit_take(a, (struct sockaddr *)&s, most, most_each, t);
}

static void admit__counts__each_address_and_all(void **state)
{
    struct admit_ticket t[3], none;
    struct admit *a;

    (void)state;
    assert_int_equal(admit_new(&a), 0);
    assert_int_equal(take(a, "192.0.2.1", 3, 2, &t[0]), 0);
    assert_int_equal(take(a, "192.0.2.1", 3, 2, &t[1]), 0);
    assert_int_equal(take(a, "192.0.2.1", 3, 2, &none), ADMIT_E_ADDRESS);
    assert_int_equal(take(a, "192.0.2.2", 3, 2, &t[2]), 0);
    assert_int_equal(take(a, "192.0.2.3", 3, 2, &none), ADMIT_E_FULL);
    assert_int_equal(admit_count(a), 3);
    admit_give(a, &t[0]);
    assert_int_equal(take(a, "192.0.2.1", 3, 2, &t[0]), 0);
    for (size_t i = 0; i < 3; i++)
        admit_give(a, &t[i]);
    assert_int_equal(admit_count(a), 0);
    admit_free(a);
}

static void admit__counts_ipv6__by_the_first_64_bits(void **state)
{
    struct admit_ticket t, none;
    struct admit *a;

    (void)state;
    assert_int_equal(admit_new(&a), 0);
    assert_int_equal(take(a, "2001:db8:0:1::1", 10, 1, &t), 0);
    assert_int_equal(take(a, "2001:db8:0:1:ffff::2", 10, 1, &none), ADMIT_E_ADDRESS);
    assert_int_equal(take(a, "2001:db8:0:2::1", 10, 1, &none), 0);
    admit_free(a);
}

static void admit__counts_a_mapped_address__as_the_ipv4_it_is(void **state)
{
    struct admit_ticket t, none;
    struct admit *a;

    (void)state;
    assert_int_equal(admit_new(&a), 0);
    assert_int_equal(take(a, "::ffff:192.0.2.1", 10, 1, &t), 0);
    assert_int_equal(take(a, "192.0.2.1", 10, 1, &none), ADMIT_E_ADDRESS);
    admit_free(a);
}

static void admit__has_no_cap_of_its_own__for_loopback(void **state)
{
    static const char *const loopback[] = {"127.0.0.1", "127.9.9.9", "::1",
                                           "::ffff:127.0.0.1"};
    struct admit_ticket t;
    struct admit *a;

    (void)state;
    assert_int_equal(admit_new(&a), 0);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(take(a, loopback[i % COUNT(loopback)], 20, 1, &t), 0);
    assert_int_equal(take(a, "127.0.0.1", 20, 1, &t), ADMIT_E_FULL);
    admit_free(a);
}

static void admit__leaves_nothing_counted__when_memory_fails(void **state)
{
    struct support_fault fault;
    struct admit_ticket t;
    struct admit *a;
    unsigned nth;

    (void)state;
    assert_int_equal(admit_new(&a), 0);
    for (nth = 1;; nth++) {
        int rc;

        support_fail_nth(&fault, SEAM_ALLOC, nth, -ENOMEM);
        rc = take(a, "192.0.2.1", 1, 1, &t);
        support_fail_none();
        if (!fault.fired) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, -ENOMEM);
        assert_int_equal(admit_count(a), 0);
    }
    assert_true(nth > 1);
    admit_give(a, &t);
    admit_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admit__counts__each_address_and_all),
        cmocka_unit_test(admit__counts_ipv6__by_the_first_64_bits),
        cmocka_unit_test(admit__counts_a_mapped_address__as_the_ipv4_it_is),
        cmocka_unit_test(admit__has_no_cap_of_its_own__for_loopback),
        cmocka_unit_test(admit__leaves_nothing_counted__when_memory_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
