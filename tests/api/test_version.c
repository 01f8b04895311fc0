/* test_version.c - evdb/version.h. */
#include "expect.h"
#include <evdb.h>
#include <stdio.h>
#include <string.h>

static void the_running_library_is_the_one_of_these_headers(void **state)
{
    unsigned major, minor, patch;
    char rest;
    (void)state;
    assert_string_equal(evdb_version(), EVDB_VERSION);
    assert_int_equal(sscanf(evdb_version(), "%u.%u.%u%c", &major, &minor, &patch, &rest), 3);
    assert_ptr_equal(evdb_version(), evdb_version());
}

static void the_format_is_that_of_new_stores(void **state)
{
    evdb *db;
    evdb_store *store;
    evdb_store_info *info;
    (void)state;
    assert_true(evdb_version_format() >= 1);
    ok(evdb_open(":memory:", NULL, &db, &why));
    ok(evdb_store_create(db, "s", NULL, &store, &why));
    ok(evdb_store_describe(store, &info, &why));
    assert_int_equal(info->format, evdb_version_format());
    evdb_store_info_free(info);
    evdb_store_close(store);
    evdb_close(db);
}

static void the_kernel_has_a_name_that_stays(void **state)
{
    (void)state;
    assert_true(strlen(evdb_version_kernel()) > 0);
    assert_ptr_equal(evdb_version_kernel(), evdb_version_kernel());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_running_library_is_the_one_of_these_headers),
        cmocka_unit_test(the_format_is_that_of_new_stores),
        cmocka_unit_test(the_kernel_has_a_name_that_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
