/* op_slices.c - implements op/op_slices.h.
 *
 * The stand-in is a control character and a number. A control character cannot stand in JSON text, so only an escape could
 * make the same string: one is taken that the text has no escape of. What is cut out is only known to end where it should;
 * what is wrong inside is found by whoever reads it. */
#include "op/op_slices.h"
#include "op/op.h"
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARRAY_BYTES_MIN = 16, STAND_IN_BYTES = 32, MARKS = 7, OBJECT_NAMES_MAX = 16 }; /* marks: \u0001 to \u0007 */

typedef struct cutter {
    const char *p, *end;
    char *text, *to;        /* the text for jansson, and its end */
    size_t room, values;
    op_slices *slices;
    bool failed, whole;     /* whole: nothing more is cut out */
} cutter;

/* Behind the string that begins at p, or `end`. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\') p++;
    return p < end ? p + 1 : end;
}

static const char *skip_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) p++;
    return p;
}

/* Behind an array that holds nothing but what numbers are made of, and is worth it; else NULL. Looks no further than the
 * first character that is something else, so that it is not looked at again for every bracket before it. */
static const char *number_array(const char *p, const char *end)
{
    static const bool of_numbers[256] = { ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true,
                                          ['6'] = true, ['7'] = true, ['8'] = true, ['9'] = true, [','] = true, ['.'] = true,
                                          ['-'] = true, ['+'] = true, ['e'] = true, ['E'] = true, [' '] = true,
                                          ['\n'] = true, ['\t'] = true, ['\r'] = true };
    const char *first = skip_blank(p + 1, end), *q = first;
    if (first == end || !(*first == '-' || (*first >= '0' && *first <= '9'))) return NULL;
    while (q < end && of_numbers[(unsigned char)*q]) q++;
    return q < end && *q == ']' && q - p >= ARRAY_BYTES_MIN ? q + 1 : NULL;
}

/* Behind the object that begins at p, or NULL when it does not end. */
static const char *whole_object(const char *p, const char *end, unsigned *deepest)
{
    unsigned depth = 0;
    *deepest = 0;
    while (p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        if ((*p == '{' || *p == '[') && ++depth > *deepest) *deepest = depth;
        if ((*p == '}' || *p == ']') && --depth == 0) return p + 1;
        p++;
    }
    return NULL;
}

/* The names of all fields of the table that are objects, gathered once: a message asks for each of its objects. */
static struct {
    pthread_once_t once;
    const char *name[OBJECT_NAMES_MAX];
    size_t length[OBJECT_NAMES_MAX], count;
} objects = { .once = PTHREAD_ONCE_INIT };

static bool takes_object(const char *key, size_t length)
{
    for (size_t i = 0; i < objects.count; i++)
        if (objects.length[i] == length && memcmp(objects.name[i], key, length) == 0) return true;
    return false;
}

static void gather_objects(void)
{
    for (const op *const *o = ops; *o; o++)
        for (const op_field *f = (*o)->args; f->name; f++) {
            size_t length = strlen(f->name);
            if (f->type != OP_OBJECT || takes_object(f->name, length)) continue;
            assert(objects.count < OBJECT_NAMES_MAX);
            objects.name[objects.count] = f->name;
            objects.length[objects.count++] = length;
        }
}

json_t *op_slices_add(op_slices *s, const char *text, size_t length, unsigned depth)
{
    char stand_in[STAND_IN_BYTES];
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 8;
        op_slice *grown = realloc(s->list, room * sizeof *grown);
        if (!grown) return NULL;
        s->list = grown;
        s->room = room;
    }
    s->list[s->count] = (op_slice){ .at = text, .length = length, .depth = depth };
    if (!s->mark) s->mark = 1;
    snprintf(stand_in, sizeof stand_in, "%c%zu", s->mark, s->count++);
    return json_string(stand_in);
}

