/* op_key.h - the key that backups are encrypted with, from a file: 32 bytes, or as 64 hexadecimal digits on a line. */
#ifndef OP_KEY_H
#define OP_KEY_H
#include <evdb.h>

/* Wipe it when it is no longer needed. */
evdb_status op_key_read(const char *path, unsigned char out[EVDB_BACKUP_KEY_BYTES], evdb_error *err);

#endif
