/* tree.h - directories that tests may damage: made below $TMPDIR, held in memory as a list of files, altered there and
 * written out again. Failures of the test's own file operations end the program with a message. */
#ifndef TESTS_FAULT_TREE_H
#define TESTS_FAULT_TREE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A new empty directory; give it back with dir_remove(), which removes all below it and frees the path. */
char *dir_new(void);
void dir_remove(char *dir);
/* "dir/name", to be freed. */
char *dir_path(const char *dir, const char *name);

/* What there is in dir/name; `hidden`: only names that begin with a dot. 0 when it is missing. */
unsigned dir_entries(const char *dir, const char *name, bool hidden);

typedef struct tree_file {
    char *path; /* below the directory */
    unsigned char *bytes;
    size_t size;
    int absent; /* 1 = tree_write() leaves it out */
    bool folder; /* an empty one: tree_read() tells of none */
} tree_file;

typedef struct tree {
    tree_file *files;
    size_t count;
} tree;

/* All regular files below dir, sorted by path. */
tree tree_read(const char *dir);
/* Makes dir hold these files and no others. */
void tree_write(const tree *t, const char *dir);
void tree_free(tree *t);
/* The n-th file (from 0) whose path ends so, or NULL. */
tree_file *tree_find(const tree *t, const char *end, unsigned n);

#endif
