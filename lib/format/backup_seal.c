/* backup_seal.c - implements format/backup_seal.h. */
#include "format/backup_seal.h"
#include <string.h>

void backup_seal_begin(backup_seal *s, const unsigned char salt[BACKUP_SALT], const unsigned char key[EVDB_BACKUP_KEY_BYTES],
                       const void *head, size_t head_size)
{
    /* pushing and pulling begin from the same state; init_push() would draw the salt itself, past the platform's randomness */
    (void)crypto_secretstream_xchacha20poly1305_init_pull(&s->state, salt, key);
    crypto_generichash(s->head, sizeof(s->head), head, head_size, NULL, 0);
}

static size_t bind(const backup_seal *s, const void *beside, size_t size, unsigned char out[sizeof(s->head) + BACKUP_BESIDE_MAX])
{
    memcpy(out, s->head, sizeof(s->head));
    memcpy(out + sizeof(s->head), beside, size);
    return sizeof(s->head) + size;
}

static unsigned char tag(bool last)
{
    return last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
}

void backup_seal_push(backup_seal *s, const void *in, size_t size, const void *beside, size_t beside_size, bool last, void *out)
{
    unsigned char bound[sizeof(s->head) + BACKUP_BESIDE_MAX];
    size_t length = bind(s, beside, beside_size, bound);
    (void)crypto_secretstream_xchacha20poly1305_push(&s->state, out, NULL, in, size, bound, length, tag(last));
}

bool backup_seal_pull(backup_seal *s, const void *in, size_t size, const void *beside, size_t beside_size, bool last, void *out)
{
    unsigned char bound[sizeof(s->head) + BACKUP_BESIDE_MAX], found;
    size_t length = bind(s, beside, beside_size, bound);
    return size >= BACKUP_SEAL_BYTES &&
           crypto_secretstream_xchacha20poly1305_pull(&s->state, out, NULL, &found, in, size, bound, length) == 0 && found == tag(last);
}

void backup_seal_end(backup_seal *s) { sodium_memzero(s, sizeof(*s)); }
