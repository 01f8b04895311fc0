/* scratch.c - implements scratch.h. */
#include "scratch.h"
#include "expect.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int scratch_closed(void **state)
{
    scratch *t = calloc(1, sizeof(*t));
    const char *under = getenv("TMPDIR");
    if (!t) return -1;
    *state = t;
    snprintf(t->dir, sizeof(t->dir) - 4, "%s/evdb-XXXXXX", under ? under : "/tmp");
    if (!mkdtemp(t->dir)) return -1;
    snprintf(t->path, sizeof(t->path), "%.500s/db", t->dir);
    return 0;
}

int scratch_open(void **state)
{
    if (scratch_closed(state) != 0) return -1;
    scratch *t = *state;
    return evdb_open(t->path, NULL, &t->db, NULL) == EVDB_OK ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st, (void)kind, (void)where;
    return remove(path);
}

int scratch_remove(void **state)
{
    scratch *t = *state;
    evdb_close(t->db);
    int failed = nftw(t->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(t);
    return failed;
}

const char *scratch_path(const scratch *t, const char *name)
{
    static char path[2 * SCRATCH_PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", t->dir, name);
    return path;
}

char *scratch_content(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

void scratch_reopen(scratch *t)
{
    evdb_close(t->db);
    t->db = NULL;
    ok(evdb_open(t->path, NULL, &t->db, &why));
}

evdb_store *scratch_store(scratch *t, const char *name, uint32_t dim, evdb_metric metric)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    o.dim = dim;
    o.metric = metric;
    ok(evdb_store_create(t->db, name, &o, &store, &why));
    return store;
}

const char *scratch_folder(evdb_store *store, const scratch *t)
{
    static char path[2 * SCRATCH_PATH_MAX];
    evdb_store_info *info;
    ok(evdb_store_describe(store, &info, &why));
    snprintf(path, sizeof(path), "%s/stores/%s", t->path, info->uuid);
    evdb_store_info_free(info);
    return path;
}

uint64_t scratch_count(evdb_store *store)
{
    uint64_t count;
    ok(evdb_store_count(store, &count, &why));
    return count;
}
