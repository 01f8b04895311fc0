/* fuzz_backup.c - any bytes as a backup: refused with a message, or a store in which evdb_verify() finds nothing.
 *
 * The first byte chooses what the rest is; checksums and counts are made to match:
 *   0  a whole file, as it is
 *   1  the JSON of a head; its file holds nothing
 *   2  entries: the one chunk of a store of two elements */
#include "base/checksum.h"
#include "format/backup_chunk.h"
#include "format/backup_entry.h"
#include "format/backup_head.h"
#include <evdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned char head_start[8] = { 'e', 'v', 'd', 'b', 'b', 'a', 'c', 'k' };
static const char plain[] = "{\"name\":\"\",\"store\":\"s\",\"uuid\":\"u\",\"id\":\"000102030405060708090a0b0c0d0e0f\",\"base\":\"\",\"base_sequence\":0,"
                            "\"created_ms\":1,\"dim\":2,\"metric\":\"euclidean\",\"dtype\":\"f32\",\"id_type\":0,\"m\":16,\"ef_construction\":200,"
                            "\"index_threads\":0,\"store_created_ms\":1,\"fields\":[\"a\"]}";

typedef struct file {
    uint8_t *at;
    size_t size, read;
} file;

static void check(bool right)
{
    if (!right) abort();
}

static void add(file *f, const void *bytes, size_t size)
{
    f->at = realloc(f->at, f->size + size + 1);
    check(f->at);
    if (size) memcpy(f->at + f->size, bytes, size);
    f->size += size;
}

static uint64_t add_head(file *f, const void *json, size_t size)
{
    uint32_t numbers[2] = { BACKUP_FORMAT, (uint32_t)size };
    add(f, head_start, sizeof(head_start));
    add(f, numbers, sizeof(numbers));
    add(f, json, size);
    uint64_t sum = checksum(f->at, f->size, BACKUP_FORMAT);
    add(f, &sum, sizeof(sum));
    return sum;
}

/* What a head's id makes of chunks' checksums; of one that makes no sense it does not matter. */
static uint64_t seed_of(const file *f)
{
    backup_head head;
    if (backup_head_read(f->at, f->size, &head, NULL) != EVDB_OK) return 0;
    uint64_t seed = backup_chunk_seed(head.id, sizeof(head.id));
    backup_head_free(&head);
    return seed;
}

/* Counts as the foot must have them. */
static void count(const uint8_t *at, size_t size, backup_foot *foot)
{
    const uint8_t *end = at + size;
    backup_entry e;
    while (at < end && backup_entry_next(&at, end, &e, NULL) == EVDB_OK) {
        foot->entries += e.kind == BACKUP_PUT || e.kind == BACKUP_DELETE;
        if (e.kind != BACKUP_STATE) continue;
        foot->sequence = e.version;
        foot->records = e.live;
    }
}

static void make(file *f, const void *json, size_t json_size, const uint8_t *entries, size_t size)
{
    backup_foot foot = { .head_sum = add_head(f, json, json_size), .raw_bytes = size, .chunks = size > 0 };
    uint64_t seed = seed_of(f);
    backup_chunk c = { .raw = (uint32_t)size, .stored = (uint32_t)size };
    if (size) {
        c.sum = backup_chunk_sum(&c, entries, seed);
        foot.chunks_sum = checksum(&c.sum, sizeof(c.sum), 0);
        add(f, &c, sizeof(c));
        add(f, entries, size);
        count(entries, size, &foot);
    }
    c = (backup_chunk){ .number = foot.chunks };
    c.sum = backup_chunk_sum(&c, "", seed);
    add(f, &c, sizeof(c));
    foot.body_bytes = f->size;
    backup_foot_seal(&foot);
    add(f, &foot, sizeof(foot));
}

static evdb_status read_some(void *context, void *buffer, size_t capacity, size_t *got, evdb_error *err)
{
    file *f = context;
    (void)err;
    *got = f->size - f->read < capacity ? f->size - f->read : capacity;
    if (*got) memcpy(buffer, f->at + f->read, *got);
    f->read += *got;
    return EVDB_OK;
}

static evdb_status go_back(void *context, evdb_error *err)
{
    (void)err;
    ((file *)context)->read = 0;
    return EVDB_OK;
}

static void attack(file *f)
{
    evdb *db;
    evdb_error why;
    evdb_verify_report report;
    const evdb_source source = { f, read_some, go_back }, *chain[] = { &source };
    check(evdb_open(":memory:", NULL, &db, &why) == EVDB_OK);
    evdb_status rc = evdb_backup_read(db, chain, 1, "s", NULL, &why);
    if (rc == EVDB_OK) {
        check(evdb_verify(db, NULL, NULL, NULL, &report, &why) == EVDB_OK && report.stores == 1 && report.problems == 0);
    } else {
        check(rc == EVDB_CORRUPT || rc == EVDB_NEWER || rc == EVDB_DENIED || rc == EVDB_INVALID || rc == EVDB_LIMIT);
        check(why.status == rc && *why.message && memchr(why.message, 0, sizeof(why.message)));
        check(evdb_store_drop(db, "s", &why) == EVDB_NOT_FOUND);
    }
    evdb_close(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    file f = { 0 };
    if (!size || size > 1 << 16) return 0;
    switch (data[0] % 3) {
    case 0: add(&f, data + 1, size - 1); break;
    case 1: make(&f, data + 1, size - 1, NULL, 0); break;
    default: make(&f, plain, sizeof(plain) - 1, data + 1, size - 1); break;
    }
    attack(&f);
    free(f.at);
    return 0;
}
