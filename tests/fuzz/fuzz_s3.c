/* fuzz_s3.c - any bytes as what an S3 server answers: as XML elements nest and texts end, and a list has names that can be. */
#include "remote/s3_list.h"
#include "remote/xml.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound)
{
    if (!sound) abort();
}

static bool element(void *context, const char *path, const char *text)
{
    size_t *most = context;
    check(*path && strlen(path) < XML_PATH_MAX);
    check(strlen(text) <= *most);
    return true;
}

static evdb_status note(void *to, const op_object *object, evdb_error *err)
{
    size_t *count = to;
    (void)err;
    ++*count;
    check(*object->name && strlen(object->name) <= OP_OBJECT_NAME_MAX && !strchr(object->name, '/'));
    check(memchr(object->tag, 0, sizeof object->tag) != NULL);
    return EVDB_OK;
}

static char *copy_of(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    check(copy != NULL);
    if (size) memcpy(copy, data, size);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t count = 0, most = size;
    evdb_error err;
    char *text = copy_of(data, size);
    bool document = xml_read(text, size, element, &most);
    free(text);
    s3_page *page = calloc(1, sizeof *page);
    check(page != NULL);
    *page = (s3_page){ .prefix = size % 2 ? "" : "e/", .each = note, .to = &count };
    text = copy_of(data, size);
    evdb_status rc = s3_page_read(page, text, size, &err);
    check(rc == EVDB_REMOTE || (rc == EVDB_OK && document && (!page->more || *page->token)));
    check(count <= size);
    free(text);
    free(page);
    return 0;
}
