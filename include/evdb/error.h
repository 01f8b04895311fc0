/* error.h - statuses and messages. */
#ifndef EVDB_ERROR_H
#define EVDB_ERROR_H
#include <evdb/api.h>
#include <stdint.h>
EVDB_BEGIN

typedef enum evdb_status {
#define EVDB_STATUS(name, value, text) EVDB_##name = value,
#include <evdb/status.def>
#undef EVDB_STATUS
} evdb_status;

/* Which item of a batch, or which line of a file, an error speaks of; this when it is none. */
#define EVDB_NO_ITEM UINT64_MAX

/* Caller-owned; need not be initialised; written only on failure. Every function takes NULL too. */
typedef struct evdb_error {
    evdb_status status; /* the value the call returned */
    uint32_t retry_s;   /* seconds until the same call may succeed, where that is known; else 0 */
    uint64_t item;      /* 0-based batch item or 1-based line the message is about, or EVDB_NO_ITEM */
    char message[496];  /* one sentence naming the thing at fault; NUL-terminated UTF-8 */
} evdb_error;

/* "invalid argument" for EVDB_INVALID and so on; static storage, never NULL. */
EVDB_API const char *evdb_status_text(evdb_status status);
/* "INVALID" for EVDB_INVALID and so on: the stable name that protocols and scripts use. */
EVDB_API const char *evdb_status_name(evdb_status status);

EVDB_END
#endif
