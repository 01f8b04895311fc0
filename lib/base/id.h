/* id.h - ids: checking them, and telling what an id means in an integer or a string store. */
#ifndef EVDB_BASE_ID_H
#define EVDB_BASE_ID_H
#include <evdb/batch.h>
#include <stdbool.h>

enum { ID_TEXT_MAX = 24 }; /* an int64 in decimal, with NUL */

/* Fills in length when it was left 0, and checks a string id: 1..EVDB_ID_BYTES_MAX bytes of UTF-8, no NUL. */
evdb_status id_check(evdb_id *id, evdb_error *err);
/* Of a call that takes many: no more than EVDB_BATCH_MAX, each as it must be; *err says which is not. */
evdb_status id_check_all(const evdb_id *ids, size_t count, evdb_error *err);
/* The same id in the form a store of this type uses; `text` holds a decimal when one is made. An undecided type
 * leaves it as it is. EVDB_INVALID when a string cannot be an integer. */
evdb_status id_resolve(evdb_id_type type, const evdb_id *id, char text[ID_TEXT_MAX], evdb_id *out, evdb_error *err);
bool id_equal(const evdb_id *a, const evdb_id *b);
/* For messages: '42' or 'doc1', cut to fit. */
const char *id_show(const evdb_id *id, char *space, size_t size);

#endif
