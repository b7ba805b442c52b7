/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/support.h"

#include <time.h>

static void clock_system__tells__the_machines_time(void **state)
{
    const struct clock *c = clock_system();
    uint64_t before = (uint64_t)time(NULL);
    uint64_t wall = clock_wall_s(c);
    uint64_t mono = clock_mono_ms(c);

    (void)state;
    assert_in_range(wall, before, (uint64_t)time(NULL));
    assert_true(clock_mono_ms(c) >= mono);
    assert_true(clock_wall_ms(c) / 1000 >= wall);
}

static void support_clock__moves__only_when_told(void **state)
{
    struct support_clock c;

    (void)state;
    support_clock_start(&c, 1700000000999);
    assert_true(clock_wall_ms(&c.clock) == 1700000000999);
    assert_true(clock_wall_s(&c.clock) == 1700000000);
    assert_int_equal(clock_mono_ms(&c.clock), 0);
    support_clock_pass(&c, 1);
    assert_true(clock_wall_s(&c.clock) == 1700000001);
    assert_int_equal(clock_mono_ms(&c.clock), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_system__tells__the_machines_time),
        cmocka_unit_test(support_clock__moves__only_when_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
