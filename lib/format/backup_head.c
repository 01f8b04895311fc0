/* backup_head.c - implements format/backup_head.h. */
#include "format/backup_head.h"
#include <evdb/expiry.h>
#include <evdb/trash.h>
#include "base/checksum.h"
#include "base/error.h"
#include "base/try.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char head_magic[8] = { 'e', 'v', 'd', 'b', 'b', 'a', 'c', 'k' };
static const char foot_magic[8] = { 'e', 'v', 'd', 'b', 'f', 'o', 'o', 't' };
static const char encryption[] = "secretstream_xchacha20poly1305";
_Static_assert(sizeof(backup_foot) == 88, "a foot has no holes");

static evdb_status damaged(evdb_error *err, const char *what)
{
    return error_set(err, EVDB_CORRUPT, "the backup is damaged: %s", what);
}

/* ---- ids ---- */

static void hex(const unsigned char *bytes, size_t size, char *out)
{
    for (size_t i = 0; i < size; i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void backup_id_text(const unsigned char *id, char out[2 * BACKUP_ID + 1]) { hex(id, BACKUP_ID, out); }

bool backup_id_parse(const char *text, unsigned char *out, size_t size)
{
    if (strnlen(text, 2 * size + 1) != 2 * size) return false;
    for (size_t i = 0; i < size; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* ---- writing ---- */

static json_t *describe(const backup_head *h)
{
    const evdb_store_info *s = &h->store;
    char id[2 * BACKUP_ID + 1], base[2 * BACKUP_ID + 1] = "", salt[2 * BACKUP_SALT + 1];
    hex(h->id, BACKUP_ID, id);
    if (!h->full) hex(h->base, BACKUP_ID, base);
    json_t *fields = json_array();
    for (uint32_t i = 0; i < s->field_count; i++)
        if (json_array_append_new(fields, json_string(s->fields[i])) != 0) {
            json_decref(fields);
            return NULL;
        }
    json_t *root = json_pack("{ss ss ss ss ss sI sI si ss ss si si si si sI so}", "name", h->name, "store", s->name, "uuid", s->uuid, "id", id,
                             "base", base, "base_sequence", (json_int_t)h->base_sequence, "created_ms", (json_int_t)h->created_ms,
                             "dim", (int)s->dim, "metric", evdb_metric_name(s->metric), "dtype", evdb_dtype_name(s->dtype),
                             "id_type", (int)s->id_type, "m", (int)s->m, "ef_construction", (int)s->ef_construction,
                             "index_threads", (int)s->index_threads, "store_created_ms", (json_int_t)s->created_ms, "fields", fields);
    if (!root) return NULL;
    bool made = (!s->metric_name || json_object_set_new(root, "metric_name", json_string(s->metric_name)) == 0) &&
                (!s->codec || json_object_set_new(root, "codec", json_string(s->codec)) == 0) &&
                (!s->ttl_ms || json_object_set_new(root, "ttl_ms", json_integer(s->ttl_ms)) == 0) &&
                (!s->trash_ms || json_object_set_new(root, "trash_ms", json_integer(s->trash_ms)) == 0) &&
                (!s->authors || json_object_set_new(root, "authors", json_true()) == 0);
    if (made && h->encrypted) {
        hex(h->salt, BACKUP_SALT, salt);
        made = json_object_set_new(root, "encryption", json_string(encryption)) == 0 &&
               json_object_set_new(root, "salt", json_string(salt)) == 0;
    }
    if (made) return root;
    json_decref(root);
    return NULL;
}

/* jansson does not look at every answer, so a failure stays. */
typedef struct taking {
    buf *to;
    bool failed;
} taking;

static int take(const char *text, size_t length, void *context)
{
    taking *t = context;
    t->failed |= !buf_add(t->to, text, length);
    return t->failed ? -1 : 0;
}

evdb_status backup_head_write(backup_head *h, buf *out, evdb_error *err)
{
    h->format = BACKUP_FORMAT;
    json_t *root = describe(h);
    size_t from = out->size;
    uint32_t numbers[2] = { BACKUP_FORMAT, 0 };
    taking t = { .to = out };
    bool made = root && buf_add(out, head_magic, sizeof(head_magic)) && buf_add(out, numbers, sizeof(numbers)) &&
                json_dump_callback(root, take, &t, JSON_COMPACT) == 0 && !t.failed;
    json_decref(root);
    if (!made) return error_no_memory(err, BACKUP_FIXED, "a backup's head");
    numbers[1] = (uint32_t)(out->size - from - BACKUP_FIXED);
    memcpy(out->at + from + sizeof(head_magic), numbers, sizeof(numbers));
    h->sum = checksum(out->at + from, out->size - from, BACKUP_FORMAT);
    return buf_add(out, &h->sum, sizeof(h->sum)) ? EVDB_OK : error_no_memory(err, sizeof(h->sum), "a backup's head");
}

/* ---- reading ---- */

evdb_status backup_head_size(const void *fixed, size_t *out, evdb_error *err)
{
    uint32_t numbers[2];
    if (memcmp(fixed, head_magic, sizeof(head_magic)) != 0) return error_set(err, EVDB_CORRUPT, "this is no backup");
    memcpy(numbers, (const char *)fixed + sizeof(head_magic), sizeof(numbers));
    if (numbers[0] > BACKUP_FORMAT)
        return error_set(err, EVDB_NEWER, "the backup is of format %u, but this evdb knows formats up to %d", numbers[0], BACKUP_FORMAT);
    if (numbers[0] == 0 || numbers[1] > BACKUP_JSON_MAX) return damaged(err, "its head makes no sense");
    *out = BACKUP_FIXED + numbers[1] + sizeof(uint64_t);
    return EVDB_OK;
}

static bool text(const json_t *root, const char *key, char *out, size_t size)
{
    const json_t *v = json_object_get(root, key);
    if (!json_is_string(v) || json_string_length(v) >= size) return false;
    memcpy(out, json_string_value(v), json_string_length(v) + 1);
    return true;
}

static bool number(const json_t *root, const char *key, int64_t least, int64_t most, int64_t *out)
{
    const json_t *v = json_object_get(root, key);
    *out = (int64_t)json_integer_value(v);
    return json_is_integer(v) && *out >= least && *out <= most;
}

/* One that need not be there. */
static bool optional(const json_t *root, const char *key, size_t most, const char **out)
{
    const json_t *v = json_object_get(root, key);
    *out = json_string_value(v);
    return !v || (json_is_string(v) && json_string_length(v) >= 1 && json_string_length(v) <= most);
}

static bool read_fields(const json_t *root, backup_head *h)
{
    const json_t *fields = json_object_get(root, "fields");
    if (!json_is_array(fields) || json_array_size(fields) > EVDB_STORE_FIELDS_MAX) return false;
    h->store.field_count = (uint32_t)json_array_size(fields);
    h->store.fields = h->fields;
    for (uint32_t i = 0; i < h->store.field_count; i++)
        if (!(h->fields[i] = json_string_value(json_array_get(fields, i)))) return false;
    return true;
}

static bool read_store(const json_t *root, backup_head *h)
{
    evdb_store_info *s = &h->store;
    int64_t dim, id_type, m, ef, threads;
    char metric[32], dtype[16];
    bool read = text(root, "store", s->name, sizeof(s->name)) && text(root, "uuid", s->uuid, sizeof(s->uuid)) &&
                text(root, "metric", metric, sizeof(metric)) && text(root, "dtype", dtype, sizeof(dtype)) &&
                number(root, "dim", 0, EVDB_DIM_MAX, &dim) && number(root, "id_type", 0, EVDB_ID_STRING, &id_type) &&
                number(root, "m", 0, UINT32_MAX, &m) && number(root, "ef_construction", 0, UINT32_MAX, &ef) &&
                number(root, "index_threads", 0, UINT32_MAX, &threads) &&
                number(root, "store_created_ms", INT64_MIN, INT64_MAX, &s->created_ms) &&
                optional(root, "metric_name", EVDB_METRIC_NAME_MAX, &s->metric_name) &&
                optional(root, "codec", EVDB_CODEC_SPEC_MAX, &s->codec) &&
                (!json_object_get(root, "ttl_ms") || number(root, "ttl_ms", 0, EVDB_TTL_MAX_MS, &s->ttl_ms)) &&
                (!json_object_get(root, "trash_ms") || number(root, "trash_ms", 0, EVDB_TRASH_MAX_MS, &s->trash_ms)) && read_fields(root, h) &&
                evdb_metric_parse(metric, &s->metric, NULL) == EVDB_OK && evdb_dtype_parse(dtype, &s->dtype, NULL) == EVDB_OK;
    if (!read) return false;
    s->dim = (uint32_t)dim;
    s->id_type = (evdb_id_type)id_type;
    s->authors = json_is_true(json_object_get(root, "authors"));
    s->m = (uint32_t)m;
    s->ef_construction = (uint32_t)ef;
    s->index_threads = (uint32_t)threads;
    return true;
}

static bool read_identity(const json_t *root, backup_head *h)
{
    char id[2 * BACKUP_ID + 1], base[2 * BACKUP_ID + 1], salt[2 * BACKUP_SALT + 1];
    int64_t sequence;
    const char *how;
    if (!text(root, "name", h->name, sizeof(h->name)) || !text(root, "id", id, sizeof(id)) || !text(root, "base", base, sizeof(base)) ||
        !number(root, "base_sequence", 0, INT64_MAX, &sequence) || !number(root, "created_ms", INT64_MIN, INT64_MAX, &h->created_ms) ||
        !optional(root, "encryption", sizeof(encryption), &how) || !backup_id_parse(id, h->id, BACKUP_ID))
        return false;
    h->base_sequence = (uint64_t)sequence;
    h->full = !*base;
    h->encrypted = how != NULL;
    if (h->full ? sequence != 0 : !backup_id_parse(base, h->base, BACKUP_ID)) return false;
    return !how || (strcmp(how, encryption) == 0 && text(root, "salt", salt, sizeof(salt)) && backup_id_parse(salt, h->salt, BACKUP_SALT));
}

evdb_status backup_head_read(const void *bytes, size_t size, backup_head *out, evdb_error *err)
{
    uint64_t sum;
    json_error_t why;
    size_t json = size - BACKUP_FIXED - sizeof(sum);
    *out = (backup_head){ .format = BACKUP_FORMAT };
    memcpy(&sum, (const char *)bytes + size - sizeof(sum), sizeof(sum));
    out->sum = checksum(bytes, size - sizeof(sum), BACKUP_FORMAT);
    if (sum != out->sum) return damaged(err, "the checksum of its head does not match");
    json_t *root = json_loadb((const char *)bytes + BACKUP_FIXED, json, JSON_REJECT_DUPLICATES, &why);
    if (!root && json_error_code(&why) == json_error_out_of_memory) return error_no_memory(err, json, "a backup's head");
    out->own = root;
    if (json_is_object(root) && read_identity(root, out) && read_store(root, out)) return EVDB_OK;
    backup_head_free(out);
    return damaged(err, "its head makes no sense");
}

void backup_head_free(backup_head *h)
{
    json_decref(h->own); /* NULL is fine */
    h->own = NULL;
}

/* ---- feet ---- */

void backup_foot_seal(backup_foot *foot)
{
    memcpy(foot->magic, foot_magic, sizeof(foot_magic));
    foot->sum = checksum(foot, offsetof(backup_foot, sum), BACKUP_FORMAT);
}

evdb_status backup_foot_check(const backup_foot *foot, const backup_head *head, evdb_error *err)
{
    if (memcmp(foot->magic, foot_magic, sizeof(foot_magic)) != 0) return damaged(err, "it is cut short");
    if (foot->sum != checksum(foot, offsetof(backup_foot, sum), BACKUP_FORMAT)) return damaged(err, "the checksum of its foot does not match");
    if (foot->head_sum != head->sum) return damaged(err, "its foot belongs to another one");
    /* half of what numbers can be is beyond every store, and leaves room for changes to come */
    if (foot->sequence < head->base_sequence || foot->sequence > INT64_MAX / 2) return damaged(err, "its foot makes no sense");
    return EVDB_OK;
}

void backup_info_fill(const backup_head *head, const backup_foot *foot, evdb_backup_info *out)
{
    const evdb_store_info *s = &head->store;
    *out = (evdb_backup_info)EVDB_BACKUP_INFO;
    snprintf(out->name, sizeof(out->name), "%s", head->name); /* what lies behind a text's end may be anything */
    snprintf(out->store, sizeof(out->store), "%s", s->name);
    snprintf(out->uuid, sizeof(out->uuid), "%s", s->uuid);
    backup_id_text(head->id, out->id);
    if (!head->full) backup_id_text(head->base, out->base);
    out->base_sequence = head->base_sequence;
    out->created_ms = head->created_ms;
    out->dim = s->dim;
    out->metric = s->metric;
    out->dtype = s->dtype;
    out->encrypted = head->encrypted;
    out->format = head->format;
    snprintf(out->codec, sizeof(out->codec), "%s", s->codec ? s->codec : "");
    if (!foot) return;
    out->sequence = foot->sequence;
    out->records = foot->records;
    out->entries = foot->entries;
    out->raw_bytes = foot->raw_bytes;
    out->file_bytes = foot->body_bytes + sizeof(*foot);
    out->finished_ms = foot->finished_ms;
}
