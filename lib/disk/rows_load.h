/* rows_load.h - filling the rows.db of a store that nobody else knows of yet, from a backup: versions are those of the records, not
 * new ones, and nothing is durable before the end.
 *
 * rows_load_begin() .. rows_load_finish(), on rows that were just created. After a failure they are good for rows_close() only. */
#ifndef EVDB_DISK_ROWS_LOAD_H
#define EVDB_DISK_ROWS_LOAD_H
#include "disk/rows.h"

enum { ROWS_LOAD_CODECS_MAX = 1024 };

typedef struct rows_load {
    rows *rows;
    struct { uint32_t id; bool own, used; uint64_t slot; } codecs[ROWS_LOAD_CODECS_MAX + 1]; /* slot: the first that had a vector of it */
    uint32_t count;
} rows_load;

/* Where the store stands when all is there. */
typedef struct rows_load_state {
    rows_tip tip;
    uint32_t dim;
    evdb_id_type id_type;
    rows_coding coding;      /* recode_from is not looked at */
    evdb_change_kind change; /* the last one; 0 = there was none */
    evdb_id id;              /* that it was of; a text of no bytes: it was erased */
} rows_load_state;

evdb_status rows_load_begin(rows *r, rows_load *out, evdb_error *err);
/* A codec of that number; once more is nothing. */
evdb_status rows_load_codec(rows_load *l, const rows_codec *codec, evdb_error *err);
/* A record, in the place of one that has its id: of `record` all but the slot counts. */
evdb_status rows_load_put(rows_load *l, const rows_record *record, evdb_error *err);
/* One that is not there is none. */
evdb_status rows_load_delete(rows_load *l, const evdb_id *id, evdb_error *err);
/* CORRUPT when there are not as many records as the state says. In a file all is durable afterwards, but not the file's name. */
evdb_status rows_load_finish(rows_load *l, const rows_load_state *state, evdb_error *err);

#endif
