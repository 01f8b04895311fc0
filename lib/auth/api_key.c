/* api_key.c - implements auth/api_key.h. */
#include "auth/api_key.h"
#include "auth/base64url.h"
#include "auth/secret.h"
#include <sodium.h>
#include <string.h>

static const char prefix[] = "evdbkey_";
enum {
    PREFIX = sizeof(prefix) - 1,
    ID_BYTES = (EVDB_API_KEY_ID_BYTES - 1) / 2,
    ID = EVDB_API_KEY_ID_BYTES - 1,
    SECRET = BASE64URL_LENGTH(SECRET_RANDOM_BYTES),
    CHECK_BYTES = 4,
    CHECK = BASE64URL_LENGTH(CHECK_BYTES),
    BEFORE_CHECK = PREFIX + ID + 1 + SECRET,
    LENGTH = BEFORE_CHECK + CHECK
};
_Static_assert(LENGTH < EVDB_API_KEY_BYTES, "an API key has room");

static void checksum(const char *text, char check[CHECK + 1])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)text, BEFORE_CHECK);
    base64url_write(hash, CHECK_BYTES, check);
}

void api_key_draw(const platform *p, char id[EVDB_API_KEY_ID_BYTES], char text[EVDB_API_KEY_BYTES])
{
    unsigned char name[ID_BYTES], secret[SECRET_RANDOM_BYTES];
    p->random(p->random_context, name, sizeof(name));
    p->random(p->random_context, secret, sizeof(secret));
    sodium_bin2hex(id, EVDB_API_KEY_ID_BYTES, name, sizeof(name));
    memcpy(text, prefix, PREFIX);
    memcpy(text + PREFIX, id, ID);
    text[PREFIX + ID] = '_';
    base64url_write(secret, sizeof(secret), text + PREFIX + ID + 1);
    checksum(text, text + BEFORE_CHECK);
    sodium_memzero(secret, sizeof(secret));
}

bool api_key_looks_so(const char *text) { return strncmp(text, prefix, PREFIX) == 0; }

bool api_key_id_good(const char *id) { return strnlen(id, ID + 1) == ID && strspn(id, "0123456789abcdef") == ID; }

bool api_key_read(const char *text, char id[EVDB_API_KEY_ID_BYTES])
{
    char check[CHECK + 1];
    if (!api_key_looks_so(text) || strnlen(text, LENGTH + 1) != LENGTH || text[PREFIX + ID] != '_') return false;
    checksum(text, check);
    memcpy(id, text + PREFIX, ID);
    id[ID] = 0;
    return memcmp(check, text + BEFORE_CHECK, CHECK) == 0 && api_key_id_good(id);
}
