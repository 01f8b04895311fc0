/* store_private.h - what other parts of lib/ ask of a store beyond the public header. */
#ifndef EVDB_STORE_PRIVATE_H
#define EVDB_STORE_PRIVATE_H
#include "base/id.h"
#include "platform/platform.h"
#include <evdb/batch.h>
#include <stdbool.h>

struct engine;
struct rows;

/* Of evdb_store_options, and of what is asked of an index. */
enum { STORE_M_DEFAULT = 16, STORE_M_MIN = 2, STORE_M_MAX = 128, STORE_INDEX_THREADS_MAX = 1024 };

evdb_status store_name_check(const char *name, evdb_error *err);
/* Options with their defaults filled in, or the reason why not. */
evdb_status store_options_check(const evdb_store_options *given, evdb_store_options *out, evdb_error *err);
void store_make_uuid(const platform *p, char out[37]);
/* Makes rows.db in a new folder that is listed as debris (NULL = in memory), and the folder's name durable. */
evdb_status store_build(evdb *db, const evdb_store_info *info, bool codec_ready, const char *dir, struct rows **out, evdb_error *err);
/* What evdb_store_describe() answers. */
evdb_status store_describe(struct engine *e, evdb_store_info **out, evdb_error *err);
/* Is there a record of this id? Reads no vector. EVDB_INVALID when the id is not of the store's kind. */
evdb_status store_has(evdb_store *s, const evdb_id *id, bool *has, evdb_error *err);
/* A batch of one, of which the caller of whoever calls knows nothing. */
evdb_status record_write(evdb_store *store, evdb_batch *b, uint64_t *version, evdb_error *err);
evdb_status store_check_ttl(int64_t ttl_ms, evdb_error *err);
evdb_status store_check_trash(int64_t keep_ms, evdb_error *err);
/* The surroundings of the store's database; lives as long as it. */
const platform *store_platform(const evdb_store *s);

#endif
