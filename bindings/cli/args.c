/* args.c - words of the command line to JSON arguments. Which words there are is read from field tables. */
#include "cli.h"
#include "terminal.h"
#include <stdlib.h>
#include <string.h>

#define DEFAULT_DIRECTORY "data"

/* A field and the object that its value goes to. */
typedef struct slot {
    const op_field *field;
    json_t *into;
} slot;

static op_exit no_memory(void)
{
    complain("out of memory");
    return OP_EXIT_FAILED;
}

static op_exit usage(const cli *c, const char *what, const char *word)
{
    complain("%s '%s'; try 'evdb %s --help'", what, word, c->command->name);
    return OP_EXIT_USAGE;
}

static const op_field *by_position(const op_field *f, unsigned position)
{
    while (f && f->name && f->position != position) f++;
    return f && f->name ? f : NULL;
}

static slot find_position(const cli *c, unsigned position)
{
    const op_field *f = by_position(c->command->extra, position);
    if (f) return (slot){ f, c->extra };
    return (slot){ by_position(c->op ? c->op->args : NULL, position), c->args };
}

/* *negated is set for --no-NAME of a truth value. */
static const op_field *by_option(const op_field *f, const char *word, size_t length, bool *negated)
{
    char flag[FLAG_MAX];
    for (; f && f->name; f++) {
        if (f->position) continue;
        flag_option(f, flag);
        *negated = f->type == OP_BOOL && length > 5 && strncmp(word, "--no-", 5) == 0 &&
                   strlen(flag) == length - 3 && strncmp(flag + 2, word + 5, length - 5) == 0;
        if (*negated || (strlen(flag) == length && strncmp(flag, word, length) == 0)) return f;
    }
    return NULL;
}

static slot find_option(const cli *c, const char *word, size_t length, bool *negated)
{
    const op_field *f = by_option(c->command->extra, word, length, negated);
    if (f) return (slot){ f, c->extra };
    return (slot){ by_option(c->op ? c->op->args : NULL, word, length, negated), c->args };
}

static op_exit store_value(cli *c, slot s, const char *label, const char *text)
{
    json_t *value = NULL;
    op_exit rc = value_read(c, s.field, label, text, &value);
    if (rc != OP_EXIT_OK) return rc;
    json_t *before = json_object_get(s.into, s.field->name);
    if (before && json_is_array(before) && s.field->type != OP_VECTOR) { /* a list may be given in pieces */
        int failed = json_array_extend(before, value);
        json_decref(value);
        return failed ? no_memory() : OP_EXIT_OK;
    }
    return json_object_set_new(s.into, s.field->name, value) == 0 ? OP_EXIT_OK : no_memory();
}

/* Reads one option beginning at argv[*i] and moves *i to its last word. */
static op_exit read_option(cli *c, int argc, char **argv, int *i)
{
    char *word = argv[*i], *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    bool negated = false, directory = strcmp(word, "-d") == 0;
    slot s = { 0 };
    if (!directory) s = find_option(c, word, length, &negated);
    if (!directory && !s.field) return usage(c, "unknown option", word);
    if (s.field && s.field->type == OP_BOOL) {
        if (equals) return usage(c, "no value belongs to", word);
        return json_object_set_new(s.into, s.field->name, json_boolean(!negated)) == 0 ? OP_EXIT_OK : no_memory();
    }
    const char *text = equals ? equals + 1 : NULL;
    if (!text && ++*i < argc) text = argv[*i];
    if (!text) return usage(c, "a value is missing behind", word);
    if (!directory) return store_value(c, s, word, text);
    c->directory = text;
    return OP_EXIT_OK;
}

static op_exit read_positional(cli *c, unsigned *position, const char *word)
{
    char label[FLAG_MAX];
    slot s = find_position(c, *position);
    if (!s.field) return usage(c, "one word too many:", word);
    flag_positional(s.field, label);
    if (s.field->type != OP_IDS) ++*position; /* ids take all words that follow */
    return store_value(c, s, label, word);
}

/* Missing arguments are wrong usage here, before any file is touched. */
static op_exit check_required(const cli *c, const op_field *fields, const json_t *given)
{
    char label[FLAG_MAX];
    for (const op_field *f = fields; f && f->name; f++) {
        bool replaced = c->command->replaces && strcmp(c->command->replaces, f->name) == 0 && json_object_size(c->extra);
        if (!(f->flags & OP_REQUIRED) || replaced || json_object_get(given, f->name)) continue;
        if (f->position) flag_positional(f, label);
        else flag_option(f, label);
        complain("%s is required; try 'evdb %s --help'", label, c->command->name);
        return OP_EXIT_USAGE;
    }
    return OP_EXIT_OK;
}

/* -5 is a number and - is standard input; other words that begin with a dash are options. */
static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] && !(word[1] >= '0' && word[1] <= '9');
}

op_exit args_read(cli *c, int argc, char **argv)
{
    const char *environment = getenv("EVDB_DATA");
    unsigned position = 1;
    bool words_only = false;
    op_exit rc = OP_EXIT_OK;
    c->directory = environment && *environment ? environment : DEFAULT_DIRECTORY;
    c->args = json_object();
    c->extra = json_object();
    if (!c->args || !c->extra) return no_memory();
    for (int i = 0; rc == OP_EXIT_OK && i < argc; i++) {
        if (words_only || !is_option(argv[i])) rc = read_positional(c, &position, argv[i]);
        else if (strcmp(argv[i], "--") == 0) words_only = true;
        else if (strcmp(argv[i], "--json") == 0) c->json = true;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) c->help = true;
        else rc = read_option(c, argc, argv, &i);
    }
    if (rc != OP_EXIT_OK || c->help) return rc;
    rc = check_required(c, c->command->extra, c->extra);
    return rc == OP_EXIT_OK ? check_required(c, c->op ? c->op->args : NULL, c->args) : rc;
}
