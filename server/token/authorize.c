/* authorize.c - GET and POST /oauth/authorize (RFC 6749, 4.1.1; OAuth 2.1): a user logs in, says yes, and the client gets a code by way of
 * the user's browser. The request is the query, in every step; the body of a POST is what the user did.
 *
 * As long as it is not known that client and redirect URI belong together, errors are shown to the user: nobody can have this server send
 * people elsewhere. From then on they are told to the client. */
#include "proto/address.h"
#include "token/authorize.h"
#include "token/endpoints.h"
#include "token/login_page.h"
#include "token/session.h"
#include "token/target.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is asked for ---- */

static const char *const names[AUTHORIZE_PARAMETERS] = { "client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge",
                                                         "code_challenge_method", "response_mode", "request", "request_uri" };

void authorize_read(const http_request *request, authorize_asked *out)
{
    *out = (authorize_asked){ .client = NULL };
    for (size_t i = 0; i < AUTHORIZE_PARAMETERS; i++) {
        out->value[i] = http_parameter(request->query, names[i], &out->twice[i]);
        out->repeated |= out->twice[i];
    }
}

void authorize_free(authorize_asked *a)
{
    for (size_t i = 0; i < AUTHORIZE_PARAMETERS; i++) free(a->value[i]);
    evdb_auth_client_list_free(a->client);
}

/* Who asks, and where the answer goes; false: the user was told why not. */
static bool know_client(const service *s, authorize_asked *a, http_response *response)
{
    const char *id = a->value[CLIENT_ID], *uri = a->value[REDIRECT_URI], *why = NULL;
    evdb_error err;
    if (a->twice[CLIENT_ID] || a->twice[REDIRECT_URI]) why = "The link that led here says twice who asks, or where the answer goes.";
    else if (!id || evdb_auth_client_find(s->db, id, &a->client, &err) != EVDB_OK) why = "The program that led here is not known to this server.";
    else if (!uri) why = "The program that led here does not say where the answer goes (redirect_uri).";
    else if (!evdb_auth_redirect_allowed(a->client->redirect_uris, uri))
        why = "The program that led here wants the answer sent to a place that it is not registered with (redirect_uri).";
    if (why) login_page_refuse(400, why, response);
    return !why;
}

/* The error code of what is wrong with the rest, or NULL. */
static const char *check(const service *s, const http_request *request, authorize_asked *a, const char **why)
{
    const char *challenge = a->value[CHALLENGE], *method = a->value[CHALLENGE_METHOD], *type = a->value[RESPONSE_TYPE], *mode = a->value[RESPONSE_MODE];
    evdb_error err;
    if (a->repeated) return *why = "a parameter is given twice", "invalid_request";
    if (a->value[REQUEST]) return *why = "request objects are not supported", "request_not_supported";
    if (a->value[REQUEST_URI]) return *why = "request_uri is not supported", "request_uri_not_supported";
    if (!type) return *why = "response_type is missing", "invalid_request";
    if (strcmp(type, "code") != 0) return *why = "response_type must be code", "unsupported_response_type";
    if (mode && strcmp(mode, "query") != 0) return *why = "response_mode must be query", "invalid_request";
    if (!(a->client->grants & EVDB_GRANT_AUTHORIZATION_CODE)) return *why = "the client may not use authorization_code", "unauthorized_client";
    if (!challenge) return *why = "code_challenge is missing: PKCE is required", "invalid_request";
    if (!method || strcmp(method, "S256") != 0) return *why = "code_challenge_method must be S256", "invalid_request";
    if (strlen(challenge) != 43 || strspn(challenge, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != 43)
        return *why = "code_challenge must be the base64url of a SHA-256, 43 letters", "invalid_request";
    if ((*why = target_read(s, request->query, a->audience))) return "invalid_target";
    *a->stores = 0;
    if (a->value[SCOPE] && *a->value[SCOPE] && evdb_auth_scopes_split(a->value[SCOPE], &a->scopes, a->stores, &err) != EVDB_OK)
        return *why = "scope has a word that is no scope here: read, write, admin, read:STORE, write:STORE", "invalid_scope";
    return NULL;
}

/* ---- answers to the client ---- */

static void put_parameter(FILE *to, char *before, const char *name, const char *value)
{
    if (!value) return;
    fprintf(to, "%c%s=", *before, name);
    *before = '&';
    for (; *value; value++)
        if ((*value >= '0' && *value <= '9') || (*value >= 'A' && *value <= 'Z') || (*value >= 'a' && *value <= 'z') || strchr("-._~", *value))
            fputc(*value, to);
        else fprintf(to, "%%%02X", (unsigned char)*value);
}

/* Back to the client, which learns from `iss` who answers (RFC 9207). */
static void send_back(const service *s, const authorize_asked *a, const char *code, const char *error, const char *why, http_response *response)
{
    char issuer[ADDRESS_BYTES], before = strchr(a->value[REDIRECT_URI], '?') ? '&' : '?', *url = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&url, &size);
    response->status = 500;
    if (!to) return;
    fputs(a->value[REDIRECT_URI], to);
    put_parameter(to, &before, "code", code);
    put_parameter(to, &before, "error", error);
    put_parameter(to, &before, "error_description", why);
    if (!a->twice[STATE]) put_parameter(to, &before, "state", a->value[STATE]);
    put_parameter(to, &before, "iss", address_issuer(s, issuer));
    if (fclose(to) != 0) free(url);
    else http_redirect_take(response, 303, url);
    http_header_add(response, "Cache-Control", "no-store");
    http_header_add(response, "Pragma", "no-cache");
    http_header_add(response, "Referrer-Policy", "no-referrer");
}

