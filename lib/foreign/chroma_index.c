/* chroma_index.c - implements foreign/chroma_index.h. */
#include "foreign/chroma_index.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "foreign/chroma_labels.h"
#include "format/elements.h"
#include "platform/file.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { HEADER = 100, UUID = 36, LABEL = 8, ELEMENT_MAX = 1 << 20, VERSION = 1 };
enum { AT_VERSION = 0, AT_LEVEL0 = 4, AT_COUNT = 20, AT_ELEMENT = 28, AT_LABEL = 36, AT_VECTOR = 44 }; /* in header.bin */

void chroma_index_init(chroma_index *x)
{
    *x = (chroma_index){ 0 };
    x->data.fd = x->lengths.fd = -1;
}

void chroma_index_close(chroma_index *x, evdb_foreign *s)
{
    descriptor_close(&x->data);
    descriptor_close(&x->lengths);
    foreign_query_close(x->find);
    mem_free(&s->platform->mem, x->data_path);
    mem_free(&s->platform->mem, x->length_path);
    chroma_index_init(x);
}

/* The segment's name comes from the database, and must not lead elsewhere. */
static evdb_status path_of(evdb_foreign *s, const char *segment, const char *file, char **out, evdb_error *err)
{
    size_t room = strlen(s->path) + 1 + UUID + 1 + strlen(file) + 1;
    if (strlen(segment) != UUID || strspn(segment, "0123456789abcdefABCDEF-") != UUID)
        return error_set(err, EVDB_INVALID, "%s: segment '%.40s' is no UUID", s->path, segment);
    if (!(*out = mem_alloc(&s->platform->mem, room))) return error_no_memory(err, room, "a path");
    snprintf(*out, room, "%s/%s/%s", s->path, segment, file);
    return EVDB_OK;
}

/* ---- labels ---- */

typedef struct pickle_file {
    descriptor d;
    uint64_t at, size;
} pickle_file;

static evdb_status read_pickle(void *context, void *buffer, size_t capacity, size_t *got, evdb_error *err)
{
    pickle_file *f = context;
    *got = f->size - f->at < capacity ? (size_t)(f->size - f->at) : capacity;
    int failed = *got ? descriptor_read(&f->d, f->at, buffer, *got) : 0;
    f->at += *got;
    return failed ? error_errno(err, failed, "read", f->d.path) : EVDB_OK;
}

static evdb_status keep_label(void *context, const char *id, size_t length, int64_t label, evdb_error *err)
{
    foreign_query *insert = context;
    foreign_bind_text(insert, 1, id, length);
    foreign_bind_integer(insert, 2, label);
    return foreign_query_run(insert, err);
}

/* *there is false when no index was saved yet. */
static evdb_status read_labels(evdb_foreign *s, const char *segment, bool *there, int64_t *sequence, evdb_error *err)
{
    pickle_file f = { .d.fd = -1 };
    evdb_source source = { .context = &f, .read = read_pickle };
    foreign_query *insert = NULL;
    char *path = NULL;
    bool directory;
    int failed;
    evdb_error why = { 0 };
    evdb_status rc;
    TRY(path_of(s, segment, "index_metadata.pickle", &path, err));
    failed = file_exists(path, there, &directory);
    if (failed || !*there) {
        rc = failed ? error_errno(err, failed, "read", path) : EVDB_OK;
        goto out;
    }
    failed = descriptor_open(s->platform, path, &f.d);
    if (!failed) failed = descriptor_size(&f.d, &f.size);
    if (failed) TRY(error_errno(err, failed, "read", path));
    TRY(foreign_query_open(s->db, &insert, err, "INSERT OR REPLACE INTO temp.labels VALUES(?1, ?2)"));
    rc = chroma_labels(&s->platform->mem, &source, keep_label, insert, sequence, &why);
    if (rc != EVDB_OK) error_set(err, rc, "%s: %s", path, why.message);
out:
    foreign_query_close(insert);
    descriptor_close(&f.d);
    mem_free(&s->platform->mem, path);
    return rc;
}

/* ---- elements ---- */

static evdb_status read_header(chroma_index *x, evdb_foreign *s, const char *segment, uint64_t *label_at, evdb_error *err)
{
    char head[HEADER], *path = NULL;
    descriptor d = { .fd = -1 };
    uint64_t size;
    evdb_status rc;
    TRY(path_of(s, segment, "header.bin", &path, err));
    int failed = descriptor_open(s->platform, path, &d);
    if (!failed) failed = descriptor_size(&d, &size);
    if (!failed && size < HEADER) TRY(error_set(err, EVDB_INVALID, "%s: too short", path));
    if (!failed) failed = descriptor_read(&d, 0, head, HEADER);
    if (failed) TRY(error_errno(err, failed, "read", path));
    if (elements_u32(head + AT_VERSION) != VERSION || elements_u64(head + AT_LEVEL0) != 0)
        TRY(error_set(err, EVDB_UNSUPPORTED, "%s: of version %u of the format, not %d", path, elements_u32(head), VERSION));
    x->count = elements_u64(head + AT_COUNT);
    x->element = elements_u64(head + AT_ELEMENT);
    x->vector_at = elements_u64(head + AT_VECTOR);
    *label_at = elements_u64(head + AT_LABEL);
    bool sound = x->element >= LABEL && x->element <= ELEMENT_MAX && *label_at == x->element - LABEL && x->vector_at < *label_at &&
                 (*label_at - x->vector_at) % sizeof(float) == 0 && (*label_at - x->vector_at) / sizeof(float) <= EVDB_DIM_MAX;
    if (!sound) TRY(error_set(err, EVDB_INVALID, "%s: makes no sense", path));
    x->dim = (uint32_t)((*label_at - x->vector_at) / sizeof(float));
out:
    descriptor_close(&d);
    mem_free(&s->platform->mem, path);
    return rc;
}

