/* main.c - the `evdb` command: evdb COMMAND STORE ... Exit statuses are those of server/op/exit.def. */
#include "cli.h"
#include "terminal.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

/* How many words of the command line make this name, "rename" or "client add"; 0 = they make another. */
static int words_of(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t length = strcspn(name, " ");
        if (strlen(argv[i]) != length || memcmp(argv[i], name, length) != 0) return 0;
        name += length;
        if (!*name) return i;
        name++;
    }
    return 0;
}

static const cli_command *find(int argc, char **argv, int *words)
{
    for (const cli_command *c = commands; c->name; c++)
        if ((*words = words_of(c->name, argc, argv))) return c;
    return NULL;
}

static op_exit run(const cli_command *command, int argc, char **argv)
{
    cli c = { .command = command, .op = command->op ? op_find(command->op) : NULL };
    op_exit rc = args_read(&c, argc, argv);
    if (rc == OP_EXIT_OK && c.help) help_command(command);
    else if (rc == OP_EXIT_OK) rc = command->run ? command->run(&c) : run_operation(&c);
    evdb_close(c.db);
    json_decref(c.args);
    json_decref(c.extra);
    op_slices_free(&c.slices);
    for (size_t i = 0; i < c.text_count; i++) free(c.texts[i]);
    return rc;
}

static op_exit dispatch(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        help_all();
        return OP_EXIT_OK;
    }
    if (strcmp(name, "--version") == 0) {
        printf("evdb %s (disk format %u, %s kernels)\n", evdb_version(), evdb_version_format(), evdb_version_kernel());
        return OP_EXIT_OK;
    }
    int words;
    const cli_command *command = find(argc, argv, &words);
    if (command) return run(command, argc - words - 1, argv + words + 1);
    const char *second = argc > 2 ? argv[2] : "";
    bool group = help_is_group(name);
    if (group && (strcmp(second, "--help") == 0 || strcmp(second, "-h") == 0)) {
        help_group(name);
        return OP_EXIT_OK;
    }
    if (group) complain("there is no command '%s%s%s'; try 'evdb %s --help'", name, *second ? " " : "", second, name);
    else if (*name) complain("there is no command '%s'; try 'evdb --help'", name);
    else complain("no command given; try 'evdb --help'");
    return OP_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_DFL); /* `evdb ... | head` shall end quietly, whoever started us */
    op_exit rc = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("cannot write to standard output: %s", strerror(errno));
        if (rc == OP_EXIT_OK) rc = OP_EXIT_IO;
    }
    return (int)rc;
}
