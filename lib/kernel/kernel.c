/* kernel.c - which table this machine gets. */
#include "kernel/kernel.h"

const kernel *const kernels[] = {
#if defined(__x86_64__)
    &kernel_avx512,
    &kernel_avx2,
#elif defined(__aarch64__)
    &kernel_neon_dot,
    &kernel_neon,
#endif
    &kernel_scalar,
    NULL,
};

const kernel *kernel_best(void)
{
    size_t i = 0;
    while (!kernels[i]->usable()) i++; /* scalar is always usable */
    return kernels[i];
}