/* Opens a file that has `bytes` for each element. */
static evdb_status open_elements(evdb_foreign *s, const chroma_index *x, uint64_t bytes, const char *path, descriptor *out, evdb_error *err)
{
    uint64_t size;
    int failed = descriptor_open(s->platform, path, out);
    if (!failed) failed = descriptor_size(out, &size);
    if (failed) return error_errno(err, failed, "read", path);
    if (x->count <= size / bytes) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "%s: ends before its %llu vectors", path, (unsigned long long)x->count);
}

static evdb_status place_elements(chroma_index *x, evdb_foreign *s, uint64_t label_at, evdb_error *err)
{
    foreign_query *insert = NULL;
    char label[LABEL];
    evdb_status rc;
    TRY(foreign_query_open(s->db, &insert, err, "INSERT OR REPLACE INTO temp.places VALUES(?1, ?2)"));
    for (uint64_t i = 0; i < x->count; i++) {
        int failed = descriptor_read(&x->data, i * x->element + label_at, label, LABEL);
        if (failed) TRY(error_errno(err, failed, "read", x->data_path));
        foreign_bind_integer(insert, 1, (int64_t)elements_u64(label));
        foreign_bind_integer(insert, 2, (int64_t)i);
        TRY(foreign_query_run(insert, err));
    }
out:
    foreign_query_close(insert);
    return rc;
}

evdb_status chroma_index_open(chroma_index *x, evdb_foreign *s, const char *segment, bool scaled, int64_t *sequence, evdb_error *err)
{
    uint64_t label_at;
    bool there = false;
    evdb_status rc;
    x->scaled = scaled;
    *sequence = 0;
    TRY(foreign_run(s->db, "CREATE TEMP TABLE labels(id TEXT PRIMARY KEY, label INTEGER) WITHOUT ROWID;"
                           "CREATE TEMP TABLE places(label INTEGER PRIMARY KEY, place INTEGER)", err));
    TRY(read_labels(s, segment, &there, sequence, err));
    if (!there) goto out;
    TRY(read_header(x, s, segment, &label_at, err));
    TRY(path_of(s, segment, "data_level0.bin", &x->data_path, err));
    TRY(open_elements(s, x, x->element, x->data_path, &x->data, err));
    if (scaled) {
        TRY(path_of(s, segment, "length.bin", &x->length_path, err));
        TRY(open_elements(s, x, sizeof(float), x->length_path, &x->lengths, err));
    }
    TRY(place_elements(x, s, label_at, err));
    TRY(foreign_query_open(s->db, &x->find, err, "SELECT place FROM temp.labels JOIN temp.places USING(label) WHERE id=?1"));
out:
    return rc;
}

static float float_at(const char *bytes)
{
    uint32_t bits = elements_u32(bytes);
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* Multiplies in float32, as Chroma does when it is asked for a vector. */
static evdb_status scale(chroma_index *x, uint64_t place, char *vector, evdb_error *err)
{
    char length[sizeof(float)];
    int failed = descriptor_read(&x->lengths, place * sizeof(float), length, sizeof(length));
    if (failed) return error_errno(err, failed, "read", x->length_path);
    for (uint32_t i = 0; i < x->dim; i++) {
        float value = float_at(vector + i * sizeof(float)) * float_at(length);
        uint32_t bits;
        memcpy(&bits, &value, sizeof(bits));
        elements_put_u32(bits, vector + i * sizeof(float));
    }
    return EVDB_OK;
}

evdb_status chroma_index_find(chroma_index *x, const char *id, size_t length, bool *found, char *out, evdb_error *err)
{
    *found = false;
    if (!x->dim) return EVDB_OK;
    foreign_query_restart(x->find);
    foreign_bind_text(x->find, 1, id, length);
    evdb_status rc = foreign_query_next(x->find, found, err);
    if (rc != EVDB_OK || !*found) return rc;
    uint64_t place = (uint64_t)foreign_query_value(x->find, 0).integer;
    int failed = descriptor_read(&x->data, place * x->element + x->vector_at, out, x->dim * sizeof(float));
    if (failed) return error_errno(err, failed, "read", x->data_path);
    return x->scaled ? scale(x, place, out, err) : EVDB_OK;
}
