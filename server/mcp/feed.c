/* feed.c - implements mcp/feed.h. */
#include "mcp/feed.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 1000,      /* changes in one read */
    PAGES_MAX = 10,   /* in one look: whoever writes more than that has changed everything, as far as anybody can tell */
    OPEN_MAX = 64,    /* stores kept open from one look to the next: each takes descriptors, and others want some, too */
    NUMBER_BYTES = 24
};

typedef struct feed {
    struct feed *next;
    char name[EVDB_STORE_NAME_MAX + 1];
    evdb_store *store; /* NULL = there is none of that name, or it is opened again for the next look */
    char uuid[37];     /* another store may take the name */
    uint64_t sequence; /* of the last change that was looked at */
    feed_point *whole; /* NULL = nobody asks for the store itself */
    feed_point **records; /* by id */
    size_t count, capacity;
    bool looked_at;    /* by the thread, which has let go of the lock: it stays */
} feed;

/* What a look has found, until it is noted under the lock. */
typedef struct sight {
    bool all;      /* it may be anything: another store, or too much has changed */
    evdb_changes *pages[PAGES_MAX];
    size_t count;
    bool described;
    char *text;
} sight;

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

/* ---- the end of a feed ---- */

/* Closing may wait: the last handle of a store moves its log into it. */
static void close_later(feeds *fs, feed *f)
{
    f->next = fs->closing;
    fs->closing = f;
}

/* Nobody asks for it any more. */
static void drop_if_empty(feeds *fs, feed *f)
{
    feed **at = &fs->first;
    if (f->whole || f->count || f->looked_at) return;
    while (*at != f) at = &(*at)->next;
    *at = f->next;
    close_later(fs, f);
}

/* ---- looking ---- */

/* How far the store has come; 0 when that cannot be said, which the next look makes good. */
static uint64_t sequence_of(evdb_store *store)
{
    evdb_store_stats stats = EVDB_STORE_STATS;
    evdb_error err;
    return store && evdb_store_get_stats(store, &stats, &err) == EVDB_OK ? stats.sequence : 0;
}

/* Opens the store that has the name, which is another handle to what is open already: that keeps it open. True when it is
 * another store than before, or there is one where there was none, or the contrary. What cannot be read has not changed. */
