/* op_audit.h - what administers the database goes into its audit log (evdb/audit.h), by whichever protocol it comes.
 *
 * Before an act changes anything, an entry says that it begins; without that entry there is no act. Another one says how it ended, before
 * anybody is answered. Acts that only read have the second one alone. An end that cannot be written leaves the first entry by itself,
 * which tells that the act may have been done: it was, and is answered so. */
#ifndef OP_AUDIT_H
#define OP_AUDIT_H
#include "op/op.h"

typedef struct op_audit {
    evdb *db; /* NULL = the act is none that is logged */
    bool reads, local;
    const char *who, *via, *act;
    char target[EVDB_AUDIT_TARGET_MAX + 1];
    uint64_t begun; /* number of the entry that says so; 0 = none */
} op_audit;

/* Is it logged? What administers, and what only an admin may do. */
bool op_audited(const op *o);

/* Around an operation's run(). A failure of op_audit_begin() is one of the operation. op_audit_end() answers what the operation does: its
 * own status, or that an act of somebody elsewhere, who only reads, could not be logged. Who sits at the machine reads all the same: he may be
 * looking for what is wrong with the database. */
evdb_status op_audit_begin(op_audit *a, const op *o, const op_call *call, const void *args, evdb_error *err);
evdb_status op_audit_end(op_audit *a, evdb_status outcome, evdb_error *err);

/* The same for acts that are no operation: of this program's own user, who = op_audit_user(). Always with an entry for the beginning. */
evdb_status op_audit_open(op_audit *a, evdb *db, const char *who, const char *via, const char *act, const char *target, evdb_error *err);

enum { OP_AUDIT_USER_BYTES = 32 };
/* "local:UID" of a user of this machine; of whoever runs this program with op_audit_self(). Returns out. */
const char *op_audit_user(unsigned long uid, char out[OP_AUDIT_USER_BYTES]);
const char *op_audit_self(char out[OP_AUDIT_USER_BYTES]);

#endif
