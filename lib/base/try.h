/* try.h - TRY(call): leave through `out:` with rc set when call fails. */
#ifndef EVDB_BASE_TRY_H
#define EVDB_BASE_TRY_H
#include <evdb/error.h>

#define TRY(expr)                                                                                  \
    do {                                                                                           \
        rc = (expr);                                                                               \
        if (rc != EVDB_OK) goto out;                                                               \
    } while (0)
#endif
