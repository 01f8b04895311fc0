/* rows_salvage.h - what can be had of a damaged rows.db: every record whose checksum and whose vector's checksum hold.
 *
 * Tables are not walked from above, for any page above may be damaged. Each page whose own checksum holds is read by itself, and its
 * rows are told apart by their shape: records, vectors and codecs prove themselves by their checksums, the others lie on pages that do.
 * Where each was found goes into a scratch database, which says by joins what belongs together, what is newest and what was deleted. */
#ifndef EVDB_DISK_ROWS_SALVAGE_H
#define EVDB_DISK_ROWS_SALVAGE_H
#include "disk/rows_load.h"

typedef struct salvage salvage;

typedef struct salvage_found {
    evdb_store_info *info; /* what the store is, as rows.db says; NULL = its description is lost */
    rows_coding coding;    /* the same of its codec */
    bool fields_lost;      /* names of declared fields may be missing */
    uint64_t sequence;     /* of the last change anything tells of */
    uint64_t missing;      /* changes that were made and are not known any more */
    uint64_t records;      /* that can be loaded */
    uint64_t lost;         /* that cannot, and whose ids are known */
    uint64_t nameless;     /* that cannot, by the number of live records, and whose ids are not */
    evdb_id_type id_type;  /* of the ids that were found */
    size_t vector_bytes;   /* of a vector of elements; 0 = none was found */
    evdb_id last;          /* of the record that was written last, where there are any */
} salvage_found;

/* Reads what is in folder dir of store uuid, which is locked for writers until salvage_close(). `scratch` is the path of a database that
 * is made, and removed at the end. All that is borrowed must outlive the salvage. */
evdb_status salvage_open(const platform *p, const vfs *v, const char *dir, const char *uuid, const char *scratch, salvage **out,
                         evdb_error *err);
const salvage_found *salvage_finds(const salvage *s);

/* The records that cannot be loaded, in order of id: what is missing of each. */
enum { SALVAGE_NO_METADATA = 1, SALVAGE_NO_VECTOR = 2, SALVAGE_NEITHER = 3 };
typedef evdb_status salvage_lost_fn(void *context, const evdb_id *id, int what, evdb_error *err);
evdb_status salvage_lost(salvage *s, salvage_lost_fn *each, void *context, evdb_error *err);

/* Called now and then with the number of records that were put. */
typedef evdb_status salvage_tick_fn(void *context, uint64_t records, evdb_error *err);
/* Puts codecs and records into rows that are being loaded, all but rows_load_finish(). */
evdb_status salvage_load(salvage *s, rows_load *l, salvage_tick_fn *tick, void *context, evdb_error *err);

/* Removes the scratch database: nothing but salvage_finds() can be asked any more. The lock stays. */
void salvage_finish(salvage *s);
void salvage_close(salvage *s); /* NULL is fine */

#endif
