/* fuzz_foreign.c - any bytes as files of other programs: sources must refuse or understand them, and what they understand are rows that
 * can be written.
 *
 * Input: a byte that says what the rest is: (0) the definition of a vec0 table, (1) a SQLite file, of which each table is read, (2) the
 * pickle of a Chroma, (3) a Chroma: chroma.sqlite3, header.bin, data_level0.bin, length.bin and index_metadata.pickle of one segment, each
 * behind its length in two bytes, in units of 64 bytes for the first. */
#include "base/id.h"
#include "base/json_text.h"
#include "foreign/chroma_labels.h"
#include "foreign/sqlite_vec.h"
#include "foreign/vec0_definition.h"
#include "platform/platform.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS_MOST = 200 }; /* a few bytes may promise millions */

/* The folder is that of the segment in the corpus. */
#define SEGMENT "00000000-0000-4000-8000-000000000001"
static const char *const names[] = { "v.db", "chroma.sqlite3", SEGMENT "/header.bin", SEGMENT "/data_level0.bin", SEGMENT "/length.bin",
                                     SEGMENT "/index_metadata.pickle", SEGMENT };
enum { CHROMA_FIRST = 1, CHROMA_PARTS = 5, UNIT = 64 };

static char folder[64];
static volatile float sum;

static void check(bool sound)
{
    if (!sound) abort();
}

static void remove_folder(void)
{
    char path[160];
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)remove(path);
    }
    (void)rmdir(folder);
}

static void write_file(const char *name, const uint8_t *data, size_t size, char path[160])
{
    if (!*folder) {
        snprintf(folder, sizeof(folder), "%s/evdb-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        check(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
        snprintf(path, 160, "%s/%s", folder, SEGMENT);
        check(mkdir(path, 0700) == 0);
    }
    snprintf(path, 160, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    check(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
}

static void check_row(const reader_row *row)
{
    evdb_id id = row->id;
    buf compact;
    check(row->dim >= 1 && row->dim <= EVDB_DIM_MAX && (uintptr_t)row->vector % sizeof(float) == 0);
    check(id_check(&id, NULL) == EVDB_OK);
    for (uint32_t i = 0; i < row->dim; i++) sum += row->vector[i]; /* each can be read */
    if (!row->metadata) return;
    buf_init(&compact, &platform_real.mem);
    check(strlen(row->metadata) == row->metadata_length);
    check(json_text_object(row->metadata, row->metadata_length, &compact, NULL) == EVDB_OK);
    buf_free(&compact);
}

static void read_all(evdb_foreign *s)
{
    evdb_error err;
    reader *r;
    if (source_reader(s, &r, &err) != EVDB_OK) return;
    for (int i = 0; i < ROWS_MOST && !r->broken; i++) {
        const reader_row *row = NULL;
        evdb_status rc = reader_next(r, &row, &err);
        if (rc != EVDB_OK) check(err.status == rc && memchr(err.message, 0, sizeof(err.message)) != NULL);
        if (rc == EVDB_OK && !row) break;
        if (rc == EVDB_OK) check_row(row);
    }
    reader_close(r);
}

static void read_table(const char *path, const char *name, const char *column)
{
    char found[SOURCE_NAME_MAX + 1];
    const source_type *type;
    evdb_foreign *s;
    foreign_db *db;
    evdb_error err;
    if (foreign_db_open(&platform_real, path, &db, &err) != EVDB_OK) return;
    if (sqlite_vec_find(db, path, name, found, &type, &err) != EVDB_OK) {
        foreign_db_close(db);
        return;
    }
    if (source_open(&platform_real, type, path, db, found, column, &s, &err) != EVDB_OK) return;
    read_all(s);
    source_close(s);
}

typedef struct bytes {
    const uint8_t *at;
    size_t size;
} bytes;

static evdb_status read_bytes(void *context, void *buffer, size_t capacity, size_t *got, evdb_error *err)
{
    bytes *b = context;
    (void)err;
    *got = b->size < capacity ? b->size : capacity;
    if (*got) memcpy(buffer, b->at, *got);
    b->at += *got;
    b->size -= *got;
    return EVDB_OK;
}

static evdb_status check_label(void *context, const char *id, size_t length, int64_t label, evdb_error *err)
{
    uint64_t *seen = context;
    (void)label;
    (void)err;
    for (size_t i = 0; i < length; i++) *seen += (unsigned char)id[i];
    return EVDB_OK;
}

static void try_pickle(const uint8_t *data, size_t size)
{
    bytes file = { data, size };
    evdb_source source = { .context = &file, .read = read_bytes };
    evdb_error err;
    int64_t sequence;
    uint64_t seen = 0;
    evdb_status rc = chroma_labels(&platform_real.mem, &source, check_label, &seen, &sequence, &err);
    check(rc == EVDB_OK || (err.status == rc && rc == EVDB_INVALID));
}

static void try_chroma(const uint8_t *data, size_t size)
{
    char path[160], directory[160];
    foreign_db *db;
    evdb_foreign *s;
    evdb_error err;
    for (int i = 0; i < CHROMA_PARTS; i++) {
        size_t length = size >= 2 ? data[0] | (size_t)data[1] << 8 : 0;
        if (i == 0) length *= UNIT;
        if (size >= 2) data += 2, size -= 2;
        if (length > size) length = size;
        write_file(names[CHROMA_FIRST + i], data, length, path);
        data += length;
        size -= length;
    }
    snprintf(path, sizeof(path), "%s/%s", folder, names[CHROMA_FIRST]);
    snprintf(directory, sizeof(directory), "%s", folder);
    if (foreign_db_open(&platform_real, path, &db, &err) != EVDB_OK) return;
    if (source_open(&platform_real, &source_chroma, directory, db, "docs", NULL, &s, &err) != EVDB_OK) return;
    read_all(s);
    source_close(s);
}

static void try_sqlite(const uint8_t *data, size_t size)
{
    char path[160];
    write_file("v.db", data, size, path);
    read_table(path, NULL, "v");
    read_table(path, "docs", NULL);
    read_table(path, "plain", "v");
}

static void try_definition(const uint8_t *data, size_t size)
{
    static vec0_definition d;
    evdb_error err;
    if (vec0_parse((const char *)data, size, &d, &err) != EVDB_OK) return;
    check(vec0_is((const char *)data, size) && d.count <= VEC0_COLUMNS_MAX);
    for (uint32_t i = 0; i < d.count; i++) {
        const vec0_column *c = &d.columns[i];
        check(c->length && c->name >= (const char *)data && c->name + c->length <= (const char *)data + size);
        check(c->kind != VEC0_VECTOR || (c->dim >= 1 && c->dim <= EVDB_DIM_MAX));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    switch (data[0] % 4) {
    case 0: try_definition(data + 1, size - 1); break;
    case 2: try_pickle(data + 1, size - 1); break;
    case 3: try_chroma(data + 1, size - 1); break;
    default: try_sqlite(data + 1, size - 1); break;
    }
    return 0;
}
