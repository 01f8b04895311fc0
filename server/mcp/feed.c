/* feed.c - implements mcp/feed.h. */
#include "mcp/feed.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 1000,      /* changes in one read */
    PAGES_MAX = 10,   /* in one look: whoever writes more than that has changed everything, as far as anybody can tell */
    NUMBER_BYTES = 24
};

typedef struct feed {
    struct feed *next;
    char name[EVDB_STORE_NAME_MAX + 1];
    evdb_store *store; /* NULL = there is none of that name */
    char uuid[37];     /* another store may take the name */
    uint64_t sequence; /* of the last change that was looked at */
    feed_point *whole; /* NULL = nobody asks for the store itself */
    feed_point **records; /* by id */
    size_t count, capacity;
} feed;

/* ---- ids as text: 5 and "5" are one record, whichever kind of ids a store has ---- */

static int compare(const void *a, const void *b)
{
    return strcmp((*(feed_point *const *)a)->id, (*(feed_point *const *)b)->id);
}

static feed_point *record_of(const feed *f, const char *id)
{
    feed_point like = { .id = (char *)id }, *key = &like, **found = f->count ? bsearch(&key, f->records, f->count, sizeof key, compare) : NULL;
    return found ? *found : NULL;
}

static const char *text_of(const evdb_id *id, char space[NUMBER_BYTES])
{
    if (id->text) return id->text;
    snprintf(space, NUMBER_BYTES, "%lld", (long long)id->number);
    return space;
}

/* ---- looking ---- */

static void all_changed(feed *f)
{
    if (f->whole) f->whole->changed = true;
    for (size_t i = 0; i < f->count; i++) f->records[i]->changed = true;
}

/* How far the store has come; 0 when that cannot be said, which the next look makes good. */
static uint64_t sequence_of(evdb_store *store)
{
    evdb_store_stats stats = EVDB_STORE_STATS;
    evdb_error err;
    return store && evdb_store_get_stats(store, &stats, &err) == EVDB_OK ? stats.sequence : 0;
}

/* Opens the store that has the name, which is another handle to what is open already: that keeps it open. True when it is
 * another store than before, or there is one where there was none, or the contrary. What cannot be read has not changed. */
static bool reopen(feeds *fs, feed *f)
{
    evdb_store *store = NULL;
    evdb_store_info *info = NULL;
    evdb_error err;
    char uuid[sizeof f->uuid] = "";
    evdb_status rc = evdb_store_open(fs->db, f->name, &store, &err);
    if (rc == EVDB_OK) rc = evdb_store_describe(store, &info, &err);
    if (rc == EVDB_OK) memcpy(uuid, info->uuid, sizeof uuid);
    evdb_store_info_free(info);
    if (rc != EVDB_OK) {
        evdb_store_close(store);
        store = NULL;
    }
    if (rc != EVDB_OK && rc != EVDB_NOT_FOUND) return false;
    evdb_store_close(f->store);
    f->store = store;
    bool other = strcmp(uuid, f->uuid) != 0;
    memcpy(f->uuid, uuid, sizeof uuid);
    return other;
}

static void note(feed *f, const evdb_changes *read)
{
    char space[NUMBER_BYTES];
    if (f->whole && read->count) f->whole->changed = true;
    for (size_t i = 0; f->count && i < read->count; i++) {
        feed_point *p = record_of(f, text_of(&read->at[i].id, space));
        if (p) p->changed = true;
    }
    f->sequence = read->last;
}

static void follow(feed *f)
{
    bool more = f->store != NULL;
    for (int page = 0; more && page < PAGES_MAX; page++) {
        evdb_changes *read = NULL;
        evdb_error err;
        evdb_status rc = evdb_changes_read(f->store, f->sequence, PAGE, &read, &err);
        if (rc == EVDB_GONE) break;
        if (rc != EVDB_OK) return;
        note(f, read);
        more = read->count == PAGE;
        evdb_changes_free(read);
    }
    if (!more) return;
    f->sequence = sequence_of(f->store);
    all_changed(f);
}

/* Settings are in no feed; what the operation answers shows them all. True when that is not what it was. */
static bool describe(feeds *fs, feed_point *p)
{
    op_call call = { .db = fs->db };
    op_out now = OP_OUT;
    evdb_error err;
    evdb_status rc = op_run(p->op, &call, p->args, NULL, &now, &err);
    if (rc != EVDB_OK && rc != EVDB_NOT_FOUND) return false;
    bool same = p->text && now.text ? strcmp(p->text, now.text) == 0 : p->text == now.text;
    free(p->text);
    p->text = now.text;
    return !same;
}

