/* claims.h - what a token says of itself (RFC 7519, 4.1), for tokens whose signature was checked. */
#ifndef TOKEN_CLAIMS_H
#define TOKEN_CLAIMS_H
#include <evdb.h>
#include <jansson.h>
#include <stdbool.h>

enum { CLAIMS_SKEW_MS = 30000 }; /* by which clocks of others may differ from ours */

/* Milliseconds of Unix time. */
typedef struct claims_times {
    int64_t expires, issued; /* issued = 0: it does not say */
} claims_times;

/* `exp` must be there, and ahead; `nbf` and `iat`, where they are, behind. EVDB_DENIED names the claim. */
evdb_status claims_read_times(const json_t *claims, int64_t now_ms, claims_times *out, evdb_error *err);
/* Is this one of the texts of `aud`, or `aud` itself? */
bool claims_audience_has(const json_t *claims, const char *audience);
/* The claim of that name, where it is a text that is not empty; else NULL. */
const char *claims_text(const json_t *claims, const char *name);

#endif
