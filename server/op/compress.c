/* compress.c - operations on single vectors as codes: compress_vector, decompress_vector, list_codecs. */
#include "op/choices.h"
#include "op/ops.h"
#include <stdlib.h>
#include <string.h>

typedef struct compress_args {
    const char *algorithm;
    op_vector vector;
} compress_args;

static const op_field compress_fields[] = {
    OP_FIELD(compress_args, algorithm, OP_STRING, OP_REQUIRED, .alias = "codec", .position = 1,
             .doc = "Codec, such as i8, f16+zlib or quantization_8bit; list_codecs names all. One that is trained needs a store's vectors."),
    OP_FIELD(compress_args, vector, OP_VECTOR, OP_REQUIRED | OP_BODY, .min = 1, .max = EVDB_DIM_MAX, .doc = "The vector's numbers."),
    OP_END
};

static const op_result compress_reply[] = {
    OP_RESULT(algorithm, OP_STRING, 0, .doc = "The whole codec, with its parameters."),
    OP_RESULT(dim, OP_INTEGER, 0, .doc = "Elements of the vector."),
    OP_RESULT(compressed, OP_BYTES, 0, .doc = "The vector's code, with what decompress_vector needs to know, and a checksum."),
    OP_RESULT(bytes, OP_INTEGER, 0, .doc = "Bytes of the code alone."),
    OP_RESULT(compression_ratio, OP_NUMBER, 0, .doc = "4 bytes an element, divided by these."),
    OP_END
};

/* A codec is made for one vector here, and a matrix of chance with it: in a request of few bytes that could be minutes' work. A store makes
 * it once. The work is about that of its rows times themselves times their length. */
static evdb_status check_work(const char *algorithm, uint32_t dim, evdb_error *err)
{
    static const uint64_t most = UINT64_C(1) << 32; /* some seconds of one processor */
    char whole[EVDB_CODEC_SPEC_MAX + 1];
    uint64_t work = 0, in = dim;
    evdb_status rc = evdb_codec_check(algorithm, dim, whole, NULL, err);
    if (rc != EVDB_OK) return rc;
    for (const char *at = whole; at; at = strchr(at, '+')) {
        at += *at == '+';
        if (strncmp(at, "rp", 2) != 0 || !strchr(":+", at[2])) continue;
        uint64_t out = at[2] == ':' ? strtoul(at + 3, NULL, 10) : in > 1 ? in / 2 : in;
        work += out * out * in;
        in = out;
    }
    if (work <= most) return EVDB_OK;
    return op_fail(err, EVDB_LIMIT, "codec %s: its matrices are too large to be made for one vector of %u elements", whole, dim);
}

/* Bytes of the code alone. */
static evdb_status code_size(const evdb_codec *codec, const float *vector, size_t *out, evdb_error *err)
{
    size_t bound = evdb_codec_bound(codec);
    void *code = malloc(bound);
    if (!code) return op_fail(err, EVDB_NO_MEMORY, "out of memory for a code of %zu bytes", bound);
    evdb_status rc = evdb_codec_encode(codec, vector, 1, code, out, err);
    free(code);
    return rc;
}

static evdb_status compress(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const compress_args *a = args;
    evdb_codec_options options = EVDB_CODEC_OPTIONS;
    evdb_codec *codec = NULL;
    void *sealed = NULL;
    size_t size = 0, bytes = 0;
    (void)call;
    options.spec = a->algorithm;
    options.dim = (uint32_t)a->vector.count;
    evdb_status rc = check_work(options.spec, options.dim, err);
    if (rc == EVDB_OK) rc = evdb_codec_create(&options, &codec, err);
    if (rc == EVDB_OK) rc = evdb_codec_seal(codec, a->vector.at, &sealed, &size, err);
    if (rc == EVDB_OK) rc = code_size(codec, a->vector.at, &bytes, err);
    if (rc == EVDB_OK) {
        op_out_text(reply, "algorithm", evdb_codec_spec(codec));
        op_out_integer(reply, "dim", evdb_codec_dim(codec));
        op_out_base64(reply, "compressed", sealed, size);
        op_out_integer(reply, "bytes", (int64_t)bytes);
        op_out_float(reply, "compression_ratio", (float)a->vector.count * sizeof(float) / (float)(bytes ? bytes : 1));
    }
    evdb_bytes_free(sealed);
    evdb_codec_free(codec);
    return rc;
}

const op op_compress_vector = {
    .name = "compress_vector", .doc = "Encode one vector with a codec.",
    .method = "POST", .path = "/api/v1/compression/compress", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = compress_fields, .args_size = sizeof(compress_args), .reply = compress_reply, .run = compress,
};

typedef struct decompress_args { op_bytes compressed; } decompress_args;

