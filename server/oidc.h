/* oidc.h - settings -> the OpenID Connect issuer whose access tokens are accepted, where there is one. */
#ifndef OIDC_H
#define OIDC_H
#include "config/config.h"
#include "proto/proto.h"

typedef struct oidc oidc;

/* *out is NULL without an issuer. The settings are borrowed. */
evdb_status oidc_open(const config *c, oidc **out, evdb_error *err);
/* For the service; NULL without an issuer. */
const access_foreign *oidc_access(const oidc *o);
/* Ends what is under way with the issuer; NULL is fine. */
void oidc_close(oidc *o);

#endif
