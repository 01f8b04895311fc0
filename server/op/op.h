/* op.h - what evdb can do, declared once. The command line, REST, MCP, OpenAPI and help are views
 * of this table; none of them names an operation's arguments. README.md beside it tells how to add one. */
#ifndef OP_H
#define OP_H
#include "op/op_out.h"
#include <evdb.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OP_DEPTH_MAX 64u                   /* nested arrays and objects in one request */
#define OP_VALUES_MAX (1u << 20)           /* values in one request: all but numbers of vectors and what is in metadata */
#define OP_IDS_MAX EVDB_BATCH_MAX          /* ids in one request */
#define OP_REPLY_NUMBERS_MAX (4u << 20)    /* vector elements in one reply */
#define OP_REPLY_HITS_MAX 1000000u         /* hits in one reply, of all queries together */
#define OP_REPLY_BYTES_MAX (256u << 20)    /* of one reply */
#define OP_PROBLEMS_MAX 1000u              /* problems listed in one reply */

/* Published in the documentation of an earlier product: no operation takes it for a secret. */
#define OP_PUBLISHED_SECRET "admin_secret_2024"

/* What a field holds, in JSON and (for arguments) in the operation's argument struct. */
typedef enum op_type {
    OP_STRING,  /* const char *, borrowed from the request; NULL when absent */
    OP_INTEGER, /* int64_t */
    OP_NUMBER,  /* op_number */
    OP_BOOL,    /* bool */
    OP_CHOICE,  /* uint32_t, one of the field's choice */
    OP_ID,      /* evdb_id: a JSON integer or string; text "" when absent, which no id is */
    OP_VECTOR,  /* op_vector: a JSON array of numbers, or base64 of little-endian float32; replies have arrays */
    OP_STRINGS, /* op_strings */
    OP_IDS,     /* op_ids */
    OP_OBJECT,  /* char *: the object as JSON text; NULL when absent */
    OP_VECTORS, /* op_vectors: an array of such arrays, or base64 of them end to end */
    OP_BYTES,   /* op_bytes: base64 */
    OP_RECORDS, /* op_records: an array of objects shaped by op_record_fields */
    OP_TIME,    /* replies only: Unix time in milliseconds */
    OP_LIST,    /* replies only: array of objects, each shaped by `of` */
    OP_LISTS    /* replies only: array of such arrays */
} op_type;

typedef struct op_number { float value; bool given; } op_number;
typedef struct op_vector { float *at; size_t count; } op_vector;
typedef struct op_strings { const char **at; size_t count; } op_strings;
typedef struct op_ids { evdb_id *at; size_t count; } op_ids;
typedef struct op_bytes { unsigned char *at; size_t count; } op_bytes; /* at is NULL when absent */

/* Vectors that came as arrays of numbers are rows of one dimension in one block; packed ones are bytes, and become rows when
 * somebody says how long a row is. */
typedef struct op_vectors {
    float *at; /* NULL when they are packed */
    size_t count, dim;
    const unsigned char *packed; /* little-endian; NULL when they are not */
    size_t packed_size;
    unsigned char *own;
} op_vectors;

typedef struct op_rows {
    const float *at; /* count rows of dim elements; borrowed from the op_vectors, or own */
    size_t count, dim;
    int64_t *numbers; /* ids that stood before packed vectors, else NULL */
    float *own;
} op_rows;
/* Cuts packed vectors into rows of dim elements, or checks that the rows there are have as many; dim 0 = not known. With ids,
 * packed bytes begin with an int64 a row. At most `most` rows. Messages name `name`. */
evdb_status op_rows_of(const op_vectors *v, const char *name, size_t dim, size_t most, bool ids, op_rows *out, evdb_error *err);
void op_rows_free(op_rows *rows);

/* When a record expires, in whichever of three ways; 0 = not given, -1 = never. */
typedef struct op_expiry { int64_t ttl, ttl_ms, expires_ms; } op_expiry; /* seconds and milliseconds from now; Unix time in ms */

