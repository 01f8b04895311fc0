/* cli.h - one run of the `evdb` command: what was asked for, and the parts that answer.
 *
 * main.c picks the command, args.c turns its words into JSON arguments with the help of the
 * operation's field table, call.c runs the operation, show.c prints the reply. A function that
 * returns op_exit has already said on stderr what went wrong. */
#ifndef CLI_H
#define CLI_H
#include "op/op.h"
#include "op/op_slices.h"
#include "op/op_status.h"

typedef struct cli cli;

enum { TEXTS_MAX = 16 }; /* values from files on one command line */

typedef struct cli_command {
    const char *name;
    const char *op;        /* the operation whose fields become positionals and options; NULL = none */
    const char *doc;       /* NULL = the operation's */
    const char *example;   /* first thing its help shows */
    const op_field *extra; /* positionals and options of the command itself, or NULL */
    const char *replaces;  /* required argument that an extra option stands in for, or NULL */
    const char *list;      /* reply field shown as a table ... */
    const char *columns;   /* ... with these of its fields, comma-separated */
    const char *summary;   /* reply fields shown as "name value" lines; NULL = all that are no list */
    const char *bare;      /* reply field that is shown alone, without its name */
    const char *trouble;   /* reply field that must be 0 or empty ... */
    const char *complaint; /* ... else this is said, */
    op_exit trouble_exit;  /* ... and this is the exit status */
    bool creates;          /* may create the database */
    bool alone;            /* needs none */
    op_exit (*run)(cli *c); /* NULL = run_operation() */
} cli_command;

extern const cli_command commands[]; /* ends with a NULL name */

struct cli {
    const cli_command *command;
    const op *op;          /* the command's operation, or NULL */
    const char *directory; /* of the database */
    bool json, help;
    json_t *args;          /* arguments of the operation */
    json_t *extra;         /* values of the command's own fields */
    op_slices slices;      /* values that stand as text in args and extra */
    char *texts[TEXTS_MAX]; /* what was read from files for them */
    size_t text_count;
    evdb *db;
    unsigned char key[EVDB_BACKUP_KEY_BYTES]; /* of backups, from --key-file */
    bool has_key;
    struct progress *bar;  /* shows how far the operation is, which ^C gives up; or NULL */
};

/* args.c: fills in directory, json, help, args and extra from the words behind the command. */
op_exit args_read(cli *c, int argc, char **argv);

/* value.c: one word from the command line as JSON of the field's type. JSON stays as it is written. */
op_exit value_read(cli *c, const op_field *f, const char *label, const char *text, json_t **out);

/* call.c */
op_exit database_open(cli *c, bool create);
op_exit call_operation(cli *c, const op *o, const json_t *args, json_t **reply);
op_exit run_operation(cli *c);
/* The command's own fields as the struct that its table describes; undo with op_unbind(). */
op_exit extra_bind(const cli *c, const op *shape, void *out);

/* Commands that are more than one operation. */
op_exit run_put(cli *c);
op_exit run_search(cli *c);
op_exit run_import(cli *c);
op_exit run_export(cli *c);
op_exit run_mcp(cli *c);
op_exit run_bench(cli *c);
op_exit run_advise(cli *c);
op_exit run_set_codec(cli *c);
op_exit run_keyed(cli *c);
extern const op_field put_fields[], search_fields[], import_fields[], export_fields[], mcp_fields[], bench_fields[], key_fields[];

/* show.c: a reply as text for people. */
op_exit show_reply(const cli *c, const json_t *reply);

/* help.c */
void help_all(void);
void help_command(const cli_command *command);
/* Commands of two words that share the first. */
bool help_is_group(const char *name);
void help_group(const char *name);
/* "new_name" as "NEW-NAME" for positionals, as "--new-name" for options; out has FLAG_MAX bytes. */
#define FLAG_MAX 64
void flag_positional(const op_field *f, char *out);
void flag_option(const op_field *f, char *out);
#endif
