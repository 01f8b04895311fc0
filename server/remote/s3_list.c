/* s3_list.c - implements remote/s3_list.h. */
#include "remote/s3_list.h"
#include "op/op.h"
#include "remote/xml.h"
#include <string.h>

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Without the prefix and decoded: keys were asked for with %XX. Others than ours are no names of backups, and left out. */
static bool take_key(const s3_page *p, const char *key, char out[OP_OBJECT_NAME_MAX + 1])
{
    size_t skip = strlen(p->prefix), at = 0;
    for (; *key; key++) {
        char c = *key == '+' ? ' ' : *key;
        if (c == '%') {
            int high = digit(key[1]), low = high < 0 ? -1 : digit(key[2]);
            if (low < 0) return false;
            c = (char)(high << 4 | low);
            key += 2;
        }
        if (skip) {
            if (c != p->prefix[strlen(p->prefix) - skip]) return false;
            skip--;
            continue;
        }
        if (at == OP_OBJECT_NAME_MAX || !c || c == '/') return false;
        out[at++] = c;
    }
    out[at] = 0;
    return !skip && at > 0;
}

static bool take_size(const char *text, uint64_t *out)
{
    *out = 0;
    if (!*text || strlen(text) > 18) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        *out = *out * 10 + (uint64_t)(*text - '0');
    }
    return true;
}

static bool end_object(s3_page *p)
{
    bool good = p->sized || !p->named;
    if (p->named && p->sized) p->rc = p->each(p->to, &p->object, p->err);
    p->named = p->sized = false;
    p->object = (op_object){ .size = 0 };
    return good && p->rc == EVDB_OK;
}

static bool element(void *context, const char *path, const char *text)
{
    s3_page *p = context;
    if (strcmp(path, "ListBucketResult/Contents/Key") == 0) p->named = take_key(p, text, p->object.name);
    else if (strcmp(path, "ListBucketResult/Contents/Size") == 0) return p->sized = take_size(text, &p->object.size);
    else if (strcmp(path, "ListBucketResult/Contents/ETag") == 0) {
        if (strlen(text) < sizeof p->object.tag) memcpy(p->object.tag, text, strlen(text) + 1);
    } else if (strcmp(path, "ListBucketResult/Contents") == 0) return end_object(p);
    else if (strcmp(path, "ListBucketResult/IsTruncated") == 0) p->more = strcmp(text, "true") == 0;
    else if (strcmp(path, "ListBucketResult/NextContinuationToken") == 0) {
        if (strlen(text) > S3_TOKEN_MAX) return false;
        memcpy(p->token, text, strlen(text) + 1);
    } else if (strcmp(path, "ListBucketResult") == 0) p->list = true;
    return true;
}

evdb_status s3_page_read(s3_page *page, char *text, size_t size, evdb_error *err)
{
    *page->token = 0;
    page->more = page->named = page->sized = page->list = false;
    page->object = (op_object){ .size = 0 };
    page->rc = EVDB_OK;
    page->err = err;
    bool read = xml_read(text, size, element, page);
    if (page->rc != EVDB_OK) return page->rc;
    if (!read || !page->list || (page->more && !*page->token)) return op_fail(err, EVDB_REMOTE, "that is no list of objects");
    return EVDB_OK;
}
