/* power_hint.h - the hint of a store across a power failure: it is written through a map, which no recorder of file operations sees. */
#ifndef TESTS_FAULT_POWER_HINT_H
#define TESTS_FAULT_POWER_HINT_H
#include "power.h"

enum { HINT_SIZE = 256 /* what of its page is used */ };

typedef struct power_hint {
    char path[4096]; /* of the first store's hint, once it has one */
    unsigned char bytes[HINT_SIZE];
} power_hint;

/* Before an operation: learns the hint's name from the first map, and what the hint holds now. */
void power_hint_note(power_hint *h, const io_event *event);
/* Puts the hint, as it was noted, with the files of dir. */
void power_hint_add(tree *files, const power_hint *h, const char *dir);

#endif