/* ---- pages ---- */

static evdb_code_options options_of(const authorize_asked *a, const session *is)
{
    evdb_code_options o = EVDB_CODE_OPTIONS;
    o.client = a->client->id;
    o.user = is->user;
    o.user_generation = is->generation;
    o.redirect_uri = a->value[REDIRECT_URI];
    o.challenge = a->value[CHALLENGE];
    o.scopes = a->scopes;
    o.stores = a->stores;
    o.audience = *a->audience ? a->audience : NULL;
    return o;
}

static login_page page_of(const service *s, const http_request *request, const authorize_asked *a, const session *is, char form[SESSION_FORM_BYTES])
{
    session_form(s, is, request->query, form);
    return (login_page){ .client = *a->client->title ? a->client->title : a->client->id, .redirect = a->value[REDIRECT_URI], .form = form, .user = is->user };
}

/* With a session of nobody, so that the form is of this browser. */
static void ask_login(const service *s, const http_request *request, const authorize_asked *a, const char *problem, http_response *response)
{
    char form[SESSION_FORM_BYTES];
    session is;
    session_begin(s, NULL, &is, response);
    login_page p = page_of(s, request, a, &is, form);
    p.problem = problem;
    login_page_ask(&p, response);
}

static void ask_consent(const service *s, const http_request *request, const authorize_asked *a, const session *is, http_response *response)
{
    char form[SESSION_FORM_BYTES], stores[EVDB_STORE_SCOPES_BYTES], names_of[EVDB_SCOPES_BYTES];
    evdb_code_options o = options_of(a, is);
    evdb_error err;
    uint32_t scopes;
    evdb_status rc = evdb_auth_code_scopes(s->db, &o, &scopes, stores, &err);
    if (rc == EVDB_DENIED) ask_login(s, request, a, "This user is not known any more, or has another password.", response);
    else if (rc != EVDB_OK) send_back(s, a, NULL, rc == EVDB_INVALID ? "invalid_scope" : "server_error", err.message, response);
    else {
        login_page p = page_of(s, request, a, is, form);
        p.scopes = evdb_auth_scopes_join(scopes, stores, names_of);
        login_page_consent(&p, response);
    }
}

static void grant(const service *s, const http_request *request, const authorize_asked *a, const session *is, http_response *response)
{
    evdb_code_options o = options_of(a, is);
    char code[EVDB_SECRET_BYTES];
    evdb_error err;
    evdb_status rc = evdb_auth_code_issue(s->db, &o, code, &err);
    if (rc == EVDB_DENIED) ask_login(s, request, a, "This user is not known any more, or has another password.", response);
    else if (rc != EVDB_OK) send_back(s, a, NULL, rc == EVDB_INVALID ? "invalid_scope" : "server_error", err.message, response);
    else send_back(s, a, code, NULL, NULL, response);
    sodium_memzero(code, sizeof code);
}

/* ---- what the user did ---- */

