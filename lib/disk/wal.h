/* wal.h - a look at a write-ahead log before SQLite recovers it.
 *
 * SQLite's recovery stops at the first frame whose checksum fails and forgets everything behind it. That is right for
 * a commit torn by a power cut, and wrong for a flipped bit in the middle of acknowledged commits. Each
 * frame stores the running checksum up to itself, so frames behind a broken one can still be proven sound: if whole
 * commits lie there, something was lost that must be reported. (Format: SQLite's fileformat2, section 4.) */
#ifndef EVDB_DISK_WAL_H
#define EVDB_DISK_WAL_H
#include "platform/platform.h"
#include <stdbool.h>

typedef struct wal_report {
    uint64_t frames;         /* sound frames from the start on: what recovery will use */
    uint64_t bytes;          /* of the log up to the last of them */
    uint64_t broken;         /* 1-based number of the first frame that fails, 0 = none (or nothing but old frames) */
    uint64_t commits_behind; /* sound commit frames behind it */
    bool broken_commit;      /* it ends a commit itself, so that those behind it are others */
} wal_report;

/* A missing or empty log reports zeros. Only meaningful while nobody writes the log. */
evdb_status wal_inspect(const platform *p, const char *path, wal_report *out, evdb_error *err);

/* Is a frame broken that was whole once? A single commit behind it may be its own, which the power cut short (frames reach the disk in any
 * order), or be left of a killed writer, whose first frames a shorter commit of another process replaced. */
bool wal_damaged(const wal_report *r);

/* One frame, in the order they lie in. */
typedef struct wal_frame {
    uint64_t number;
    uint64_t at;      /* offset in the log where its page begins */
    uint32_t page;    /* which one it is */
    uint32_t pages;   /* of the whole file after the commit that this frame ends; 0 = it ends none */
    bool current;     /* of this round of the log, not of an earlier one */
    bool sound;       /* and its checksum is right */
} wal_frame;
typedef void wal_frame_fn(void *context, const wal_frame *frame);
/* Each frame of the log, broken ones and those of an earlier round (which are not sound) too. *page: bytes of a page; 0 = the log is
 * missing or has no usable header. */
evdb_status wal_frames(const platform *p, const char *path, wal_frame_fn *each, void *context, size_t *page, evdb_error *err);

#endif
