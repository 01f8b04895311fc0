/* test_op_trash.c - operations on deleted records that can come back, called as every protocol calls them. */
#include "call.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void fill(void *state)
{
    call_expect(state, "drop_store", "{\"store\":\"docs\"}", NULL);
    call_expect(state, "create_store", "{\"name\":\"docs\",\"dim\":2,\"trash\":true}", NULL);
    call_expect(state, "write_batch", "{\"store\":\"docs\",\"records\":[{\"id\":\"a\",\"vector\":[1,2]},{\"id\":\"b\",\"vector\":[3,4]}]}", NULL);
}

static void a_delete_is_tried_done_and_undone(void **state)
{
    fill(*state);
    call_expect(*state, "delete_records", "{\"store\":\"docs\",\"ids\":[\"a\",\"x\"],\"dry_run\":true}",
                "{\"deleted\":1,\"missing\":[\"x\"],\"dry_run\":true}");
    call_expect(*state, "delete_records", "{\"store\":\"docs\",\"ids\":[\"b\",\"a\",\"b\"],\"dry_run\":true}",
                "{\"deleted\":2,\"missing\":[\"b\"],\"dry_run\":true}"); /* as without dry_run */
    call_expect(*state, "count_records", "{\"store\":\"docs\"}", "{\"count\":2}");
    call_expect(*state, "delete_records", "{\"store\":\"docs\",\"ids\":[\"a\",\"x\"]}", "{\"deleted\":1,\"missing\":[\"x\"]}");
    call_expect(*state, "delete_record", "{\"store\":\"docs\",\"id\":\"b\"}", "{\"id\":\"b\"}");
    call_expect(*state, "undelete_records", "{\"store\":\"docs\",\"ids\":[\"a\"],\"dry_run\":true}",
                "{\"restored\":1,\"existing\":0,\"dry_run\":true}");
    call_expect(*state, "count_records", "{\"store\":\"docs\"}", "{\"count\":0}");
    call_expect(*state, "undelete_records", "{\"store\":\"docs\",\"ids\":[\"a\"]}", "{\"restored\":1,\"existing\":0}");
    call_expect(*state, "get_record", "{\"store\":\"docs\",\"id\":\"a\"}", "{\"id\":\"a\",\"version\":5,\"vector\":[1,2],\"metadata\":{}}");
    call_expect(*state, "undelete_records", "{\"store\":\"docs\",\"since_ms\":1}", "{\"restored\":1,\"existing\":0}");
    call_fails(*state, "undelete_records", "{\"store\":\"docs\",\"ids\":[\"a\"]}", EVDB_NOT_FOUND, "record 'a' is not in the trash");
    call_fails(*state, "undelete_records", "{\"store\":\"docs\"}", EVDB_INVALID, "'since_ms'");
    call_fails(*state, "undelete_records", "{\"store\":\"docs\",\"ids\":[\"a\"],\"since_ms\":1}", EVDB_INVALID, "'since_ms'");
}

static void a_store_keeps_deleted_records_as_it_was_told(void **state)
{
    fill(*state);
    call_expect(*state, "set_trash", "{\"store\":\"docs\",\"keep\":5}", NULL);
    call_fails(*state, "set_trash", "{\"store\":\"docs\",\"keep\":5,\"keep_ms\":5}", EVDB_INVALID, "exclude each other");
    call_fails(*state, "set_trash", "{\"store\":\"docs\",\"on\":false,\"keep\":5}", EVDB_INVALID, "'keep'");
    call_expect(*state, "delete_records", "{\"store\":\"docs\",\"ids\":[\"a\"]}", NULL);
    call_expect(*state, "list_trash", "{\"store\":\"docs\"}", NULL);
    call_expect(*state, "empty_trash", "{\"store\":\"docs\"}", "{\"removed\":1}");
    call_expect(*state, "list_trash", "{\"store\":\"docs\"}", "{\"records\":[]}");
    call_expect(*state, "set_trash", "{\"store\":\"docs\",\"on\":false}", NULL);
    call_expect(*state, "delete_records", "{\"store\":\"docs\",\"ids\":[\"b\"]}", NULL);
    call_expect(*state, "list_trash", "{\"store\":\"docs\"}", "{\"records\":[]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_delete_is_tried_done_and_undone, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_store_keeps_deleted_records_as_it_was_told, call_open, call_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
