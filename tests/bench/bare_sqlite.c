/* bare_sqlite.c - implements bench/bare_sqlite.h. */
#include "bench/bare_sqlite.h"
#include "bench/measure.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

struct bare {
    sqlite3 *handle;
    sqlite3_stmt *insert;
};

static void run(bare *b, const char *sql)
{
    if (sqlite3_exec(b->handle, sql, NULL, NULL, NULL) != SQLITE_OK) measure_die(sql, sqlite3_errmsg(b->handle));
}

static void insert(bare *b, int64_t id, const float *vector)
{
    sqlite3_bind_int64(b->insert, 1, id);
    sqlite3_bind_blob(b->insert, 2, vector, DATA_DIM * sizeof(float), SQLITE_STATIC);
    if (sqlite3_step(b->insert) != SQLITE_DONE) measure_die("insert", sqlite3_errmsg(b->handle));
    sqlite3_reset(b->insert);
}

bare *bare_open(const char *path, int page)
{
    bare *b = calloc(1, sizeof(*b));
    char sql[64];
    if (!b || sqlite3_open(path, &b->handle) != SQLITE_OK) measure_die(path, "cannot be opened");
    snprintf(sql, sizeof(sql), "PRAGMA page_size=%d", page);
    if (page) run(b, sql);
    run(b, "PRAGMA journal_mode=WAL");
    run(b, "PRAGMA synchronous=FULL");
    run(b, "CREATE TABLE vectors(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)");
    if (sqlite3_prepare_v2(b->handle, "INSERT INTO vectors VALUES(?1,?2)", -1, &b->insert, NULL) != SQLITE_OK)
        measure_die("prepare", sqlite3_errmsg(b->handle));
    return b;
}

void bare_close(bare *b)
{
    sqlite3_finalize(b->insert);
    if (sqlite3_close(b->handle) != SQLITE_OK) measure_die("close", "SQLite is busy");
    free(b);
}

int bare_page_size(bare *b)
{
    sqlite3_stmt *st;
    int size = 0;
    if (sqlite3_prepare_v2(b->handle, "PRAGMA page_size", -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        size = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return size;
}

void bare_insert(bare *b, int64_t id, const float *vector)
{
    insert(b, id, vector);
}

void bare_import(bare *b, const char *npy, size_t batch)
{
    float *rows = malloc(batch * DATA_DIM * sizeof(float));
    FILE *f = fopen(npy, "rbe");
    size_t got;
    int64_t id = 0;
    if (!rows || !f || fseek(f, 128, SEEK_SET) != 0) measure_die(npy, "cannot be read");
    while ((got = fread(rows, DATA_DIM * sizeof(float), batch, f)) > 0) {
        run(b, "BEGIN IMMEDIATE");
        for (size_t i = 0; i < got; i++) insert(b, id++, rows + i * DATA_DIM);
        run(b, "COMMIT");
    }
    fclose(f);
    free(rows);
}
