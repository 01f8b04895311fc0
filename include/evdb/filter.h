/* filter.h - the language of filters: which records a search may return, by their metadata.
 *
 * A filter is the text of a JSON object (options->filter in search.h). Each member is a condition, and all of them must hold:
 *
 *   {}                                         every record
 *   {"label": "boot"}                          the field is this string, number, boolean or null; short for $eq
 *   {"size.eu": {"$gte": 38, "$lt": 42}}       size is an object, eu a field of it; both hold
 *   {"label": {"$in": ["boot", "bag"]}}        one of these
 *   {"label": {"$not": {"$in": ["boot"]}}}     the opposite of a condition
 *   {"$or": [{"sold": true}, {"price": {"$lt": 5}}]}
 *
 *   $eq $ne            equal or not, to a string, number, boolean or null
 *   $gt $gte $lt $lte  above or below a number or a string
 *   $in $nin           one of a list of strings, numbers, booleans, nulls, or none of them
 *   $exists            true: the field is there, be it null; false: it is not
 *   $and $or           of a list of filters
 *   $not               of a condition, or, beside fields, of a filter
 *
 * Paths name fields of objects within objects, with dots between; a name that holds a dot itself cannot be reached.
 *
 * Values are equal only to values of their own type. Numbers are compared by value: 1, 1.0 and 1e0 are equal, and integers are
 * exact to 64 bits. Strings are compared byte by byte, in order of Unicode. $gt and its kin hold for no value of another type.
 *
 * Arrays: a condition holds when it holds for any element (of arrays within arrays: for none). So {"tags": {"$ne": "red"}}, the
 * opposite of $eq, says that no element is "red". Paths do not lead into arrays.
 *
 * A field that is missing equals null and nothing else, as in MongoDB: $ne, $nin and $not match records without the field, and
 * {"label": null} matches them too. {"label": {"$exists": true, "$ne": "boot"}} does not.
 *
 * What is not a filter answers EVDB_INVALID and names the operator and the field at fault.
 *
 * How fast. A filter's matches are remembered, and follow later writes: repeating it costs next to nothing. For a new filter,
 * fields that the store declares (evdb_store_options.fields) are looked up in columns in memory, 4 bytes a record and each
 * different value once; a filter with one undeclared field reads the metadata of all records the first time
 * (evdb_store_stats.filter_reads counts them), while other new filters wait. The first search with a filter after a write costs a
 * look at each row besides, some nanoseconds each. */
#ifndef EVDB_FILTER_H
#define EVDB_FILTER_H
#include <evdb/store.h>
EVDB_BEGIN

#define EVDB_FILTER_BYTES_MAX (256u << 10) /* of a filter's text */
#define EVDB_FILTER_DEPTH_MAX 32u          /* objects and lists within each other */
#define EVDB_FILTER_CONDITIONS_MAX 1024u   /* conditions, and $and, $or, $not */
#define EVDB_FILTER_FIELDS_MAX 64u         /* different fields */

/* How many records match; NULL: how many there are. Loads the store's vectors like a search. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_filter_count(evdb_store *store, const char *filter, uint64_t *out, evdb_error *err);

EVDB_END
#endif
