/* table.c - implements table.h. */
#include "table.h"
#include "terminal.h"
#include <stdlib.h>
#include <string.h>

#define GAP 2 /* blanks between columns */

bool table_add(table *t, char *text)
{
    if (text && t->cells == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 64;
        char **grown = realloc(t->cell, capacity * sizeof *grown);
        if (grown) {
            t->cell = grown;
            t->capacity = capacity;
        }
    }
    if (!text || t->cells == t->capacity) {
        free(text);
        return false;
    }
    t->cell[t->cells++] = text;
    return true;
}

/* Characters, not bytes: UTF-8 continuation bytes take no room. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* Shortens text to width characters, the last one an ellipsis. */
static void cut(char *text, size_t width)
{
    size_t seen = 0, length = strlen(text);
    for (char *p = text; *p; p++) {
        if (((unsigned char)*p & 0xc0) == 0x80 || ++seen < width) continue;
        if (p + 3 <= text + length) memcpy(p, "\xe2\x80\xa6", 4);
        else *p = '\0';
        return;
    }
}

static void put_cell(const table *t, size_t i, size_t width)
{
    size_t column = i % t->columns, own = width_of(t->cell[i]);
    int pad = own < width ? (int)(width - own) : 0;
    if (t->right[column]) printf("%*s", pad, "");
    terminal_put(stdout, t->cell[i]);
    if (column + 1 < t->columns) printf("%*s", GAP + (t->right[column] ? 0 : pad), "");
}

void table_print(const table *t, bool heading)
{
    size_t width[TABLE_COLUMNS_MAX] = { 0 }, before = 0, terminal = terminal_width(stdout);
    bool bold = heading && terminal_colour(stdout);
    for (size_t i = 0; i < t->cells; i++) {
        size_t own = width_of(t->cell[i]), *widest = &width[i % t->columns];
        if (own > *widest) *widest = own;
    }
    for (size_t c = 0; c + 1 < t->columns; c++) before += width[c] + GAP;
    for (size_t i = 0; i < t->cells; i++) {
        size_t column = i % t->columns;
        bool last = column + 1 == t->columns;
        if (last && terminal > before + 8 && width_of(t->cell[i]) > terminal - before) cut(t->cell[i], terminal - before);
        if (bold && i == 0) fputs("\033[1m", stdout);
        put_cell(t, i, last && !t->right[column] ? 0 : width[column]);
        if (bold && i + 1 == t->columns) fputs("\033[0m", stdout);
        if (last) putchar('\n');
    }
}

void table_free(table *t)
{
    for (size_t i = 0; i < t->cells; i++) free(t->cell[i]);
    free(t->cell);
}
