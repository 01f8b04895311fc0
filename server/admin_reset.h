/* admin_reset.h - a new secret for the first client, for whoever owns the database: `evdbd admin reset`.
 *
 * The client default_client_id gets another secret, and is registered again when it was removed or may not administer any more. The secret
 * is in DIR/admin.secret, as at a first start (admin_secret.h). It is an act in the audit log. */
#ifndef ADMIN_RESET_H
#define ADMIN_RESET_H
#include "config/config.h"

/* For this user of the machine, who has been found to be the owner. */
evdb_status admin_reset(evdb *db, const char *dir, const char *client, unsigned long uid, evdb_error *err);
/* The command: asks the server that runs on the directory (admin_socket.h), or, when there is none, does it on the database. Prints where
 * the secret is; answers the exit status. */
int admin_reset_run(const config *c);

#endif
