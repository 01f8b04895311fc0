/* backup_chunk.h - what stands in clear before each chunk of a backup. */
#ifndef EVDB_FORMAT_BACKUP_CHUNK_H
#define EVDB_FORMAT_BACKUP_CHUNK_H
#include "base/checksum.h"
#include <string.h>

typedef struct backup_chunk {
    uint32_t raw, stored; /* bytes; stored as they are when both (less the seal) are equal */
    uint64_t number;      /* from 0 */
    uint64_t sum;
} backup_chunk;

/* What a backup's chunk checksums begin from. */
static inline uint64_t backup_chunk_seed(const unsigned char *id, size_t size) { return checksum(id, size, 0); }

static inline uint64_t backup_chunk_sum(const backup_chunk *c, const void *stored, uint64_t seed)
{
    return checksum(stored, c->stored, checksum(c, offsetof(backup_chunk, sum), seed));
}

#endif
