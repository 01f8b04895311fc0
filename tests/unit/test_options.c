/* test_options.c - base/options.h: structs of callers older and newer than we are. */
#include "base/options.h"
#include "expect.h"
#include <string.h>

typedef struct ours { size_t size; uint32_t a, b; } ours;
typedef struct newer { size_t size; uint32_t a, b, c, d; } newer;

static void null_means_all_defaults(void **state)
{
    ours o = { sizeof(o), 1, 2 };
    (void)state;
    ok(options_import(&o, sizeof(o), NULL, "ours", &why));
    assert_true(o.a == 1 && o.b == 2);
}

static void an_older_struct_leaves_the_rest_at_its_default(void **state)
{
    ours o = { sizeof(o), 1, 2 }, theirs = { offsetof(ours, b), 7, 8 };
    (void)state;
    ok(options_import(&o, sizeof(o), &theirs, "ours", &why));
    assert_true(o.size == sizeof(o) && o.a == 7 && o.b == 2);
}

static void a_newer_struct_may_set_only_what_we_know(void **state)
{
    ours o = { sizeof(o), 1, 2 };
    newer theirs = { sizeof(theirs), 7, 8, 0, 0 };
    (void)state;
    ok(options_import(&o, sizeof(o), &theirs, "ours", &why));
    assert_true(o.size == sizeof(o) && o.a == 7 && o.b == 8);
    theirs.d = 1;
    refused(EVDB_UNSUPPORTED, options_import(&o, sizeof(o), &theirs, "ours", &why));
    expect_says("ours");
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    const size_t sizes[] = { 0, 1, sizeof(size_t) - 1, 4097, SIZE_MAX };
    ours o = { sizeof(o), 1, 2 }, theirs = { 0, 7, 8 };
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        theirs.size = sizes[i];
        refused(EVDB_INVALID, options_import(&o, sizeof(o), &theirs, "ours", &why));
        refused(EVDB_INVALID, options_export(&theirs, &o, sizeof(o), "ours", &why));
    }
    assert_true(o.a == 1 && o.b == 2 && theirs.a == 7);
}

static void an_out_struct_is_filled_as_far_as_its_owner_knows(void **state)
{
    ours o = { sizeof(o), 1, 2 }, older = { offsetof(ours, b), 7, 8 };
    newer theirs;
    (void)state;
    ok(options_export(&older, &o, sizeof(o), "ours", &why));
    assert_true(older.size == offsetof(ours, b) && older.a == 1 && older.b == 8);
    memset(&theirs, 0xff, sizeof(theirs));
    theirs.size = sizeof(theirs);
    ok(options_export(&theirs, &o, sizeof(o), "ours", &why));
    assert_true(theirs.size == sizeof(theirs) && theirs.a == 1 && theirs.b == 2 && theirs.c == 0 && theirs.d == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_means_all_defaults),
        cmocka_unit_test(an_older_struct_leaves_the_rest_at_its_default),
        cmocka_unit_test(a_newer_struct_may_set_only_what_we_know),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(an_out_struct_is_filled_as_far_as_its_owner_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
