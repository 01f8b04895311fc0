/* audit_head.h - what system.db knows of the audit log: the key of its chain, and how far it has come. */
#ifndef EVDB_DISK_AUDIT_HEAD_H
#define EVDB_DISK_AUDIT_HEAD_H
#include "disk/system.h"

enum { AUDIT_KEY_BYTES = 32, AUDIT_MAC_BYTES = 32 };

typedef struct audit_head {
    uint64_t number, size; /* of the last entry; of the file up to its end */
    unsigned char mac[AUDIT_MAC_BYTES];
} audit_head;

/* The key: *found false when there is none yet. */
evdb_status audit_key_find(system_db *s, unsigned char out[AUDIT_KEY_BYTES], bool *found, evdb_error *err);
/* With the system lock held: `fresh` when there is none, with a head of all zeros. */
evdb_status audit_key(system_db *s, const unsigned char fresh[AUDIT_KEY_BYTES], unsigned char out[AUDIT_KEY_BYTES], evdb_error *err);

/* All zeros, and *found false, when there is none. */
evdb_status audit_head_read(system_db *s, audit_head *out, bool *found, evdb_error *err);
/* Durable when it returns. With the system lock held. */
evdb_status audit_head_write(system_db *s, const audit_head *head, evdb_error *err);

#endif
