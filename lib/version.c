/* version.c - implements evdb/version.h. */
#include "disk/rows.h"
#include "kernel/kernel.h"
#include <evdb/version.h>

const char *evdb_version(void) { return EVDB_VERSION; }
uint32_t evdb_version_format(void) { return ROWS_FORMAT; }
const char *evdb_version_kernel(void) { return kernel_best()->name; }