static const op_field decompress_fields[] = {
    OP_FIELD(decompress_args, compressed, OP_BYTES, OP_REQUIRED, .position = 1, .doc = "What compress_vector answered."),
    OP_END
};

static const op_result decompress_reply[] = {
    OP_RESULT(algorithm, OP_STRING, 0, .doc = "The codec that it was encoded with."),
    OP_RESULT(dim, OP_INTEGER, 0, .doc = "Elements of the vector."),
    OP_RESULT(vector, OP_VECTOR, 0, .doc = "The vector, as far as the codec keeps it."),
    OP_END
};

/* Bytes of a caller's that make no sense are no damage of the database. */
static evdb_status blame_request(evdb_error *err)
{
    if (err) err->status = EVDB_INVALID;
    return EVDB_INVALID;
}

static evdb_status decompress(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const decompress_args *a = args;
    char spec[EVDB_CODEC_SPEC_MAX + 1];
    uint32_t dim = 0;
    float *vector = NULL;
    (void)call;
    evdb_status rc = evdb_codec_sealed(a->compressed.at, a->compressed.count, spec, &dim, err);
    if (rc == EVDB_OK) rc = check_work(spec, dim, err);
    if (rc == EVDB_OK && !(vector = malloc(dim * sizeof *vector)))
        rc = op_fail(err, EVDB_NO_MEMORY, "out of memory for a vector of %u elements", dim);
    if (rc == EVDB_OK) rc = evdb_codec_unseal(NULL, a->compressed.at, a->compressed.count, vector, err);
    if (rc == EVDB_CORRUPT) rc = blame_request(err);
    if (rc == EVDB_OK) {
        op_out_text(reply, "algorithm", spec);
        op_out_integer(reply, "dim", dim);
        op_out_floats(reply, "vector", vector, dim);
    }
    free(vector);
    return rc;
}

const op op_decompress_vector = {
    .name = "decompress_vector", .doc = "Decode what compress_vector answered.",
    .method = "POST", .path = "/api/v1/compression/decompress", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = decompress_fields, .args_size = sizeof(decompress_args), .reply = decompress_reply, .run = decompress,
};

static const op_field no_fields[] = { OP_END };

static const op_result codec_reply[] = {
    OP_RESULT(name, OP_STRING, 0, .doc = "Name of the stage; stages are joined by '+'."),
    OP_RESULT(aliases, OP_STRINGS, 0, .doc = "Other names it is accepted under."),
    OP_RESULT(stage, OP_CHOICE, 0, .choice = &choice_codec_stage, .doc = "Its place: transforms first, then one quantiser, then one byte codec."),
    OP_RESULT(parameters, OP_STRING, 0, .doc = "What may stand behind a colon; empty = nothing."),
    OP_RESULT(lossless, OP_BOOL, 0, .doc = "What comes back is what went in."),
    OP_RESULT(trained, OP_BOOL, 0, .doc = "It is fitted to a sample of vectors first."),
    OP_RESULT(doc, OP_STRING, 0, .doc = "What it does."),
    OP_END
};

static const op_result codecs_reply[] = {
    OP_RESULT(codecs, OP_LIST, 0, .of = codec_reply, .doc = "Every stage there is."),
    OP_END
};

static void put_words(op_out *o, const char *key, const char *words)
{
    op_out_open(o, key, '[');
    while (*words) {
        size_t length = strcspn(words, " ");
        if (length) op_out_bytes(o, NULL, words, length);
        words += length + (words[length] == ' ');
    }
    op_out_close(o, ']');
}

static evdb_status list(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const evdb_codec_kind *kind;
    (void)call, (void)args, (void)err;
    op_out_open(reply, "codecs", '[');
    for (uint32_t i = 0; (kind = evdb_codec_kind_at(i)); i++) {
        op_out_open(reply, NULL, '{');
        op_out_text(reply, "name", kind->name);
        put_words(reply, "aliases", kind->aliases);
        op_out_text(reply, "stage", choice_codec_stage.name(kind->stage));
        op_out_text(reply, "parameters", kind->parameters);
        op_out_bool(reply, "lossless", kind->flags & EVDB_CODEC_LOSSLESS);
        op_out_bool(reply, "trained", kind->flags & EVDB_CODEC_TRAINED);
        op_out_text(reply, "doc", kind->doc);
        op_out_close(reply, '}');
    }
    op_out_close(reply, ']');
    return EVDB_OK;
}

const op op_list_codecs = {
    .name = "list_codecs", .doc = "List the stages that codecs are made of.", .method = "GET", .path = "/api/v1/compression/codecs",
    .scope = OP_SCOPE_READ, .effect = OP_READS, .args = no_fields, .reply = codecs_reply, .run = list,
};
