/* filter.c - implements filter/filter.h but for parsing. */
#include "filter/filter.h"
#include "base/error.h"
#include "base/mem.h"
#include "filter/filter_private.h"
#include <string.h>

enum {
    STEP = 64,                /* records of one step: the bits of a word */
    ANSWERS_MAX = 32 << 20    /* bytes of answers; conditions beyond are asked about each record */
};

const char *filter_canonical(const filter *f) { return f->canonical.at; }
uint32_t filter_fields(const filter *f) { return f->field_count; }
const char *filter_field(const filter *f, uint32_t at) { return f->fields[at]; }

/* ---- one condition, one value ---- */

static bool is_operand(const filter *f, const filter_node *n, const filter_value *v)
{
    uint32_t low = n->first, high = n->first + n->count;
    if (v->kind >= VALUE_ARRAY) return false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = operand_order(v, &f->operands[middle]);
        if (!order) return true;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return false;
}

static bool single_holds(const filter *f, const filter_node *n, const filter_value *v)
{
    if (n->kind == NODE_IN) return is_operand(f, n, v);
    const filter_value *operand = &f->operands[n->first];
    if (!value_comparable(v, operand)) return false;
    int order = value_compare(v, operand);
    switch (n->kind) {
    case NODE_GT: return order > 0;
    case NODE_GTE: return order >= 0;
    case NODE_LT: return order < 0;
    case NODE_LTE: return order <= 0;
    case NODE_AND:
    case NODE_OR:
    case NODE_NOT:
    case NODE_IN:
    case NODE_EXISTS: break;
    }
    return false;
}

static bool holds(const filter *f, const filter_node *n, const filter_value *v)
{
    filter_value element, null = { .kind = VALUE_NULL };
    if (n->kind == NODE_EXISTS) return v->kind != VALUE_MISSING;
    if (v->kind == VALUE_MISSING) return single_holds(f, n, &null);
    if (v->kind != VALUE_ARRAY) return single_holds(f, n, v);
    for (const char *at = NULL; value_next(v, &at, &element);)
        if (single_holds(f, n, &element)) return true;
    return false;
}

/* ---- one record ---- */

static bool node_matches(const filter *f, uint32_t at, const filter_value *fields)
{
    const filter_node *n = &f->nodes[at];
    if (node_is_leaf(n)) return holds(f, n, &fields[n->field]);
    if (n->kind == NODE_NOT) return !node_matches(f, n->child, fields);
    for (uint32_t child = n->child; child != NO_NODE; child = f->nodes[child].next)
        if (node_matches(f, child, fields) != (n->kind == NODE_AND)) return n->kind == NODE_OR;
    return n->kind == NODE_AND;
}

bool filter_matches(const filter *f, const char *metadata, size_t length)
{
    filter_value fields[EVDB_FILTER_FIELDS_MAX];
    for (uint32_t i = 0; i < f->field_count; i++) fields[i] = value_find(metadata, length, f->fields[i]);
    return node_matches(f, f->node_count - 1, fields);
}

/* ---- many records ---- */

typedef struct selection {
    const filter *f;
    const evdb_allocator *mem;
    const column *const *columns;
    uint8_t **answers; /* of each leaf: one a value of its column; NULL: too many */
    size_t bytes;
} selection;

/* Bits of the 64 slots from `first` on. */
static uint64_t leaf_bits(const selection *s, uint32_t at, size_t first)
{
    const filter_node *n = &s->f->nodes[at];
    const column *c = s->columns[n->field];
    const uint8_t *answers = s->answers[at];
    const filter_value missing = { .kind = VALUE_MISSING };
    size_t count = c->slots > first ? c->slots - first : 0;
    /* slots behind the column's end have no value */
    uint64_t bits = count < STEP && holds(s->f, n, &missing) ? ~UINT64_C(0) << count : 0;
    if (count > STEP) count = STEP;
    for (size_t i = 0; answers && i < count; i++) bits |= (uint64_t)answers[c->numbers[first + i]] << i;
    for (size_t i = 0; !answers && i < count; i++) bits |= (uint64_t)holds(s->f, n, &c->values[c->numbers[first + i]]) << i;
    return bits;
}

static uint64_t node_bits(const selection *s, uint32_t at, size_t first)
{
    const filter_node *n = &s->f->nodes[at];
    if (node_is_leaf(n)) return leaf_bits(s, at, first);
    if (n->kind == NODE_NOT) return ~node_bits(s, n->child, first);
    uint64_t bits = n->kind == NODE_AND ? ~UINT64_C(0) : 0, done = ~bits;
    for (uint32_t child = n->child; child != NO_NODE && bits != done; child = s->f->nodes[child].next) {
        uint64_t more = node_bits(s, child, first);
        bits = n->kind == NODE_AND ? bits & more : bits | more;
    }
    return bits;
}

/* Asks each condition about each value of its column. */
static bool answer(selection *s, uint32_t at)
{
    const filter *f = s->f;
    const filter_node *n = &f->nodes[at];
    const column *c = s->columns[n->field];
    if (s->bytes + c->count > ANSWERS_MAX) return true;
    uint8_t *answers = mem_alloc(s->mem, c->count);
    if (!answers) return false;
    for (uint32_t i = 0; i < c->count; i++) answers[i] = holds(f, n, &c->values[i]);
    s->answers[at] = answers;
    s->bytes += c->count;
    return true;
}

evdb_status filter_select(const filter *f, const evdb_allocator *mem, const column *const *columns, size_t count, uint64_t *bits,
                          evdb_error *err)
{
    selection s = { .f = f, .mem = mem, .columns = columns, .answers = mem_zero(mem, f->node_count * sizeof(*s.answers)) };
    bool whole = s.answers != NULL;
    for (uint32_t i = 0; whole && i < f->node_count; i++)
        if (node_is_leaf(&f->nodes[i])) whole = answer(&s, i);
    for (size_t first = 0; whole && first < count; first += STEP) bits[first / STEP] = node_bits(&s, f->node_count - 1, first);
    for (uint32_t i = 0; s.answers && i < f->node_count; i++) mem_free(mem, s.answers[i]);
    mem_free(mem, s.answers);
    return whole ? EVDB_OK : error_no_memory(err, f->node_count * sizeof(*s.answers), "a selection");
}
