/* test_file.c - platform/file.h and platform/map.h. */
#include "expect.h"
#include "platform/map.h"
#include "scratch.h"
#include <string.h>
#include <sys/stat.h>

enum { BYTES = 4096, BLOCK = 512 };

static void memory_mapped_from_a_file_has_room_on_the_disk(void **state)
{
    const char *path = scratch_path(*state, "mapped");
    struct stat st;
    void *at;
    assert_int_equal(map_shared(&platform_real, path, BYTES, &at), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, BYTES);
    assert_true(st.st_blocks * BLOCK >= BYTES); /* else a full disk kills who writes there */
    memset(at, 7, BYTES);
    map_drop(at, BYTES);
}

static void mapping_a_file_again_keeps_its_content(void **state)
{
    const char *path = scratch_path(*state, "mapped");
    unsigned char *at, *again;
    assert_int_equal(map_shared(&platform_real, path, BYTES, (void **)&at), 0);
    at[0] = 1, at[BYTES - 1] = 2;
    assert_int_equal(map_shared(&platform_real, path, BYTES, (void **)&again), 0);
    assert_true(again[0] == 1 && again[BYTES - 1] == 2);
    map_drop(at, BYTES);
    map_drop(again, BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_mapped_from_a_file_has_room_on_the_disk, scratch_closed, scratch_remove),
        cmocka_unit_test_setup_teardown(mapping_a_file_again_keeps_its_content, scratch_closed, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
