/* rows_salvage_private.h - what the files that implement rows_salvage.h share. */
#ifndef EVDB_DISK_ROWS_SALVAGE_PRIVATE_H
#define EVDB_DISK_ROWS_SALVAGE_PRIVATE_H
#include "base/buf.h"
#include "disk/leaf.h"
#include "disk/rows_private.h"
#include "disk/rows_salvage.h"

enum salvage_statement { S_RECORD, S_VECTOR, S_CHANGE, S_FREE, S_CODEC, S_COUNT };

/* A row's place: its page, and which of the page's rows it is. */
#define SALVAGE_PLACE(page, row) ((int64_t)(page) << 16 | (int64_t)(row))

/* Pages are read in two streams at a time: records, and their vectors. */
typedef struct salvage_stream {
    unsigned char page[SQL_PAGE_SIZE];
    uint32_t number; /* 0 = none */
    buf payload;
    leaf_row row;
} salvage_stream;

struct salvage {
    const platform *platform;
    const char *uuid;
    char *path, *lock_path, *hint_path;
    lock_file lock;
    image image;
    unsigned char *free; /* a bit a page: it belongs to nothing, and what it holds is of the past */
    bool doubt;          /* something that was deleted or replaced may look as if it were there */
    bool hinted;         /* the hint can be believed: */
    uint64_t acknowledged, begun; /* the last change that was, and the last of a commit that may have been under way */
    uint64_t limit;      /* the last change that can have been committed */
    sql scratch;
    const char *scratch_path;
    sqlite3_stmt *statements[S_COUNT];
    salvage_stream streams[2];
    salvage_found found;
    evdb_store_info info;
    char metric_name[EVDB_METRIC_NAME_MAX + 1], codec[EVDB_CODEC_SPEC_MAX + 1];
    char fields[EVDB_STORE_FIELDS_MAX][EVDB_FIELD_NAME_MAX + 1];
    const char *field_names[EVDB_STORE_FIELDS_MAX];
    char last[EVDB_ID_BYTES_MAX + 1];
};

/* Fills the stream's row from its place; *found. */
evdb_status salvage_row(const salvage *s, salvage_stream *in, int64_t place, bool *found, evdb_error *err);

/* A row as what it proves to be; false when it is none. */
bool salvage_is_record(const leaf_row *row, rows_record *out);
bool salvage_is_vector(const leaf_row *row, rows_vector *out);
bool salvage_is_codec(const leaf_row *row, char spec[EVDB_CODEC_SPEC_MAX + 1], rows_codec *out);
bool salvage_is_change(const leaf_row *row, rows_change *out, int64_t *live);

/* Reads every page into the scratch database. (rows_salvage_gather.c) */
evdb_status salvage_gather(salvage *s, evdb_error *err);
/* Decides what can be loaded, and counts. (rows_salvage_choose.c) */
evdb_status salvage_choose(salvage *s, evdb_error *err);

#endif
