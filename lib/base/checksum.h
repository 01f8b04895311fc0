/* checksum.h - XXH64, the checksum of every page, record and vector evdb stores.
 *
 * The function of that name by Yann Collet (xxHash specification, XXH64): 64 bits, more than
 * 10 GB/s on one core, the same on every machine. It finds accidents, not forgers. */
#ifndef EVDB_BASE_CHECKSUM_H
#define EVDB_BASE_CHECKSUM_H
#include <stddef.h>
#include <stdint.h>
uint64_t checksum(const void *bytes, size_t count, uint64_t seed);
#endif
