/* daemon.h - evdbd from the open database to the signal that ends it. */
#ifndef DAEMON_H
#define DAEMON_H
#include "config/config.h"

/* Exit statuses, as evdbd(8) lists them. */
enum { DAEMON_CONFIG = 2, DAEMON_DATABASE = 3, DAEMON_LISTEN = 4 };

/* Serves until SIGTERM or SIGINT; returns the exit status. What it has to say is in the log. */
int daemon_run(const config *c);

#endif
