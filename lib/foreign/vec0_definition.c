/* vec0_definition.c - implements foreign/vec0_definition.h. */
#include "foreign/vec0_definition.h"
#include "base/error.h"
#include <string.h>
#include <strings.h>

typedef struct scan {
    const char *at, *end;
} scan;

typedef struct word {
    const char *at;
    size_t length;
} word;

static bool of_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static void skip_space(scan *s)
{
    while (s->at < s->end && strchr(" \t\r\n\f", *s->at) && *s->at) s->at++;
}

/* Empty when there is none. */
static word take_word(scan *s)
{
    skip_space(s);
    word w = { .at = s->at };
    while (s->at < s->end && of_word(*s->at)) s->at++;
    w.length = (size_t)(s->at - w.at);
    return w;
}

static bool take(scan *s, char c)
{
    skip_space(s);
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

static bool is(word w, const char *text) { return w.length == strlen(text) && strncasecmp(w.at, text, w.length) == 0; }

static bool is_one_of(word w, const char *const *texts)
{
    while (*texts && !is(w, *texts)) texts++;
    return *texts != NULL;
}

/* Skips a name in any of SQLite's quotation marks, or none; the scan is at what lies behind. */
static void skip_name(scan *s)
{
    skip_space(s);
    char close = s->at == s->end ? 0 : *s->at == '[' ? ']' : *s->at == '"' || *s->at == '`' || *s->at == '\'' ? *s->at : 0;
    if (!close) {
        while (s->at < s->end && (of_word(*s->at) || (unsigned char)*s->at >= 0x80 || *s->at == '$')) s->at++;
        return;
    }
    for (s->at++; s->at < s->end; s->at++) {
        if (*s->at != close) continue;
        s->at++;
        if (close == ']' || s->at == s->end || *s->at != close) return;
    }
}

/* Leaves the scan behind the opening parenthesis of vec0(. SQLite keeps the statement's text from behind CREATE on as it was written. */
static bool find_arguments(scan *s)
{
    if (!is(take_word(s), "create") || !is(take_word(s), "virtual") || !is(take_word(s), "table")) return false;
    scan before = *s;
    if (is(take_word(s), "if")) {
        if (!is(take_word(s), "not") || !is(take_word(s), "exists")) *s = before;
    } else {
        *s = before;
    }
    skip_name(s);
    if (take(s, '.')) skip_name(s);
    return is(take_word(s), "using") && is(take_word(s), "vec0") && take(s, '(');
}

bool vec0_is(const char *sql, size_t length)
{
    scan s = { sql, sql + length };
    return find_arguments(&s);
}

static bool number_of(word w, uint32_t most, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < w.length; i++) {
        if (w.at[i] < '0' || w.at[i] > '9') return false;
        *out = *out * 10 + (uint32_t)(w.at[i] - '0');
        if (*out > most) return false;
    }
    return w.length && *out;
}

/* [DIM] and options, behind the type. */
static evdb_status parse_vector(scan *s, word type, vec0_column *c, evdb_error *err)
{
    static const char *const floats[] = { "float", "f32", NULL }, *const bytes[] = { "int8", "i8", NULL };
    static const struct metric { const char *name; evdb_metric metric; } metrics[] = {
        { "l2", EVDB_EUCLIDEAN }, { "l1", EVDB_MANHATTAN }, { "cosine", EVDB_COSINE }, { "hamming", EVDB_HAMMING },
    };
    if (is_one_of(type, floats)) c->element = SOURCE_F32;
    else if (is_one_of(type, bytes)) c->element = SOURCE_I8;
    else if (is(type, "bit")) c->element = SOURCE_BIT;
    else return error_set(err, EVDB_INVALID, "vectors of '%.*s' are not known", (int)(type.length < 40 ? type.length : 40), type.at);
    if (!number_of(take_word(s), EVDB_DIM_MAX, &c->dim) || !take(s, ']'))
        return error_set(err, EVDB_INVALID, "its dimension is not in 1..%u", EVDB_DIM_MAX);
    c->metric = c->element == SOURCE_BIT ? EVDB_HAMMING : EVDB_EUCLIDEAN;
    for (word option = take_word(s); option.length; option = take_word(s)) {
        if (!take(s, '=')) return error_set(err, EVDB_INVALID, "expected '=' behind '%.*s'", (int)(option.length < 40 ? option.length : 40), option.at);
        word value = take_word(s);
        for (size_t i = 0; is(option, "distance_metric") && i < sizeof(metrics) / sizeof(*metrics); i++)
            if (is(value, metrics[i].name)) c->metric = metrics[i].metric;
    }
    return EVDB_OK;
}

static bool type_of(word type, vec0_type *out)
{
    static const char *const booleans[] = { "bool", "boolean", NULL }, *const texts[] = { "text", NULL },
                            *const integers[] = { "int", "int64", "integer", "bigint", "integer64", NULL },
                            *const floats[] = { "float", "double", "float64", "f64", NULL };
    static const char *const *const names[] = {
        [VEC0_BOOLEAN] = booleans, [VEC0_INTEGER] = integers, [VEC0_FLOAT] = floats, [VEC0_TEXT] = texts
    };
    for (int t = VEC0_BOOLEAN; t <= VEC0_TEXT; t++)
        if (is_one_of(type, names[t])) {
            *out = (vec0_type)t;
            return true;
        }
    return false;
}

/* One argument: a column, the key, or an option such as chunk_size=8. */
static evdb_status parse_argument(scan *s, vec0_definition *d, evdb_error *err)
{
    vec0_column c = { .kind = take(s, '+') ? VEC0_AUXILIARY : VEC0_METADATA };
    word name = take_word(s);
    if (!name.length) return error_set(err, EVDB_INVALID, "a column has no name");
    if (take(s, '=')) return EVDB_OK;
    word type = take_word(s);
    c.name = name.at;
    c.length = name.length;
    if (c.kind == VEC0_METADATA && take(s, '[')) {
        c.kind = VEC0_VECTOR;
        evdb_status rc = parse_vector(s, type, &c, err);
        if (rc != EVDB_OK) return rc;
    } else if (c.kind == VEC0_METADATA) {
        word next = take_word(s);
        if (is(next, "primary")) {
            d->text_key = is(type, "text");
            return EVDB_OK;
        }
        if (is(next, "partition")) c.kind = VEC0_PARTITION;
        else if (!type_of(type, &c.type))
            return error_set(err, EVDB_INVALID, "the type of column '%.*s' is not known", (int)(name.length < 60 ? name.length : 60), name.at);
    }
    if (d->count == VEC0_COLUMNS_MAX) return error_set(err, EVDB_INVALID, "it has more than %d columns", VEC0_COLUMNS_MAX);
    c.number = d->counts[c.kind]++;
    d->columns[d->count++] = c;
    return EVDB_OK;
}

evdb_status vec0_parse(const char *sql, size_t length, vec0_definition *out, evdb_error *err)
{
    scan s = { sql, sql + length };
    *out = (vec0_definition){ 0 };
    if (!find_arguments(&s)) return error_set(err, EVDB_INVALID, "it is not a vec0 table");
    for (;;) {
        const char *end = s.at;
        for (unsigned depth = 0; end < s.end && (depth || (*end != ',' && *end != ')')); end++) {
            if (*end == '(') depth++;
            if (*end == ')') depth--;
        }
        scan argument = { s.at, end };
        evdb_status rc = parse_argument(&argument, out, err);
        if (rc != EVDB_OK) return rc;
        if (end == s.end || *end == ')') return EVDB_OK;
        s.at = end + 1;
    }
}
