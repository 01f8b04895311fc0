/* filter.h - a filter (include/evdb/filter.h is the language), parsed once, asked of many records.
 *
 * Two ways to ask. filter_matches() reads one record's metadata. filter_select() answers for many records at once from columns, one
 * a field (filter/column.h), 64 records a step. A parsed filter does not change: any thread may use it. */
#ifndef EVDB_FILTER_FILTER_H
#define EVDB_FILTER_FILTER_H
#include "filter/column.h"
#include <evdb/filter.h>

typedef struct filter filter;

/* EVDB_INVALID names what is wrong, and where. */
evdb_status filter_parse(const evdb_allocator *mem, const char *text, filter **out, evdb_error *err);
void filter_free(filter *f);
/* The same text for filters that differ in white space and the order of members only. */
const char *filter_canonical(const filter *f);
/* The different fields it asks for. */
uint32_t filter_fields(const filter *f);
const char *filter_field(const filter *f, uint32_t at);

/* metadata is one JSON object; metadata[length] is NUL. */
bool filter_matches(const filter *f, const char *metadata, size_t length);

/* Bit i of `bits` tells whether slot i matches, for `count` slots; bits has whole words. columns[i] is of filter_field(f, i). What is
 * answered for a slot without a record is of no meaning. EVDB_NO_MEMORY. */
evdb_status filter_select(const filter *f, const evdb_allocator *mem, const column *const *columns, size_t count, uint64_t *bits,
                          evdb_error *err);

#endif
