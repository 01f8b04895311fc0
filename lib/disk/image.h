/* image.h - the pages of a database file that SQLite may refuse to open: file and write-ahead log together, each page in its newest
 * version whose checksum holds.
 *
 * Of the log count frames up to its last sound commit frame; what lies behind that was never committed. (Format: SQLite's fileformat2.) */
#ifndef EVDB_DISK_IMAGE_H
#define EVDB_DISK_IMAGE_H
#include "disk/sql.h"
#include "platform/descriptor.h"

enum { IMAGE_USABLE = SQL_PAGE_SIZE - VFS_RESERVED }; /* bytes of a page that SQLite uses */

typedef struct image {
    const platform *platform;
    descriptor file, log;
    char *log_path;
    uint32_t pages;          /* that there are, or were */
    uint64_t *frames;        /* of each, where its page lies in the log; 0 = not there */
    uint32_t capacity;       /* of frames */
    uint64_t commits_behind; /* sound commits behind the first broken frame */
    bool stale;              /* a frame that counts is broken: a page may be an older version than was committed */
} image;

/* path: of the database file, which may be missing; it must outlive the image, and nobody may write it or its log meanwhile.
 * behind: frames behind a broken one count too, of which SQLite's recovery knows nothing. */
evdb_status image_open(const platform *p, const char *path, bool behind, image *out, evdb_error *err);
void image_close(image *i);
/* *sound is false when there is no such page, or it is damaged. */
evdb_status image_page(const image *i, uint32_t number, unsigned char out[SQL_PAGE_SIZE], bool *sound, evdb_error *err);

#endif
