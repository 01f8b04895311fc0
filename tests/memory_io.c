/* memory_io.c - implements memory_io.h. */
#include "memory_io.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

memory_source memory_from(const void *bytes, size_t size)
{
    return (memory_source){ .bytes = bytes, .size = size, .fail_at = MEMORY_NEVER };
}

memory_source memory_from_text(const char *text) { return memory_from(text, strlen(text)); }

static evdb_status fail(evdb_error *err, evdb_status status, const char *message)
{
    if (!err) return status;
    *err = (evdb_error){ .status = status, .item = EVDB_NO_ITEM };
    snprintf(err->message, sizeof(err->message), "%s", message);
    return status;
}

static evdb_status memory_read(void *context, void *buffer, size_t capacity, size_t *got, evdb_error *err)
{
    memory_source *m = context;
    size_t count = m->size - m->at;
    if (m->most && count > m->most) count = m->most;
    if (count > capacity) count = capacity;
    if (m->fail_at != MEMORY_NEVER && m->at + count > (size_t)m->fail_at)
        return fail(err, EVDB_IO, "the disk under the source broke");
    if (count) memcpy(buffer, m->bytes + m->at, count);
    m->at += count;
    *got = count;
    return EVDB_OK;
}

static evdb_status memory_rewind(void *context, evdb_error *err)
{
    memory_source *m = context;
    (void)err;
    m->at = 0;
    m->rewinds++;
    if (m->second) m->bytes = m->second, m->size = m->second_size;
    return EVDB_OK;
}

evdb_source memory_reading(memory_source *m)
{
    return (evdb_source){ .context = m, .read = memory_read, .rewind = memory_rewind };
}

memory_sink memory_to(void) { return (memory_sink){ .fail_at = MEMORY_NEVER }; }

static evdb_status memory_write(void *context, const void *bytes, size_t count, evdb_error *err)
{
    memory_sink *m = context;
    if (m->fail_at != MEMORY_NEVER && m->size + count > (size_t)m->fail_at)
        return fail(err, EVDB_FULL, "the disk under the sink is full");
    if (m->size + count + 1 > m->capacity) {
        size_t capacity = (m->size + count + 1) * 2;
        char *grown = realloc(m->bytes, capacity);
        if (!grown) return fail(err, EVDB_NO_MEMORY, "the test is out of memory");
        m->bytes = grown;
        m->capacity = capacity;
    }
    memcpy(m->bytes + m->size, bytes, count);
    m->size += count;
    m->bytes[m->size] = 0;
    return EVDB_OK;
}

evdb_sink memory_writing(memory_sink *m) { return (evdb_sink){ .context = m, .write = memory_write }; }

void memory_sink_free(memory_sink *m)
{
    free(m->bytes);
    *m = memory_to();
}
