/* backup_target.h - the argument that says where backups are. */
#ifndef BACKUP_TARGET_H
#define BACKUP_TARGET_H
#include "op/op.h"

enum { TARGET_LOCAL = 1, TARGET_S3 };

extern const op_choice backup_target_choice;

#define TARGET_FIELD(st)                                                                                          \
    OP_FIELD(st, target, OP_CHOICE, 0, .def = TARGET_LOCAL, .choice = &backup_target_choice,                      \
             .doc = "Where the backup is: local is the database's folder; s3 is the bucket of an evdbd that has one.")

/* EVDB_UNSUPPORTED where there is no such target. */
evdb_status backup_target_check(const op_call *call, uint32_t target, evdb_error *err);

#endif
