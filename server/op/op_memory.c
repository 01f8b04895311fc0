/* op_memory.c - implements op/op_memory.h. */
#include "op/op_memory.h"
#include <string.h>

static evdb_status read_some(void *context, void *buffer, size_t capacity, size_t *got, evdb_error *err)
{
    op_memory *m = context;
    (void)err;
    *got = m->size - m->read < capacity ? m->size - m->read : capacity;
    if (*got) memcpy(buffer, m->at + m->read, *got);
    m->read += *got;
    return EVDB_OK;
}

static evdb_status start_over(void *context, evdb_error *err)
{
    (void)err;
    ((op_memory *)context)->read = 0;
    return EVDB_OK;
}

evdb_source op_memory_source(op_memory *m)
{
    return (evdb_source){ .context = m, .read = read_some, .rewind = start_over };
}
