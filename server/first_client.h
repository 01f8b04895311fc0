/* first_client.h - the client a new database begins with. */
#ifndef FIRST_CLIENT_H
#define FIRST_CLIENT_H
#include "config/config.h"

/* When there are no clients and create_default_client is set: registers default_client_id with all scopes. Its
 * secret is the configured one, or made and written to DIR/admin.secret (mode 0600), or, in memory, to the log's terminal
 * once. With --dev the client admin has the published secret, whatever it had before; without --dev that client is
 * refused while it has it. */
evdb_status first_client(evdb *db, const config *c, evdb_error *err);

#endif
