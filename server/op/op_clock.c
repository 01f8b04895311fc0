/* op_clock.c - implements op/op_clock.h. */
#include "op/op_clock.h"
#include <time.h>

int64_t op_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
