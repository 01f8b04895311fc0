/* foreign.h - records out of files that other programs keep: a Chroma directory, tables of a SQLite file.
 *
 * They are read where they are, without the program they are of, and never changed: no lock file, no log. Kinds:
 *   SQLITE_VEC  a SQLite file. `name` is a vec0 table of the sqlite-vec extension: ids are its rowid or text primary key, metadata
 *               its metadata, auxiliary and partition columns. Or an ordinary table with a column of float32 blobs, little-endian:
 *               ids are its primary key (else rowid), metadata its other columns; blobs in these become text of hexadecimal digits.
 *               Without a name, the only vec0 table. `column` picks the vectors where there are several columns of them.
 *   CHROMA      the directory of a persistent Chroma (versions 0.4 to 1.5), `name` a collection's name or id; without, the only one.
 *               Ids are strings. Documents are metadata under "chroma:document", uris under "chroma:uri". Under cosine Chroma keeps
 *               vectors as direction and length: what is read is their product, which may differ in the last bit from what was added.
 *               Chroma should not write meanwhile: its index is files beside the database, which may be of another moment.
 * While one is open its program can read the file, but may have to wait before it can write.
 *
 * evdb_foreign is *exclusive*, and must be closed before its database. */
#ifndef EVDB_FOREIGN_H
#define EVDB_FOREIGN_H
#include <evdb/transfer.h>
EVDB_BEGIN

typedef struct evdb_foreign evdb_foreign;

typedef enum evdb_foreign_kind { EVDB_FOREIGN_SQLITE_VEC = 1, EVDB_FOREIGN_CHROMA = 2 } evdb_foreign_kind;

/* "sqlite-vec", "chroma". */
EVDB_API const char *evdb_foreign_kind_name(evdb_foreign_kind kind);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_foreign_kind_parse(const char *name, evdb_foreign_kind *out, evdb_error *err);

typedef struct evdb_foreign_options {
    size_t size;            /* EVDB_FOREIGN_OPTIONS sets it */
    evdb_foreign_kind kind; /* required */
    uint32_t reserved;
    const char *name;       /* table or collection; NULL = the only one */
    const char *column;     /* SQLITE_VEC: the column of vectors; NULL = the only one */
} evdb_foreign_options;
#define EVDB_FOREIGN_OPTIONS { .size = sizeof(evdb_foreign_options) }

/* What a file says of its vectors. Fields are 0 where it says nothing. */
typedef struct evdb_foreign_info {
    size_t size; /* EVDB_FOREIGN_INFO sets it */
    uint64_t records;
    uint32_t dim;
    evdb_metric metric;
    evdb_dtype dtype;
    uint32_t reserved;
} evdb_foreign_info;
#define EVDB_FOREIGN_INFO { .size = sizeof(evdb_foreign_info) }

/* EVDB_NOT_FOUND when there is no such file, table or collection; EVDB_INVALID names those to choose from. All that is read later is of
 * the state that a SQLite file has now. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_foreign_open(evdb *db, const char *path, const evdb_foreign_options *options,
                                                       evdb_foreign **out, evdb_error *err);
EVDB_API void evdb_foreign_close(evdb_foreign *foreign);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_foreign_describe(const evdb_foreign *foreign, evdb_foreign_info *out, evdb_error *err);

/* As evdb_import(), with its checks, batches and `resume`; the options' format must be 0, and they have no companion. The "line" of a
 * bad record is its number in the order they are read, which is always the same. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_foreign_import(evdb_store *store, evdb_foreign *from, const evdb_import_options *options,
                                                         evdb_import_report *report, evdb_error *err);
EVDB_END
#endif