/* Copying makes a text no longer; a stand-in can be longer than a short object. */
static bool make_room(cutter *c)
{
    size_t used = (size_t)(c->to - c->text), need = used + (size_t)(c->end - c->p) + STAND_IN_BYTES;
    if (need <= c->room) return true;
    char *grown = realloc(c->text, need * 2);
    if (!grown) return false;
    c->text = grown;
    c->to = grown + used;
    c->room = need * 2;
    return true;
}

static void stand_in(cutter *c, const char *behind, unsigned depth)
{
    size_t index = c->slices->count;
    json_t *added = make_room(c) ? op_slices_add(c->slices, c->p, (size_t)(behind - c->p), depth) : NULL;
    c->failed = !added;
    json_decref(added);
    if (c->failed) return;
    c->to += snprintf(c->to, STAND_IN_BYTES, "\"\\u000%d%zu\"", c->slices->mark, index);
    c->p = behind;
}

static void copy_until(cutter *c, const char *behind)
{
    memcpy(c->to, c->p, (size_t)(behind - c->p));
    c->to += behind - c->p;
    c->p = behind;
}

/* A string, which may be a key; then an object behind it may be one that is taken whole. */
static void take_string(cutter *c)
{
    const char *key = c->p + 1, *behind = skip_string(c->p, c->end), *colon = skip_blank(behind, c->end);
    size_t length = (size_t)(behind - key) - (behind > key);
    copy_until(c, behind);
    if (colon == c->end || *colon != ':') return;
    copy_until(c, skip_blank(colon + 1, c->end));
    unsigned depth;
    if (c->p == c->end || *c->p != '{' || c->whole || !takes_object(key, length)) return;
    behind = whole_object(c->p, c->end, &depth);
    if (behind) stand_in(c, behind, depth);
    else c->whole = true; /* it does not end: whatever is inside need not be looked through again */
}

static void cut(cutter *c)
{
    while (c->p < c->end && !c->failed && c->values <= OP_VALUES_MAX) {
        const char *behind = *c->p == '[' && !c->whole ? number_array(c->p, c->end) : NULL;
        if (*c->p == ',' || *c->p == '[' || *c->p == '{') c->values++; /* one of these stands before every value */
        if (behind) stand_in(c, behind, 1);
        else if (*c->p == '"') take_string(c);
        else *c->to++ = *c->p++;
    }
}

/* A control character whose escape the text does not have; 0 when it has all. */
static char free_mark(const char *text, size_t length)
{
    char escape[8];
    if (!memchr(text, '\\', length)) return 1;
    for (char mark = 1; mark <= MARKS; mark++) {
        snprintf(escape, sizeof escape, "\\u000%d", mark);
        if (!memmem(text, length, escape, strlen(escape))) return mark;
    }
    return 0;
}

evdb_status op_slices_parse(const char *text, size_t length, op_slices *slices, json_t **out, evdb_error *err)
{
    *slices = (op_slices){ .mark = free_mark(text, length) };
    cutter c = { .p = text, .end = text + length, .slices = slices, .whole = !slices->mark };
    (void)pthread_once(&objects.once, gather_objects);
    c.failed = !make_room(&c);
    cut(&c);
    evdb_status rc = c.failed ? op_fail(err, EVDB_NO_MEMORY, "out of memory reading JSON")
                   : c.p < c.end ? op_fail(err, EVDB_LIMIT, "the JSON has more than %u values", OP_VALUES_MAX)
                                 : op_parse(c.text, (size_t)(c.to - c.text), out, err);
    free(c.text);
    if (rc == EVDB_OK) return rc;
    op_slices_free(slices);
    /* once more, whole: the place of the fault is to be that in the text that came */
    return rc == EVDB_INVALID ? op_parse(text, length, out, err) : rc;
}

void op_slices_free(op_slices *slices)
{
    free(slices->list);
    *slices = (op_slices)OP_SLICES;
}

const op_slice *op_slice_of(const op_slices *slices, const json_t *v)
{
    const char *text = json_string_value(v);
    if (!slices || !slices->mark || !text || text[0] != slices->mark) return NULL;
    size_t index = (size_t)strtoul(text + 1, NULL, 10);
    return index < slices->count ? &slices->list[index] : NULL;
}
