/* test_api_keys.c - API keys of evdb/auth.h: what they look like, how long they are good, and what is kept of them. */
#include "auth/api_key.h"
#include "client.h"
#include "database_private.h"
#include "disk/system_private.h"
#include "engine/engine.h"
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include "tamper.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct made { char id[EVDB_API_KEY_ID_BYTES], text[EVDB_API_KEY_BYTES]; } made;

static int64_t now_ms; /* what the database under test is told; outlives the test */

static int64_t clock_ms(void *context) { return *(int64_t *)context; }

static void open_with_clock(scratch *t)
{
    platform p = platform_real;
    now_ms = INT64_C(1700000000000);
    p.clock_context = &now_ms;
    p.clock_ms = clock_ms;
    ok(db_open_with(&p, t->path, NULL, &t->db, &why));
}

static made make(evdb *db, uint32_t scopes, const char *stores, int64_t expires_ms)
{
    const evdb_api_key_options o = { .size = sizeof(o), .title = "a title", .scopes = scopes, .stores = stores, .expires_ms = expires_ms };
    made m;
    ok(evdb_auth_api_key_add(db, &o, m.id, m.text, &why));
    return m;
}

static void unknown(evdb *db, const char *text)
{
    evdb_principal who;
    refused(EVDB_DENIED, evdb_auth_token_check(db, text, NULL, &who, &why));
}

/* ---- the text ---- */

