/* backup_out.h - a backup on its way to an evdb_sink: entries gathered into chunks, compressed, encrypted, counted. */
#ifndef EVDB_FORMAT_BACKUP_OUT_H
#define EVDB_FORMAT_BACKUP_OUT_H
#include "format/backup_entry.h"
#include "format/backup_head.h"
#include "platform/platform.h"

typedef struct backup_out backup_out;

/* Writes the head: h->id and, with a key, h->salt are drawn. All is borrowed until backup_out_close(), the key for the call. */
evdb_status backup_out_open(const platform *p, const evdb_sink *sink, backup_head *h, const unsigned char *key, backup_out **out,
                            evdb_error *err);
void backup_out_close(backup_out *o); /* NULL is fine */

/* Never writes. Before an entry is added there must be room for it: backup_out_full() is false. */
evdb_status backup_out_add(backup_out *o, const backup_entry *e, evdb_error *err);
bool backup_out_full(const backup_out *o);
/* Writes the chunk if it is full. */
evdb_status backup_out_step(backup_out *o, evdb_error *err);
/* Writes what is left, and the foot, of which sequence, records and entries are the caller's. */
evdb_status backup_out_finish(backup_out *o, backup_foot *foot, evdb_error *err);

#endif
