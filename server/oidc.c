/* oidc.c - implements oidc.h. */
#include "oidc.h"
#include "log.h"
#include "op/op.h"
#include "remote/fetch.h"
#include "token/issuer.h"
#include <stdlib.h>

enum { TIMEOUT_MS = 10000 }; /* of one document of the issuer */

struct oidc {
    fetch *from;
    issuer *issuer;
    access_foreign access;
};

static void say(bool warning, const char *message, const char *detail)
{
    log_line(warning ? LOG_WARNING : LOG_INFO, message, json_pack("{s:o}", "detail", log_text(detail)));
}

evdb_status oidc_open(const config *c, oidc **out, evdb_error *err)
{
    *out = NULL;
    if (!*c->oidc_issuer) return EVDB_OK;
    oidc *o = calloc(1, sizeof *o);
    if (!o) return op_fail(err, EVDB_NO_MEMORY, "out of memory for the issuer '%.200s'", c->oidc_issuer);
    evdb_status rc = fetch_open(c->oidc_ca_file, TIMEOUT_MS, &o->from, err);
    const issuer_options options = {
        .keys = { .issuer = c->oidc_issuer, .get = fetch_get, .context = o->from, .say = say },
        .audience = c->oidc_audience, .scope_claim = c->oidc_scope_claim, .scope_prefix = c->oidc_scope_prefix, .name_claim = c->oidc_client_claim,
    };
    if (rc == EVDB_OK) rc = issuer_open(&options, &o->issuer, err);
    if (rc != EVDB_OK) {
        oidc_close(o);
        return rc;
    }
    o->access = (access_foreign){ .context = o->issuer, .identify = issuer_identify };
    *out = o;
    return EVDB_OK;
}

const access_foreign *oidc_access(const oidc *o) { return o ? &o->access : NULL; }

void oidc_close(oidc *o)
{
    if (!o) return;
    fetch_stop(o->from);
    issuer_close(o->issuer);
    fetch_close(o->from);
    free(o);
}
