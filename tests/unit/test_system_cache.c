/* test_system_cache.c - what was read from system.db is believed exactly as long as nobody has changed it. */
#include "disk/system_cache.h"
#include "expect.h"
#include "platform/platform.h"
#include "scratch.h"
#include <stdlib.h>
#include <string.h>

static const char uuid[37] = "11111111-1111-4111-8111-111111111111";

typedef struct pair { system_cache mine, other; } pair; /* as two processes have them */

static pair *open_both(scratch *t)
{
    pair *p = calloc(1, sizeof *p);
    assert_non_null(p);
    assert_int_equal(system_cache_open(&p->mine, &platform_real, scratch_path(t, "hint")), 0);
    assert_int_equal(system_cache_open(&p->other, &platform_real, scratch_path(t, "hint")), 0);
    return p;
}

static void close_both(pair *p)
{
    system_cache_close(&p->mine);
    system_cache_close(&p->other);
    free(p);
}

static void what_was_read_is_known(void **state)
{
    pair *p = open_both(*state);
    client_row row = { .id = "app", .scopes = 3 }, found;
    char got[37];
    assert_false(system_cache_store(&p->mine, "docs", got));
    system_cache_keep_store(&p->mine, system_cache_seen(&p->mine), "docs", uuid);
    system_cache_keep_client(&p->mine, system_cache_seen(&p->mine), &row);
    assert_true(system_cache_store(&p->mine, "docs", got));
    assert_string_equal(got, uuid);
    assert_false(system_cache_store(&p->mine, "doc", got));
    char name[EVDB_STORE_NAME_MAX + 1];
    assert_true(system_cache_name(&p->mine, uuid, name));
    assert_string_equal(name, "docs");
    assert_false(system_cache_name(&p->mine, "22222222-2222-4222-8222-222222222222", name));
    assert_true(system_cache_client(&p->mine, "app", &found));
    assert_int_equal(found.scopes, 3);
    assert_false(system_cache_client(&p->mine, "ap", &found));
    assert_false(system_cache_store(&p->other, "docs", got)); /* it has not read it itself */
    close_both(p);
}

static void a_change_by_anybody_ends_what_is_known(void **state)
{
    pair *p = open_both(*state);
    client_row row = { .id = "app" }, found;
    char got[37], name[EVDB_STORE_NAME_MAX + 1];
    for (int round = 0; round < 2; round++) {
        system_cache *writer = round ? &p->other : &p->mine;
        system_cache_keep_store(&p->mine, system_cache_seen(&p->mine), "docs", uuid);
        system_cache_keep_client(&p->mine, system_cache_seen(&p->mine), &row);
        assert_true(system_cache_store(&p->mine, "docs", got));
        system_cache_begin(writer);
        assert_false(system_cache_store(&p->mine, "docs", got)); /* while it is under way, too */
        assert_false(system_cache_name(&p->mine, uuid, name));
        assert_false(system_cache_client(&p->mine, "app", &found));
        system_cache_done(writer);
        assert_false(system_cache_store(&p->mine, "docs", got));
        assert_false(system_cache_client(&p->mine, "app", &found));
    }
    close_both(p);
}

static void what_was_read_during_a_change_is_not_kept(void **state)
{
    pair *p = open_both(*state);
    char got[37];
    uint64_t seen = system_cache_seen(&p->mine); /* read, but not handed in yet ... */
    system_cache_begin(&p->other);
    assert_int_equal(system_cache_seen(&p->mine), 0);
    system_cache_keep_store(&p->mine, seen, "docs", uuid);
    system_cache_keep_store(&p->mine, system_cache_seen(&p->mine), "docs", uuid);
    system_cache_done(&p->other);
    system_cache_keep_store(&p->mine, seen, "docs", uuid); /* ... before the change was over */
    assert_false(system_cache_store(&p->mine, "docs", got));
    close_both(p);
}

static void a_writer_that_died_leaves_nothing_to_believe_until_the_next(void **state)
{
    pair *p = open_both(*state);
    char got[37];
    system_cache_begin(&p->other); /* and never done */
    assert_int_equal(system_cache_seen(&p->mine), 0);
    system_cache_keep_store(&p->mine, system_cache_seen(&p->mine), "docs", uuid);
    assert_false(system_cache_store(&p->mine, "docs", got));
    system_cache_begin(&p->mine);
    system_cache_done(&p->mine);
    system_cache_keep_store(&p->mine, system_cache_seen(&p->mine), "docs", uuid);
    assert_true(system_cache_store(&p->mine, "docs", got));
    close_both(p);
}

/* Through two handles that share files and nothing else. */
static void renames_and_removals_elsewhere_are_seen_at_the_next_call(void **state)
{
    scratch *t = *state;
    evdb *other;
    evdb_store *store = scratch_store(t, "a", 2, EVDB_EUCLIDEAN), *opened;
    evdb_store_close(store);
    ok(evdb_open(t->path, NULL, &other, &why));
    for (int round = 0; round < 20; round++) {
        const char *from = round % 2 ? "b" : "a", *to = round % 2 ? "a" : "b";
        ok(evdb_store_open(t->db, from, &opened, &why));
        evdb_store_close(opened);
        ok(evdb_store_rename(other, from, to, &why));
        refused(EVDB_NOT_FOUND, evdb_store_open(t->db, from, &opened, &why));
        ok(evdb_store_open(t->db, to, &opened, &why));
        evdb_store_close(opened);
    }
    ok(evdb_auth_client_add(t->db, "app", "a long secret", 0, 0, NULL, &why));
    evdb_token token;
    evdb_principal who;
    ok(evdb_auth_token_issue(t->db, "app", "a long secret", NULL, &token, &why));
    ok(evdb_auth_token_check(t->db, token.access, NULL, &who, &why));
    ok(evdb_auth_client_rotate(other, "app", "another secret", NULL, &why));
    refused(EVDB_DENIED, evdb_auth_token_check(t->db, token.access, NULL, &who, &why));
    refused(EVDB_DENIED, evdb_auth_token_issue(t->db, "app", "a long secret", NULL, &token, &why));
    ok(evdb_auth_client_remove(other, "app", &why));
    refused(EVDB_DENIED, evdb_auth_token_issue(t->db, "app", "another secret", NULL, &token, &why));
    evdb_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_read_is_known, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_change_by_anybody_ends_what_is_known, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(what_was_read_during_a_change_is_not_kept, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_writer_that_died_leaves_nothing_to_believe_until_the_next, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(renames_and_removals_elsewhere_are_seen_at_the_next_call, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
