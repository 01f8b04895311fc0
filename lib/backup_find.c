/* backup_find.c - the part of evdb/backup.h that looks for records in backups: which of them still hold what must be gone. */
#include "backup_file.h"
#include "backup_private.h"
#include "base/error.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096 };

/* Integer 5 is "5" here: which of them a store means is known to the store only. */
typedef struct wanted {
    const char *text; /* NULL = digits */
    size_t length;
    char digits[ID_TEXT_MAX];
} wanted;

typedef struct search {
    const evdb_allocator *mem;
    const unsigned char *key;
    wanted *ids; /* sorted */
    size_t count;
    char name[EVDB_STORE_NAME_MAX + 1], uuid[37]; /* of the store */
    bool found;
} search;

static void spell(const evdb_id *id, wanted *out)
{
    if (!id->text) snprintf(out->digits, sizeof(out->digits), "%lld", (long long)id->number);
    out->text = id->text;
    out->length = id->text ? id->length : strlen(out->digits);
}

static int by_text(const void *left, const void *right)
{
    const wanted *a = left, *b = right;
    int order = memcmp(a->text ? a->text : a->digits, b->text ? b->text : b->digits, a->length < b->length ? a->length : b->length);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

static evdb_status sort_ids(search *s, const evdb_id *ids, size_t count, evdb_error *err)
{
    evdb_status rc = id_check_all(ids, count, err);
    if (rc != EVDB_OK) return rc;
    if (!(s->ids = mem_alloc(s->mem, (count + 1) * sizeof(*s->ids)))) return error_no_memory(err, count * sizeof(*s->ids), "ids");
    for (size_t i = 0; i < count; i++) {
        evdb_id id = ids[i];
        (void)id_check(&id, NULL); /* it learns its length */
        spell(&id, &s->ids[i]);
    }
    s->count = count;
    qsort(s->ids, count, sizeof(*s->ids), by_text);
    return rc;
}

static evdb_status look_for(search *s, const evdb_id *id)
{
    wanted w = { .digits = "" };
    spell(id, &w);
    s->found = bsearch(&w, s->ids, s->count, sizeof(w), by_text) != NULL;
    return s->found ? EVDB_CANCELLED : EVDB_OK; /* one is enough */
}

/* A deletion names the record as well. */
static evdb_status meet_record(void *context, const backup_entry *e, evdb_error *err)
{
    (void)err;
    return look_for(context, &e->id);
}

static evdb_status meet_state(void *context, const backup_entry *e, evdb_error *err)
{
    (void)err;
    return e->change ? look_for(context, &e->id) : EVDB_OK;
}

static evdb_status look_through(search *s, const platform *p, const char *path, bool encrypted, evdb_error *err)
{
    const backup_visitor v = { .context = s, .record = meet_record, .state = meet_state };
    backup_file f;
    backup_in *in = NULL;
    evdb_status rc;
    TRY(backup_file_open(p, path, &f, err));
    evdb_source source = backup_file_source(&f);
    rc = backup_in_open(s->mem, &source, encrypted ? s->key : NULL, &in, err);
    if (rc == EVDB_OK) rc = backup_walk(s->mem, in, &v, err);
    backup_in_close(in);
out:
    backup_file_close(&f);
    return rc;
}

/* May it hold one of them? A file whose head cannot be read might be of any store. */
static evdb_status examine(search *s, const evdb *db, evdb_backup_info *info, bool *holds, evdb_error *err)
{
    char path[PATH_BYTES];
    evdb_error why;
    *holds = *info->problem != 0;
    if (*info->uuid && strcmp(info->uuid, s->uuid) != 0 && strcmp(info->store, s->name) != 0) *holds = false;
    else if (!*info->problem) {
        snprintf(path, sizeof(path), "%s/%s%s", db->backup_dir, info->name, BACKUP_SUFFIX);
        s->found = false;
        evdb_status rc = look_through(s, &db->platform, path, info->encrypted, &why);
        if (rc == EVDB_NO_MEMORY && err) *err = why;
        if (rc == EVDB_NO_MEMORY) return rc;
        if (rc == EVDB_NOT_FOUND) return EVDB_OK; /* deleted meanwhile */
        if (rc != EVDB_OK && !s->found) snprintf(info->problem, sizeof(info->problem), "%.255s", why.message);
        *holds = rc != EVDB_OK;
    }
    return EVDB_OK;
}

evdb_status evdb_backup_find(evdb_store *store, const evdb_id *ids, size_t count, const unsigned char *key, evdb_backup_info ***out,
                             size_t *found, evdb_error *err)
{
    engine *e = store->engine;
    evdb *db = e->db;
    search s = { .mem = &db->platform.mem, .key = key };
    evdb_backup_info **list = NULL;
    size_t listed = 0, kept = 0;
    evdb_status rc;
    TRY(engine_usable(e, err));
    memcpy(s.uuid, e->uuid, sizeof(s.uuid));
    TRY(system_name(db->system, s.uuid, s.name, err));
    TRY(sort_ids(&s, ids, count, err));
    if (db->backup_dir) TRY(evdb_backup_list(db, &list, &listed, err));
    else if (!(list = mem_owned(s.mem, 0))) TRY(error_no_memory(err, 0, "the list of backups"));
    for (size_t i = 0; i < listed && s.count; i++) {
        bool holds;
        TRY(examine(&s, db, list[i], &holds, err));
        if (holds) list[kept++] = list[i];
    }
    *out = list;
    *found = kept;
    list = NULL;
out:
    if (list) evdb_backup_list_free(list, listed);
    mem_free(s.mem, s.ids);
    return rc;
}
