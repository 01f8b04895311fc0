/* alloc_compress.h - a store that gets a codec which is trained, among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_COMPRESS_H
#define TESTS_FAULT_ALLOC_COMPRESS_H
#include "alloc_calls.h"

/* Fills a store of its own, trains a codec on it, writes its vectors again, and reads them. */
evdb_status alloc_compress(alloc_scene *s, evdb_error *err);

#endif
