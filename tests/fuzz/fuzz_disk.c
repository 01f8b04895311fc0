/* fuzz_disk.c - the files of a database with anything changed in them. Where checksums are as the changes left them, every answer is the
 * one of before or an error; where they are made to match, whatever is answered touches nothing that is not its own, and what a repair
 * makes of it is sound.
 *
 * Input: a byte of choices (`ways`), then changes: a byte whose lowest two bits choose the file, whose highest one cuts it and whose next
 * one counts places from the end; three bytes of place, a byte of length, and as many bytes to put there. */
#include "base/checksum.h"
#include "database_private.h"
#include "disk/vfs.h"
#include "platform/platform.h"
#include <evdb.h>
#include <ftw.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS, ROWS_LOG, SYSTEM, SYSTEM_LOG, CHANGED, HINT = CHANGED, SYSTEM_HINT, FILES };
enum ways { SEALED = 1, REPAIRED = 2, WITHOUT_HINT = 4 };
enum { CUT = 128, FROM_END = 64, DIM = 4, RECORDS = 40, UPDATED = 3, WAL_HEADER = 32, FRAME_HEADER = 24, PATH_BYTES = 200, CHANGE = 5, K = 3 };

static char folder[64], uuid[40];

typedef struct content {
    uint8_t *at;
    size_t size;
} content;
static content files[FILES];

static void check(bool sound)
{
    if (!sound) abort();
}

static int no_sync(void *context, const io_event *event)
{
    (void)context;
    return event->kind == IO_SYNC || event->kind == IO_SYNC_DIR ? IO_SKIP : 0;
}

static evdb_status open_database(evdb **out, evdb_error *err)
{
    platform p = platform_real;
    p.io.before = no_sync;
    return db_open_with(&p, folder, NULL, out, err);
}

/* ---- the database ---- */

static const char *path_of(int file, char path[PATH_BYTES])
{
    static const char *const names[FILES] = { "rows.db", "rows.db-wal", "system.db", "system.db-wal", "hint", "system.hint" };
    if (file == ROWS || file == ROWS_LOG || file == HINT) snprintf(path, PATH_BYTES, "%s/stores/%s/%s", folder, uuid, names[file]);
    else snprintf(path, PATH_BYTES, "%s/%s", folder, names[file]);
    return path;
}

static void vector_of(unsigned n, float out[DIM])
{
    for (unsigned i = 0; i < DIM; i++) out[i] = (float)((n * 7919 + i * 104729 + n * i) % 211) / 105 - 1;
}

static void metadata_of(unsigned n, char text[64])
{
    snprintf(text, 64, "{\"n\":%u,\"text\":\"record %u\"}", n, n);
}

static void write_records(evdb_store *store, unsigned step)
{
    float vector[DIM];
    char metadata[64];
    for (unsigned n = 0; n < RECORDS; n += step) {
        vector_of(n, vector);
        metadata_of(n, metadata);
        check(evdb_record_upsert(store, (evdb_id){ .number = n }, vector, DIM, metadata, NULL, NULL) == EVDB_OK);
    }
}

static content read_file(const char *path)
{
    struct stat st;
    content c = { NULL, 0 };
    FILE *f = fopen(path, "rb");
    check(f && fstat(fileno(f), &st) == 0 && (c.at = malloc((size_t)st.st_size + 1)));
    c.size = fread(c.at, 1, (size_t)st.st_size, f);
    fclose(f);
    return c;
}

