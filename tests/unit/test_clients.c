/* test_clients.c - disk/clients.h: what makes no sense is reported, not believed; the key is kept from others. */
#include "client.h"
#include "database_private.h"
#include "disk/clients.h"
#include "engine/engine.h"
#include "expect.h"
#include "scratch.h"
#include "tamper.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Closes the database and changes its system.db behind its back, with page checksums that match. */
static void tamper_system(scratch *t, const char *statement)
{
    char path[2 * SCRATCH_PATH_MAX];
    snprintf(path, sizeof(path), "%s/system.db", t->path);
    evdb_close(t->db);
    tamper(path, statement);
    ok(evdb_open(t->path, NULL, &t->db, &why));
}

static void a_client_that_makes_no_sense_is_corrupt(void **state)
{
    static const char *const changes[] = { "kind=2", "kind=-1", "secret=x'00'", "secret=zeroblob(49)", "scopes=0", "scopes=8",
                                           "grants=0", "grants=8", "method=0", "method=4", "stores=printf('%.512c', 'x')" };
    scratch *t = *state;
    evdb_client *list;
    size_t count;
    char statement[200];
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        client c = client_new(t->db, "a");
        evdb_token token = client_login(t->db, &c);
        evdb_principal who;
        snprintf(statement, sizeof(statement), "UPDATE clients SET %s WHERE id='a'", changes[i]);
        tamper_system(t, statement);
        refused(EVDB_CORRUPT, evdb_auth_token_check(t->db, token.access, NULL, &who, &why));
        expect_says("'a'");
        refused(EVDB_CORRUPT, evdb_auth_token_issue(t->db, "a", c.secret, NULL, &token, &why));
        refused(EVDB_CORRUPT, evdb_auth_client_list(t->db, &list, &count, &why));
        ok(evdb_auth_client_remove(t->db, "a", &why)); /* it can be given up */
    }
}

static void a_key_that_makes_no_sense_is_corrupt(void **state)
{
    scratch *t = *state;
    client c = client_new(t->db, "a");
    evdb_token token = client_login(t->db, &c);
    evdb_principal who;
    tamper_system(t, "UPDATE keys SET value=x'001122'");
    refused(EVDB_CORRUPT, evdb_auth_token_check(t->db, token.access, NULL, &who, &why));
    expect_says("key");
    refused(EVDB_CORRUPT, evdb_auth_client_add(t->db, "b", NULL, 0, 0, c.secret, &why));
    tamper_system(t, "DELETE FROM keys"); /* a new one would void every client's secret without a word */
    refused(EVDB_CORRUPT, evdb_auth_token_issue(t->db, "a", c.secret, NULL, &token, &why));
    refused(EVDB_CORRUPT, evdb_auth_client_add(t->db, "b", NULL, 0, 0, c.secret, &why));
    ok(evdb_auth_client_remove(t->db, "a", &why));
    c = client_new(t->db, "b");
    assert_true(client_token_good(t->db, client_login(t->db, &c).access));
}

static void a_signing_key_that_makes_no_sense_is_corrupt(void **state)
{
    static const char *const changes[] = { "seed=x'00'", "seed=zeroblob(32)", "state=3", "kid='short'", "lifetime_ms=-1" };
    scratch *t = *state;
    client c = client_new(t->db, "a");
    char statement[200];
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        evdb_token token = client_login(t->db, &c);
        evdb_principal who;
        char *keys;
        snprintf(statement, sizeof(statement), "UPDATE signing SET %s WHERE state=1", changes[i]);
        tamper_system(t, statement);
        refused(EVDB_CORRUPT, evdb_auth_token_check(t->db, token.access, NULL, &who, &why));
        expect_says("signing key");
        refused(EVDB_CORRUPT, evdb_auth_token_issue(t->db, "a", c.secret, NULL, &token, &why));
        refused(EVDB_CORRUPT, evdb_auth_jwks(t->db, &keys, &why));
        refused(EVDB_CORRUPT, evdb_auth_keys_rotate(t->db, &why));
        tamper_system(t, "DELETE FROM signing");
    }
}

typedef struct findings {
    int count;
    char text[500];
} findings;

static void note(void *context, const char *store, const char *text)
{
    findings *f = context;
    assert_null(store); /* it is of none */
    f->count++;
    snprintf(f->text, sizeof(f->text), "%s", text);
}

