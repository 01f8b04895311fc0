/* options.c - implements base/options.h. */
#include "base/options.h"
#include "base/error.h"
#include <string.h>

enum { OPTIONS_SIZE_MAX = 4096 }; /* a larger size is memory that was never set */

static evdb_status read_size(const void *theirs, const char *what, size_t *out, evdb_error *err)
{
    memcpy(out, theirs, sizeof(*out));
    if (*out < sizeof(*out) || *out > OPTIONS_SIZE_MAX)
        return error_set(err, EVDB_INVALID, "%s: size is %zu: initialise the struct with its macro", what, *out);
    return EVDB_OK;
}

evdb_status options_import(void *ours, size_t our_size, const void *theirs, const char *what, evdb_error *err)
{
    size_t their_size;
    if (!theirs) return EVDB_OK;
    evdb_status rc = read_size(theirs, what, &their_size, err);
    if (rc != EVDB_OK) return rc;
    for (size_t i = our_size; i < their_size; i++)
        if (((const unsigned char *)theirs)[i])
            return error_set(err, EVDB_UNSUPPORTED, "%s: sets a field of a newer evdb", what);
    memcpy(ours, theirs, their_size < our_size ? their_size : our_size);
    memcpy(ours, &our_size, sizeof(our_size));
    return EVDB_OK;
}

evdb_status options_export(void *theirs, const void *ours, size_t our_size, const char *what, evdb_error *err)
{
    size_t their_size;
    evdb_status rc = read_size(theirs, what, &their_size, err);
    if (rc != EVDB_OK) return rc;
    if (their_size > our_size) memset((char *)theirs + our_size, 0, their_size - our_size);
    memcpy(theirs, ours, their_size < our_size ? their_size : our_size);
    memcpy(theirs, &their_size, sizeof(their_size));
    return EVDB_OK;
}
