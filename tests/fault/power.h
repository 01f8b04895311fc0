/* power.h - a disk whose power can fail: every file operation of a session is recorded, and what the disk may hold at
 * any moment of it is put together afterwards.
 *
 * What was synced is there. Of what was written to a file since its last sync each part may be there or not, in any
 * order, and a write may have got only some of its sectors done. A name is given, changed or removed for certain once its
 * folder was synced; before, each of that may be done or not, and folders and files without a name are lost. That is what POSIX
 * promises and no more: many file systems keep names in order. What is written through a map reaches the disk as writes at the times of
 * other operations. */
#ifndef TESTS_FAULT_POWER_H
#define TESTS_FAULT_POWER_H
#include "platform/platform.h"
#include "tree.h"
#include <pthread.h>
#include <stdbool.h>

typedef struct power_event {
    io_kind kind; /* IO_OPEN: a file was made */
    char *path;   /* below the directory of the session */
    char *to;     /* of a rename */
    uint64_t offset;
    unsigned char *data; /* NULL = zeros */
    size_t size;
    void *noted; /* a copy of what the session had noted when this began */
} power_event;

/* What a program may do wrong: tried, so that a test is known to notice. */
typedef enum power_bug {
    POWER_SOUND,
    POWER_NO_SYNCS,
    POWER_NO_LOG_SYNCS,            /* commits are acknowledged that are not on the disk */
    POWER_NO_SYNCS_BEFORE_RENAMES, /* files get their name before their content is on the disk */
    POWER_NO_FOLDER_SYNCS
} power_bug;

enum { POWER_MAPS = 16, POWER_MAP_BYTES = 256 /* what is used of a map's page */ };

typedef struct power_map {
    char *path; /* below the directory */
    int fd;
    unsigned char bytes[POWER_MAP_BYTES];
} power_map;

struct power_history;

/* All zeros but for the first members, which the test sets. */
typedef struct power {
    const char *dir;
    power_bug bug;
    const tree *base;  /* what is on the disk at the beginning; NULL = nothing */
    const void *notes; /* memory to copy with every event */
    size_t notes_size;
    power_event *events;
    size_t count, capacity;
    power_map maps[POWER_MAPS];
    size_t map_count;
    char *opened; /* a path that was about to be opened and was not there */
    pthread_mutex_t turn;
    struct power_history *history; /* made by the first power_cut() */
} power;

/* For platform.io: records and lets pass, but for syncs: this machine's own disk need not hurry. */
io_gate power_gate(power *p);
void power_free(power *p);

/* How what was not synced is chosen: none of it, all, all but sectors of it, any of it in any order, all until some moment. */
typedef enum power_mood { POWER_DROPS, POWER_KEEPS, POWER_TEARS, POWER_REORDERS, POWER_STOPS, POWER_MOODS } power_mood;
/* The files as the disk may hold them when the power fails just before event `at`; to be freed with tree_free(). */
tree power_cut(power *p, size_t at, power_mood mood, uint64_t *seed);

#endif
