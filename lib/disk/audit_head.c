/* audit_head.c - implements disk/audit_head.h: two rows of the table `keys`. */
#include "disk/audit_head.h"
#include "base/error.h"
#include "base/try.h"
#include "disk/system_private.h"
#include <string.h>

enum { HEAD_BYTES = 8 + 8 + AUDIT_MAC_BYTES };

typedef struct blob_wanted { unsigned char *to; int size; bool found; } blob_wanted;

static evdb_status read_blob(void *context, sqlite3_stmt *row, evdb_error *err)
{
    blob_wanted *b = context;
    const void *bytes = sqlite3_column_blob(row, 0);
    if (!bytes || sqlite3_column_bytes(row, 0) != b->size)
        return error_set(err, EVDB_CORRUPT, "system.db: what it knows of the audit log has the wrong length");
    memcpy(b->to, bytes, (size_t)b->size);
    b->found = true;
    return EVDB_OK;
}

static evdb_status find(system_db *s, const char *name, unsigned char *to, int size, bool *found, evdb_error *err)
{
    const system_value value = SYSTEM_TEXT(name);
    blob_wanted b = { to, size, false };
    evdb_status rc = system_query(s, "SELECT value FROM keys WHERE name=?1", &value, 1, read_blob, &b, err);
    *found = b.found;
    return rc;
}

static evdb_status put(system_db *s, const char *name, const void *bytes, size_t size, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(name), SYSTEM_BYTES(bytes, size) };
    return system_query(s, "INSERT INTO keys(name, value) VALUES(?1,?2) ON CONFLICT(name) DO UPDATE SET value=?2", values, 2, NULL, NULL,
                        err);
}

static unsigned char *put64(unsigned char *at, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8) *at++ = (unsigned char)(value >> shift);
    return at;
}

static uint64_t get64(const unsigned char *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | at[i];
    return value;
}

static evdb_status put_head(system_db *s, const audit_head *head, evdb_error *err)
{
    unsigned char bytes[HEAD_BYTES];
    memcpy(put64(put64(bytes, head->number), head->size), head->mac, sizeof(head->mac));
    return put(s, "audit_head", bytes, sizeof(bytes), err);
}

evdb_status audit_key_find(system_db *s, unsigned char out[AUDIT_KEY_BYTES], bool *found, evdb_error *err)
{
    return find(s, "audit", out, AUDIT_KEY_BYTES, found, err);
}

evdb_status audit_key(system_db *s, const unsigned char fresh[AUDIT_KEY_BYTES], unsigned char out[AUDIT_KEY_BYTES], evdb_error *err)
{
    bool found;
    evdb_status rc = audit_key_find(s, out, &found, err);
    if (rc != EVDB_OK || found) return rc;
    TRY(system_begin(s, err));
    rc = put(s, "audit", fresh, AUDIT_KEY_BYTES, err);
    if (rc == EVDB_OK) rc = put_head(s, &(audit_head){ 0 }, err);
    TRY(system_end(s, rc, true, err)); /* without its key a log would be worth nothing */
    memcpy(out, fresh, AUDIT_KEY_BYTES);
out:
    return rc;
}

evdb_status audit_head_read(system_db *s, audit_head *out, bool *found, evdb_error *err)
{
    unsigned char bytes[HEAD_BYTES];
    evdb_status rc = find(s, "audit_head", bytes, sizeof(bytes), found, err);
    *out = (audit_head){ 0 };
    if (rc != EVDB_OK || !*found) return rc;
    out->number = get64(bytes);
    out->size = get64(bytes + 8);
    memcpy(out->mac, bytes + 16, sizeof(out->mac));
    return EVDB_OK;
}

/* Not moved into system.db at once: should a damaged log of it lose the newest, then the file is ahead, and is caught up with. */
evdb_status audit_head_write(system_db *s, const audit_head *head, evdb_error *err)
{
    evdb_status rc = system_begin(s, err);
    return rc == EVDB_OK ? system_end(s, put_head(s, head, err), false, err) : rc;
}