void feeds_look(feeds *fs)
{
    for (feed *f = fs->first; f; f = f->next) {
        if (f->whole) f->whole->changed = describe(fs, f->whole);
        for (size_t i = 0; i < f->count; i++) f->records[i]->changed = false;
        if (reopen(fs, f)) {
            f->sequence = sequence_of(f->store);
            all_changed(f);
        } else follow(f);
    }
}

/* ---- holding ---- */

/* The arguments that say which store and which record; NULL = there is none. */
static const json_t *argument(const op *o, const json_t *args, bool store)
{
    for (const op_field *f = o->args; f->name; f++)
        if (store ? (f->flags & OP_NAMES_STORE) != 0 : f->type == OP_ID) return op_field_given(f, args, NULL);
    return NULL;
}

static feed *feed_of(feeds *fs, const char *name)
{
    feed *f = fs->first;
    while (f && strcmp(f->name, name) != 0) f = f->next;
    if (f) return f;
    if (!(f = calloc(1, sizeof *f))) return NULL;
    snprintf(f->name, sizeof f->name, "%s", name);
    (void)reopen(fs, f);
    f->sequence = sequence_of(f->store);
    f->next = fs->first;
    fs->first = f;
    return f;
}

static void close_feed(feeds *fs, feed *f)
{
    feed **at = &fs->first;
    if (f->whole || f->count) return;
    while (*at != f) at = &(*at)->next;
    *at = f->next;
    evdb_store_close(f->store);
    free(f->records);
    free(f);
}

static bool add_record(feed *f, feed_point *p)
{
    if (f->count == f->capacity) {
        size_t capacity = f->capacity ? f->capacity * 2 : 8;
        feed_point **records = realloc(f->records, capacity * sizeof *records);
        if (!records) return false;
        f->records = records;
        f->capacity = capacity;
    }
    f->records[f->count++] = p;
    qsort(f->records, f->count, sizeof *f->records, compare);
    return true;
}

static void free_point(feed_point *p)
{
    json_decref(p->args);
    free(p->id);
    free(p->text);
    free(p);
}

static feed_point *make_point(feeds *fs, feed *f, const op *o, const json_t *args, const char *id)
{
    feed_point *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->of = f;
    p->op = o;
    p->args = json_deep_copy(args); /* the caller's is another thread's */
    p->holders = 1;
    if (!p->args || (id && (!(p->id = strdup(id)) || !add_record(f, p)))) {
        free_point(p);
        return NULL;
    }
    if (!id) {
        (void)describe(fs, p);
        f->whole = p;
    }
    return p;
}

evdb_status feeds_hold(feeds *fs, const op *o, const json_t *args, feed_point **out, evdb_error *err)
{
    const json_t *store = argument(o, args, true), *record = argument(o, args, false);
    char number[NUMBER_BYTES];
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(record));
    const char *id = json_is_string(record) ? json_string_value(record) : record ? number : NULL;
    if (!json_is_string(store)) return op_fail(err, EVDB_UNSUPPORTED, "%s tells of no store whose changes could be followed", o->name);
    if (json_string_length(store) > EVDB_STORE_NAME_MAX) return op_fail(err, EVDB_INVALID, "no store has a name that long");
    feed *f = feed_of(fs, json_string_value(store));
    feed_point *p = !f ? NULL : id ? record_of(f, id) : f->whole;
    if (p) p->holders++;
    else if (!f || !(p = make_point(fs, f, o, args, id))) {
        if (f) close_feed(fs, f);
        return op_fail(err, EVDB_NO_MEMORY, "out of memory following a store");
    }
    *out = p;
    return EVDB_OK;
}

void feeds_release(feeds *fs, feed_point *p)
{
    if (!p || --p->holders) return;
    feed *f = p->of;
    size_t i = 0;
    if (!p->id) f->whole = NULL;
    else {
        while (f->records[i] != p) i++;
        memmove(f->records + i, f->records + i + 1, (--f->count - i) * sizeof *f->records);
    }
    free_point(p);
    close_feed(fs, f);
}
