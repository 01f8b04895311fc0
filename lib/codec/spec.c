/* spec.c - codecs as text: "pca:128+i8+zstd" to stages, and their whole as text again. */
#include "base/error.h"
#include "codec/codec_private.h"
#include "platform/platform.h"
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 40 };

static bool same(const char *name, const char *at, size_t length) { return strlen(name) == length && memcmp(name, at, length) == 0; }

/* Is it one of the words of `list`? */
static bool listed(const char *list, const char *at, size_t length)
{
    for (const char *word = list; *word;) {
        size_t some = strcspn(word, " ");
        if (some == length && memcmp(word, at, length) == 0) return true;
        word += some + (word[some] == ' ');
    }
    return false;
}

static const codec_kind *find(const char *at, size_t length)
{
    for (const codec_kind *const *k = codec_kinds; *k; k++)
        if (same((*k)->of.name, at, length) || listed((*k)->of.aliases, at, length)) return *k;
    return NULL;
}

static evdb_status unknown(const char *at, size_t length, evdb_error *err)
{
    char names[300] = "";
    size_t used = 0;
    for (const codec_kind *const *k = codec_kinds; *k && used < sizeof(names); k++)
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "", (*k)->of.name);
    return error_set(err, EVDB_INVALID, "there is no codec '%.*s': %s are", (int)(length > NAME_MAX_BYTES ? NAME_MAX_BYTES : length), at, names);
}

/* What comes out of the stage before, as the next one takes it. */
static void connect(const codec *c, codec_stage *s)
{
    const codec_stage *last = s == c->stages ? NULL : s - 1;
    s->dim = !last ? c->dim : last->kind->of.stage == EVDB_STAGE_TRANSFORM ? last->out_dim : last->dim;
    s->out_dim = s->dim;
    if (s->kind->of.stage != EVDB_STAGE_BYTES) return;
    s->code_bytes = last->code_bytes;
    s->element_bytes = s->dim && last->code_bytes % s->dim == 0 ? last->code_bytes / s->dim : 1;
}

static evdb_status add(codec *c, const codec_kind *kind, const char *parameters, evdb_error *err);

/* Stages that come along; `format` may hold the parameters of the one that brings them. */
static evdb_status add_text(codec *c, const char *format, const char *text, evdb_error *err)
{
    char stage[EVDB_CODEC_SPEC_MAX + 1], *parameters;
    const char *hole = strstr(format, "%s");
    size_t before = hole ? (size_t)(hole - format) : strlen(format);
    snprintf(stage, sizeof(stage), "%.*s%s%s", (int)before, format, hole ? text : "", hole ? hole + 2 : "");
    if ((parameters = strchr(stage, ':'))) *parameters++ = 0;
    return add(c, find(stage, strlen(stage)), parameters ? parameters : "", err);
}

static bool has_quantiser(const codec *c) { return c->count > c->transforms; }

static evdb_status complete(codec *c, evdb_error *err)
{
    if (has_quantiser(c)) return EVDB_OK;
    const codec_stage *last = c->count ? &c->stages[c->count - 1] : NULL;
    return last && last->kind->behind ? add_text(c, last->kind->behind, last->text, err) : add_text(c, "f32", "", err);
}

static evdb_status add(codec *c, const codec_kind *kind, const char *parameters, evdb_error *err)
{
    evdb_codec_stage stage = kind->of.stage;
    evdb_status rc = EVDB_OK;
    if (stage == EVDB_STAGE_QUANTISER && kind->before && !c->transforms) rc = add_text(c, kind->before, "", err);
    if (rc == EVDB_OK && stage == EVDB_STAGE_BYTES) rc = complete(c, err);
    if (rc != EVDB_OK) return rc;
    if (has_quantiser(c) && (stage != EVDB_STAGE_BYTES || c->count > c->transforms + 1))
        return error_set(err, EVDB_INVALID, "codec %s: may not follow %s: transforms, one quantiser, one byte codec is the order",
                         kind->of.name, c->stages[c->count - 1].kind->of.name);
    if (c->count == EVDB_CODEC_STAGES_MAX)
        return error_set(err, EVDB_INVALID, "a codec has more than %u stages", EVDB_CODEC_STAGES_MAX);
    codec_stage *s = &c->stages[c->count];
    *s = (codec_stage){ .kind = kind, .mem = &c->mem, .kernel = c->kernel };
    connect(c, s);
    c->count++;
    c->transforms += stage == EVDB_STAGE_TRANSFORM;
    return kind->configure(s, parameters, err);
}

