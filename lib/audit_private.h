/* audit_private.h - the parts of the audit log: its lines, and the file that they are in.
 *
 * A line is a JSON object whose last member is the MAC of all that stands before it and of the MAC of the line before. */
#ifndef EVDB_AUDIT_PRIVATE_H
#define EVDB_AUDIT_PRIVATE_H
#include "auth/chain.h"
#include "base/buf.h"
#include "disk/audit_head.h"
#include "engine/engine.h"
#include "platform/descriptor.h"
#include <evdb/audit.h>

enum {
    AUDIT_LINE_MAX = 4096, /* bytes of a line with its newline: every text of an entry as escapes, and more */
    AUDIT_RESERVE_BYTES = 64 << 10
};

/* ---- audit_line.c ---- */

typedef struct audit_line {
    const char *at; /* borrowed until the next one is read */
    size_t size;    /* without the newline */
    uint64_t offset;
    bool ended;     /* by a newline; else the file ends within it */
    bool long_;     /* it cannot be a line of ours, and is not kept: size is 0 */
} audit_line;

/* Appends the line of an entry, newline and all; mac is that of the line before, and becomes that of this one. False: out of memory. */
bool audit_line_write(const chain *c, const evdb_audit_entry *e, unsigned char mac[AUDIT_MAC_BYTES], buf *out);
/* What a line says that its number and its MAC are; false when it has not the shape of one. */
bool audit_line_shape(const audit_line *l, uint64_t *number, unsigned char mac[AUDIT_MAC_BYTES]);
/* Is its MAC the right one behind that of the line before? */
bool audit_line_follows(const chain *c, const audit_line *l, const unsigned char before[AUDIT_MAC_BYTES]);
/* *entry false unless it is one as audit_line_write() makes them. */
evdb_status audit_line_read(const audit_line *l, const evdb_allocator *mem, evdb_audit_entry *out, bool *entry, evdb_error *err);
/* "NUMBER:MAC" <-> a head, whose size is not of interest. */
void audit_head_text(const audit_head *head, char out[EVDB_AUDIT_HEAD_BYTES]);
bool audit_head_parse(const char *text, audit_head *out);

/* ---- audit_file.c ---- */

/* Walks over the lines of the file, from one offset to another. */
typedef struct audit_reader {
    descriptor file;
    const evdb_allocator *mem;
    char *path, *at; /* bytes read and not yet handed out: from..to */
    size_t from, to;
    uint64_t offset, end; /* of what is to be read next; of the last byte */
} audit_reader;

/* *r is to be closed whatever this answers. A file that is missing has no lines. */
evdb_status audit_reader_open(evdb *db, audit_reader *r, evdb_error *err);
void audit_reader_close(audit_reader *r);
/* From there on, up to `end`. */
void audit_reader_seek(audit_reader *r, uint64_t offset, uint64_t end);
/* *more false at the end. */
evdb_status audit_reader_next(audit_reader *r, audit_line *out, bool *more, evdb_error *err);

/* Bytes behind the head that a crash or a power failure may have left of one line: it has no end, or holds parts that never reached the disk. */
bool audit_torn(const audit_line *l, uint64_t end);

/* The key is known; with `make`, made when there is none. *known false: there is none, so there never was an entry. */
evdb_status audit_begin(evdb *db, bool make, bool *known, evdb_error *err);
/* Gives the entry its number, and appends it. */
evdb_status audit_file_append(evdb *db, evdb_audit_entry *e, evdb_error *err);

#endif