static void a_key_looks_like_one_and_says_its_id(void **state)
{
    char id[EVDB_API_KEY_ID_BYTES], text[EVDB_API_KEY_BYTES], read[EVDB_API_KEY_ID_BYTES];
    (void)state;
    for (int i = 0; i < 100; i++) {
        api_key_draw(&platform_real, id, text);
        assert_true(api_key_looks_so(text) && strlen(text) == 74 && strncmp(text, "evdbkey_", 8) == 0);
        assert_true(strlen(id) == 16 && strncmp(text + 8, id, 16) == 0 && text[24] == '_' && api_key_id_good(id));
        assert_int_equal(strspn(text + 25, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 49);
        assert_true(api_key_read(text, read));
        assert_string_equal(read, id);
    }
}

static void a_text_with_one_letter_changed_lost_or_added_is_none(void **state)
{
    char id[EVDB_API_KEY_ID_BYTES], text[EVDB_API_KEY_BYTES], bad[EVDB_API_KEY_BYTES + 2];
    uint64_t seed = seed_print();
    size_t taken = 0;
    (void)state;
    api_key_draw(&platform_real, id, text);
    for (size_t at = 0; at < strlen(text); at++) {
        memcpy(bad, text, sizeof(text));
        do bad[at] = (char)(33 + seed_below(&seed, 94));
        while (bad[at] == text[at]);
        taken += api_key_read(bad, id);
        memmove(bad + at, text + at + 1, sizeof(text) - at - 1);
        taken += api_key_read(bad, id);
        memmove(bad + at + 1, text + at, sizeof(text) - at);
        bad[at] = 'a';
        taken += api_key_read(bad, id);
    }
    assert_int_equal(taken, 0); /* by chance once in four thousand million */
}

/* ---- as credentials ---- */

static void a_key_opens_what_its_scopes_say(void **state)
{
    scratch *t = *state;
    made all = make(t->db, EVDB_SCOPE_ADMIN, NULL, 0), some = make(t->db, 0, "write:docs read:team-*", 0), least = make(t->db, 0, NULL, 0);
    evdb_principal who;
    char speaker[64];
    ok(evdb_auth_token_check(t->db, all.text, NULL, &who, &why));
    snprintf(speaker, sizeof(speaker), "key:%s", all.id);
    assert_string_equal(who.client, speaker);
    assert_string_equal(who.subject, speaker);
    assert_true(who.scopes == EVERY_SCOPE && who.expires_ms == INT64_MAX && !*who.stores);
    ok(evdb_auth_token_check(t->db, some.text, NULL, &who, &why));
    assert_int_equal(who.scopes, 0);
    assert_string_equal(who.stores, "write:docs read:team-*");
    const evdb_check_options elsewhere = { .size = sizeof(elsewhere), .issuer = "https://a.example", .audience = "https://b.example" };
    ok(evdb_auth_token_check(t->db, least.text, &elsewhere, &who, &why)); /* it is of no issuer, and for whomever this database serves */
    assert_int_equal(who.scopes, EVDB_SCOPE_READ);
}

static void a_key_is_good_to_the_millisecond(void **state)
{
    scratch *t = *state;
    const evdb_api_key_options past = { .size = sizeof(past), .expires_ms = 1 };
    evdb_principal who;
    made m;
    open_with_clock(t);
    m = make(t->db, EVDB_SCOPE_WRITE, NULL, now_ms + 1000);
    now_ms += 999;
    ok(evdb_auth_token_check(t->db, m.text, NULL, &who, &why));
    assert_true(who.expires_ms == now_ms + 1);
    now_ms += 1;
    unknown(t->db, m.text);
    expect_says("expired");
    refused(EVDB_INVALID, evdb_auth_api_key_add(t->db, &past, m.id, m.text, &why));
}

static void a_removed_key_is_refused_by_every_process_at_once(void **state)
{
    scratch *t = *state;
    evdb *other; /* another handle, as another process would have */
    evdb_principal who;
    ok(evdb_open(t->path, NULL, &other, &why));
    for (int i = 0; i < 20; i++) {
        made m = make(i % 2 ? t->db : other, 0, NULL, 0);
        for (int twice = 0; twice < 2; twice++) { /* the second from memory */
            ok(evdb_auth_token_check(t->db, m.text, NULL, &who, &why));
            ok(evdb_auth_token_check(other, m.text, NULL, &who, &why));
        }
        ok(evdb_auth_api_key_remove(i % 3 ? t->db : other, m.id, &why));
        unknown(t->db, m.text);
        unknown(other, m.text);
        refused(EVDB_NOT_FOUND, evdb_auth_api_key_remove(other, m.id, &why));
    }
    evdb_close(other);
}

static void another_secret_under_a_known_id_opens_nothing(void **state)
{
    scratch *t = *state;
    char id[EVDB_API_KEY_ID_BYTES], text[EVDB_API_KEY_BYTES];
    made m = make(t->db, EVDB_SCOPE_ADMIN, NULL, 0);
    api_key_draw(&platform_real, id, text);
    unknown(t->db, text);
    memcpy(text + 8, m.id, 16); /* and a checksum that no longer fits */
    unknown(t->db, text);
    expect_says("malformed");
    char statement[200], path[2 * SCRATCH_PATH_MAX];
    api_key_draw(&platform_real, id, text);
    snprintf(statement, sizeof(statement), "UPDATE api_keys SET id='%s'", id);
    snprintf(path, sizeof(path), "%s/system.db", t->path);
    evdb_close(t->db);
    tamper(path, statement);
    ok(evdb_open(t->path, NULL, &t->db, &why));
    unknown(t->db, text);
    expect_says("unknown");
    unknown(t->db, m.text);
}

static int count_statement(unsigned kind, void *context, void *statement, void *text)
{
    (void)kind, (void)statement, (void)text;
    ++*(int *)context;
    return 0;
}

static void a_key_that_is_known_costs_no_statement(void **state)
{
    scratch *t = *state;
    int statements = 0;
    evdb_principal who;
    made m = make(t->db, 0, "read:docs", 0);
    sqlite3_trace_v2(t->db->system->db.handle, SQLITE_TRACE_STMT, count_statement, &statements);
    ok(evdb_auth_token_check(t->db, m.text, NULL, &who, &why));
    assert_in_range(statements, 1, 3);
    statements = 0;
    for (int i = 0; i < 1000; i++) ok(evdb_auth_token_check(t->db, m.text, NULL, &who, &why));
    assert_int_equal(statements, 0);
    assert_string_equal(who.stores, "read:docs");
}

/* ---- lists, limits, what is kept ---- */

static void keys_are_listed_without_what_opens(void **state)
{
    scratch *t = *state;
    evdb_api_key *list;
    size_t count;
    ok(evdb_auth_api_key_list(t->db, &list, &count, &why));
    assert_int_equal(count, 0);
    evdb_auth_api_key_list_free(list);
    for (int i = 0; i < 5; i++) make(t->db, 0, i % 2 ? "read:a" : NULL, 0);
    ok(evdb_auth_api_key_list(t->db, &list, &count, &why));
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(list[i].title, "a title");
        assert_true(list[i].created_ms > 0 && list[i].expires_ms == 0 && (i == 0 || strcmp(list[i - 1].id, list[i].id) < 0));
        assert_true(*list[i].stores ? list[i].scopes == 0 : list[i].scopes == EVDB_SCOPE_READ);
    }
    evdb_auth_api_key_list_free(list);
}

static void what_cannot_be_is_refused(void **state)
{
    scratch *t = *state;
    char text[EVDB_API_KEY_BYTES] = "untouched", title[EVDB_API_KEY_TITLE_MAX + 2];
    const evdb_api_key_options bits = { .size = sizeof(bits), .scopes = 8 }, stores = { .size = sizeof(stores), .stores = "admin:x" },
                               long_title = { .size = sizeof(long_title), .title = title };
    memset(title, 'x', sizeof(title) - 1);
    title[sizeof(title) - 1] = 0;
    refused(EVDB_INVALID, evdb_auth_api_key_add(t->db, &bits, NULL, text, &why));
    refused(EVDB_INVALID, evdb_auth_api_key_add(t->db, &stores, NULL, text, &why));
    refused(EVDB_LIMIT, evdb_auth_api_key_add(t->db, &long_title, NULL, text, &why));
    refused(EVDB_INVALID, evdb_auth_api_key_add(t->db, NULL, NULL, NULL, &why));
    assert_string_equal(text, "untouched");
    made m = make(t->db, 0, NULL, 0);
    refused(EVDB_INVALID, evdb_auth_api_key_remove(t->db, m.text, &why));
    assert_null(strstr(why.message, m.text + 25)); /* who mistakes the key for its id does not find it in a log */
    refused(EVDB_INVALID, evdb_auth_api_key_remove(t->db, NULL, &why));
    refused(EVDB_NOT_FOUND, evdb_auth_api_key_remove(t->db, "0123456789abcdef", &why));
}

