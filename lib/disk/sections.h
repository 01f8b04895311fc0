/* sections.h - a file of named sections that is whole or not there, and never changes: what is derived from rows.db and may be
 * thrown away at any time.
 *
 *   header    one page: magic, format, what it belongs to, the sections with place, size and checksum, its own checksum
 *   sections  each beginning on a page, in the machine's (little-endian) byte order
 *
 * It is written under a name of its own, synced, renamed, and its directory synced. Checksums are chained over blocks of
 * SECTIONS_BLOCK bytes. Reading checks all of them before anything is used, by reading, so that a failing disk is an error and
 * not a signal; what is mapped afterwards is what was read. */
#ifndef EVDB_DISK_SECTIONS_H
#define EVDB_DISK_SECTIONS_H
#include "platform/platform.h"
#include <evdb/error.h>
#include <stdbool.h>

enum { SECTIONS_MAX = 24, SECTIONS_NAME = 8, SECTIONS_PAGE = 4096, SECTIONS_BLOCK = 1 << 20, SECTIONS_FORMAT = 1 };

/* What a file belongs to. */
typedef struct sections_of {
    char uuid[37];     /* of the store */
    uint64_t sequence; /* of the change it is the state of */
} sections_of;

typedef struct sections_out sections_out;
evdb_status sections_create(const platform *p, const char *dir, const char *name, const sections_of *of, sections_out **out,
                            evdb_error *err);
evdb_status sections_begin(sections_out *s, const char *name, evdb_error *err); /* at most SECTIONS_NAME bytes */
evdb_status sections_write(sections_out *s, const void *bytes, size_t size, evdb_error *err);
/* Gives the file its name. s is gone either way. */
evdb_status sections_finish(sections_out *s, evdb_error *err);
void sections_abandon(sections_out *s); /* NULL is fine */

typedef struct sections_in sections_in;
/* NOT_FOUND, NEWER (a later format, or of a later change than `newest`), CORRUPT (a checksum, or another store's). */
evdb_status sections_open(const platform *p, const char *dir, const char *name, const char *uuid, uint64_t newest,
                          sections_in **out, evdb_error *err);
uint64_t sections_sequence(const sections_in *s);
/* What the header of a file says, without a look at the rest; 0 when there is none, or none that is of this store. */
uint64_t sections_peek(const platform *p, const char *dir, const char *name, const char *uuid);
/* A section's bytes, mapped until sections_close(); CORRUPT when there is none of that name and size. size SIZE_MAX = any. */
evdb_status sections_find(const sections_in *s, const char *name, size_t size, const void **out, size_t *found, evdb_error *err);
void sections_close(void *s); /* sections_in; NULL is fine */

#endif
