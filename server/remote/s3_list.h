/* s3_list.h - a page of a list of objects, as ListObjectsV2 answers with. */
#ifndef REMOTE_S3_LIST_H
#define REMOTE_S3_LIST_H
#include "op/op_bucket.h"
#include <stdbool.h>

enum { S3_TOKEN_MAX = 2048 };

typedef struct s3_page {
    const char *prefix; /* is cut off names; objects without it are passed over */
    evdb_status (*each)(void *to, const op_object *object, evdb_error *err);
    void *to;
    bool more;                    /* there are other pages ... */
    char token[S3_TOKEN_MAX + 1]; /* ... from here on */
    /* while one is read */
    bool named, sized, list;
    op_object object;
    evdb_status rc;
    evdb_error *err;
} s3_page;

/* Reads a page, and sets `more` and `token`; text is written over. EVDB_REMOTE when it makes no sense; failures of each() as they are. */
evdb_status s3_page_read(s3_page *page, char *text, size_t size, evdb_error *err);

#endif
