/* test_op_audit.c - which operations come into the audit log, what their entries name, and what is refused. */
#include "call.h"
#include "op/op_audit.h"
#include "op/op_refusals.h"
#include "scratch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static void what_administers_or_is_for_admins_is_logged_and_nothing_else(void **state)
{
    (void)state;
    static const char *const logged[] = { "create_store", "drop_store", "forget_records", "repair_store", "verify", "backup_store",
                                          "register_client", "list_clients", "audit_list", "audit_verify" };
    static const char *const silent[] = { "insert_vector", "write_batch", "search_vectors", "delete_records", "import_store", "export_store",
                                          "list_stores", "store_stats", "sync_store" };
    for (size_t i = 0; i < sizeof logged / sizeof *logged; i++) assert_true(op_audited(op_find(logged[i])));
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) assert_false(op_audited(op_find(silent[i])));
    for (const op *const *o = ops; *o; o++) assert_true(op_audited(*o) || (*o)->scope != OP_SCOPE_ADMIN);
}

static void no_secret_can_be_the_target_of_an_entry(void **state)
{
    (void)state;
    for (const op *const *o = ops; *o; o++)
        for (const op_field *f = (*o)->args; op_audited(*o) && f->name; f++)
            if (strcmp(f->name, "key_id") != 0 && (strstr(f->name, "secret") || strstr(f->name, "key") || strstr(f->name, "password")))
                assert_true(f->flags & OP_SECRET || !f->position);
}

static evdb_audit_entry *entries(evdb *db, size_t *count)
{
    evdb_audit_entry *list;
    assert_int_equal(evdb_audit_list(db, NULL, &list, count, NULL), EVDB_OK);
    return list;
}

static void an_entry_names_who_and_what(void **state)
{
    scratch *f = *state;
    size_t count;
    evdb_principal boss = { .client = "boss", .scopes = EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN };
    op_call how = { .db = f->db, .who = &boss, .protocol = "rest" };
    json_t *reply;
    assert_int_equal(call_op(&how, "register_client", "{\"client_id\":\"app\",\"client_secret\":\"correct horse\"}", &reply, NULL), EVDB_OK);
    json_decref(reply);
    assert_int_equal(call_op(&how, "rename_store", "{\"store\":\"none\",\"new_name\":\"other\"}", &reply, NULL), EVDB_NOT_FOUND);
    assert_int_equal(call_op(&how, "rename_store", "{\"store\":7}", &reply, NULL), EVDB_INVALID); /* it never began */
    assert_int_equal(call_op(&(op_call){ .db = f->db }, "list_clients", "{}", &reply, NULL), EVDB_OK);
    json_decref(reply);
    evdb_audit_entry *list = entries(f->db, &count);
    assert_int_equal(count, 5);
    assert_string_equal(list[0].who, "boss");
    assert_string_equal(list[0].via, "rest");
    assert_string_equal(list[0].target, "app");
    assert_true(list[0].outcome == EVDB_AUDIT_BEGUN && list[1].outcome == EVDB_OK && list[1].of == 1);
    assert_string_equal(list[2].target, "none other");
    assert_true(list[3].outcome == EVDB_NOT_FOUND && list[3].of == 3);
    assert_string_equal(list[4].who, "program");
    assert_true(list[4].outcome == EVDB_OK && list[4].of == 0);
    evdb_audit_list_free(list);
}

static void refusals_are_counted_by_client_and_written_once(void **state)
{
    scratch *f = *state;
    size_t count;
    op_refusals *r = op_refusals_open(f->db);
    assert_non_null(r);
    for (int i = 0; i < 5; i++) op_refusals_count(r, "app", "rest", i < 3 ? "list_clients" : "verify");
    for (int i = 0; i < 7; i++) op_refusals_count(r, "address:127.0.0.1", "mcp", "no token");
    op_refusals_count(NULL, "app", "rest", "nobody counts");
    for (int i = 0; i < 40; i++) {
        char who[32];
        snprintf(who, sizeof who, "client-%d", i);
        op_refusals_count(r, who, "oauth", "client_credentials");
    }
    assert_int_equal(op_refusals_write(r, true, NULL), EVDB_OK);
    assert_int_equal(op_refusals_write(r, true, NULL), EVDB_OK); /* nothing is left */
    op_refusals_close(r);
    evdb_audit_entry *list = entries(f->db, &count);
    assert_int_equal(count, OP_REFUSALS_CLIENTS + 1);
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++) all += list[i].count;
    assert_int_equal(all, 5 + 7 + 40);
    assert_true(list[0].count == 5 && list[0].outcome == EVDB_DENIED);
    assert_string_equal(list[0].act, "refused");
    assert_string_equal(list[0].target, "several");
    assert_string_equal(list[1].target, "no token");
    assert_string_equal(list[count - 1].who, "others");
    assert_int_equal(list[count - 1].count, 40 - (OP_REFUSALS_CLIENTS - 2));
    evdb_audit_list_free(list);
}

static void what_cannot_be_written_stays_counted(void **state)
{
    scratch *f = *state;
    size_t count;
    char log[SCRATCH_PATH_MAX + 16];
    op_refusals *r = op_refusals_open(f->db);
    snprintf(log, sizeof log, "%s/audit.log", f->path);
    assert_int_equal(mkdir(log, 0700), 0);
    op_refusals_count(r, "a", "rest", "verify");
    op_refusals_count(r, "b", "rest", "verify");
    assert_int_not_equal(op_refusals_write(r, true, NULL), EVDB_OK);
    op_refusals_count(r, "a", "rest", "verify");
    assert_int_equal(remove(log), 0);
    op_refusals_close(r);
    evdb_audit_entry *list = entries(f->db, &count);
    assert_int_equal(count, 2);
    assert_true(list[0].count == 2 && list[1].count == 1);
    evdb_audit_list_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_administers_or_is_for_admins_is_logged_and_nothing_else),
        cmocka_unit_test(no_secret_can_be_the_target_of_an_entry),
        cmocka_unit_test_setup_teardown(an_entry_names_who_and_what, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(refusals_are_counted_by_client_and_written_once, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_stays_counted, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
