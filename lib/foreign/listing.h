/* listing.h - names to choose from, for a message: as many as fit. */
#ifndef EVDB_FOREIGN_LISTING_H
#define EVDB_FOREIGN_LISTING_H
#include <stdio.h>

typedef struct listing {
    char text[160];
    int used;
} listing;

static inline void listing_add(listing *l, const char *name)
{
    int room = (int)sizeof(l->text) - l->used;
    int n = room > 0 ? snprintf(l->text + l->used, (size_t)room, "%s%.60s", l->used ? ", " : "", name) : 0;
    l->used = n < room ? l->used + n : (int)sizeof(l->text);
}
#endif
