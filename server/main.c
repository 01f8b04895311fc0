/* main.c - evdbd: what the command line asks for, and otherwise the server. */
#include "admin_reset.h"
#include "config/config.h"
#include "daemon.h"
#include "http/http.h"
#include "log.h"
#include "op/op.h"
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Secrets and keys are in its memory: none of it goes into a core file, be it one of the system or of a program that the system hands it
 * to, and /proc shows it to root alone. */
static void keep_memory_private(void)
{
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    (void)prctl(PR_SET_DUMPABLE, 0);
}

int main(int argc, char **argv)
{
    config c;
    evdb_error err;
    int code = EXIT_SUCCESS;
    bool reset = argc > 2 && strcmp(argv[1], "admin") == 0 && strcmp(argv[2], "reset") == 0;
    if (reset) argc -= 2, argv += 2; /* its flags are those of the server */
    keep_memory_private();
    evdb_status rc = config_load(argc, argv, &c, &err);
    config_hide_secrets(argc, argv);
    if (rc != EVDB_OK) {
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
    else code = reset ? admin_reset_run(&c) : daemon_run(&c);
    config_free(&c);
    return code;
}
