/* main.c - evdbd: what the command line asks for, and otherwise the server. */
#include "config/config.h"
#include "daemon.h"
#include "log.h"
#include "op/op.h"
#include <stdlib.h>

int main(int argc, char **argv)
{
    config c;
    evdb_error err;
    int code = EXIT_SUCCESS;
    if (config_load(argc, argv, &c, &err) != EVDB_OK) {
        fprintf(stderr, "evdbd: %s\n", err.message);
        config_free(&c);
        return DAEMON_CONFIG;
    }
    log_set_level(c.log_level);
    if (c.help) config_help(stdout);
    else if (c.version) printf("evdbd %s\n", evdb_version());
    else if (c.print) config_print(&c, stdout);
    else if (c.check) puts("the configuration is good");
    else if (c.operations) code = op_print_table(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
    else code = daemon_run(&c);
    config_free(&c);
    return code;
}
