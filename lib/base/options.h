/* options.h - size-first option structs. */
#ifndef EVDB_BASE_OPTIONS_H
#define EVDB_BASE_OPTIONS_H
#include <evdb/error.h>
#include <stddef.h>

/* Copies a caller's options struct (NULL = all defaults), compiled for an older or newer evdb, over ours, which holds the
 * defaults. Bytes we do not know must be 0. `what` names the struct in the error. */
evdb_status options_import(void *ours, size_t our_size, const void *theirs, const char *what, evdb_error *err);

/* The other direction, for out-structs with a size: fills as much as the caller knows. */
evdb_status options_export(void *theirs, const void *ours, size_t our_size, const char *what, evdb_error *err);
#endif
