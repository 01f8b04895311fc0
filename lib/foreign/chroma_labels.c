/* chroma_labels.c - implements foreign/chroma_labels.h.
 *
 * The pickle is a dictionary, or an object with these attributes: dimensionality, total_elements_added, max_seq_id, id_to_label,
 * label_to_id, id_to_seq_id, in this order. Only one pair at a time is held, so any number of records takes the same memory. */
#include "foreign/chroma_labels.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/try.h"
#include "format/pickle.h"
#include <string.h>

typedef enum expecting { EXPECT_NOTHING, EXPECT_SEQUENCE, EXPECT_MAP } expecting;

typedef struct labels {
    chroma_label_fn *each;
    void *context;
    expecting next;  /* by the text before */
    bool in_map, marked, done;
    bool has_id, has_label; /* of the pair that is held */
    buf id;
    int64_t label, sequence;
} labels;

static bool means(const pickle_token *t, const char *text) { return t->length == strlen(text) && memcmp(t->text, text, t->length) == 0; }

/* Outside the map: looks for what it and the number are announced by. */
static void take_outside(labels *l, const pickle_token *t)
{
    if (t->kind == PICKLE_INTEGER && l->next == EXPECT_SEQUENCE) l->sequence = t->integer;
    if (t->kind == PICKLE_DICT && l->next == EXPECT_MAP) l->in_map = true;
    l->next = EXPECT_NOTHING;
    if (t->kind == PICKLE_TEXT && !l->done) /* behind the map an id may look like that */
        l->next = means(t, "max_seq_id") ? EXPECT_SEQUENCE : means(t, "id_to_label") ? EXPECT_MAP : EXPECT_NOTHING;
}

static evdb_status hand_out(labels *l, evdb_error *err)
{
    l->has_id = l->has_label = false;
    return l->each(l->context, l->id.at, l->id.size, l->label, err);
}

/* *left: the token is none of the map, which has ended. Pairs come in batches between marks, or singly. */
static evdb_status take_inside(labels *l, const pickle_token *t, bool *left, evdb_error *err)
{
    *left = false;
    switch (t->kind) {
    case PICKLE_MARK:
        if (l->marked || l->has_id) break;
        l->marked = true;
        return EVDB_OK;
    case PICKLE_TEXT:
        if (l->has_id && !l->has_label) break;
        if (l->has_id) *left = true; /* a pair of the dictionary around it was held */
        l->id.size = 0;
        l->has_id = !*left;
        return buf_add(&l->id, t->text, t->length) ? EVDB_OK : error_no_memory(err, t->length, "an id");
    case PICKLE_INTEGER:
        if (!l->has_id || l->has_label) break;
        l->label = t->integer;
        l->has_label = true;
        return l->marked ? hand_out(l, err) : EVDB_OK;
    case PICKLE_PAIR:
        if (l->marked || !l->has_label) break;
        return hand_out(l, err);
    case PICKLE_PAIRS:
        if (l->marked && l->has_id) break;
        *left = !l->marked;
        l->marked = false;
        return EVDB_OK;
    default:
        if (l->marked) break;
        *left = true;
        return EVDB_OK;
    }
    return error_set(err, EVDB_INVALID, "the pickle's id_to_label is not a dictionary from text to integers");
}

evdb_status chroma_labels(const evdb_allocator *mem, const evdb_source *source, chroma_label_fn *each, void *context, int64_t *sequence,
                          evdb_error *err)
{
    labels l = { .each = each, .context = context };
    pickle p;
    pickle_token t;
    evdb_status rc;
    buf_init(&l.id, mem);
    TRY(pickle_open(&p, mem, source, err));
    do {
        bool left = !l.in_map;
        TRY(pickle_next(&p, &t, err));
        if (l.in_map) TRY(take_inside(&l, &t, &left, err));
        if (l.in_map && left) {
            l.in_map = l.has_id = l.has_label = false;
            l.done = true;
        }
        if (left) take_outside(&l, &t);
    } while (t.kind != PICKLE_END);
    if (!l.done) rc = error_set(err, EVDB_INVALID, "the pickle has no id_to_label");
    *sequence = l.sequence;
out:
    pickle_close(&p);
    buf_free(&l.id);
    return rc;
}
