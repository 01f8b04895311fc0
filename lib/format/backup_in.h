/* backup_in.h - a backup out of an evdb_source, checked as it comes: whatever it is, memory stays within a few chunks. */
#ifndef EVDB_FORMAT_BACKUP_IN_H
#define EVDB_FORMAT_BACKUP_IN_H
#include "format/backup_head.h"

typedef struct backup_in backup_in;

/* Reads the head. DENIED when a key is missing, or given and not needed: then somebody may have put another file in its place. The
 * source is borrowed, the key for the call. */
evdb_status backup_in_open(const evdb_allocator *mem, const evdb_source *source, const unsigned char *key, backup_in **out,
                           evdb_error *err);
void backup_in_close(backup_in *in); /* NULL is fine */
const backup_head *backup_in_head(const backup_in *in);
/* Moves it to *out, which is to be freed with backup_head_free(). */
void backup_in_give_head(backup_in *in, backup_head *out);

/* The next chunk's entries, borrowed until the next call; *out NULL at the end, once the foot was found to be right and nothing
 * to be behind it. */
evdb_status backup_in_next(backup_in *in, const uint8_t **out, size_t *size, evdb_error *err);
const backup_foot *backup_in_foot(const backup_in *in); /* at the end */

#endif
