/* op_names.c - implements op/op_names.h. */
#include "op/op_names.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *op_names_join(const op_strings *names)
{
    size_t size = 1, used = 0;
    for (size_t i = 0; i < names->count; i++) size += strlen(names->at[i]) + 1;
    char *text = malloc(size);
    if (!text) return NULL;
    for (size_t i = 0; i < names->count; i++) used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", names->at[i]);
    text[used] = 0;
    return text;
}

void op_names_put(op_out *o, const char *key, const char *text)
{
    op_out_open(o, key, '[');
    for (const char *p = text; *p; p += strcspn(p, " "), p += *p == ' ') op_out_bytes(o, NULL, p, strcspn(p, " "));
    op_out_close(o, ']');
}
