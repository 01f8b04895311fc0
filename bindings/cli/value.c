/* value.c - one word of the command line as JSON, by the type of the field it is for. */
#include "cli.h"
#include "op/op_route.h"
#include "terminal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (32u << 20) /* bytes of JSON in a file or from standard input */

static op_exit read_file(const char *label, const char *path, char **text, size_t *length)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    char *buffer = file ? malloc(INPUT_MAX + 1) : NULL;
    op_exit rc = OP_EXIT_IO;
    if (!buffer) {
        rc = errno == ENOENT ? OP_EXIT_NOT_FOUND : errno == EACCES ? OP_EXIT_DENIED : OP_EXIT_IO;
        complain("%s: cannot read '%s': %s", label, path, strerror(errno));
    } else if ((*length = fread(buffer, 1, INPUT_MAX + 1, file)) > INPUT_MAX) {
        rc = OP_EXIT_INVALID;
        complain("%s: '%s' is larger than %u MiB", label, path, INPUT_MAX >> 20);
    } else if (ferror(file)) {
        complain("%s: cannot read '%s': %s", label, path, strerror(errno));
    } else {
        buffer[*length] = 0;
        *text = buffer;
        buffer = NULL;
        rc = OP_EXIT_OK;
    }
    free(buffer);
    if (file && !standard) fclose(file);
    return rc;
}

static unsigned depth_of(const json_t *v)
{
    const char *key;
    json_t *item;
    size_t i;
    unsigned deepest = 0, depth;
    json_array_foreach(v, i, item) if ((depth = depth_of(item)) > deepest) deepest = depth;
    json_object_foreach((json_t *)v, key, item) if ((depth = depth_of(item)) > deepest) deepest = depth;
    return deepest + (json_is_array(v) || json_is_object(v));
}

static bool in_file(const char *text)
{
    return *text == '@' || strcmp(text, "-") == 0;
}

/* @FILE and - become what is in the file or on standard input; other text stays itself. */
static op_exit take_text(cli *c, const char *label, const char **text, size_t *length)
{
    char *read = NULL;
    *length = strlen(*text);
    if (!in_file(*text)) return OP_EXIT_OK;
    if (c->text_count == TEXTS_MAX) {
        complain("%s: more than %d values from files", label, TEXTS_MAX);
        return OP_EXIT_USAGE;
    }
    op_exit failed = read_file(label, **text == '@' ? *text + 1 : *text, &read, length);
    if (!failed) *text = c->texts[c->text_count++] = read;
    return failed;
}

/* A vector or an object is looked at here, and handed on as text. */
static op_exit read_json(cli *c, const op_field *f, const char *label, const char *text, json_t **out)
{
    evdb_error err;
    size_t length;
    op_exit failed = take_text(c, label, &text, &length);
    if (failed) return failed;
    evdb_status rc = op_parse(text, length, out, &err);
    if (rc != EVDB_OK) {
        complain("%s: %s", label, err.message);
        return op_status(rc).exit;
    }
    size_t blank = strspn(text, " \t\r\n");
    bool whole = (f->type == OP_VECTOR || f->type == OP_OBJECT) && (json_is_array(*out) || json_is_object(*out));
    json_t *slice = whole ? op_slices_add(&c->slices, text + blank, length - blank, depth_of(*out)) : *out;
    if (whole) json_decref(*out);
    *out = slice;
    return slice ? OP_EXIT_OK : OP_EXIT_FAILED;
}

/* What an editor or `echo` puts behind a line is not part of it. */
static size_t without_line_end(const char *text, size_t length)
{
    if (length && text[length - 1] == '\n') length--;
    if (length && text[length - 1] == '\r') length--;
    return length;
}

/* Base64 may be longer than one word of a command line. */
static op_exit read_base64(cli *c, const char *label, const char *text, json_t **out)
{
    size_t length;
    op_exit failed = take_text(c, label, &text, &length);
    if (failed) return failed;
    if ((*out = json_stringn(text, without_line_end(text, length)))) return OP_EXIT_OK;
    complain("%s: no base64", label);
    return OP_EXIT_INVALID;
}

/* The arguments of a process are no secret, so only a file, or standard input, can hold one. */
static op_exit read_secret(cli *c, const op_field *f, const char *text, json_t **out)
{
    char label[FLAG_MAX]; /* not the word itself, which has what should not be shown */
    size_t length;
    flag_option(f, label);
    if (!in_file(text)) {
        complain("%s: others could see a secret on the command line: give @FILE, or - for standard input", label);
        return OP_EXIT_USAGE;
    }
    op_exit failed = take_text(c, label, &text, &length);
    if (failed) return failed;
    if ((*out = json_stringn(text, without_line_end(text, length)))) return OP_EXIT_OK;
    complain("%s: the secret is not UTF-8", label);
    return OP_EXIT_INVALID;
}

op_exit value_read(cli *c, const op_field *f, const char *label, const char *text, json_t **out)
{
    evdb_error err;
    if (f->flags & OP_SECRET) return read_secret(c, f, text, out);
    if (f->type == OP_BYTES) return read_base64(c, label, text, out);
    if (f->type == OP_VECTOR || f->type == OP_VECTORS || f->type == OP_RECORDS || f->type == OP_OBJECT)
        return read_json(c, f, label, text, out);
    if (f->type == OP_BOOL || f->type == OP_TIME || f->type == OP_LIST || f->type == OP_LISTS) {
        complain("%s takes no value", label);
        return OP_EXIT_USAGE;
    }
    evdb_status rc = op_text_value(f, text, out, &err);
    if (rc == EVDB_OK) return OP_EXIT_OK;
    op_exit code = complain_error(rc, &err);
    return f->type == OP_INTEGER || f->type == OP_NUMBER ? OP_EXIT_USAGE : code; /* not data, but a word that is no number */
}