evdb_status codec_reconnect(codec *c, uint32_t first, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    for (uint32_t i = first; i < c->count && rc == EVDB_OK; i++) {
        codec_stage *s = &c->stages[i];
        char parameters[CODEC_TEXT_MAX];
        memcpy(parameters, s->text, sizeof(parameters));
        connect(c, s);
        rc = s->kind->configure(s, parameters, err);
    }
    return rc;
}

/* One stage as it is written. */
static evdb_status add_written(codec *c, const char *at, size_t length, evdb_error *err)
{
    char parameters[EVDB_CODEC_SPEC_MAX + 1] = "";
    size_t name = strcspn(at, ":+");
    if (name > length) name = length;
    const codec_kind *kind = find(at, name);
    if (!kind) return unknown(at, name, err);
    if (name < length) memcpy(parameters, at + name + 1, length - name - 1);
    return add(c, kind, parameters, err);
}

static evdb_status write_spec(codec *c, evdb_error *err)
{
    size_t used = 0;
    for (uint32_t i = 0; i < c->count && used < sizeof(c->spec); i++) {
        const codec_stage *s = &c->stages[i];
        used += (size_t)snprintf(c->spec + used, sizeof(c->spec) - used, "%s%s%s%s", i ? "+" : "", s->kind->of.name,
                                 *s->text ? ":" : "", s->text);
    }
    return used < sizeof(c->spec) ? EVDB_OK : error_set(err, EVDB_INVALID, "a codec is at most %u bytes of text", EVDB_CODEC_SPEC_MAX);
}

evdb_status codec_parse(codec *c, const char *spec, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    if (!spec || !*spec) return error_set(err, EVDB_INVALID, "a codec is missing: 'i8', say");
    if (strlen(spec) > EVDB_CODEC_SPEC_MAX)
        return error_set(err, EVDB_INVALID, "a codec is at most %u bytes of text, not %zu", EVDB_CODEC_SPEC_MAX, strlen(spec));
    for (const char *at = spec; rc == EVDB_OK && at;) {
        size_t length = strcspn(at, "+");
        rc = add_written(c, at, length, err);
        at = at[length] ? at + length + 1 : NULL;
    }
    if (rc == EVDB_OK) rc = complete(c, err);
    return rc == EVDB_OK ? write_spec(c, err) : rc;
}

static evdb_status parse_alone(codec *c, const char *spec, uint32_t dim, evdb_error *err)
{
    *c = (codec){ .dim = dim, .mem = platform_real.mem, .kernel = kernel_best() };
    if (dim > EVDB_DIM_MAX) return error_set(err, EVDB_INVALID, "a vector has 1 to %u elements, not %u", EVDB_DIM_MAX, dim);
    return codec_parse(c, spec, err);
}

evdb_status codec_learns(const char *spec, uint32_t dim, bool *out, evdb_error *err)
{
    codec c;
    evdb_status rc = parse_alone(&c, spec, dim, err);
    *out = false;
    for (uint32_t i = 0; rc == EVDB_OK && i < c.count; i++) *out |= c.stages[i].sample || c.stages[i].kind->of.flags & EVDB_CODEC_TRAINED;
    return rc;
}

evdb_status codec_check(const char *spec, uint32_t dim, char *canonical, size_t *sample, evdb_error *err)
{
    codec c;
    evdb_status rc = parse_alone(&c, spec, dim, err);
    if (rc != EVDB_OK) return rc;
    if (canonical) memcpy(canonical, c.spec, sizeof(c.spec));
    if (sample) *sample = 0;
    for (uint32_t i = 0; sample && i < c.count; i++)
        if (c.stages[i].sample > *sample) *sample = c.stages[i].sample;
    return EVDB_OK;
}
