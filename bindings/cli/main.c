/* main.c - the `evdb` command: evdb COMMAND STORE ... Exit statuses are those of server/op/exit.def. */
#include "cli.h"
#include "terminal.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

static const cli_command *find(const char *name)
{
    for (const cli_command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0) return c;
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
    const cli_command *command = find(name);
    if (command) return run(command, argc - 2, argv + 2);
    if (*name) complain("there is no command '%s'; try 'evdb --help'", name);
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
