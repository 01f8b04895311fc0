/* test_auth_files.c - evdb/auth.h on disk: what other handles see, what survives, and what the files give away. */
#include "client.h"
#include "expect.h"
#include "scratch.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *file_of(const scratch *t, const char *name)
{
    static char path[2 * SCRATCH_PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", t->path, name);
    return path;
}

/* ---- handles ---- */

static void two_handles_to_one_directory_see_each_other(void **state)
{
    scratch *t = *state;
    evdb *other;
    char secret[EVDB_SECRET_BYTES];
    ok(evdb_open(t->path, NULL, &other, &why));
    client c = client_new(t->db, "a");
    evdb_token token = client_login(other, &c), next;
    assert_true(client_token_good(t->db, token.access));
    next = client_refresh(t->db, &c, token.refresh);
    client_refresh_gone(other, &c, token.refresh); /* used there */
    client_refresh_gone(t->db, &c, next.refresh); /* and revoked here */
    ok(evdb_auth_client_rotate(other, "a", NULL, secret, &why));
    assert_false(client_token_good(t->db, token.access));
    refused(EVDB_DENIED, evdb_auth_token_issue(t->db, "a", c.secret, NULL, &token, &why));
    memcpy(c.secret, secret, sizeof(secret));
    token = client_login(t->db, &c);
    ok(evdb_auth_client_remove(t->db, "a", &why));
    assert_false(client_token_good(other, token.access));
    refused(EVDB_DENIED, evdb_auth_token_issue(other, "a", secret, NULL, &token, &why));
    refused(EVDB_NOT_FOUND, evdb_auth_client_remove(other, "a", &why));
    evdb_close(other);
}

static void tokens_and_secrets_survive_a_reopening(void **state)
{
    scratch *t = *state;
    evdb_verify_report report;
    client made = client_new(t->db, "made"), chosen = { .id = "chosen", .secret = "chosen by me" };
    ok(evdb_auth_client_add(t->db, chosen.id, chosen.secret, 0, EVERY_GRANT, NULL, &why));
    evdb_token one = client_login(t->db, &made), two = client_login(t->db, &chosen);
    scratch_reopen(t);
    assert_true(client_token_good(t->db, one.access) && client_token_good(t->db, two.access));
    one = client_refresh(t->db, &made, one.refresh);
    two = client_refresh(t->db, &chosen, two.refresh);
    (void)client_login(t->db, &made);
    (void)client_login(t->db, &chosen);
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
}

/* Of two copies of a database each gives its client a new secret: the tokens of one are none of the other's business. */
static void a_token_of_a_copy_dies_with_the_secret_that_got_it(void **state)
{
    scratch *t = *state;
    evdb *copy;
    char path[2 * SCRATCH_PATH_MAX], secret[EVDB_SECRET_BYTES];
    size_t size;
    client c = client_new(t->db, "a");
    evdb_token before = client_login(t->db, &c);
    scratch_reopen(t);
    evdb_close(t->db);
    t->db = NULL;
    char *system = scratch_content(file_of(t, "system.db"), &size);
    snprintf(path, sizeof(path), "%s", scratch_path(t, "copy"));
    assert_int_equal(mkdir(path, 0777), 0);
    strncat(path, "/system.db", sizeof(path) - strlen(path) - 1);
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(system, 1, size, to), size);
    fclose(to);
    free(system);
    *strrchr(path, '/') = 0;
    ok(evdb_open(path, NULL, &copy, &why));
    ok(evdb_open(t->path, NULL, &t->db, &why));
    assert_true(client_token_good(copy, before.access)); /* so far they are the same */
    ok(evdb_auth_client_rotate(copy, "a", NULL, secret, &why));
    ok(evdb_auth_client_rotate(t->db, "a", NULL, c.secret, &why));
    evdb_token after = client_login(t->db, &c);
    assert_true(client_token_good(t->db, after.access));
    assert_false(client_token_good(copy, after.access));
    assert_false(client_token_good(copy, before.access));
    evdb_close(copy);
}

/* ---- what the files give away ---- */

/* In how many of the database's files do these bytes appear? */
static int found_in(const scratch *t, const char *bytes)
{
    int count = 0;
    size_t size;
    DIR *dir = opendir(t->path);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        struct stat st;
        if (stat(file_of(t, e->d_name), &st) != 0 || !S_ISREG(st.st_mode)) continue;
        char *content = scratch_content(file_of(t, e->d_name), &size);
        count += memmem(content, size, bytes, strlen(bytes)) != NULL;
        free(content);
    }
    closedir(dir);
    return count;
}

static void no_file_holds_a_secret_or_a_token(void **state)
{
    scratch *t = *state;
    client made = client_new(t->db, "made-client"), chosen = { .id = "chosen-client", .secret = "chosen by me" };
    char rotated[EVDB_SECRET_BYTES];
    ok(evdb_auth_client_add(t->db, chosen.id, chosen.secret, 0, EVERY_GRANT, NULL, &why));
    evdb_token one = client_login(t->db, &made), two = client_refresh(t->db, &made, one.refresh), three = client_login(t->db, &chosen);
    ok(evdb_auth_client_rotate(t->db, made.id, NULL, rotated, &why));
    made.secret[43] = 0;
    const char *const secrets[] = { made.secret, chosen.secret, rotated, one.refresh, two.refresh, three.refresh, one.access, two.access };
    for (int closed = 0; closed < 2; closed++) {
        assert_true(found_in(t, "made-client") > 0 && found_in(t, "chosen-client") > 0); /* the search can find */
        for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) assert_int_equal(found_in(t, secrets[i]), 0);
        evdb_close(t->db); /* what was in the log is in system.db now */
        t->db = NULL;
    }
}

static unsigned mode_of(const scratch *t, const char *name)
{
    struct stat st;
    assert_int_equal(stat(file_of(t, name), &st), 0);
    return st.st_mode & 0777;
}

/* It holds the key by which tokens are made. */
static void system_db_is_its_owners_alone_from_the_first_client_on(void **state)
{
    scratch *t = *state;
    mode_t mask = umask(0022);
    ok(evdb_open(t->path, NULL, &t->db, &why));
    assert_int_equal(mode_of(t, "system.db"), 0644);
    client c = client_new(t->db, "a");
    assert_int_equal(mode_of(t, "system.db"), 0600);
    assert_int_equal(mode_of(t, "system.db-wal"), 0600);
    scratch_reopen(t);
    evdb_token token = client_login(t->db, &c);
    assert_int_equal(mode_of(t, "system.db"), 0600);
    assert_int_equal(mode_of(t, "system.db-wal"), 0600); /* a new one */
    assert_int_equal(chmod(file_of(t, "system.db"), 0640), 0); /* whoever wants to share it with a group can */
    scratch_reopen(t);
    (void)client_refresh(t->db, &c, token.refresh);
    assert_int_equal(mode_of(t, "system.db"), 0640);
    umask(mask);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_handles_to_one_directory_see_each_other),
        TEST(tokens_and_secrets_survive_a_reopening),
        TEST(a_token_of_a_copy_dies_with_the_secret_that_got_it),
        TEST(no_file_holds_a_secret_or_a_token),
        cmocka_unit_test_setup_teardown(system_db_is_its_owners_alone_from_the_first_client_on, scratch_closed, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
