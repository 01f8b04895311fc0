/* op_clock.h - what time it is, for times that callers give as so long from now or ago. */
#ifndef OP_CLOCK_H
#define OP_CLOCK_H
#include <stdint.h>

#define OP_DAY_MS INT64_C(86400000)

int64_t op_now_ms(void); /* Unix time in milliseconds */
#endif
