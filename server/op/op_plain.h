/* op_plain.h - JSON of the plainest kind as a tree, many times faster than jansson reads it. */
#ifndef OP_PLAIN_H
#define OP_PLAIN_H
#include <jansson.h>
#include <stddef.h>

/* The very tree that json_loadb() makes, with JSON_DECODE_ANY and JSON_REJECT_DUPLICATES, where all strings are ASCII without escapes,
 * but for those that stand for slices (op_slices.h), and all numbers integers. NULL: it is not as plain as that, or it is no JSON, or
 * there is no memory, which all is for jansson to say. */
json_t *op_plain_read(const char *text, size_t length);

#endif
