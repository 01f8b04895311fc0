/* fuzz_merge.c - any bytes as metadata and as a patch of it: what both are merged into is metadata again, means what a merge of trees
 * (RFC 7396) means, and is the same when it is merged once more.
 *
 * Input: metadata, a NUL, a patch. */
#include "base/json_text.h"
#include "format/json_merge.h"
#include "platform/platform.h"
#include <evdb/record.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound)
{
    if (!sound) abort();
}

/* Section 2 of the RFC. */
static json_t *merged_tree(const json_t *target, json_t *patch)
{
    const char *key;
    json_t *value;
    if (!json_is_object(patch)) return json_incref(patch);
    json_t *out = json_is_object(target) ? json_copy((json_t *)(uintptr_t)target) : json_object();
    json_object_foreach(patch, key, value) {
        if (json_is_null(value)) json_object_del(out, key);
        else check(json_object_set_new(out, key, merged_tree(json_object_get(out, key), value)) == 0);
    }
    return out;
}

static json_t *tree(const buf *text)
{
    json_t *made = json_loadb(text->at, text->size, 0, NULL);
    check(made != NULL);
    return made;
}

static bool same(const buf *a, const buf *b) { return a->size == b->size && memcmp(a->at, b->at, a->size) == 0; }

static void check_merge(const buf *target, const buf *patch)
{
    buf merged, again, checked;
    buf *const all[] = { &merged, &again, &checked };
    for (size_t i = 0; i < 3; i++) buf_init(all[i], &platform_real.mem);
    check(json_merge(target->at, target->size, patch->at, patch->size, &merged, NULL) == EVDB_OK);
    check(json_merge(merged.at, merged.size, patch->at, patch->size, &again, NULL) == EVDB_OK && same(&merged, &again));
    check(json_text_object(merged.at, merged.size, &checked, NULL) == EVDB_OK && same(&merged, &checked));
    json_t *a = tree(target), *b = tree(patch), *is = tree(&merged), *wanted = merged_tree(a, b);
    check(json_equal(is, wanted));
    json_decref(a), json_decref(b), json_decref(is), json_decref(wanted);
    for (size_t i = 0; i < 3; i++) buf_free(all[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, 0, size);
    const char *patch_at = end ? (const char *)end + 1 : NULL;
    buf target, patch;
    if (!end || size > EVDB_METADATA_BYTES_MAX / 2) return 0; /* together they are not too large */
    buf_init(&target, &platform_real.mem);
    buf_init(&patch, &platform_real.mem);
    bool both = json_text_object((const char *)data, (size_t)(end - data), &target, NULL) == EVDB_OK &&
                json_text_object(patch_at, size - (size_t)(end + 1 - data), &patch, NULL) == EVDB_OK;
    if (both) check_merge(&target, &patch);
    buf_free(&target);
    buf_free(&patch);
    return 0;
}
