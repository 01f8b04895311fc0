/* test_op_clients.c - registering clients: what is told of a secret, and what is refused. */
#include "call.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static json_t *call_for(evdb *db, const char *name, const char *text)
{
    op_call how = { .db = db };
    json_t *reply = NULL;
    evdb_error err;
    if (call_op(&how, name, text, &reply, &err) != EVDB_OK) fail_msg("%s %s: %s", name, text, err.message);
    return reply;
}

static bool secret_works(evdb *db, const char *client, const char *secret)
{
    evdb_token token;
    return evdb_auth_token_issue(db, client, secret, NULL, &token, NULL) == EVDB_OK;
}

static void a_made_secret_is_told_once_and_works(void **state)
{
    evdb *db = *state;
    json_t *reply = call_for(db, "register_client", "{\"client_id\":\"app\",\"scopes\":[\"write\"]}");
    const char *secret = json_string_value(json_object_get(reply, "client_secret"));
    assert_true(secret_works(db, "app", secret));
    json_t *list = call_for(db, "list_clients", "{}"), *one = json_array_get(json_object_get(list, "clients"), 0);
    assert_null(strstr(json_string_value(json_object_get(one, "secret")), secret));
    assert_string_equal(json_string_value(json_object_get(one, "secret")), "made");
    json_t *turned = call_for(db, "rotate_client", "{\"client_id\":\"app\"}");
    assert_false(secret_works(db, "app", secret));
    assert_true(secret_works(db, "app", json_string_value(json_object_get(turned, "client_secret"))));
    json_decref(reply);
    json_decref(turned);
    json_decref(list);
    call_fails(db, "register_client", "{\"client_id\":\"app\"}", EVDB_EXISTS, "app");
    call_expect(db, "remove_client", "{\"id\":\"app\"}", "{\"removed\":\"app\"}");
    call_fails(db, "remove_client", "{\"client_id\":\"app\"}", EVDB_NOT_FOUND, "app");
    call_fails(db, "rotate_client", "{\"client_id\":\"app\"}", EVDB_NOT_FOUND, "app");
    call_expect(db, "list_clients", "{}", "{\"clients\":[]}");
}

static void a_chosen_secret_is_not_told_again(void **state)
{
    evdb *db = *state;
    call_expect(db, "register_client",
                "{\"client_id\":\"app\",\"client_secret\":\"correct horse\",\"scopes\":[\"admin\"],"
                "\"grant_types\":[\"client_credentials\",\"refresh_token\"]}",
                "{\"client_id\":\"app\",\"scopes\":[\"read\",\"write\",\"admin\"],"
                "\"grant_types\":[\"client_credentials\",\"refresh_token\"],\"token_endpoint_auth_method\":\"client_secret_basic\"}");
    assert_true(secret_works(db, "app", "correct horse"));
    call_expect(db, "rotate_client", "{\"client_id\":\"app\",\"client_secret\":\"battery staple\"}", "{\"client_id\":\"app\"}");
    assert_true(secret_works(db, "app", "battery staple"));
    call_expect(db, "register_client", "{\"client_id\":\"least\",\"client_secret\":\"12345678\"}",
                "{\"client_id\":\"least\",\"scopes\":[\"read\"],\"grant_types\":[\"client_credentials\"],\"token_endpoint_auth_method\":\"client_secret_basic\"}");
}

static void what_is_no_client_is_refused(void **state)
{
    static const char *const bad[][2] = {
        { "{\"client_id\":\"a b\"}", "printable ASCII" },
        { "{\"client_id\":\"\"}", "printable ASCII" },
        { "{\"client_id\":\"a\",\"client_secret\":\"short\"}", "8 to 256 bytes" },
        { "{\"client_id\":\"a\",\"client_secret\":\"\"}", "8 to 256 bytes" },
        { "{\"client_id\":\"a\",\"client_secret\":\"admin_secret_2024\"}", "published" },
        { "{\"client_id\":\"a\",\"scopes\":[\"root\"]}", "'root'" },
        { "{\"client_id\":\"a\",\"scopes\":[\"read write\",\"\"]}", "''" },
        { "{\"client_id\":\"a\",\"grant_types\":[\"password\"]}", "'password'" },
        { "{\"client_id\":\"a\",\"scopes\":[\"readreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadread"
          "readreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadread"
          "readreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadreadread\"]}", "there is no scope" },
        { "{\"client_id\":\"a\",\"token_endpoint_auth_method\":\"tls\"}", "'tls'" },
        { "{\"client_id\":\"a\",\"token_endpoint_auth_method\":\"none\"}", "client_credentials" },
        { "{\"client_id\":\"a\",\"grant_types\":[\"authorization_code\"],\"redirect_uris\":[\"http://example.org/cb\"]}", "http://example.org/cb" },
        { "{}", "'client_id' is required" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) call_fails(*state, "register_client", bad[i][0], EVDB_INVALID, bad[i][1]);
    call_expect(*state, "list_clients", "{}", "{\"clients\":[]}");
    call_expect(*state, "register_client", "{\"client_id\":\"a\"}", NULL);
    call_fails(*state, "rotate_client", "{\"client_id\":\"a\",\"client_secret\":\"admin_secret_2024\"}", EVDB_INVALID, "published");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_made_secret_is_told_once_and_works, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_chosen_secret_is_not_told_again, call_open, call_close),
        cmocka_unit_test_setup_teardown(what_is_no_client_is_refused, call_open, call_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
