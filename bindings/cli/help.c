/* help.c - help for `evdb` and for each command, written from the tables. */
#include "cli.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COLUMN 26 /* where explanations begin */

void flag_positional(const op_field *f, char *out)
{
    size_t n = 0;
    for (const char *p = f->name; *p && n < FLAG_MAX - 4; p++) out[n++] = *p == '_' ? '-' : (char)toupper((unsigned char)*p);
    if (f->type == OP_IDS) n--; /* IDS is ID... */
    memcpy(out + n, f->type == OP_IDS ? "..." : "", f->type == OP_IDS ? 4 : 1);
}

void flag_option(const op_field *f, char *out)
{
    snprintf(out, FLAG_MAX, "--%s", f->flag ? f->flag : f->name);
    for (char *p = out; *p; p++)
        if (*p == '_') *p = '-';
}

static const char *value_name(const op_field *f)
{
    if (f->flags & OP_SECRET) return " @FILE|-";
    switch (f->type) {
    case OP_INTEGER: return " N";
    case OP_NUMBER: return " X";
    case OP_CHOICE: return " NAME";
    case OP_ID: return " ID";
    case OP_STRING: return " TEXT";
    case OP_BYTES: return " BASE64";
    case OP_STRINGS: return f->flags & OP_SEMICOLONS ? " A;B;..." : " A,B,...";
    case OP_VECTOR:
    case OP_VECTORS:
    case OP_RECORDS:
    case OP_OBJECT: return " JSON";
    case OP_BOOL:
    case OP_IDS:
    case OP_TIME:
    case OP_LIST:
    case OP_LISTS: break;
    }
    return "";
}

static void print_choices(const op_field *f)
{
    printf(" One of");
    for (uint32_t i = 1; f->choice->name(i); i++) printf("%s %s", i > 1 ? "," : "", f->choice->name(i));
    if (f->def) printf("; default %s", f->choice->name((uint32_t)f->def));
    putchar('.');
}

/* replaced: another option may be given in its place. */
static void print_option(const op_field *f, bool replaced)
{
    char flag[FLAG_MAX], left[FLAG_MAX * 2];
    flag_option(f, flag);
    if (f->type == OP_BOOL && f->def) snprintf(left, sizeof left, "--[no-]%s", flag + 2);
    else snprintf(left, sizeof left, "%s%s", flag, value_name(f));
    printf("  %-*s%s", COLUMN - 2, left, f->doc);
    if (f->type == OP_BOOL && f->def) printf(" Default yes.");
    if ((f->flags & OP_REQUIRED) && !replaced) printf(" Required.");
    if (f->type == OP_CHOICE) print_choices(f);
    if (f->type == OP_INTEGER && f->max == INT64_MAX) printf(" Default %" PRId64 ".", f->def);
    else if (f->type == OP_INTEGER) printf(" %" PRId64 "..%" PRId64 ", default %" PRId64 ".", f->min, f->max, f->def);
    putchar('\n');
}

static void print_positionals(const op_field *f)
{
    char label[FLAG_MAX];
    for (; f && f->name; f++) {
        if (!f->position) continue;
        flag_positional(f, label);
        printf("  %-*s%s\n", COLUMN - 2, label, f->doc);
    }
}

/* Answers whether one of them takes JSON. */
static bool print_options(const op_field *f, const char *replaces)
{
    bool json = false;
    for (; f && f->name; f++) {
        if (f->position) continue;
        print_option(f, replaces && strcmp(f->name, replaces) == 0);
        json |= strcmp(value_name(f), " JSON") == 0;
    }
    return json;
}

static void print_usage(const op_field *fields, const op_field *extra)
{
    char label[FLAG_MAX];
    for (unsigned position = 1; position < 4; position++)
        for (const op_field *tables[] = { fields, extra }, **t = tables; t < tables + 2; t++)
            for (const op_field *f = *t; f && f->name; f++) {
                if (f->position != position) continue;
                flag_positional(f, label);
                printf(f->flags & OP_REQUIRED ? " %s" : " [%s]", label);
            }
}

static void print_common(void)
{
    printf("  %-*sDirectory of the database; default $EVDB_DATA, else 'data'.\n", COLUMN - 2, "-d DIR");
    printf("  %-*sPrint the reply as one line of JSON.\n", COLUMN - 2, "--json");
    printf("  %-*sThis help.\n", COLUMN - 2, "-h, --help");
}

void help_command(const cli_command *command)
{
    const op *o = command->op ? op_find(command->op) : NULL;
    const op_field *fields = o ? o->args : NULL;
    printf("Example:\n  %s\n\nUsage: evdb %s", command->example, command->name);
    print_usage(fields, command->extra);
    printf(" [OPTION...]\n%s\n", command->doc ? command->doc : o->doc);
    if ((fields && fields->position) || command->extra) printf("\nArguments:\n");
    print_positionals(fields);
    print_positionals(command->extra);
    printf("\nOptions:\n");
    bool json = print_options(fields, command->replaces);
    json |= print_options(command->extra, NULL);
    print_common();
    if (json) printf("\nJSON may also be @FILE, or - for standard input.\n");
}

static void print_command(const cli_command *command)
{
    const char *doc = command->doc ? command->doc : op_find(command->op)->doc;
    printf("  %-*s%.*s\n", 17, command->name, (int)strcspn(doc, "\n"), doc);
}

static bool belongs(const cli_command *command, const char *group)
{
    size_t length = strlen(group);
    return length && strncmp(command->name, group, length) == 0 && command->name[length] == ' ';
}

bool help_is_group(const char *name)
{
    const cli_command *c = commands;
    while (c->name && !belongs(c, name)) c++;
    return c->name != NULL;
}

void help_group(const char *name)
{
    printf("Usage: evdb %s COMMAND [OPTION...]\n\nCommands:\n", name);
    for (const cli_command *c = commands; c->name; c++)
        if (belongs(c, name)) print_command(c);
    printf("\n'evdb %s COMMAND --help' shows the options.\n", name);
}

void help_all(void)
{
    static const struct { int code; const char *text; } statuses[] = {
#define EXIT(name, code, text) { code, text },
#include "op/exit.def"
#undef EXIT
    };
    printf("Example:\n  evdb create docs --dim 3\n  evdb put docs a --vector '[1,2,3]' --metadata '{\"lang\":\"en\"}'\n"
           "  evdb search docs --vector '[1,2,3]' --k 5\n\n"
           "Usage: evdb COMMAND [STORE] [OPTION...]\nA vector database in a directory.\n\nCommands:\n");
    for (const cli_command *c = commands; c->name; c++) print_command(c);
    printf("\nOptions of every command ('evdb COMMAND --help' shows the others):\n");
    print_common();
    printf("  %-*sPrint the version.\n\nExit status:\n", COLUMN - 2, "--version");
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) printf("  %-4d%s\n", statuses[i].code, statuses[i].text);
}
