/* version.h - which evdb this is. */
#ifndef EVDB_VERSION_H
#define EVDB_VERSION_H
#include <evdb/api.h>
#include <stdint.h>
EVDB_BEGIN

/* The version these headers belong to. The Makefile reads it from here. */
#define EVDB_VERSION "0.1.0"

/* The version of the library that is running, "MAJOR.MINOR.PATCH". Static storage. */
EVDB_API const char *evdb_version(void);

/* Highest on-disk format this library reads and writes (see lib/README.md, "Formats"). A database
 * with a higher one is refused unchanged with EVDB_NEWER. */
EVDB_API uint32_t evdb_version_format(void);

/* Name of the instruction set the distance kernels use on this machine: "scalar", "avx2", ... */
EVDB_API const char *evdb_version_kernel(void);

EVDB_END
#endif
