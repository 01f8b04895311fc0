/* quota.h - how much each client may ask and write: requests a second, records and bytes a day.
 *
 * A day is one of UTC. What a client has used is in memory and starts at nothing when the process does. */
#ifndef LIMIT_QUOTA_H
#define LIMIT_QUOTA_H
#include "limit/slots.h"
#include <evdb.h>
#include <stdbool.h>

typedef struct quotas quotas;

typedef struct quotas_options {
    evdb_quota defaults; /* of clients without a limit of their own: 0 = no limit either */
    unsigned char seed[SLOTS_SEED_BYTES]; /* random, secret */
    int64_t (*now_ns)(void *context);     /* monotonic; NULL = the system's, of both clocks */
    int64_t (*unix_ms)(void *context);
    void *context;
} quotas_options;

/* NULL without memory. */
quotas *quotas_create(const quotas_options *options);
void quotas_free(quotas *q); /* NULL allowed */

typedef struct quota_use { uint64_t records, bytes; } quota_use;

typedef enum quota_verdict {
    QUOTA_FINE,
    QUOTA_LATER, /* used up: wait */
    QUOTA_NEVER  /* more than a whole day's worth at once */
} quota_verdict;

typedef struct quota_answer {
    quota_verdict verdict;
    bool bytes;       /* it is these, not records, that are too many */
    uint64_t limit;
    uint32_t wait_ms; /* of QUOTA_LATER */
} quota_answer;

/* All are thread-safe. `own` are the limits of the client itself, as its principal has them.
 *
 * One request, if there is one left: of so many a second, and that many at once, like a bucket that fills up again. */
quota_answer quotas_request(quotas *q, const char *client, const evdb_quota *own);
/* Takes all of it from what is left of today, or nothing. */
quota_answer quotas_take(quotas *q, const char *client, const evdb_quota *own, quota_use more);
/* Records that were taken and then not written. */
void quotas_give_back(quotas *q, const char *client, uint64_t records);
/* What it has used today; only what has a limit is counted. */
quota_use quotas_used(quotas *q, const char *client);
#endif
