/* target.c - implements token/target.h. */
#include "token/target.h"
#include "proto/address.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add(char audience[EVDB_AUDIENCE_MAX + 1], const char *uri)
{
    size_t used = strlen(audience), room = EVDB_AUDIENCE_MAX + 1 - used;
    return (size_t)snprintf(audience + used, room, "%s%s", used ? " " : "", uri) < room;
}

const char *target_read(const service *s, const char *form, char audience[EVDB_AUDIENCE_MAX + 1])
{
    bool found = true;
    *audience = 0;
    for (const char *rest = form;;) {
        char *uri = http_parameter_next(&rest, "resource", &found);
        if (!found) return NULL;
        const char *why = s->token_format == EVDB_TOKEN_OPAQUE ? "tokens of this server are opaque, and good for all of it: leave out resource"
                          : !uri || !address_is_resource(s, uri) ? "resource is none of this server's"
                          : !add(audience, uri) ? "there are too many resources" : NULL;
        free(uri);
        if (why) return why;
    }
}
