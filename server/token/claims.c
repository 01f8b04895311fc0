/* claims.c - implements token/claims.h. */
#include "token/claims.h"
#include "op/op.h"
#include <string.h>

/* A NumericDate: seconds, not always whole ones. false when it is none, or none of this age of the world. */
static bool read_date(const json_t *date, int64_t *out)
{
    static const double most = 1e11; /* beyond the year 5000 */
    double seconds = json_is_number(date) ? json_number_value(date) : -1;
    if (!(seconds >= 0 && seconds <= most)) return false;
    *out = (int64_t)(seconds * 1000);
    return true;
}

/* A date that need not be there, and must be behind; *out = 0 without it. */
static evdb_status read_past(const json_t *claims, const char *name, int64_t now_ms, int64_t *out, evdb_error *err)
{
    const json_t *date = json_object_get(claims, name);
    *out = 0;
    if (date && !read_date(date, out)) return op_fail(err, EVDB_DENIED, "the token's %s is no time", name);
    return *out > now_ms + CLAIMS_SKEW_MS ? op_fail(err, EVDB_DENIED, "the token is not yet valid: its %s is ahead", name) : EVDB_OK;
}

evdb_status claims_read_times(const json_t *claims, int64_t now_ms, claims_times *out, evdb_error *err)
{
    int64_t from;
    if (!read_date(json_object_get(claims, "exp"), &out->expires)) return op_fail(err, EVDB_DENIED, "the token has no exp that is a time");
    if (out->expires + CLAIMS_SKEW_MS <= now_ms) return op_fail(err, EVDB_DENIED, "the token has expired");
    evdb_status rc = read_past(claims, "nbf", now_ms, &from, err);
    return rc == EVDB_OK ? read_past(claims, "iat", now_ms, &out->issued, err) : rc;
}

const char *claims_text(const json_t *claims, const char *name)
{
    const char *text = json_string_value(json_object_get(claims, name));
    return text && *text ? text : NULL;
}

bool claims_audience_has(const json_t *claims, const char *audience)
{
    const json_t *aud = json_object_get(claims, "aud"), *one;
    size_t i;
    if (json_is_string(aud)) return strcmp(json_string_value(aud), audience) == 0;
    json_array_foreach(aud, i, one)
        if (json_is_string(one) && strcmp(json_string_value(one), audience) == 0) return true;
    return false;
}
