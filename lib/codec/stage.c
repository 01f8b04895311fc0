/* stage.c - the list of stages, and what those who implement one share. */
#include "codec/stage.h"
#include "base/error.h"
#include "base/mem.h"
#include <math.h>
#include <string.h>

#define STAGE(kind) extern const codec_kind stage_##kind;
#include "codec/stages.def"
#undef STAGE

const codec_kind *const codec_kinds[] = {
#define STAGE(kind) &stage_##kind,
#include "codec/stages.def"
#undef STAGE
    NULL
};

evdb_status stage_number(const codec_stage *s, const char **at, const char *what, uint32_t least, uint32_t most, uint32_t *out,
                         evdb_error *err)
{
    uint64_t value = 0;
    const char *end = *at;
    while (*end >= '0' && *end <= '9' && value <= UINT32_MAX) value = value * 10 + (uint64_t)(*end++ - '0');
    if (end == *at || (*end && *end != ',') || value < least || value > most)
        return error_set(err, EVDB_INVALID, "codec %s: %s is %u to %u, not '%.32s'", s->kind->of.name, what, least, most, *at);
    *out = (uint32_t)value;
    *at = *end ? end + 1 : end;
    return EVDB_OK;
}

bool stage_word(const char **at, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0 || ((*at)[length] && (*at)[length] != ',')) return false;
    *at += length + ((*at)[length] == ',');
    return true;
}

evdb_status stage_end(const codec_stage *s, const char *at, evdb_error *err)
{
    if (!*at) return EVDB_OK;
    const char *takes = s->kind->of.parameters;
    return error_set(err, EVDB_INVALID, "codec %s: takes %s, not '%.32s'", s->kind->of.name, *takes ? takes : "no parameters", at);
}

evdb_status stage_trained(codec_stage *s, size_t bytes, evdb_error *err)
{
    mem_free(s->mem, s->trained);
    s->trained_bytes = 0;
    if (!(s->trained = mem_zero(s->mem, bytes))) return error_no_memory(err, bytes, "a codec");
    s->trained_bytes = bytes;
    return EVDB_OK;
}

evdb_status stage_trained_floats(const codec_stage *s, size_t count, evdb_error *err)
{
    if (s->trained_bytes != count * sizeof(float))
        return error_set(err, EVDB_CORRUPT, "codec %s: has %zu bytes of parameters where %zu belong", s->kind->of.name,
                         s->trained_bytes, count * sizeof(float));
    if (s->kernel->finite_f32(s->trained, count)) return EVDB_OK;
    return error_set(err, EVDB_CORRUPT, "codec %s: has parameters that are not finite", s->kind->of.name);
}

evdb_status stage_stopped(const codec_training *t, evdb_error *err)
{
    if (!t->stop || !atomic_load(t->stop)) return EVDB_OK;
    return error_set(err, EVDB_CANCELLED, "the training of a codec was ended");
}

double stage_square(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * x[i];
    return sum;
}
