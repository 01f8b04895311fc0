/* first_client.h - the client a new database begins with. */
#ifndef FIRST_CLIENT_H
#define FIRST_CLIENT_H
#include "config/config.h"

/* What it may do, and how it gets its tokens: everything. */
enum { FIRST_CLIENT_SCOPES = EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN,
       FIRST_CLIENT_GRANTS = EVDB_GRANT_CLIENT_CREDENTIALS | EVDB_GRANT_REFRESH_TOKEN };

/* When there are no clients and create_default_client is set: registers default_client_id with all scopes. Its secret is
 * the configured one, or made and written to DIR/admin.secret, or, for a server in memory, printed to standard output once.
 *
 * With --dev the client admin has the published secret; EVDB_EXISTS when it has one of its own already. Without --dev an
 * admin that still has the published one gets another, told in the same way. */
evdb_status first_client(evdb *db, const config *c, evdb_error *err);

#endif
