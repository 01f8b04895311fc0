/* gated.h - databases whose file operations pass a gate of the test's. */
#ifndef TESTS_FAULT_GATED_H
#define TESTS_FAULT_GATED_H
#include "platform/platform.h"

/* A gate that leaves out all syncs: for what files hold, where no power is cut, waiting for the disk would prove nothing. */
int gated_no_sync(void *context, const io_event *event);
evdb_status gated_open(io_gate gate, const char *dir, const evdb_options *options, evdb **out, evdb_error *err);

/* Ends the test unless a call that is not what is tested went well. */
void must(evdb_status rc, const evdb_error *err, const char *what);

#endif
