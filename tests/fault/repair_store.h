/* repair_store.h - stores to damage, and what a repair must have made of them: nothing invented, nothing altered, nothing lost that
 * could still be read, and every other loss told. */
#ifndef TESTS_FAULT_REPAIR_STORE_H
#define TESTS_FAULT_REPAIR_STORE_H
#include "tree.h"
#include <evdb.h>
#include <stdbool.h>

enum { REPAIR_IDS = 400 };

/* Small rows and metadata that go on in other pages; ids as text and a codec that was trained; vectors that go on in other pages. */
typedef enum repair_kind { REPAIR_PLAIN, REPAIR_CODED, REPAIR_WIDE, REPAIR_KINDS } repair_kind;
extern const char *const repair_names[REPAIR_KINDS];

typedef struct repair_state {
    bool there;
    uint64_t version;
    char *metadata;
    float *vector;
} repair_state;

typedef struct repair_specimen {
    char *dir;
    tree files;
    char uuids[REPAIR_KINDS][37]; /* also their folders' names */
    repair_state was[REPAIR_KINDS][REPAIR_IDS];
} repair_specimen;

/* CLOSED as it should be, KILLED with all in the logs, HALFWAY with one half of it in the files. */
enum { REPAIR_CLOSED, REPAIR_KILLED, REPAIR_HALFWAY, REPAIR_SPECIMENS };
void repair_build(repair_specimen *s, int how);
void repair_free(repair_specimen *s);
/* rows.db (end "") or another file of a store; NULL = there is none. */
tree_file *repair_file(const repair_specimen *s, repair_kind kind, const char *end);

typedef struct repair_tally {
    unsigned tried, sound, described, wrong; /* described: the description was lost, and given */
    uint64_t records, salvaged, lost, unnamed, outdated;
} repair_tally;

/* Writes the files out as they are in memory, damaged, repairs the store and compares; prints each thing that is wrong. */
void repair_examine(repair_specimen *s, repair_kind kind, const char *what, repair_tally *t);

#endif
