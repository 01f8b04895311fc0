/* register.c - POST /oauth/register (RFC 7591): clients register themselves, where the setting `dynamic_registration` is on and whoever has
 * them do so is an admin. The operation register_client does the work, and decides who may. */
#include "op/op_clock.h"
#include "token/endpoints.h"
#include "token/reply.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 16, ID_TEXT = 32 };

/* "a b" as ["a","b"]. */
static json_t *words(const char *text)
{
    json_t *list = json_array();
    for (const char *p = text; *p; p += strcspn(p, " "), p += *p == ' ') json_array_append_new(list, json_stringn(p, strcspn(p, " ")));
    return list;
}

/* The metadata that mean something here; others are ignored, as RFC 7591, 2 asks. */
static json_t *arguments(const json_t *metadata)
{
    static const char *const same[] = { "grant_types", "redirect_uris", "token_endpoint_auth_method", "client_name", "jwks" };
    unsigned char drawn[ID_BYTES];
    char id[ID_TEXT];
    const char *scope = json_string_value(json_object_get(metadata, "scope"));
    json_t *args = json_object(), *value;
    randombytes_buf(drawn, sizeof drawn);
    sodium_bin2base64(id, sizeof id, drawn, sizeof drawn, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    json_object_set_new(args, "client_id", json_string(id));
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if ((value = json_object_get(metadata, same[i])) && !json_is_null(value)) json_object_set(args, same[i], value);
    /* What RFC 7591, 2 says is meant when nothing is said. */
    if (!json_object_get(args, "grant_types")) json_object_set_new(args, "grant_types", json_pack("[s]", "authorization_code"));
    if (scope && *scope) json_object_set_new(args, "scopes", words(scope));
    return args;
}

static bool one_of(const json_t *list, const char *word)
{
    const json_t *one;
    size_t i;
    json_array_foreach(list, i, one)
        if (json_is_string(one) && strcmp(json_string_value(one), word) == 0) return true;
    return false;
}

/* What was registered, in the words of RFC 7591, 3.2.1. */
static json_t *information(const json_t *args, const json_t *made)
{
    json_t *all = json_deep_copy(args), *value;
    char scopes[EVDB_SCOPES_BYTES] = "";
    size_t i;
    json_object_del(all, "scopes");
    json_array_foreach(json_object_get(made, "scopes"), i, value) {
        if (i) strncat(scopes, " ", sizeof scopes - strlen(scopes) - 1);
        strncat(scopes, json_string_value(value), sizeof scopes - strlen(scopes) - 1);
    }
    json_object_set_new(all, "scope", json_string(scopes));
    json_object_set(all, "token_endpoint_auth_method", json_object_get(made, "token_endpoint_auth_method"));
    if (one_of(json_object_get(made, "grant_types"), "authorization_code")) json_object_set_new(all, "response_types", json_pack("[s]", "code"));
    else json_object_set_new(all, "response_types", json_array());
    json_object_set_new(all, "client_id_issued_at", json_integer(op_now_ms() / 1000));
    if ((value = json_object_get(made, "client_secret"))) {
        json_object_set(all, "client_secret", value);
        json_object_set_new(all, "client_secret_expires_at", json_integer(0));
    }
    return all;
}

static void refuse(http_response *response, const evdb_error *err)
{
    bool redirect = strstr(err->message, "redirect URI") != NULL;
    if (err->status == EVDB_INVALID || err->status == EVDB_LIMIT)
        reply_error(response, 400, redirect ? "invalid_redirect_uri" : "invalid_client_metadata", err->message);
    else reply_failure(response, err);
}

static void run(const service *s, const evdb_principal *who, const json_t *metadata, http_response *response)
{
    const op *o = op_find("register_client");
    op_call call = { .db = s->db, .who = who, .protocol = "oauth" };
    op_out reply = OP_OUT;
    json_t *args = arguments(metadata), *made = NULL;
    evdb_error err;
    evdb_status rc = op_run(o, &call, args, NULL, &reply, &err);
    if (rc == EVDB_OK) rc = op_parse(reply.text, reply.size, &made, &err);
    if (rc == EVDB_OK) reply_json(response, 201, information(args, made));
    else refuse(response, &err);
    if (reply.text) explicit_bzero(reply.text, reply.size);
    op_out_free(&reply);
    json_decref(made);
    json_decref(args);
}

/* Who asks, and whether that is somebody who registers clients. */
static bool admit(const service *s, const http_request *request, evdb_principal *who, http_response *response)
{
    evdb_error err;
    bool given;
    evdb_status rc = access_identify(s, request, NULL, who, &given, &err);
    if (rc != EVDB_OK) {
        if (rc != EVDB_DENIED && rc != EVDB_INVALID) {
            reply_failure(response, &err);
            return false;
        }
        reply_error(response, rc == EVDB_DENIED ? 401 : 400, rc == EVDB_DENIED ? "invalid_token" : "invalid_request", err.message);
        http_header_add(response, "WWW-Authenticate", given ? "Bearer realm=\"evdb\", error=\"invalid_token\"" : "Bearer realm=\"evdb\", scope=\"admin\"");
        return false;
    }
    if (op_allow(op_find("register_client"), who, NULL, &err) == EVDB_OK) return true;
    audit_refused(s, request, who->client, "oauth", "register_client");
    reply_error(response, 403, "insufficient_scope", err.message);
    http_header_add(response, "WWW-Authenticate", "Bearer realm=\"evdb\", error=\"insufficient_scope\", scope=\"admin\"");
    return false;
}

void register_handle(const service *s, const http_request *request, http_response *response)
{
    evdb_principal who;
    evdb_error err;
    json_t *metadata = NULL;
    if (strcmp(request->method, "POST") != 0) {
        problem_status(response, 405, "method not allowed", "clients are registered with POST");
        http_header_add(response, "Allow", "POST");
    } else if (!admit(s, request, &who, response)) return;
    else if (!media_is(request, "application/json"))
        reply_error(response, 400, "invalid_client_metadata", "the body must be application/json");
    else if (op_parse(request->body, request->body_size, &metadata, &err) != EVDB_OK)
        reply_error(response, 400, "invalid_client_metadata", err.message);
    else if (!json_is_object(metadata)) reply_error(response, 400, "invalid_client_metadata", "the body must be a JSON object");
    else run(s, &who, metadata, response);
    json_decref(metadata);
}