static void there_are_only_so_many(void **state)
{
    scratch *t = *state;
    char path[2 * SCRATCH_PATH_MAX], text[EVDB_API_KEY_BYTES];
    made m = make(t->db, 0, NULL, 0);
    snprintf(path, sizeof(path), "%s/system.db", t->path);
    evdb_close(t->db);
    tamper(path, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<9999) INSERT INTO api_keys"
           " SELECT printf('%016x', i), secret, '', scopes, '', 1, 0 FROM n, api_keys");
    ok(evdb_open(t->path, NULL, &t->db, &why));
    refused(EVDB_LIMIT, evdb_auth_api_key_add(t->db, NULL, NULL, text, &why));
    ok(evdb_auth_api_key_remove(t->db, "0000000000000001", &why));
    ok(evdb_auth_api_key_add(t->db, NULL, NULL, text, &why));
    ok(evdb_auth_api_key_remove(t->db, m.id, &why));
}

static bool file_holds(const scratch *t, const char *name, const char *text)
{
    char path[2 * SCRATCH_PATH_MAX];
    size_t size;
    snprintf(path, sizeof(path), "%s/%s", t->path, name);
    char *content = scratch_content(path, &size);
    bool holds = memmem(content, size, text, strlen(text)) != NULL;
    free(content);
    return holds;
}

static void no_file_has_a_key(void **state)
{
    scratch *t = *state;
    made m = make(t->db, 0, NULL, 0);
    assert_true(file_holds(t, "system.db", m.id));
    assert_false(file_holds(t, "system.db", m.text + 25) || file_holds(t, "system.db-wal", m.text + 25));
}

typedef struct findings { int count; char text[500]; } findings;

static void note(void *context, const char *store, const char *text)
{
    findings *f = context;
    (void)store;
    f->count++;
    snprintf(f->text, sizeof(f->text), "%s", text);
}

static void a_key_that_makes_no_sense_is_corrupt_and_found(void **state)
{
    static const char *const changes[] = { "secret=x'00'", "scopes=0", "scopes=8", "stores=printf('%.512c', 'x')", "title=printf('%.129c', 'x')" };
    scratch *t = *state;
    char path[2 * SCRATCH_PATH_MAX], statement[200];
    snprintf(path, sizeof(path), "%s/system.db", t->path);
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        findings f = { 0 };
        evdb_verify_report report;
        evdb_principal who;
        made m = make(t->db, 0, NULL, 0);
        snprintf(statement, sizeof(statement), "UPDATE api_keys SET %s", changes[i]);
        evdb_close(t->db);
        tamper(path, statement);
        ok(evdb_open(t->path, NULL, &t->db, &why));
        refused(EVDB_CORRUPT, evdb_auth_token_check(t->db, m.text, NULL, &who, &why));
        expect_says(m.id);
        ok(evdb_verify(t->db, NULL, note, &f, &report, &why));
        assert_true(f.count == 1 && strstr(f.text, m.id));
        ok(evdb_auth_api_key_remove(t->db, m.id, &why)); /* it can be given up */
    }
    made m = make(t->db, 0, NULL, 0);
    evdb_principal who;
    evdb_close(t->db);
    tamper(path, "DELETE FROM keys");
    ok(evdb_open(t->path, NULL, &t->db, &why));
    refused(EVDB_CORRUPT, evdb_auth_token_check(t->db, m.text, NULL, &who, &why));
    expect_says("API keys");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)
#define CLOSED(name) cmocka_unit_test_setup_teardown(name, scratch_closed, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_looks_like_one_and_says_its_id),
        cmocka_unit_test(a_text_with_one_letter_changed_lost_or_added_is_none),
        TEST(a_key_opens_what_its_scopes_say),
        CLOSED(a_key_is_good_to_the_millisecond),
        TEST(a_removed_key_is_refused_by_every_process_at_once),
        TEST(another_secret_under_a_known_id_opens_nothing),
        TEST(a_key_that_is_known_costs_no_statement),
        TEST(keys_are_listed_without_what_opens),
        TEST(what_cannot_be_is_refused),
        TEST(there_are_only_so_many),
        TEST(no_file_has_a_key),
        TEST(a_key_that_makes_no_sense_is_corrupt_and_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