static bool reopen(evdb *db, feed *f)
{
    evdb_store *store = NULL;
    evdb_store_info *info = NULL;
    evdb_error err;
    char uuid[sizeof f->uuid] = "";
    evdb_status rc = evdb_store_open(db, f->name, &store, &err);
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

static void follow(feed *f, sight *seen)
{
    bool more = f->store != NULL;
    while (more && seen->count < PAGES_MAX) {
        evdb_changes *read = NULL;
        evdb_error err;
        evdb_status rc = evdb_changes_read(f->store, f->sequence, PAGE, &read, &err);
        if (rc == EVDB_GONE) break;
        if (rc != EVDB_OK) return;
        f->sequence = read->last;
        more = read->count == PAGE;
        seen->pages[seen->count++] = read;
    }
    if (!more) return;
    f->sequence = sequence_of(f->store);
    seen->all = true;
}

/* Settings are in no feed; what the operation answers shows them all. False when that cannot be said; *text is NULL for a store that is not there. */
static bool describe(evdb *db, const feed_point *p, char **text)
{
    op_call call = { .db = db };
    op_out now = OP_OUT;
    evdb_error err;
    evdb_status rc = op_run(p->op, &call, p->args, NULL, &now, &err);
    *text = now.text;
    return rc == EVDB_OK || rc == EVDB_NOT_FOUND;
}

static void look_at(evdb *db, feed *f, const feed_point *whole, bool leave_open, sight *seen)
{
    if (whole) seen->described = describe(db, whole, &seen->text);
    if (reopen(db, f)) {
        f->sequence = sequence_of(f->store);
        seen->all = true;
    } else follow(f, seen);
    if (leave_open) return;
    evdb_store_close(f->store);
    f->store = NULL;
}

static void note_records(feed *f, const evdb_changes *read)
{
    char space[NUMBER_BYTES];
    for (size_t i = 0; f->count && i < read->count; i++) {
        feed_point *p = record_of(f, text_of(&read->at[i].id, space));
        if (p) p->changed = true;
    }
}

static void note_whole(feed_point *p, sight *seen)
{
    p->changed = seen->all || (seen->count && seen->pages[0]->count);
    if (!seen->described) return;
    p->changed |= p->text && seen->text ? strcmp(p->text, seen->text) != 0 : p->text != seen->text;
    free(p->text);
    p->text = seen->text;
    seen->text = NULL;
}

static void note(feed *f, feed_point *whole, sight *seen)
{
    if (whole) note_whole(whole, seen);
    for (size_t i = 0; i < f->count; i++) f->records[i]->changed = seen->all;
    for (size_t i = 0; i < seen->count; i++) {
        note_records(f, seen->pages[i]);
        evdb_changes_free(seen->pages[i]);
    }
    free(seen->text);
}

/* Under the lock again, the feed may have other points than before. */
static void look_unlocked(feeds *fs, feed *f, pthread_mutex_t *lock, bool leave_open)
{
    feed_point *whole = f->whole;
    sight seen = { .count = 0 };
    if (whole) whole->holders++;
    f->looked_at = true;
    pthread_mutex_unlock(lock);
    look_at(fs->db, f, whole, leave_open, &seen);
    pthread_mutex_lock(lock);
    note(f, whole, &seen);
    feeds_release(fs, whole);
}

void feeds_look(feeds *fs, pthread_mutex_t *lock, const bool *stopping)
{
    size_t open = 0;
    for (feed *f = fs->first, *next; f && !*stopping; f = next) {
        look_unlocked(fs, f, lock, open < OPEN_MAX);
        open += f->store != NULL;
        next = f->next; /* only now: others may have gone */
        f->looked_at = false;
        drop_if_empty(fs, f);
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

static feed *find(const feeds *fs, const char *name)
{
    feed *f = fs->first;
    while (f && strcmp(f->name, name) != 0) f = f->next;
    return f;
}

static feed *open_feed(evdb *db, const char *name)
{
    feed *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    snprintf(f->name, sizeof f->name, "%s", name);
    (void)reopen(db, f);
    f->sequence = sequence_of(f->store);
    return f;
}

static void close_feed(feed *f)
{
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

static feed_point *make_point(const op *o, const json_t *args, const char *id)
{
    feed_point *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->op = o;
    p->args = json_deep_copy(args); /* the caller's is another thread's */
    p->holders = 1;
    if (id) p->id = strdup(id);
    if (p->args && (p->id || !id)) return p;
    free_point(p);
    return NULL;
}

evdb_status feeds_prepare(evdb *db, const op *o, const json_t *args, feed_point **out, evdb_error *err)
{
    const json_t *store = argument(o, args, true), *record = argument(o, args, false);
    char number[NUMBER_BYTES];
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(record));
    const char *id = json_is_string(record) ? json_string_value(record) : record ? number : NULL;
    if (!json_is_string(store)) return op_fail(err, EVDB_UNSUPPORTED, "%s tells of no store whose changes could be followed", o->name);
    if (json_string_length(store) > EVDB_STORE_NAME_MAX) return op_fail(err, EVDB_INVALID, "no store has a name that long");
    feed_point *p = make_point(o, args, id);
    if (p) p->of = open_feed(db, json_string_value(store));
    if (!p || !p->of) {
        if (p) free_point(p);
        return op_fail(err, EVDB_NO_MEMORY, "out of memory following a store");
    }
    if (!id) (void)describe(db, p, &p->text);
    *out = p;
    return EVDB_OK;
}

evdb_status feeds_hold(feeds *fs, feed_point **point, evdb_error *err)
{
    feed_point *p = *point;
    feed *own = p->of, *f = find(fs, own->name);
    feed_point *same = !f ? NULL : p->id ? record_of(f, p->id) : f->whole;
    if (same) {
        same->holders++;
        *point = same;
        feeds_discard(fs, p);
        return EVDB_OK;
    }
    if (!f) f = own;
    if (p->id && !add_record(f, p)) return op_fail(err, EVDB_NO_MEMORY, "out of memory following a store");
    if (!p->id) f->whole = p;
    p->of = f;
    if (f != own) close_later(fs, own);
    else {
        f->next = fs->first;
        fs->first = f;
    }
    return EVDB_OK;
}

void feeds_discard(feeds *fs, feed_point *p)
{
    if (!p) return;
    close_later(fs, p->of);
    free_point(p);
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
    drop_if_empty(fs, f);
}

void feeds_sweep(feeds *fs, pthread_mutex_t *lock)
{
    feed *closing = fs->closing;
    fs->closing = NULL;
    if (!closing) return;
    pthread_mutex_unlock(lock);
    for (feed *next; closing; closing = next) {
        next = closing->next;
        close_feed(closing);
    }
    pthread_mutex_lock(lock);
}
