/* backup_seal.h - the encryption of a backup's chunks: one message each of a libsodium secretstream (XChaCha20-Poly1305).
 *
 * Every message is bound to those before it by the stream, to the file's head by a hash of it (so the descriptive part cannot be
 * exchanged), and to what stands in clear beside it. The last one is tagged, so a stream that was cut short is noticed. */
#ifndef EVDB_FORMAT_BACKUP_SEAL_H
#define EVDB_FORMAT_BACKUP_SEAL_H
#include "format/backup_head.h"
#include <sodium.h>

enum { BACKUP_SEAL_BYTES = crypto_secretstream_xchacha20poly1305_ABYTES /* a message is longer by this */ };
_Static_assert((unsigned)BACKUP_SALT == crypto_secretstream_xchacha20poly1305_HEADERBYTES, "a salt is the stream's header");

typedef struct backup_seal {
    crypto_secretstream_xchacha20poly1305_state state;
    unsigned char head[32]; /* hash of the file's */
} backup_seal;

void backup_seal_begin(backup_seal *s, const unsigned char salt[BACKUP_SALT], const unsigned char key[EVDB_BACKUP_KEY_BYTES],
                       const void *head, size_t head_size);
/* out has size + BACKUP_SEAL_BYTES bytes. `beside` is what stands in clear, of at most BACKUP_BESIDE_MAX bytes. */
enum { BACKUP_BESIDE_MAX = 128 };
void backup_seal_push(backup_seal *s, const void *in, size_t size, const void *beside, size_t beside_size, bool last, void *out);
/* False when the message is not what was pushed; out has size - BACKUP_SEAL_BYTES bytes. */
bool backup_seal_pull(backup_seal *s, const void *in, size_t size, const void *beside, size_t beside_size, bool last, void *out);
/* Nothing of the key stays. */
void backup_seal_end(backup_seal *s);

#endif
