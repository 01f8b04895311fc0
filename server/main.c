/* main.c - evdbd: what the command line asks for, and otherwise the server. */
#include "config/config.h"
#include "daemon.h"
#include "http/http.h"
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
    bool print = c.help || c.version || c.print || c.operations;
    if (!print && *c.tls_cert_file && http_certificate_check(c.tls_cert_file, c.tls_key_file, &err) != EVDB_OK) {
        fprintf(stderr, "evdbd: %s\n", err.message);
        config_free(&c);
        return DAEMON_CONFIG;
    }
    if (c.help) config_help(stdout);
    else if (c.version) printf("evdbd %s\n", evdb_version());
    else if (c.print) config_print(&c, stdout);
    else if (c.check) puts("the configuration is good");
    else if (c.operations) code = op_print_table(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
    else code = daemon_run(&c);
    config_free(&c);
    return code;
}
