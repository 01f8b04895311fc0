/* thread.h - work on several threads at once. */
#ifndef EVDB_PLATFORM_THREAD_H
#define EVDB_PLATFORM_THREAD_H
#include <stddef.h>

/* Calls work(context, part) for part 0 .. parts-1, each on a thread of its own, the caller's being one, and waits for
 * all. A thread that cannot be started has its part done by the caller. */
void thread_share(size_t parts, void (*work)(void *context, size_t part), void *context);

enum { THREAD_PARTS_MAX = 64 };

#endif
