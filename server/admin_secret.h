/* admin_secret.h - DIR/admin.secret: the secret that was made for the first client, as long as it is good.
 *
 * The file holds the secret and a newline, mode 0600. Once the client has another secret, whoever gave it, the file says
 * nothing any more and is removed: at the next start, or within a second while evdbd runs. */
#ifndef ADMIN_SECRET_H
#define ADMIN_SECRET_H
#include <evdb.h>
#include <stdbool.h>

enum { ADMIN_SECRET_PATH_BYTES = 4096 };

typedef struct admin_secret {
    evdb *db;
    const char *dir; /* NULL = none is looked for */
    bool watched;                       /* the file is there, and its secret was good when it was last looked at */
    char path[ADMIN_SECRET_PATH_BYTES]; /* DIR/admin.secret */
    char token[EVDB_TOKEN_BYTES];       /* is refused once the secret has changed; asking costs microseconds */
} admin_secret;

/* Held while a secret is replaced and its file written, and while a file is removed whose secret was: no process may take a new file
 * for the one of before. Waits; to be given back with admin_secret_unlock(). */
int admin_secret_lock(const char *dir);
void admin_secret_unlock(int lock);

/* With the lock held. */
evdb_status admin_secret_write(const char *dir, const char *client, const char *secret, evdb_error *err);
/* Looks for the file; one whose secret no client has is removed. */
void admin_secret_watch(admin_secret *s, evdb *db, const char *dir);
/* Removes the file when its secret has been replaced, and watches another that has come. */
void admin_secret_look(admin_secret *s);

#endif
