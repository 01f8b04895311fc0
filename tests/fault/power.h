/* power.h - a disk whose power can fail: every file operation of a session is recorded, and what the disk may hold at
 * any moment of it is put together afterwards.
 *
 * What was synced is there. Of what was written to a file since its last sync each part may be there or not, in any
 * order, and a write may have got only some of its sectors done. A file made and never synced may be missing,
 * and a rename undone until the directory of the new name was synced. */
#ifndef TESTS_FAULT_POWER_H
#define TESTS_FAULT_POWER_H
#include "platform/platform.h"
#include "tree.h"
#include <stdbool.h>

typedef struct power_event {
    io_kind kind;
    char *path; /* below the directory of the session */
    char *to;   /* of a rename */
    uint64_t offset;
    unsigned char *data;
    size_t size;
    void *noted; /* a copy of what the session had noted when this began */
} power_event;

/* What a program may do wrong: tried, so that a test is known to notice. */
typedef enum power_bug {
    POWER_SOUND,
    POWER_NO_SYNCS,
    POWER_NO_LOG_SYNCS,           /* commits are acknowledged that are not on the disk */
    POWER_NO_SYNCS_BEFORE_RENAMES, /* files get their name before their content is on the disk */
    POWER_NO_FOLDER_SYNCS
} power_bug;

typedef struct power {
    const char *dir;
    power_bug bug;
    const void *notes; /* memory to copy with every event */
    size_t notes_size;
    power_event *events;
    size_t count, capacity;
} power;

/* For platform.io: records and lets pass. */
io_gate power_gate(power *p);
void power_free(power *p);

/* How what was not synced is chosen. */
typedef enum power_mood { POWER_LOSES_ALL, POWER_KEEPS_ALL, POWER_ANY } power_mood;
/* The files as the disk may hold them when the power fails just before event `at`; to be freed with tree_free(). */
tree power_cut(const power *p, size_t at, power_mood mood, uint64_t *seed);

#endif
