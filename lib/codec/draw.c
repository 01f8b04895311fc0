/* draw.c - implements draw.h. */
#include "codec/draw.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mix.h"

evdb_status draw_rows(const evdb_allocator *mem, size_t count, size_t most, uint64_t seed, uint32_t **rows, size_t *drawn, evdb_error *err)
{
    if (count > UINT32_MAX) count = UINT32_MAX;
    uint32_t *all = mem_array(mem, count, sizeof(*all));
    if (!all) return error_no_memory(err, count * sizeof(*all), "a sample to train on");
    for (size_t i = 0; i < count; i++) all[i] = (uint32_t)i;
    *drawn = count < most ? count : most;
    for (size_t i = 0; i < *drawn; i++) {
        size_t other = i + mix_next(&seed) % (count - i);
        uint32_t row = all[other];
        all[other] = all[i];
        all[i] = row;
    }
    *rows = all;
    return EVDB_OK;
}