/* One half of it is in the files, the rest in the logs, as when a process is killed. */
static void build(void)
{
    evdb *db;
    evdb_store *store;
    evdb_store_info *info;
    char secret[EVDB_SECRET_BYTES], path[PATH_BYTES];
    evdb_store_options options = EVDB_STORE_OPTIONS;
    options.metric = EVDB_EUCLIDEAN;
    check(open_database(&db, NULL) == EVDB_OK);
    check(evdb_store_create(db, "s", &options, &store, NULL) == EVDB_OK);
    check(evdb_store_describe(store, &info, NULL) == EVDB_OK);
    snprintf(uuid, sizeof(uuid), "%s", info->uuid);
    evdb_store_info_free(info);
    write_records(store, 1);
    check(evdb_store_sync(store, NULL) == EVDB_OK);
    write_records(store, UPDATED);
    check(evdb_auth_client_add(db, "c", NULL, EVDB_SCOPE_READ, EVDB_GRANT_CLIENT_CREDENTIALS, secret, NULL) == EVDB_OK);
    for (int i = 0; i < FILES; i++) files[i] = read_file(path_of(i, path));
    evdb_store_close(store);
    evdb_close(db);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static void remove_folder(void) { (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

static void begin(void)
{
    snprintf(folder, sizeof(folder), "%s/evdb-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    check(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
    build();
}

/* ---- damage ---- */

static const uint8_t *change(content now[FILES], const uint8_t *data, const uint8_t *end)
{
    content *file = &now[data[0] % CHANGED];
    size_t at = (data[1] | (size_t)data[2] << 8 | (size_t)data[3] << 16) % (file->size + 1), length = data[4];
    if (data[0] & FROM_END) at = file->size - at;
    bool cuts = data[0] & CUT && length == 0;
    data += CHANGE;
    if (length > (size_t)(end - data)) length = (size_t)(end - data);
    if (cuts) file->size = at;
    else memcpy(file->at + at, data, length < file->size - at ? length : file->size - at);
    return data + length;
}

static void seal_pages(content *c, size_t page)
{
    for (size_t at = 0, n = 1; at + page <= c->size; at += page, n++) {
        uint64_t sum = checksum(c->at + at, page - VFS_RESERVED, n);
        memcpy(c->at + at + page - VFS_RESERVED, &sum, sizeof(sum));
    }
}

static uint32_t big32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

static void put32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* The log's running checksum, in the byte order of its header. */
static void sum_log(uint32_t sums[2], const uint8_t *p, size_t size, bool big)
{
    for (const uint8_t *end = p + size; p < end; p += 8) {
        uint32_t one = big32(p), two = big32(p + 4);
        sums[0] += (big ? one : __builtin_bswap32(one)) + sums[1];
        sums[1] += (big ? two : __builtin_bswap32(two)) + sums[0];
    }
}

static void seal_log(content *c, size_t page)
{
    uint32_t sums[2] = { 0, 0 };
    if (c->size < WAL_HEADER) return;
    bool big = c->at[3] & 1;
    sum_log(sums, c->at, WAL_HEADER - 8, big);
    put32(c->at + WAL_HEADER - 8, sums[0]);
    put32(c->at + WAL_HEADER - 4, sums[1]);
    for (size_t at = WAL_HEADER; at + FRAME_HEADER + page <= c->size; at += FRAME_HEADER + page) {
        uint8_t *frame = c->at + at;
        sum_log(sums, frame, 8, big);
        sum_log(sums, frame + FRAME_HEADER, page, big);
        put32(frame + 16, sums[0]);
        put32(frame + 20, sums[1]);
    }
}

/* As the files were before: page 1 may say something else. */
static void seal(content now[FILES])
{
    for (int i = 0; i < CHANGED; i += 2) {
        size_t page = (size_t)files[i].at[16] << 8 | files[i].at[17];
        if (page == 1) page = 65536;
        seal_log(&now[i + 1], page);
        seal_pages(&now[i], page);
    }
}

/* The folder as it was when the files were read, but for the changes. */
static void lay_out(const uint8_t *data, const uint8_t *end, unsigned ways)
{
    char path[PATH_BYTES];
    content now[FILES];
    remove_folder();
    snprintf(path, sizeof(path), "%s/stores", folder);
    check(mkdir(folder, 0700) == 0 && mkdir(path, 0700) == 0);
    snprintf(path, sizeof(path), "%s/stores/%s", folder, uuid);
    check(mkdir(path, 0700) == 0);
    for (int i = 0; i < FILES; i++) {
        now[i] = (content){ malloc(files[i].size + 1), files[i].size };
        check(now[i].at != NULL);
        memcpy(now[i].at, files[i].at, files[i].size);
    }
    while (end - data >= CHANGE) data = change(now, data, end);
    if (ways & SEALED) seal(now);
    for (int i = 0; i < FILES; i++) {
        bool left_out = i >= CHANGED && ways & (WITHOUT_HINT | SEALED);
        FILE *f = left_out ? NULL : fopen(path_of(i, path), "wb");
        check(left_out || (f && fwrite(now[i].at, 1, now[i].size, f) == now[i].size && fclose(f) == 0));
        free(now[i].at);
    }
}

/* ---- asking ---- */

typedef struct examination {
    bool sealed;
    unsigned errors;
} examination;

/* An answer that is no error: true. An error that damage does not explain ends the process. */
static bool answered(examination *x, evdb_status rc, const evdb_error *err)
{
    if (rc == EVDB_OK) return true;
    check(err->status == rc && *err->message && memchr(err->message, 0, sizeof(err->message)));
    check(rc == EVDB_CORRUPT || rc == EVDB_IO || x->sealed);
    x->errors++;
    return false;
}

static void check_record(const examination *x, const evdb_record *r)
{
    float vector[DIM];
    char metadata[64];
    check(r->dim <= EVDB_DIM_MAX && strlen(r->metadata) == r->metadata_length);
    for (uint32_t i = 0; i < r->dim; i++) check(!isnan(r->vector[i]));
    if (x->sealed) return;
    check(!r->id.text && r->id.number >= 0 && r->id.number < RECORDS && r->dim == DIM);
    vector_of((unsigned)r->id.number, vector);
    metadata_of((unsigned)r->id.number, metadata);
    check(memcmp(r->vector, vector, sizeof(vector)) == 0 && strcmp(r->metadata, metadata) == 0);
}

static void ask_records(examination *x, evdb_store *store)
{
    evdb_error err;
    evdb_record *record;
    evdb_cursor *cursor;
    const evdb_record *each;
    unsigned count = 0;
    for (unsigned n = 0; n < RECORDS; n++) {
        if (!answered(x, evdb_record_get(store, (evdb_id){ .number = n }, &record, &err), &err)) continue;
        check_record(x, record);
        evdb_record_free(record);
    }
    if (!answered(x, evdb_cursor_open(store, NULL, &cursor, &err), &err)) return;
    evdb_status rc;
    while ((rc = evdb_cursor_next(cursor, &each, &err)) == EVDB_OK && each && count++ < 2 * RECORDS) check_record(x, each);
    check(!answered(x, rc, &err) || x->sealed || count == RECORDS);
    evdb_cursor_close(cursor);
}

static void ask_others(examination *x, evdb_store *store)
{
    evdb_error err;
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *result;
    evdb_changes *changes;
    evdb_store_info *info;
    uint64_t count;
    float query[DIM];
    vector_of(0, query);
    o.flags = EVDB_SEARCH_METADATA;
    o.k = K;
    if (answered(x, evdb_store_describe(store, &info, &err), &err)) evdb_store_info_free(info);
    if (answered(x, evdb_store_count(store, &count, &err), &err)) check(x->sealed || count == RECORDS);
    if (answered(x, evdb_search(store, query, DIM, &o, &result, &err), &err)) {
        check(x->sealed || (result->count == K && result->ids[0].number == 0));
        for (size_t i = 0; i < result->count; i++) check(!isnan(result->distances[i]) && strlen(result->metadata[i]) < SIZE_MAX);
        evdb_result_free(result);
    }
    if (answered(x, evdb_changes_read(store, 0, 0, &changes, &err), &err)) evdb_changes_free(changes);
}

static void ask_system(examination *x, evdb *db)
{
    evdb_error err;
    evdb_store_info **stores;
    evdb_client *clients;
    size_t count;
    if (answered(x, evdb_store_list(db, &stores, &count, &err), &err)) {
        check(x->sealed || (count == 1 && strcmp(stores[0]->name, "s") == 0));
        evdb_store_list_free(stores, count);
    }
    if (answered(x, evdb_auth_client_list(db, &clients, &count, &err), &err)) {
        check(x->sealed || (count == 1 && strcmp(clients[0].id, "c") == 0));
        evdb_auth_client_list_free(clients);
    }
}

static unsigned problems_of(examination *x, evdb *db, const char *store)
{
    evdb_error err;
    evdb_verify_report report;
    return answered(x, evdb_verify(db, store, NULL, NULL, &report, &err), &err) ? (unsigned)report.problems : 1;
}

static void repair(examination *x, evdb *db)
{
    evdb_error err;
    evdb_store *store;
    evdb_repair_report report = EVDB_REPAIR_REPORT;
    if (!answered(x, evdb_store_repair(db, "s", NULL, &report, &err), &err)) return;
    check(problems_of(x, db, "s") == 0);
    check(evdb_store_open(db, "s", &store, &err) == EVDB_OK);
    evdb_store_close(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    evdb *db;
    evdb_store *store;
    evdb_error err;
    if (!size) return 0;
    if (!*folder) begin();
    examination x = { .sealed = data[0] & SEALED };
    lay_out(data + 1, data + size, data[0]);
    if (!answered(&x, open_database(&db, &err), &err)) return 0;
    ask_system(&x, db);
    if (answered(&x, evdb_store_open(db, "s", &store, &err), &err)) {
        ask_records(&x, store);
        ask_others(&x, store);
        evdb_store_close(store);
    }
    unsigned errors = x.errors, problems = problems_of(&x, db, NULL);
    check(x.sealed || !errors || problems);
    if (data[0] & REPAIRED) repair(&x, db);
    evdb_close(db);
    return 0;
}
