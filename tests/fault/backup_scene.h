/* backup_scene.h - a database and a store whose backups are damaged or forged, and that they are refused. */
#ifndef TESTS_FAULT_BACKUP_SCENE_H
#define TESTS_FAULT_BACKUP_SCENE_H
#include "memory_io.h"
#include <evdb.h>

typedef struct scene {
    char *dir;
    evdb *db;
    evdb_store *store; /* NULL before scene_fill() */
    uint64_t seed;
} scene;

extern const unsigned char scene_key[EVDB_BACKUP_KEY_BYTES];

/* Fixtures of CMocka. */
int scene_open(void **state);
int scene_close(void **state);
void scene_must(evdb_status rc, const evdb_error *err);
void scene_fill(scene *s, unsigned records, uint32_t dim);
memory_sink scene_backup(const scene *s, const unsigned char *with);
/* In place of the store. */
evdb_status scene_restore(const scene *s, const void *bytes, size_t size, const unsigned char *with, evdb_error *err);
/* Refused, and the store it would have replaced is as it was. */
void scene_refuses(const scene *s, const void *bytes, size_t size, const unsigned char *with, const char *what);

/* Where the chunks of a file are, with what stands before each; the end chunk is not one. */
typedef struct chunks {
    size_t at[64], size[64], count, end;
} chunks;
chunks chunks_of(const memory_sink *file);

#endif
