/* tree.c - implements tree.h. */
#include "tree.h"
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *dir_path(const char *dir, const char *name)
{
    char *path;
    if (asprintf(&path, "%s/%s", dir, name) < 0) err(2, "a path");
    return path;
}

char *dir_new(void)
{
    const char *base = getenv("TMPDIR");
    char *dir = dir_path(base && *base ? base : "/tmp", "evdb-fault-XXXXXX");
    if (!mkdtemp(dir)) err(2, "%s", dir);
    return dir;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

void dir_remove(char *dir)
{
    if (!dir) return;
    if (nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0) err(2, "remove %s", dir);
    free(dir);
}

unsigned dir_entries(const char *dir, const char *name, bool hidden)
{
    char *path = dir_path(dir, name);
    unsigned count = 0;
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && (!hidden || e->d_name[0] == '.');
    if (d) closedir(d);
    free(path);
    return count;
}

static void add(tree *t, const char *dir, const char *path)
{
    struct stat st;
    char *whole = dir_path(dir, path);
    int fd = open(whole, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) err(2, "%s", whole);
    tree_file f = { .path = strdup(path), .size = (size_t)st.st_size, .bytes = malloc((size_t)st.st_size + 1) };
    t->files = realloc(t->files, (t->count + 1) * sizeof(*t->files));
    if (!f.path || !f.bytes || !t->files) errx(2, "out of memory");
    if (read(fd, f.bytes, f.size) != (ssize_t)f.size) err(2, "read %s", whole);
    t->files[t->count++] = f;
    close(fd);
    free(whole);
}

/* By hand: nftw() has no context to add files to. */
static void collect(tree *t, const char *dir, const char *below)
{
    struct dirent **entries;
    char *whole = dir_path(dir, below);
    int count = scandir(whole, &entries, NULL, alphasort);
    if (count < 0) err(2, "%s", whole);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        struct stat st;
        char *path = *below ? dir_path(below, name) : strdup(name), *full = dir_path(dir, path);
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            if (stat(full, &st) != 0) err(2, "%s", full);
            if (S_ISDIR(st.st_mode)) collect(t, dir, path);
            else add(t, dir, path);
        }
        free(path);
        free(full);
        free(entries[i]);
    }
    free(entries);
    free(whole);
}

tree tree_read(const char *dir)
{
    tree t = { 0 };
    collect(&t, dir, "");
    return t;
}

/* Without what is zeros at the end of it: a log that was given room is little else. */
static bool write_bytes(int fd, const tree_file *f)
{
    size_t size = f->size;
    while (size && !f->bytes[size - 1]) size--;
    return write(fd, f->bytes, size) == (ssize_t)size && (size == f->size || ftruncate(fd, (off_t)f->size) == 0);
}

static void write_file(const tree_file *f, const char *dir)
{
    char *whole = dir_path(dir, f->path);
    for (char *slash = whole + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        if (mkdir(whole, 0777) != 0 && errno != EEXIST) err(2, "%s", whole);
        *slash = '/';
    }
    if (f->folder) {
        if (mkdir(whole, 0777) != 0 && errno != EEXIST) err(2, "%s", whole);
        free(whole);
        return;
    }
    int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || !write_bytes(fd, f)) err(2, "write %s", whole);
    close(fd);
    free(whole);
}

void tree_write(const tree *t, const char *dir)
{
    if (nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) err(2, "remove %s", dir);
    if (mkdir(dir, 0777) != 0) err(2, "%s", dir);
    for (size_t i = 0; i < t->count; i++)
        if (!t->files[i].absent) write_file(&t->files[i], dir);
}

void tree_free(tree *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->files[i].path);
        free(t->files[i].bytes);
    }
    free(t->files);
    *t = (tree){ 0 };
}

tree_file *tree_find(const tree *t, const char *end, unsigned n)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t length = strlen(t->files[i].path), wanted = strlen(end);
        if (length >= wanted && strcmp(t->files[i].path + length - wanted, end) == 0 && n-- == 0) return &t->files[i];
    }
    return NULL;
}
