/* jose_signature.c - one signature and one key: RSA and ECDSA by GnuTLS, Ed25519 by libsodium.
 *
 * GnuTLS's form of a key is made for each check and kept by nobody: it says nothing of objects that threads share, and making it costs
 * little beside the check. */
#include "token/jose_private.h"
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <sodium.h>

static gnutls_datum_t datum(const void *bytes, size_t size)
{
    return (gnutls_datum_t){ .data = (unsigned char *)(uintptr_t)bytes, .size = (unsigned)size };
}

/* NULL when GnuTLS makes nothing of it. */
static gnutls_pubkey_t import_key(const jose_key *key)
{
    gnutls_pubkey_t made;
    int rc;
    if (gnutls_pubkey_init(&made) < 0) return NULL;
    if (key->algorithm == JOSE_RS256) {
        const gnutls_datum_t n = datum(key->n, key->n_size), e = datum(key->e, key->e_size);
        rc = gnutls_pubkey_import_rsa_raw(made, &n, &e);
    } else {
        const gnutls_datum_t x = datum(key->x, sizeof key->x), y = datum(key->y, sizeof key->y);
        rc = gnutls_pubkey_import_ecc_raw(made, GNUTLS_ECC_CURVE_SECP256R1, &x, &y);
    }
    if (rc >= 0) return made;
    gnutls_pubkey_deinit(made);
    return NULL;
}

static bool gnutls_good(const jose_key *key, gnutls_sign_algorithm_t algorithm, const void *data, size_t size, const gnutls_datum_t *signature)
{
    const gnutls_datum_t what = datum(data, size);
    gnutls_pubkey_t made = import_key(key);
    bool good = made && gnutls_pubkey_verify_data2(made, algorithm, 0, &what, signature) >= 0;
    if (made) gnutls_pubkey_deinit(made);
    return good;
}

/* RFC 7518 (3.4) has r and s end to end, of 32 bytes each; GnuTLS takes them as ASN.1. */
static bool es256_good(const jose_key *key, const void *data, size_t size, const unsigned char *signature, size_t signature_size)
{
    if (signature_size != 2 * JOSE_COORDINATE) return false;
    const gnutls_datum_t r = datum(signature, JOSE_COORDINATE), s = datum(signature + JOSE_COORDINATE, JOSE_COORDINATE);
    gnutls_datum_t pair;
    if (gnutls_encode_rs_value(&pair, &r, &s) < 0) return false;
    bool good = gnutls_good(key, GNUTLS_SIGN_ECDSA_SHA256, data, size, &pair);
    gnutls_free(pair.data);
    return good;
}

bool jose_signature_good(const jose_key *key, const void *data, size_t size, const unsigned char *signature, size_t signature_size)
{
    switch (key->algorithm) {
    case JOSE_ES256: return es256_good(key, data, size, signature, signature_size);
    case JOSE_RS256: {
        const gnutls_datum_t whole = datum(signature, signature_size);
        return signature_size == key->n_size && gnutls_good(key, GNUTLS_SIGN_RSA_SHA256, data, size, &whole);
    }
    case JOSE_EDDSA:
        return signature_size == crypto_sign_BYTES && crypto_sign_verify_detached(signature, data, size, key->x) == 0;
    }
    return false;
}

bool jose_key_sound(const jose_key *key)
{
    if (key->algorithm == JOSE_EDDSA) {
        /* For its checks of the key alone: not of small order, and in the one encoding that there is. */
        unsigned char curve25519[crypto_scalarmult_curve25519_BYTES];
        return crypto_sign_ed25519_pk_to_curve25519(curve25519, key->x) == 0;
    }
    if (key->algorithm == JOSE_RS256 && !(key->n[key->n_size - 1] & 1)) return false;
    gnutls_pubkey_t made = import_key(key);
    /* It has another error for kinds of keys of which it checks nothing. A point that is on no curve would verify nothing either. */
    bool sound = made && gnutls_pubkey_verify_params(made) != GNUTLS_E_PK_INVALID_PUBKEY;
    if (made) gnutls_pubkey_deinit(made);
    return sound;
}
