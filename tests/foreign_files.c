/* foreign_files.c - implements foreign_files.h. The layout is that of sqlite-vec 0.1.9. */
#include "foreign_files.h"
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 4, CHUNKS = (FOREIGN_RECORDS + CHUNK - 1) / CHUNK };

static bool run(sqlite3 *db, const char *text) { return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK; }

bool foreign_sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    bool ok = sqlite3_open(path, &db) == SQLITE_OK && run(db, "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF") && run(db, text);
    return sqlite3_close(db) == SQLITE_OK && ok;
}

static const char definition[] =
    "PRAGMA page_size=512;"
    "BEGIN;"
    "CREATE TABLE docs_info(key text primary key, value any);"
    "CREATE TABLE docs_chunks(chunk_id INTEGER PRIMARY KEY AUTOINCREMENT, size INTEGER NOT NULL, validity BLOB NOT NULL, rowids BLOB NOT NULL);"
    "CREATE TABLE docs_rowids(rowid INTEGER PRIMARY KEY AUTOINCREMENT, id, chunk_id INTEGER, chunk_offset INTEGER);"
    "CREATE TABLE docs_vector_chunks00(rowid PRIMARY KEY, vectors BLOB NOT NULL);"
    "CREATE TABLE docs_vector_chunks01(rowid PRIMARY KEY, vectors BLOB NOT NULL);"
    "CREATE TABLE docs_metadatachunks00(rowid PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE docs_metadatatext00(rowid PRIMARY KEY, data TEXT);"
    "CREATE TABLE docs_metadatachunks01(rowid PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE docs_metadatachunks02(rowid PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE docs_auxiliary(rowid integer PRIMARY KEY, value00);"
    "CREATE TABLE plain(name TEXT PRIMARY KEY, v BLOB, n);"
    "PRAGMA writable_schema=1;"
    "INSERT INTO sqlite_master VALUES('table', 'docs', 'docs', 0, 'CREATE VIRTUAL TABLE docs USING vec0(v float[2] distance_metric=cosine, "
    "flags bit[8], word text, year integer, ok boolean, +body text, chunk_size=4)');";

/* Binds a blob and a number to a statement and runs it. */
static bool insert(sqlite3 *db, const char *text, int number, const void *blob, int size)
{
    sqlite3_stmt *st = NULL;
    bool ok = sqlite3_prepare_v2(db, text, -1, &st, NULL) == SQLITE_OK;
    if (ok) sqlite3_bind_int(st, 1, number);
    if (ok) sqlite3_bind_blob(st, 2, blob, size, SQLITE_TRANSIENT);
    ok = ok && sqlite3_step(st) == SQLITE_DONE;
    sqlite3_finalize(st);
    return ok;
}

/* Little-endian machines only, as all that CI has. */
static bool insert_chunk(sqlite3 *db, int chunk)
{
    float vectors[CHUNK][2];
    unsigned char flags[CHUNK], ok[1] = { 0 };
    char words[CHUNK][16];
    long long years[CHUNK];
    memset(words, 0, sizeof(words));
    for (int i = 0; i < CHUNK; i++) {
        int number = chunk * CHUNK + i + 1, length = number % 2 ? 3 : 14;
        vectors[i][0] = (float)number;
        vectors[i][1] = -1;
        flags[i] = (unsigned char)number;
        years[i] = 2000 + number;
        memcpy(words[i], &length, 4);
        memcpy(words[i] + 4, number % 2 ? "odd" : "even, even mo", number % 2 ? 3 : 12);
        ok[0] |= (unsigned char)((number % 3 == 0) << i);
    }
    return insert(db, "INSERT INTO docs_chunks VALUES(?1, 4, x'0f', ?2)", chunk + 1, "", 0) &&
           insert(db, "INSERT INTO docs_vector_chunks00 VALUES(?1, ?2)", chunk + 1, vectors, sizeof(vectors)) &&
           insert(db, "INSERT INTO docs_vector_chunks01 VALUES(?1, ?2)", chunk + 1, flags, sizeof(flags)) &&
           insert(db, "INSERT INTO docs_metadatachunks00 VALUES(?1, ?2)", chunk + 1, words, sizeof(words)) &&
           insert(db, "INSERT INTO docs_metadatachunks01 VALUES(?1, ?2)", chunk + 1, years, sizeof(years)) &&
           insert(db, "INSERT INTO docs_metadatachunks02 VALUES(?1, ?2)", chunk + 1, ok, sizeof(ok));
}

static bool insert_record(sqlite3 *db, int number)
{
    char text[300];
    float vector[2] = { (float)number, -1 };
    snprintf(text, sizeof(text),
             "INSERT INTO docs_rowids VALUES(%d, NULL, %d, %d); INSERT INTO docs_auxiliary VALUES(%d, 'body %d');"
             "INSERT INTO docs_metadatatext00 SELECT %d, 'even, even more' WHERE %d %% 2 = 0;",
             number, (number - 1) / CHUNK + 1, (number - 1) % CHUNK, number, number, number, number);
    return run(db, text) && insert(db, "INSERT INTO plain VALUES('n' || ?1, ?2, ?1)", number, vector, sizeof(vector));
}

bool foreign_sqlite_vec(const char *path)
{
    sqlite3 *db = NULL;
    (void)unlink(path);
    bool ok = sqlite3_open(path, &db) == SQLITE_OK && run(db, "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF") && run(db, definition);
    for (int i = 0; ok && i < CHUNKS; i++) ok = insert_chunk(db, i);
    for (int i = 1; ok && i <= FOREIGN_RECORDS; i++) ok = insert_record(db, i);
    ok = ok && run(db, "COMMIT");
    return sqlite3_close(db) == SQLITE_OK && ok;
}
