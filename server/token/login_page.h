/* login_page.h - what people see at the authorization endpoint: a page each, whole, without scripts. */
#ifndef TOKEN_LOGIN_PAGE_H
#define TOKEN_LOGIN_PAGE_H
#include "http/http.h"

typedef struct login_page {
    const char *client;   /* who asks: its title, or its id */
    const char *redirect; /* where the answer goes */
    const char *form;     /* token of the form (token/session.h) */
    const char *user;     /* who is logged in */
    const char *scopes;   /* what would be granted, separated by spaces */
    const char *problem;  /* why the page is shown again, or NULL */
} login_page;

/* Asks for name and password. The form's parameters: form, step (login, cancel), user, password. */
void login_page_ask(const login_page *p, http_response *response);
/* Asks whether the client may. Its form's parameters: form, step (allow, deny, leave). */
void login_page_consent(const login_page *p, http_response *response);
/* Says what is wrong, and sends nobody anywhere. */
void login_page_refuse(int status, const char *problem, http_response *response);

#endif
