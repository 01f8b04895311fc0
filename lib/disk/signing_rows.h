/* signing_rows.h - the keys that access tokens are signed with, in system.db: seeds, as they are.
 *
 * Whoever may read system.db could make tokens by its other key as well (disk/clients.h), so the file's mode protects both.
 * Changes take the system lock. What a seed is, and what follows from it, is known above (auth/signing.h). */
#ifndef EVDB_DISK_SIGNING_ROWS_H
#define EVDB_DISK_SIGNING_ROWS_H
#include "disk/system.h"

enum { SIGNING_ROW_KID_BYTES = 44, SIGNING_ROW_SEED_BYTES = 32, SIGNING_ROWS_MAX = 64 };
enum { SIGNING_ROW_NEXT = 0, SIGNING_ROW_ACTIVE = 1, SIGNING_ROW_RETIRING = 2 };

typedef struct signing_row {
    char kid[SIGNING_ROW_KID_BYTES];
    unsigned char seed[SIGNING_ROW_SEED_BYTES];
    int64_t state, created_ms, changed_ms, lifetime_ms;
} signing_row;

/* By age. */
typedef evdb_status signing_row_fn(void *context, const signing_row *row, evdb_error *err);
evdb_status signing_rows_each(system_db *s, signing_row_fn *each, void *context, evdb_error *err);
/* The active key, `active` ("" = there is none), retires; the next one becomes active (fresh[0], where there is none), and fresh[1] the
 * next. Keys whose last token expired by ended_ms go. When another key is active nothing happens: somebody else was faster. LIMIT
 * when there are SIGNING_ROWS_MAX. */
evdb_status signing_rows_rotate(system_db *s, const char *active, const signing_row fresh[2], int64_t now_ms, int64_t ended_ms,
                                evdb_error *err);
/* Tokens of the active key may live that long. NOT_FOUND when it is another one. */
evdb_status signing_rows_stretch(system_db *s, const char *kid, int64_t lifetime_ms, evdb_error *err);

#endif
