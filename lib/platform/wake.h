/* wake.h - sleeping until a number changes: one system call wakes any number of threads (futex). */
#ifndef EVDB_PLATFORM_WAKE_H
#define EVDB_PLATFORM_WAKE_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Sleeps while *word is `seen`, at most timeout_ns (0 = for ever). May return early for no reason. False = timed out. */
bool wake_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t timeout_ns);
/* Changes *word and wakes all who sleep on it. */
void wake_all(_Atomic uint32_t *word);

#endif
