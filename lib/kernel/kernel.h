/* kernel.h - distance kernels, one const table per instruction set, chosen once at run time.
 *
 * Every function takes any n >= 0 and any alignment. Every table equals `kernel_scalar` within
 * 1e-6 * n^0.5 relative to the sum of absolute terms (tests/unit/test_kernel.c). */
#ifndef EVDB_KERNEL_H
#define EVDB_KERNEL_H
#include "kernel/codes.h"
#include "kernel/elements.h"
#include "kernel/halves.h"
#include "kernel/signs.h"
#include "kernel/steps.h"
#include "kernel/matrix.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kernel {
    const char *name;
    bool (*usable)(void);
    /* One pair. */
    float (*dot_f32)(const float *a, const float *b, size_t n);
    float (*l2sq_f32)(const float *a, const float *b, size_t n);
    float (*l1_f32)(const float *a, const float *b, size_t n);
    float (*differ_f32)(const float *a, const float *b, size_t n); /* how many elements differ; exact */
    /* One query against `rows` rows, row i at base + i * stride floats; out receives rows results. */
    void (*dot_f32_rows)(const float *q, const float *base, size_t stride, size_t rows, size_t n, float *out);
    void (*l2sq_f32_rows)(const float *q, const float *base, size_t stride, size_t rows, size_t n, float *out);
    void (*l1_f32_rows)(const float *q, const float *base, size_t stride, size_t rows, size_t n, float *out);
    void (*differ_f32_rows)(const float *q, const float *base, size_t stride, size_t rows, size_t n, float *out);
    /* True when every value is finite. */
    bool (*finite_f32)(const float *a, size_t n);
    const code_kernel *codes;
    const element_kernel *elements;
    const steps_kernel *steps;
    const matrix_kernel *matrix;
    const sign_kernel *signs;
    const half_kernel *halves;
    /* Copies n floats to memory that nobody is going to read soon, past the caches; once all are copied, end_past_caches() makes sure that
     * other threads see them before what is written next. NULL where that cannot be told to a processor. */
    void (*copy_past_caches)(const float *from, size_t n, float *to);
    void (*end_past_caches)(void);
} kernel;

extern const kernel kernel_scalar;
#if defined(__x86_64__)
extern const kernel kernel_avx2, kernel_avx512;
#elif defined(__aarch64__)
extern const kernel kernel_neon, kernel_neon_dot; /* the second where there are dot product instructions */
#endif
extern const kernel *const kernels[]; /* fastest first, scalar last, then NULL */

/* The fastest usable here. Cheap; keep the pointer all the same. */
const kernel *kernel_best(void);
#endif