/* Passwords are chosen by people: who guesses waits longer and longer, and while he does none is looked at (limit/throttle.h). */
static evdb_status check_password(const service *s, const http_request *request, const char *user, const char *password, evdb_user *known, evdb_error *err)
{
    char who[sizeof EVDB_SUBJECT_USER + EVDB_USER_NAME_MAX];
    snprintf(who, sizeof who, EVDB_SUBJECT_USER "%s", user ? user : "");
    uint32_t wait = throttle_ask(s->throttle, request->peer, who);
    evdb_status rc = wait ? op_throttled(err, wait, "Too many passwords were wrong. Wait a little.") : evdb_auth_user_check(s->db, user, password, known, err);
    if (rc == EVDB_DENIED) throttle_failed(s->throttle, request->peer, who);
    else if (rc == EVDB_OK) throttle_succeeded(s->throttle, request->peer, who);
    if (rc == EVDB_DENIED || rc == EVDB_THROTTLED) audit_refused(s, request, NULL, "oauth", "log in");
    return rc;
}

static void log_in(const service *s, const http_request *request, const authorize_asked *a, http_response *response)
{
    char *user = http_parameter(request->body, "user", NULL), *password = http_parameter(request->body, "password", NULL);
    evdb_user known;
    evdb_error err;
    evdb_status rc = check_password(s, request, user, password, &known, &err);
    if (rc == EVDB_DENIED) ask_login(s, request, a, "Name or password is wrong.", response);
    else if (rc == EVDB_THROTTLED) {
        ask_login(s, request, a, err.message, response);
        response->status = 429;
        retry_after(response, err.retry_s);
    } else if (rc != EVDB_OK) {
        login_page_refuse(503, "This server cannot look at passwords just now. Try again.", response);
        retry_after(response, err.retry_s);
    } else {
        session is;
        session_begin(s, &known, &is, response);
        ask_consent(s, request, a, &is, response);
    }
    if (password) sodium_memzero(password, strlen(password));
    free(user), free(password);
}

/* A page of another site may make a browser send this; it cannot know what the form carries, and browsers say where it came from. */
static bool is_ours(const service *s, const http_request *request, const session *is)
{
    const char *site = http_header(request, "Sec-Fetch-Site");
    bool twice = false;
    char *form = http_parameter(request->body, "form", &twice);
    bool fits = !twice && session_form_fits(s, is, request->query, form) && (!site || strcmp(site, "same-origin") == 0);
    free(form);
    return fits;
}

static void go_on(const service *s, const http_request *request, const authorize_asked *a, const session *is, const char *step, http_response *response)
{
    if (strcmp(step, "login") == 0) log_in(s, request, a, response);
    else if (strcmp(step, "cancel") == 0 || strcmp(step, "deny") == 0) {
        session_end(s, response);
        send_back(s, a, NULL, "access_denied", "the user said no", response);
    } else if (*is->user && strcmp(step, "allow") == 0) grant(s, request, a, is, response);
    else ask_login(s, request, a, NULL, response);
}

static void step(const service *s, const http_request *request, const authorize_asked *a, http_response *response)
{
    session is;
    bool has = session_read(s, request, &is);
    if (strcmp(request->method, "POST") != 0) {
        if (has && *is.user) ask_consent(s, request, a, &is, response);
        else ask_login(s, request, a, NULL, response);
    } else if (!media_is(request, "application/x-www-form-urlencoded")) login_page_refuse(415, "This is no form.", response);
    else if (!has || !is_ours(s, request, &is)) ask_login(s, request, a, "The page was open for too long, or is not the last one. Log in once more.", response);
    else {
        char *what = http_parameter(request->body, "step", NULL);
        go_on(s, request, a, &is, what ? what : "", response);
        free(what);
    }
}

void authorize_handle(const service *s, const http_request *request, http_response *response)
{
    authorize_asked a;
    const char *code, *why = NULL;
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0 && strcmp(request->method, "POST") != 0) {
        problem_status(response, 405, "method not allowed", "this is asked with GET, and answered with POST");
        http_header_add(response, "Allow", "GET, HEAD, POST");
        return;
    }
    authorize_read(request, &a);
    if (know_client(s, &a, response)) {
        if ((code = check(s, request, &a, &why))) send_back(s, &a, NULL, code, why, response);
        else step(s, request, &a, response);
    }
    authorize_free(&a);
}
