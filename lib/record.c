/* record.c - implements evdb/record.h. */
#include <evdb/record.h>
#include "base/error.h"
#include "base/id.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/input.h"
#include "engine/stored.h"
#include "format/json_merge.h"
#include "store_private.h"
#include <evdb/batch.h>
#include <string.h>

evdb_status record_write(evdb_store *store, evdb_batch *b, uint64_t *version, evdb_error *err)
{
    uint64_t made = 0;
    b->count = 1;
    b->versions = &made;
    evdb_status rc = evdb_batch_write(store, b, NULL, err);
    b->versions = NULL;
    if (rc != EVDB_OK && err) err->item = EVDB_NO_ITEM; /* the caller knows of no batch */
    if (rc == EVDB_OK && version) *version = made;
    return rc;
}

static evdb_status write(evdb_store *store, evdb_write kind, evdb_id id, const float *vector, uint32_t dim, const char *metadata,
                         uint64_t if_version, uint64_t *version, evdb_error *err)
{
    evdb_batch b = EVDB_BATCH;
    b.kind = kind;
    b.ids = &id;
    b.vectors = vector;
    b.dim = dim;
    if (metadata) b.metadata = &metadata;
    if (if_version) b.if_versions = &if_version;
    return record_write(store, &b, version, err);
}

evdb_status evdb_record_insert(evdb_store *store, evdb_id id, const float *vector, uint32_t dim, const char *metadata,
                               uint64_t *version, evdb_error *err)
{
    return write(store, EVDB_INSERT, id, vector, dim, metadata, 0, version, err);
}

evdb_status evdb_record_upsert(evdb_store *store, evdb_id id, const float *vector, uint32_t dim, const char *metadata,
                               uint64_t *version, evdb_error *err)
{
    return write(store, EVDB_UPSERT, id, vector, dim, metadata, 0, version, err);
}

evdb_status evdb_record_update(evdb_store *store, evdb_id id, const float *vector, uint32_t dim, const char *metadata,
                               uint64_t if_version, uint64_t *version, evdb_error *err)
{
    return write(store, EVDB_UPDATE, id, vector, dim, metadata, if_version, version, err);
}

evdb_status evdb_record_delete(evdb_store *store, evdb_id id, uint64_t if_version, evdb_error *err)
{
    return write(store, EVDB_DELETE, id, NULL, 0, NULL, if_version, NULL, err);
}

/* Copies a row that is about to be let go of into one block: struct, vector where there is one, id, author, metadata. */
static evdb_status copy_record(engine *e, rows_reader *rd, const rows_record *row, evdb_record **out, evdb_error *err)
{
    uint32_t dim = atomic_load(&e->dim);
    size_t id_bytes = row->id.text ? row->id.length + 1 : 0, vector_bytes = row->vector ? dim * sizeof(float) : 0;
    size_t author_bytes = row->author ? row->author_length + 1 : 0;
    size_t bytes = sizeof(evdb_record) + vector_bytes + id_bytes + author_bytes + row->metadata_length + 1;
    const float *vector;
    stored_room room = { 0 };
    evdb_record *r = mem_owned(&e->db->platform.mem, bytes);
    if (!r) return error_no_memory(err, bytes, "a record");
    char *at = (char *)(r + 1);
    float *own = (float *)(void *)at;
    evdb_status rc = row->vector ? stored_vector(e, rd, &row->id, row->codec, row->vector, row->vector_bytes, dim, &room, &vector, err) : EVDB_OK;
    if (rc == EVDB_OK && row->vector) memcpy(own, vector, vector_bytes);
    stored_room_free(e, &room);
    if (rc != EVDB_OK) {
        mem_owned_free(r);
        return rc;
    }
    r->id = row->id;
    r->version = row->version;
    r->dtype = e->dtype;
    r->dim = dim;
    if (row->vector) r->vector = own;
    at += vector_bytes;
    if (id_bytes) {
        memcpy(at, row->id.text, row->id.length); /* the block is zeroed: a NUL follows */
        r->id.text = at;
        at += id_bytes;
    }
    if (row->author) {
        memcpy(at, row->author, row->author_length);
        r->author = at;
        at += author_bytes;
    }
    memcpy(at, row->metadata, row->metadata_length);
    r->metadata = at;
    r->metadata_length = row->metadata_length;
    r->expires_ms = row->expires;
    r->written_ms = row->written;
    *out = r;
    return EVDB_OK;
}

evdb_status evdb_record_get(evdb_store *store, evdb_id id, evdb_record **out, evdb_error *err)
{
    engine *e = store->engine;
    rows_reader *rd = NULL;
    rows_record row;
    char text[ID_TEXT_MAX];
    evdb_id own;
    evdb_status rc;
    TRY(engine_usable(e, err));
    TRY(id_check(&id, err));
    TRY(rows_read(e->rows, &rd, err));
    TRY(engine_learn(e, rd, err));
    TRY(id_resolve((evdb_id_type)atomic_load(&e->id_type), &id, text, &own, err));
    TRY(rows_get(rd, &own, ROWS_VECTOR | ROWS_LIVE, &row, err));
    TRY(copy_record(e, rd, &row, out, err));
out:
    rows_read_end(rd);
    return rc;
}

/* Of what is stored and of a patch. */
static evdb_status merge(void *context, const char *stored, size_t stored_length, const char *patch, size_t patch_length, const char **text,
                         size_t *length, evdb_error *err)
{
    buf *merged = context;
    merged->size = 0; /* a commit that failed may be tried again */
    evdb_status rc = json_merge(stored, stored_length, patch, patch_length, merged, err);
    if (rc == EVDB_OK && merged->size > EVDB_METADATA_BYTES_MAX)
        rc = error_set(err, EVDB_LIMIT, "merged, the metadata has %zu bytes, more than %u", merged->size, EVDB_METADATA_BYTES_MAX);
    *text = merged->at;
    *length = merged->size;
    return rc;
}

evdb_status evdb_record_merge(evdb_store *store, evdb_id id, const char *patch, const char *author, uint64_t if_version,
                              evdb_record **out, evdb_error *err)
{
    engine *e = store->engine;
    buf checked, merged;
    rows_record after;
    evdb_status rc;
    buf_init(&checked, &e->db->platform.mem);
    buf_init(&merged, &e->db->platform.mem);
    TRY(engine_usable(e, err));
    TRY(id_check(&id, err));
    TRY(input_author(author, err));
    if (!patch) TRY(error_set(err, EVDB_INVALID, "the patch is missing"));
    TRY(json_text_object(patch, strlen(patch), &checked, err));
    rows_write w = { .kind = EVDB_UPDATE, .id = id, .metadata = checked.at, .metadata_length = checked.size, .if_version = if_version,
                     .author = author, .author_length = author ? strlen(author) : 0, .merge = merge, .merge_context = &merged, .after = &after };
    commit_request request = { .kind = COMMIT_WRITES, .writes = &w, .count = 1 };
    rc = commit_run(e, &request, err);
    if (rc != EVDB_OK && err) err->item = EVDB_NO_ITEM;
    if (rc != EVDB_OK || !out) goto out;
    after.id = id;
    rc = copy_record(e, NULL, &after, out, err);
out:
    buf_free(&checked);
    buf_free(&merged);
    return rc;
}

void evdb_record_free(evdb_record *record) { mem_owned_free(record); }
