/* show.c - a reply for people. What is in a reply is read from the operation's table. */
#include "cli.h"
#include "table.h"
#include "terminal.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHOWN_NUMBERS 8 /* of a vector; --json prints all */
#define SHOWN_BYTES 256 /* of text made here */

static char *show_vector(const json_t *v)
{
    size_t count = json_array_size(v), length = 1;
    char text[SHOWN_BYTES] = "[";
    for (size_t i = 0; i < count && i < SHOWN_NUMBERS; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%.6g", i ? ", " : "",
                                   json_number_value(json_array_get(v, i)));
    if (count > SHOWN_NUMBERS) snprintf(text + length, sizeof text - length, ", ... %zu numbers]", count);
    else snprintf(text + length, sizeof text - length, "]");
    return strdup(text);
}

static char *show_time(const json_t *v)
{
    char text[SHOWN_BYTES];
    struct tm utc;
    time_t seconds = (time_t)(json_integer_value(v) / 1000);
    if (!gmtime_r(&seconds, &utc) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &utc)) return strdup("?");
    return strdup(text);
}

/* A value as text for people; freed by the caller, NULL when memory ran out. */
static char *show_value(op_type type, const json_t *v)
{
    char text[SHOWN_BYTES];
    if (!v) return strdup("-");
    if (type == OP_TIME) return show_time(v);
    if (type == OP_VECTOR) return show_vector(v);
    if (json_is_string(v)) return strdup(json_string_value(v));
    if (json_is_boolean(v)) return strdup(json_is_true(v) ? "yes" : "no");
    if (!json_is_real(v)) return json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    snprintf(text, sizeof text, "%.6g", json_real_value(v));
    return strdup(text);
}

static const op_result *find_result(const op_result *r, const char *name, size_t length)
{
    while (r->name && (strlen(r->name) != length || strncmp(r->name, name, length) != 0)) r++;
    return r->name ? r : NULL;
}

/* Is name one of the words of a comma-separated list? */
static bool listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *p = list; p && *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == length && strncmp(p, name, length) == 0) return true;
    return false;
}

/* Does any row have it? Columns that nobody fills are left out. */
static bool filled(const json_t *rows, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) if (json_object_get(row, name)) return true;
    return false;
}

static bool show_list(const op_result *list, const char *columns, const json_t *rows)
{
    const op_result *shown[TABLE_COLUMNS_MAX];
    table t = { 0 };
    bool ok = true;
    size_t i;
    json_t *row;
    for (const char *p = columns; *p && t.columns < TABLE_COLUMNS_MAX; p += strcspn(p, ","), p += *p == ',') {
        const op_result *r = find_result(list->of, p, strcspn(p, ","));
        if (!r || !filled(rows, r->name)) continue;
        t.right[t.columns] = r->type == OP_INTEGER || r->type == OP_NUMBER;
        shown[t.columns++] = r;
    }
    for (size_t c = 0; c < t.columns; c++) ok = ok && table_add(&t, strdup(shown[c]->name));
    json_array_foreach(rows, i, row)
        for (size_t c = 0; c < t.columns; c++)
            ok = ok && table_add(&t, show_value(shown[c]->type, json_object_get(row, shown[c]->name)));
    if (ok && t.columns) table_print(&t, true);
    table_free(&t);
    return ok;
}

static bool show_fields(const op_result *fields, const char *names, const json_t *reply)
{
    table t = { .columns = 2 };
    bool ok = true;
    for (const op_result *r = fields; ok && r->name; r++) {
        const json_t *v = json_object_get(reply, r->name);
        if (!v || r->type == OP_LIST || (names && !listed(names, r->name))) continue;
        ok = table_add(&t, strdup(r->name)) && table_add(&t, show_value(r->type, v));
    }
    if (ok) table_print(&t, false);
    table_free(&t);
    return ok;
}

static bool show_bare(const op_result *r, const json_t *v)
{
    char *text = show_value(r->type, v);
    if (text) puts(text);
    free(text);
    return text != NULL;
}

static bool show_text(const cli *c, const json_t *reply)
{
    const cli_command *command = c->command;
    const op_result *fields = c->op->reply;
    if (command->bare)
        return show_bare(find_result(fields, command->bare, strlen(command->bare)), json_object_get(reply, command->bare));
    const op_result *list = command->list ? find_result(fields, command->list, strlen(command->list)) : NULL;
    return (!list || show_list(list, command->columns, json_object_get(reply, command->list))) &&
           show_fields(fields, command->summary, reply);
}

op_exit show_reply(const cli *c, const json_t *reply)
{
    if (show_text(c, reply) || ferror(stdout)) return OP_EXIT_OK; /* main() reports what stdout refuses */
    complain("out of memory showing the reply");
    return OP_EXIT_FAILED;
}
