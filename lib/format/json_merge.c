/* json_merge.c - implements format/json_merge.h. */
#include "format/json_merge.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "format/json_scan.h"
#include <stdlib.h>
#include <string.h>

typedef struct member {
    json_span key; /* as it is spelled, without its quotes */
    const char *name; /* what that means */
    size_t length;
    json_span value;
    bool used; /* of a patch: the target has it too */
} member;

/* The members of a patch, in their order, and the same in order of name. */
typedef struct members {
    const evdb_allocator *mem;
    member *at;
    const member **sorted;
    size_t count, room;
    buf names;
} members;

static evdb_status merge_value(const json_span *target, const json_span *patch, buf *out, evdb_error *err);

static evdb_status add(buf *out, const char *bytes, size_t count, evdb_error *err)
{
    return buf_add(out, bytes, count) ? EVDB_OK : error_no_memory(err, count, "merged metadata");
}

static void free_members(members *m)
{
    mem_free(m->mem, m->at);
    mem_free(m->mem, m->sorted);
    buf_free(&m->names);
}

static int by_name(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_members(const void *a, const void *b)
{
    const member *x = *(const member *const *)a, *y = *(const member *const *)b;
    return by_name(x->name, x->length, y->name, y->length);
}

/* The next member behind s->at, at a '{' or behind one; *more is false at the end. */
static evdb_status next_member(json_scan *s, json_span *key, json_span *value, bool *more, evdb_error *err)
{
    bool first = scan_take(s, '{');
    *more = !scan_take(s, '}');
    if (!*more) return EVDB_OK;
    bool sound = (first || scan_take(s, ',')) && scan_string(s, key) && scan_take(s, ':') && scan_value(s, JSON_DEPTH_MAX, value);
    return sound ? EVDB_OK : error_set(err, EVDB_CORRUPT, "metadata is not a JSON object");
}

static evdb_status take_member(members *m, const json_span *key, const json_span *value, evdb_error *err)
{
    if (m->count == m->room) {
        size_t room = m->room ? m->room * 2 : 16;
        member *grown = mem_resize(m->mem, m->at, room, sizeof(*grown));
        if (!grown) return error_no_memory(err, room * sizeof(*grown), "members of metadata");
        m->at = grown;
        m->room = room;
    }
    size_t before = m->names.size;
    if (!scan_unescape(key, &m->names)) return error_no_memory(err, key->length, "a member's name");
    m->at[m->count++] = (member){ .key = *key, .length = m->names.size - before, .value = *value };
    return EVDB_OK;
}

static evdb_status read_members(const json_span *patch, members *m, evdb_error *err)
{
    json_scan s = { .at = patch->at, .end = patch->at + patch->length };
    json_span key, value;
    bool more;
    evdb_status rc;
    for (;;) {
        TRY(next_member(&s, &key, &value, &more, err));
        if (!more) break;
        TRY(take_member(m, &key, &value, err));
    }
    if (!(m->sorted = mem_array(m->mem, m->count, sizeof(*m->sorted))))
        TRY(error_no_memory(err, m->count * sizeof(*m->sorted), "members of metadata"));
    const char *name = m->names.at ? m->names.at : ""; /* NULL when all are empty */
    for (size_t i = 0; i < m->count; i++) {
        m->at[i].name = name;
        name += m->at[i].length;
        m->sorted[i] = &m->at[i];
    }
    if (m->count) qsort(m->sorted, m->count, sizeof(*m->sorted), compare_members);
out:
    return rc;
}

static member *find(const members *m, const char *name, size_t length)
{
    size_t low = 0, high = m->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = by_name(m->sorted[middle]->name, m->sorted[middle]->length, name, length);
        if (!order) return &m->at[m->sorted[middle] - m->at];
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

static bool is_null(const json_span *value) { return *value->at == 'n'; }

static evdb_status put_member(const json_span *key, const json_span *target, const json_span *patch, bool *comma, buf *out, evdb_error *err)
{
    evdb_status rc;
    if (*comma) TRY(add(out, ",", 1, err));
    *comma = true;
    TRY(add(out, key->at - 1, key->length + 2, err)); /* with its quotes */
    TRY(add(out, ":", 1, err));
    rc = patch ? merge_value(target, patch, out, err) : add(out, target->at, target->length, err);
out:
    return rc;
}

/* Members of the target, as the patch has them. */
static evdb_status put_target(const json_span *target, members *m, bool *comma, buf *out, evdb_error *err)
{
    json_scan s = { .at = target->at, .end = target->at + target->length };
    json_span key, value;
    bool more;
    buf name;
    evdb_status rc;
    buf_init(&name, m->mem);
    for (;;) {
        TRY(next_member(&s, &key, &value, &more, err));
        if (!more) break;
        name.size = 0;
        if (!scan_unescape(&key, &name)) TRY(error_no_memory(err, key.length, "a member's name"));
        member *of = find(m, name.size ? name.at : "", name.size);
        if (of) of->used = true;
        if (!of || !is_null(&of->value)) TRY(put_member(&key, &value, of ? &of->value : NULL, comma, out, err));
    }
out:
    buf_free(&name);
    return rc;
}

static evdb_status merge_object(const json_span *target, const json_span *patch, buf *out, evdb_error *err)
{
    members m = { .mem = out->mem };
    bool comma = false;
    evdb_status rc;
    buf_init(&m.names, out->mem);
    TRY(read_members(patch, &m, err));
    TRY(add(out, "{", 1, err));
    TRY(put_target(target, &m, &comma, out, err));
    for (size_t i = 0; i < m.count; i++)
        if (!m.at[i].used && !is_null(&m.at[i].value)) TRY(put_member(&m.at[i].key, NULL, &m.at[i].value, &comma, out, err));
    rc = add(out, "}", 1, err);
out:
    free_members(&m);
    return rc;
}

/* target NULL: there is none. Where the patch is an object, a target that is none counts as {}, so that no null of the patch is kept. */
static evdb_status merge_value(const json_span *target, const json_span *patch, buf *out, evdb_error *err)
{
    static const json_span nothing = { .at = "{}", .length = 2 };
    if (*patch->at != '{') return add(out, patch->at, patch->length, err);
    return merge_object(target && *target->at == '{' ? target : &nothing, patch, out, err);
}

evdb_status json_merge(const char *target, size_t target_length, const char *patch, size_t patch_length, buf *out, evdb_error *err)
{
    return merge_value(&(json_span){ target, target_length }, &(json_span){ patch, patch_length }, out, err);
}