/* One record of a list. */
typedef struct op_record {
    evdb_id id;
    op_vector vector;
    char *metadata;
    int64_t if_version;
    op_expiry expiry;
} op_record;
typedef struct op_records {
    op_record *at;
    size_t count;
    float *block; /* count rows of dim elements: vectors as long as the first lie in their row; NULL when there are none */
    size_t dim;
} op_records;

/* A closed set of names, taken from the library so that a new metric appears everywhere by itself.
 * name() answers NULL behind the last value; values begin at 1. */
typedef struct op_choice {
    const char *(*name)(uint32_t value);
    evdb_status (*parse)(const char *name, uint32_t *out, evdb_error *err);
} op_choice;

enum {
    OP_REQUIRED = 1, /* argument: must be given */
    OP_OPTIONAL = 2, /* reply: may be left out */
    OP_BODY = 4,     /* argument, vectors: may be the request's raw body (application/octet-stream, little-endian float32) */
    OP_SECRET = 8,   /* argument, a string: never a word of a command line, where others could see it */
    OP_NAMES_STORE = 32, /* argument, a string: a store that the operation is about */
    OP_SEMICOLONS = 16 /* argument, strings: items may hold commas; in a query, and on a command line, ';' stands between them */
};

typedef struct op_field {
    const char *name, *alias; /* one argument, as different protocols spell it; aliases are separated by blanks, NULL = none */
    const char *flag;         /* its option on the command line, where that is not its name */
    op_type type;
    size_t offset;            /* into the argument struct */
    unsigned flags;
    unsigned position;        /* 1, 2, ... when it may be given in order, without its name; 0 = by name only */
    int64_t def, min, max;    /* of an integer, or of the number of items in a list; max 0 = no bound */
    const op_choice *choice;
    const char *doc;
} op_field;

typedef struct op_result {
    const char *name;
    op_type type;
    unsigned flags;
    const op_choice *choice;
    const struct op_result *of;
    const char *doc;
} op_result;

