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
        *text = buffer;
        buffer = NULL;
        rc = OP_EXIT_OK;
    }
    free(buffer);
    if (file && !standard) fclose(file);
    return rc;
}

/* JSON itself, @FILE, or - for standard input. */
static op_exit read_json(const char *label, const char *text, json_t **out)
{
    evdb_error err;
    char *read = NULL;
    size_t length = strlen(text);
    if (*text == '@' || strcmp(text, "-") == 0) {
        op_exit failed = read_file(label, *text == '@' ? text + 1 : text, &read, &length);
        if (failed) return failed;
    }
    evdb_status rc = op_parse(read ? read : text, length, out, &err);
    free(read);
    if (rc == EVDB_OK) return OP_EXIT_OK;
    complain("%s: %s", label, err.message);
    return op_status(rc).exit;
}

op_exit value_read(const op_field *f, const char *label, const char *text, json_t **out)
{
    evdb_error err;
    if (f->type == OP_VECTOR || f->type == OP_OBJECT) return read_json(label, text, out);
    if (f->type == OP_BOOL || f->type == OP_TIME || f->type == OP_LIST) {
        complain("%s takes no value", label);
        return OP_EXIT_USAGE;
    }
    evdb_status rc = op_text_value(f, text, out, &err);
    if (rc == EVDB_OK) return OP_EXIT_OK;
    op_exit code = complain_error(rc, &err);
    return f->type == OP_INTEGER || f->type == OP_NUMBER ? OP_EXIT_USAGE : code; /* not data, but a word that is no number */
}
