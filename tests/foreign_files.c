/* foreign_files.c - implements foreign_files.h. The layouts are those of sqlite-vec 0.1.9 and Chroma 1.5.9. */
#include "foreign_files.h"
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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

/* ---- Chroma ---- */

#define COLLECTION "00000000-0000-4000-8000-000000000000"
#define VECTORS "00000000-0000-4000-8000-000000000001"
#define METADATA "00000000-0000-4000-8000-000000000002"

static const char chroma_definition[] =
    "PRAGMA page_size=512;"
    "BEGIN;"
    "CREATE TABLE collections(id TEXT PRIMARY KEY, name TEXT NOT NULL, dimension INTEGER, database_id TEXT, config_json_str TEXT);"
    "CREATE TABLE collection_metadata(collection_id TEXT, key TEXT, str_value TEXT, int_value INTEGER, float_value REAL, bool_value INTEGER);"
    "CREATE TABLE segments(id TEXT PRIMARY KEY, type TEXT NOT NULL, scope TEXT NOT NULL, collection TEXT NOT NULL);"
    "CREATE TABLE embeddings(id INTEGER PRIMARY KEY, segment_id TEXT, embedding_id TEXT, seq_id BLOB);"
    "CREATE TABLE embedding_metadata(id INTEGER, key TEXT, string_value TEXT, int_value INTEGER, float_value REAL, bool_value INTEGER,"
    " PRIMARY KEY(id, key));"
    "CREATE TABLE embedding_metadata_array(id INTEGER, key TEXT, string_value TEXT, int_value INTEGER, float_value REAL, bool_value INTEGER);"
    "CREATE TABLE max_seq_id(segment_id TEXT PRIMARY KEY, seq_id INTEGER);"
    "CREATE TABLE embeddings_queue(seq_id INTEGER PRIMARY KEY, operation INTEGER, topic TEXT, id TEXT, vector BLOB, encoding TEXT, metadata TEXT);"
    "INSERT INTO collections VALUES('" COLLECTION "', 'docs', 2, 'd', '{\"hnsw\":{\"space\":\"cosine\"}}');"
    "INSERT INTO segments VALUES('" VECTORS "', 'urn:chroma:segment/vector/hnsw-local-persisted', 'VECTOR', '" COLLECTION "'),"
    " ('" METADATA "', 'urn:chroma:segment/metadata/sqlite', 'METADATA', '" COLLECTION "');"
    "INSERT INTO max_seq_id VALUES('" VECTORS "', 5), ('" METADATA "', 10);";

enum { INDEXED = FOREIGN_RECORDS / 2, LINKS = 4, ELEMENT = LINKS + 8 + 8 };

static bool write_whole(const char *directory, const char *name, const void *bytes, size_t size)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/" VECTORS "/%s", directory, name);
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(bytes, 1, size, f) == size;
    return f && fclose(f) == 0 && ok;
}

/* The last element is the first record's, and labels count from 1. */
static bool write_index(const char *directory)
{
    static const unsigned long long fields[] = { 0, INDEXED, INDEXED, ELEMENT, ELEMENT - 8, LINKS };
    char head[100] = { 1 }, data[INDEXED * ELEMENT] = { 0 }, pickle[256], *at = pickle;
    float lengths[INDEXED];
    memcpy(head + 4, fields, sizeof(fields));
    static const char before[] = "\x80\x03}(X\x0b\0\0\0id_to_label}(", behind[] = "uu.";
    memcpy(at, before, sizeof(before) - 1);
    at += sizeof(before) - 1;
    for (int i = 0; i < INDEXED; i++) {
        unsigned long long label = (unsigned long long)(INDEXED - i);
        float vector[2] = { 0.5f, -0.5f };
        lengths[i] = 2 * (float)label;
        memcpy(data + i * ELEMENT + LINKS, vector, sizeof(vector));
        memcpy(data + i * ELEMENT + LINKS + 8, &label, sizeof(label));
        const char pair[] = { (char)0x8c, 2, 'r', (char)('0' + label), 'K', (char)label };
        memcpy(at, pair, sizeof(pair));
        at += sizeof(pair);
    }
    memcpy(at, behind, sizeof(behind) - 1);
    at += sizeof(behind) - 1;
    return write_whole(directory, "header.bin", head, sizeof(head)) && write_whole(directory, "data_level0.bin", data, sizeof(data)) &&
           write_whole(directory, "length.bin", lengths, sizeof(lengths)) &&
           write_whole(directory, "index_metadata.pickle", pickle, (size_t)(at - pickle));
}

static bool insert_embedding(sqlite3 *db, int number)
{
    char text[600];
    float vector[2] = { (float)number, -(float)number };
    snprintf(text, sizeof(text),
             "INSERT INTO embeddings VALUES(%d, '" METADATA "', 'r%d', %d);"
             "INSERT INTO embedding_metadata VALUES(%d, 'n', NULL, %d, NULL, NULL), (%d, 'chroma:document', 'text %d', NULL, NULL, NULL);"
             "INSERT INTO embedding_metadata_array SELECT %d, 'list', NULL, value, NULL, NULL FROM (SELECT 1 value UNION SELECT 2) WHERE %d=1;",
             number, number, number, number, number, number, number, number, number);
    return run(db, text) &&
           (number <= INDEXED || insert(db, "INSERT INTO embeddings_queue VALUES(?1, 0, 'persistent://default/default/" COLLECTION
                                            "', 'r' || ?1, ?2, 'FLOAT32', '{}')", number, vector, sizeof(vector)));
}

bool foreign_chroma(const char *directory)
{
    sqlite3 *db = NULL;
    char path[512];
    snprintf(path, sizeof(path), "%s/" VECTORS, directory);
    (void)mkdir(directory, 0777);
    (void)mkdir(path, 0777);
    snprintf(path, sizeof(path), "%s/chroma.sqlite3", directory);
    (void)unlink(path);
    bool ok = sqlite3_open(path, &db) == SQLITE_OK && run(db, "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF") && run(db, chroma_definition);
    for (int i = 1; ok && i <= FOREIGN_RECORDS; i++) ok = insert_embedding(db, i);
    ok = ok && run(db, "COMMIT");
    return sqlite3_close(db) == SQLITE_OK && ok && write_index(directory);
}
