/* api_key.h - what API keys look like: people, and programs that look for secrets where none may be, know one when they see it.
 *
 *   "evdbkey_" id "_" secret check        [0-9a-f]{16}, [A-Za-z0-9_-]{43}, [A-Za-z0-9_-]{6}
 *
 * The id finds it in system.db and in lists, and is not secret. check is base64url of the first four bytes of SHA-256 of all that
 * stands before it, so that a text that was cut or mistyped is refused before anything is looked up. */
#ifndef EVDB_AUTH_API_KEY_H
#define EVDB_AUTH_API_KEY_H
#include "platform/platform.h"
#include <evdb/auth.h>
#include <stdbool.h>

/* A new one, and its id. */
void api_key_draw(const platform *p, char id[EVDB_API_KEY_ID_BYTES], char text[EVDB_API_KEY_BYTES]);
/* Does the text begin like one? */
bool api_key_looks_so(const char *text);
/* Its id; false for what is no whole API key. Says nothing of whether there is such a one. */
bool api_key_read(const char *text, char id[EVDB_API_KEY_ID_BYTES]);
/* Could this be an id? */
bool api_key_id_good(const char *id);

#endif
