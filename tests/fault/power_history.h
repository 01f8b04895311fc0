/* power_history.h - what the recorded operations of power.h did to which file or folder under which name, and what made it last. */
#ifndef TESTS_FAULT_POWER_HISTORY_H
#define TESTS_FAULT_POWER_HISTORY_H
#include "power.h"

/* A file or folder, whatever it is called meanwhile. Node 0 is the session's directory. */
typedef struct power_node {
    bool folder;
    const tree_file *base; /* what it held at the beginning; NULL = it was made later */
} power_node;

/* A name in a folder. */
typedef struct power_name {
    int folder;
    char *name;
    int first, last; /* the node of that name at the beginning and at the end of the recording, -1 = none */
} power_name;

/* What one event did. -1 = nothing of the kind. */
typedef struct power_step {
    int node;              /* that it wrote to, named or unnamed */
    int named, unnamed;    /* names */
    size_t content_lasts, name_lasts; /* the event that made it last; POWER_NEVER */
} power_step;

#define POWER_NEVER SIZE_MAX

typedef struct power_history {
    power_node *nodes;
    power_name *names;
    power_step *steps; /* one an event */
    int node_count, name_count;
} power_history;

power_history *power_history_of(const power *p);
void power_history_free(power_history *h);

#endif