static void verify_finds_what_makes_no_sense(void **state)
{
    static const struct {
        const char *change, *finding;
    } damages[] = {
        { "UPDATE clients SET scopes=9 WHERE id='b'", "client 'b'" },
        { "UPDATE keys SET value=zeroblob(31)", "31 bytes" },
        { "UPDATE refresh SET used=2 WHERE client='a'", "make no sense: 2" },
        { "UPDATE refresh SET family=x'' WHERE client='b'", "make no sense: 1" },
        { "DELETE FROM clients WHERE id='a'", "of no client: 2" },
        { "INSERT INTO quotas VALUES('c',1,1,1)", "quotas of no client: 1" },
        { "INSERT INTO quotas VALUES('b',1,-2,1)", "client 'b'" },
        { "DELETE FROM keys", "no key" },
        { "UPDATE signing SET seed=x'00' WHERE state=1", "signing keys that make no sense: 1" },
        { "UPDATE signing SET state=1", "active signing keys: 2" },
        { "INSERT INTO revoked VALUES(x'00','a',0)", "revoked tokens that make no sense: 1" },
    };
    scratch *t = *state;
    evdb_verify_report report;
    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        client a = client_new(t->db, "a"), b = client_new(t->db, "b");
        evdb_token token = client_login(t->db, &a);
        findings f = { 0 };
        (void)client_refresh(t->db, &a, token.refresh);
        (void)client_login(t->db, &b);
        ok(evdb_verify(t->db, NULL, note, &f, &report, &why));
        assert_int_equal(report.problems, 0);
        tamper_system(t, damages[i].change);
        ok(evdb_verify(t->db, NULL, note, &f, &report, &why));
        assert_int_equal(report.problems, 1);
        if (!strstr(f.text, damages[i].finding)) fail_msg("'%s' does not say '%s'", f.text, damages[i].finding);
        tamper_system(t, "DELETE FROM clients; DELETE FROM refresh; DELETE FROM keys; DELETE FROM signing; DELETE FROM revoked;"
                         " DELETE FROM quotas");
    }
}

static evdb *faster; /* another handle, as another process would have */

/* Just before the lock is taken the other one makes a key and a client. */
static int somebody_is_faster(void *context, const io_event *event)
{
    client *theirs = context;
    if (event->kind == IO_LOCK && faster && !theirs->id) {
        theirs->id = "theirs";
        *theirs = client_new(faster, "theirs");
    }
    return 0;
}

static void whoever_makes_the_key_first_makes_it_for_all(void **state)
{
    scratch *t = *state;
    static client theirs; /* outlives the test, as the database does */
    platform p = platform_real;
    p.io = (io_gate){ &theirs, somebody_is_faster };
    evdb_close(t->db);
    ok(db_open_with(&p, t->path, NULL, &t->db, &why));
    ok(evdb_open(t->path, NULL, &faster, &why));
    client ours = client_new(t->db, "ours");
    assert_non_null(theirs.id);
    assert_true(client_token_good(t->db, client_login(faster, &theirs).access));
    assert_true(client_token_good(faster, client_login(t->db, &ours).access));
    assert_true(client_token_good(faster, client_login(t->db, &theirs).access));
    evdb_close(faster);
    faster = NULL;
}

static int not_the_owner(void *context, const io_event *event)
{
    int *asked = context;
    if (event->kind != IO_MODE) return 0;
    ++*asked;
    return EPERM;
}

static void no_key_is_made_where_others_could_read_it(void **state)
{
    scratch *t = *state;
    char secret[EVDB_SECRET_BYTES] = "untouched", path[2 * SCRATCH_PATH_MAX];
    evdb_client *list;
    size_t count;
    static int asked; /* outlives the test, as the database does */
    platform p = platform_real;
    p.io = (io_gate){ &asked, not_the_owner };
    snprintf(path, sizeof(path), "%s/system.db", t->path);
    assert_int_equal(chmod(path, 0644), 0);
    evdb_close(t->db);
    ok(db_open_with(&p, t->path, NULL, &t->db, &why));
    refused(EVDB_DENIED, evdb_auth_client_add(t->db, "a", NULL, 0, 0, secret, &why));
    expect_says("system.db");
    assert_string_equal(secret, "untouched");
    assert_int_equal(asked, 1);
    ok(evdb_auth_client_list(t->db, &list, &count, &why));
    assert_int_equal(count, 0);
    evdb_auth_client_list_free(list);
}

static bool system_holds(const scratch *t, const unsigned char *bytes, size_t count)
{
    char path[2 * SCRATCH_PATH_MAX];
    size_t size;
    snprintf(path, sizeof(path), "%s/system.db", t->path);
    char *content = scratch_content(path, &size);
    bool found = memmem(content, size, bytes, count) != NULL;
    free(content);
    return found;
}

static void nothing_is_left_of_a_removed_clients_secret(void **state)
{
    scratch *t = *state;
    char secret[EVDB_SECRET_BYTES];
    client_row first, second;
    bool found;
    (void)client_new(t->db, "a");
    (void)client_new(t->db, "b");
    ok(clients_find(t->db->system, "a", &first, &found, &why));
    assert_true(found && system_holds(t, first.hash, 32));
    ok(evdb_auth_client_rotate(t->db, "a", NULL, secret, &why));
    assert_false(system_holds(t, first.hash, 32));
    ok(clients_find(t->db->system, "a", &second, &found, &why));
    assert_true(found && system_holds(t, second.hash, 32));
    ok(evdb_auth_client_remove(t->db, "a", &why));
    assert_false(system_holds(t, second.hash, 32));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_that_makes_no_sense_is_corrupt),
        TEST(a_key_that_makes_no_sense_is_corrupt),
        TEST(a_signing_key_that_makes_no_sense_is_corrupt),
        TEST(nothing_is_left_of_a_removed_clients_secret),
        TEST(verify_finds_what_makes_no_sense),
        TEST(whoever_makes_the_key_first_makes_it_for_all),
        TEST(no_key_is_made_where_others_could_read_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
