/* transfer_check.h - what a store would say of an imported record, asked before anything is written. */
#ifndef EVDB_TRANSFER_CHECK_H
#define EVDB_TRANSFER_CHECK_H
#include "base/id.h"
#include "disk/idset.h"
#include "format/reader.h"
#include <evdb/batch.h>

typedef struct transfer_check {
    evdb_store *store;
    evdb_write kind;
    uint32_t dim;         /* 0 until a record decides */
    evdb_id_type id_type; /* likewise */
    bool in_store;        /* ask the store whether it has an id */
    bool resume;          /* records that the store has just so are fine; set by the caller, row by row if need be */
    bool empty;           /* the store has no records, or had none */
    bool present;         /* is the last good row one of those? */
    idset *seen;          /* ids so far; NULL: they cannot repeat, or were checked before */
    evdb_id id;           /* of the last good row, in the store's own form */
    char id_text[ID_TEXT_MAX];
} transfer_check;

/* thorough: also look for ids that are in the store (EVDB_INSERT), or repeat where they may. */
evdb_status transfer_check_begin(transfer_check *c, evdb_store *store, const evdb_store_info *info, evdb_write kind,
                                 bool thorough, bool may_repeat, evdb_error *err);
void transfer_check_end(transfer_check *c);
/* *fatal: the failure is not the record's. `unit` is "line" or "row", for messages. */
evdb_status transfer_check_row(transfer_check *c, const reader_row *row, const char *unit, bool *fatal,
                               evdb_error *err);
#endif
