/* filter_private.h - a parsed filter: what filter_parse.c makes and filter.c asks. */
#ifndef EVDB_FILTER_FILTER_PRIVATE_H
#define EVDB_FILTER_FILTER_PRIVATE_H
#include "base/buf.h"
#include "filter/filter.h"
#include <jansson.h>

/* What is left of the operators: $eq, $ne and $nin are NODE_IN, with and without NODE_NOT. */
typedef enum node_kind { NODE_AND, NODE_OR, NODE_NOT, NODE_IN, NODE_EXISTS, NODE_GT, NODE_GTE, NODE_LT, NODE_LTE } node_kind;

enum { NO_NODE = UINT32_MAX };

typedef struct filter_node {
    node_kind kind;
    uint32_t child, next;    /* AND, OR, NOT: the first of its nodes; the node beside this one; NO_NODE: none */
    uint32_t field;          /* of the others */
    uint32_t first, count;   /* operands; IN: sorted */
} filter_node;

struct filter {
    const evdb_allocator *mem;
    json_t *tree; /* owns names and strings */
    buf canonical;
    filter_node *nodes; /* the last is the root */
    filter_value *operands;
    uint32_t node_count, operand_count, operand_room, field_count;
    const char *fields[EVDB_FILTER_FIELDS_MAX];
};

static inline bool node_is_leaf(const filter_node *n) { return n->kind >= NODE_IN; }
/* Operands of different types, too, have an order among themselves, for looking them up. */
int operand_order(const filter_value *a, const filter_value *b);

#endif
