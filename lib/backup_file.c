/* backup_file.c - implements backup_file.h. */
#include "backup_file.h"
#include "backup_private.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "platform/file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evdb_status put(void *context, const void *bytes, size_t count, evdb_error *err)
{
    backup_file *f = context;
    int failed = descriptor_write(&f->file, f->at, bytes, count);
    if (failed) return error_errno(err, failed, "write", f->file.path);
    descriptor_write_back(&f->file, f->at, count); /* much to sync at once would hold up the commits that come meanwhile */
    f->at += count;
    return EVDB_OK;
}

static evdb_status get(void *context, void *buffer, size_t capacity, size_t *got, evdb_error *err)
{
    backup_file *f = context;
    *got = f->size - f->at < capacity ? (size_t)(f->size - f->at) : capacity;
    int failed = *got ? descriptor_read(&f->file, f->at, buffer, *got) : 0;
    if (failed) return error_errno(err, failed, "read", f->file.path);
    f->at += *got;
    return EVDB_OK;
}

static evdb_status go_back(void *context, evdb_error *err)
{
    backup_file *f = context;
    (void)err;
    f->at = 0;
    return EVDB_OK;
}

evdb_sink backup_file_sink(backup_file *f) { return (evdb_sink){ f, put }; }
evdb_source backup_file_source(backup_file *f) { return (evdb_source){ f, get, go_back }; }

evdb_status backup_file_create(const platform *p, const char *path, backup_file *out, evdb_error *err)
{
    *out = (backup_file){ .file.fd = -1 };
    int failed = descriptor_create(p, path, &out->file);
    return failed ? error_errno(err, failed, "create", path) : EVDB_OK;
}

evdb_status backup_file_open(const platform *p, const char *path, backup_file *out, evdb_error *err)
{
    *out = (backup_file){ .file.fd = -1 };
    bool exists, directory;
    int failed = file_exists(path, &exists, &directory);
    if (!failed && !exists) return error_set(err, EVDB_NOT_FOUND, "%s: there is no such file", path);
    if (!failed && directory) return error_set(err, EVDB_INVALID, "%s: is a directory", path);
    if (!failed) failed = descriptor_open(p, path, &out->file);
    if (!failed) failed = descriptor_size(&out->file, &out->size);
    if (!failed) return EVDB_OK;
    descriptor_close(&out->file);
    return error_errno(err, failed, "open", path);
}

void backup_file_close(backup_file *f)
{
    if (f->file.platform) descriptor_close(&f->file);
}

/* ---- both ends ---- */

static evdb_status read_at(void *context, uint64_t at, void *buffer, size_t count, evdb_error *err)
{
    const backup_file *f = context;
    int failed = descriptor_read(&f->file, at, buffer, count);
    return failed ? error_errno(err, failed, "read", f->file.path) : EVDB_OK;
}

evdb_status backup_file_look(const platform *p, const char *path, evdb_backup_info *out, evdb_status *trouble, evdb_error *err)
{
    backup_file f;
    evdb_error why;
    *out = (evdb_backup_info)EVDB_BACKUP_INFO;
    evdb_status rc = backup_file_open(p, path, &f, &why);
    if (rc == EVDB_OK) {
        const evdb_bytes bytes = { .context = &f, .size = f.size, .read = read_at };
        rc = backup_look(p, &bytes, out, &why);
    }
    backup_file_close(&f);
    *trouble = rc;
    if (rc == EVDB_NO_MEMORY && err) *err = why;
    if (rc == EVDB_OK || rc == EVDB_NO_MEMORY) return rc;
    snprintf(out->problem, sizeof(out->problem), "%.255s", why.message);
    return EVDB_OK;
}

/* ---- folders ---- */

typedef struct listing {
    const platform *platform;
    const char *dir;
    backup_files *out;
    evdb_error *err;
    evdb_status rc;
} listing;

static int list_one(void *context, const char *file)
{
    listing *l = context;
    char path[4096], name[EVDB_BACKUP_NAME_MAX + 1];
    size_t length = strlen(file), suffix = sizeof(BACKUP_SUFFIX) - 1;
    if (length <= suffix || strcmp(file + length - suffix, BACKUP_SUFFIX) != 0 || length - suffix > EVDB_BACKUP_NAME_MAX) return 0;
    memcpy(name, file, length - suffix);
    name[length - suffix] = 0;
    if (evdb_backup_name_check(name, NULL) != EVDB_OK) return 0;
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", l->dir, file) >= sizeof(path)) return ENAMETOOLONG;
    evdb_backup_info *at = mem_resize(&l->platform->mem, l->out->at, l->out->count + 1, sizeof(*at));
    if (!at) {
        l->rc = error_no_memory(l->err, (l->out->count + 1) * sizeof(*at), "the list of backups");
        return ENOMEM;
    }
    l->out->at = at;
    evdb_status trouble;
    l->rc = backup_file_look(l->platform, path, &at[l->out->count], &trouble, l->err);
    if (l->rc != EVDB_OK) return ENOMEM;
    memcpy(at[l->out->count++].name, name, sizeof(name)); /* a file may have been renamed */
    if (trouble == EVDB_OK || trouble == EVDB_CORRUPT || trouble == EVDB_NOT_FOUND || trouble == EVDB_INVALID) return 0;
    l->out->unread = trouble;
    memcpy(l->out->unread_name, name, sizeof(name));
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const evdb_backup_info *)a)->name, ((const evdb_backup_info *)b)->name);
}

evdb_status backup_files_list(const platform *p, const char *dir, backup_files *out, evdb_error *err)
{
    *out = (backup_files){ .at = NULL };
    listing l = { .platform = p, .dir = dir, .out = out, .err = err };
    int failed = file_list(dir, list_one, &l);
    if (failed && failed != ENOENT) {
        mem_free(&p->mem, out->at);
        *out = (backup_files){ .at = NULL };
        return l.rc != EVDB_OK ? l.rc : error_errno(err, failed, "read", dir);
    }
    if (out->count) qsort(out->at, out->count, sizeof(*out->at), by_name);
    return EVDB_OK;
}
