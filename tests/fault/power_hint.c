/* power_hint.c - implements power_hint.h. */
#include "power_hint.h"
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void power_hint_note(power_hint *h, const io_event *event)
{
    static const char name[] = "/hint"; /* system.hint is mapped too */
    size_t length = event->kind == IO_MAP ? strlen(event->path) : 0;
    if (length >= strlen(name) && !*h->path && strcmp(event->path + length - strlen(name), name) == 0)
        snprintf(h->path, sizeof(h->path), "%s", event->path);
    FILE *hint = *h->path ? fopen(h->path, "re") : NULL;
    if (!hint) return;
    if (fread(h->bytes, 1, sizeof(h->bytes), hint) != sizeof(h->bytes)) memset(h->bytes, 0, sizeof(h->bytes));
    fclose(hint);
}

void power_hint_add(tree *files, const power_hint *h, const char *dir)
{
    tree_file *grown = realloc(files->files, (files->count + 1) * sizeof(*files->files));
    if (!grown) errx(2, "out of memory");
    files->files = grown;
    tree_file *f = &files->files[files->count++];
    *f = (tree_file){ .path = strdup(h->path + strlen(dir) + 1), .size = HINT_SIZE, .bytes = malloc(HINT_SIZE) };
    if (!f->bytes || !f->path) errx(2, "out of memory");
    memcpy(f->bytes, h->bytes, HINT_SIZE);
}