#define OP_FIELD(st, member, kind, bits, ...)                                                           \
    { .name = #member, .type = kind, .offset = offsetof(st, member), .flags = bits, __VA_ARGS__ }
#define OP_STORE(st)                                                                                    \
    OP_FIELD(st, store, OP_STRING, OP_REQUIRED | OP_NAMES_STORE, .alias = "name", .position = 1, .doc = "Name of the store.")
#define OP_RESULT(key, kind, bits, ...) { .name = #key, .type = kind, .flags = bits, __VA_ARGS__ }
#define OP_END { 0 }

extern const op_field op_record_fields[]; /* into op_record */

/* What a stream sends, for whoever saves it. */
typedef struct op_file { const char *type; char name[EVDB_STORE_NAME_MAX + 8]; } op_file;

/* Who asks, against what. */
typedef struct op_call {
    evdb *db;
    const evdb_principal *who; /* NULL = somebody who may do everything: */
    const char *user, *protocol; /* "local:UID" (NULL = a program), and "rest", "mcp", "cli": for the audit log (op_audit.h) */
    bool local; /* somebody who sits at the machine: may name files of it */
    const unsigned char *backup_key; /* EVDB_BACKUP_KEY_BYTES that backups are encrypted with, or NULL */
    /* Called now and then by what takes long; anything but 0 cancels it (EVDB_CANCELLED). May be NULL. */
    int (*progress)(void *context, evdb_transfer_phase phase, uint64_t records);
    void *progress_context;
    /* What it hears of then; set by the operation before: how many there will be, in each phase (0 = not known), and in which words (NULL = checking
     * or writing records). */
    uint64_t total;
    const char *verb, *counted;
    const struct op_bucket *bucket; /* the target "s3" of backups, or NULL (op_bucket.h) */
    struct op_meter *meter;  /* what the caller may write (op_meter.h), or NULL: whatever it likes */
    const evdb_source *from; /* of an OP_STREAM_IN */
    const evdb_sink *to;     /* of an OP_STREAM_OUT, with `file`, which is filled in */
    op_file *file;
    bool inlined;            /* the bytes of streams are among the arguments and in the reply instead (op_inline.h) */
} op_call;

typedef enum op_scope { OP_SCOPE_READ, OP_SCOPE_WRITE, OP_SCOPE_ADMIN } op_scope;    /* what a caller needs */
typedef enum op_effect { OP_READS, OP_WRITES, OP_ADMINISTERS } op_effect;           /* what it changes */

/* The named exceptions, for protocols that carry plain bytes: arguments stand beside them (in a path, a query). */
typedef enum op_stream {
    OP_STREAM_NONE,
    OP_STREAM_IN, /* takes bytes, in op_call.from */
    OP_STREAM_OUT /* writes bytes, to op_call.to: they are the reply, and may be too many for memory */
} op_stream;

/* What an operation answers, as a thing that has a name of its own for protocols that read things rather than call operations. */
typedef struct op_resource {
    const char *uri;          /* template (RFC 6570, level 1) of required arguments: "evdb://stores/{name}"; NULL = it is none */
    const char *name, *title; /* of the kind of thing: "store", "Store" */
} op_resource;

typedef struct op {
    const char *name, *doc, *method, *path;
    op_resource resource;
    op_scope scope;
    op_effect effect;
    const char *creates;  /* something new, that is then at this path: 201; NULL = nothing */
    bool lists_stores;    /* tells of all stores, but for those of which op_may_see() says no: scopes of some are enough */
    bool destroys;        /* may change or remove what was stored before */
    bool no_tool;         /* not offered to language models: another operation in REST's own words, bytes, or credentials */
    bool secret;          /* the reply may hold one: nothing on the way may keep it */
    op_stream stream;
    const op_field *args; /* ends with OP_END */
    size_t args_size;
    const op_result *reply; /* ends with OP_END */
    /* Writes the reply's members into an object that is open already. */
    evdb_status (*run)(op_call *call, const void *args, op_out *reply, evdb_error *err);
} op;

extern const op *const ops[]; /* NULL-terminated; the only registry */
const op *op_find(const char *name);
const char *op_scope_name(op_scope scope); /* "read", "write", "admin" */
/* The whole table as one JSON document: for documentation, and for tests that must cover every operation. */
bool op_print_table(FILE *to);
/* The field of that name or alias, or NULL. */
const op_field *op_field_find(const op *o, const char *name);
/* Its value among arguments, under whichever of its names but this one (NULL = any); NULL when there is none. */
json_t *op_field_given(const op_field *f, const json_t *args, const char *but);
/* May one of its arguments be the request's raw body? */
bool op_takes_body(const op *o);

/* The one place that authorises, for every protocol: may `who` (NULL: everything) run this operation with these arguments? Those that
 * are not known yet may be missing, for an early answer: op_run() asks again. EVDB_DENIED names the scope it needs. */
evdb_status op_allow(const op *o, const evdb_principal *who, const json_t *args, evdb_error *err);
/* The scopes that would let `who` do it, with blanks between them; that is all who is refused is told. Whoever has scopes of stores alone gets to
 * know those of the stores that are named: the operation's own may be beyond what he can ever have. */
enum { OP_SCOPES_BYTES = 192 };
const char *op_scopes_needed(const op *o, const evdb_principal *who, const json_t *args, char space[OP_SCOPES_BYTES]);
/* May a store be told of by an operation that lists all? */
bool op_may_see(const op_call *call, const char *store);

/* JSON text to a value: the one door for text from outside. Errors say line and column. */
evdb_status op_parse(const char *text, size_t length, json_t **out, evdb_error *err);
/* JSON object to argument struct (op_binder.c). Arguments borrow from `in` until op_unbind(). slices may be NULL (op_slices.h). */
struct op_slices;
evdb_status op_bind(const op *o, const json_t *in, const struct op_slices *slices, void *args, evdb_error *err);
void op_unbind(const op *o, void *args);
/* Asks op_allow(), binds, runs, unbinds. The reply is one JSON object; on failure it is empty. */
evdb_status op_run(const op *o, op_call *call, const json_t *in, const struct op_slices *slices, op_out *reply,
                   evdb_error *err);

/* JSON Schemas of what an operation takes and answers; NULL when memory ran out. */
json_t *op_input_schema(const op *o);
json_t *op_output_schema(const op *o);

/* Fills in *err (may be NULL) and returns status. */
evdb_status op_fail(evdb_error *err, evdb_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
#endif
