/* alloc_words.h - what needs no database, and takes no memory either, among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_WORDS_H
#define TESTS_FAULT_ALLOC_WORDS_H
#include "alloc_calls.h"

evdb_status alloc_words(alloc_scene *s, evdb_error *err);

#endif
