/* checksum.c - XXH64, written from the xxHash specification. */
#include "base/checksum.h"
#include <string.h>

#define PRIME1 0x9E3779B185EBCA87u
#define PRIME2 0xC2B2AE3D27D4EB4Fu
#define PRIME3 0x165667B19E3779F9u
#define PRIME4 0x85EBCA77C2B2AE63u
#define PRIME5 0x27D4EB2F165667C5u

static uint64_t rotl(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static uint64_t read64(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static uint64_t read32(const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static uint64_t lane(uint64_t acc, uint64_t input) { return rotl(acc + input * PRIME2, 31) * PRIME1; }
static uint64_t merge(uint64_t acc, uint64_t v) { return (acc ^ lane(0, v)) * PRIME1 + PRIME4; }

static uint64_t finish(uint64_t h, const unsigned char *p, size_t left)
{
    for (; left >= 8; left -= 8, p += 8) h = rotl(h ^ lane(0, read64(p)), 27) * PRIME1 + PRIME4;
    if (left >= 4) {
        h = rotl(h ^ read32(p) * PRIME1, 23) * PRIME2 + PRIME3;
        left -= 4, p += 4;
    }
    for (; left; left--, p++) h = rotl(h ^ *p * PRIME5, 11) * PRIME1;
    h = (h ^ h >> 33) * PRIME2;
    h = (h ^ h >> 29) * PRIME3;
    return h ^ h >> 32;
}

uint64_t checksum(const void *bytes, size_t count, uint64_t seed)
{
    const unsigned char *p = bytes;
    size_t left = count;
    if (count < 32) return finish(seed + PRIME5 + count, p, left);
    /* four independent lanes: the multiplications overlap */
    uint64_t a = seed + PRIME1 + PRIME2, b = seed + PRIME2, c = seed, d = seed - PRIME1;
    for (; left >= 32; left -= 32, p += 32) {
        a = lane(a, read64(p));
        b = lane(b, read64(p + 8));
        c = lane(c, read64(p + 16));
        d = lane(d, read64(p + 24));
    }
    uint64_t h = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
    h = merge(merge(merge(merge(h, a), b), c), d);
    return finish(h + count, p, left);
}
