/* table.h - columns of text, aligned. */
#ifndef TABLE_H
#define TABLE_H
#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS_MAX 12

typedef struct table {
    size_t columns, cells, capacity;
    bool right[TABLE_COLUMNS_MAX]; /* numbers stand to the right */
    char **cell;                   /* row by row; owned */
} table;

/* Takes text over (NULL is out of memory); false when there was no room. */
bool table_add(table *t, char *text);
/* Prints to stdout; the first row is a heading when asked. The last column is cut to the terminal's width. */
void table_print(const table *t, bool heading);
void table_free(table *t);
#endif
