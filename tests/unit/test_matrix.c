/* test_matrix.c - every table's products and nearest vectors against loops in double. */
#include "kernel/kernel.h"
#include "seed.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed;

#define EACH_KERNEL(k) for (const kernel *const *at = kernels, *k; (k = *at) != NULL; at++) if (k->usable())

static float *noise(size_t count)
{
    float *x = malloc((count + 1) * sizeof(*x));
    assert_non_null(x);
    seed_floats(&seed, x, count);
    return x;
}

/* One product of those sizes, with strides that are longer than rows. */
static void try_product(const kernel *k, size_t rows, size_t inner, size_t columns, bool less, bool start, bool transposed)
{
    size_t a_stride = inner + seed_below(&seed, 3), c_stride = columns + seed_below(&seed, 3);
    float *a = noise(rows * a_stride), *b = noise(inner * columns), *mean = noise(inner), *from = noise(columns);
    float *c = noise(rows * c_stride), *packed = noise(matrix_packed(inner, columns));
    float *before = malloc(rows * c_stride * sizeof(*before) + 1);
    memcpy(before, c, rows * c_stride * sizeof(*c));
    (transposed ? matrix_pack_transposed : matrix_pack)(b, transposed ? inner : columns, inner, columns, packed);
    k->matrix->product(&(matrix_product){ .a = a, .a_stride = a_stride, .less = less ? mean : NULL, .b = packed, .start = start ? from : NULL,
                                          .c = c, .c_stride = c_stride, .rows = rows, .inner = inner, .columns = columns });
    for (size_t i = 0; i < rows * c_stride; i++) {
        size_t row = i / c_stride, column = i % c_stride;
        if (column >= columns) {
            assert_true(c[i] == before[i]);
            continue;
        }
        double sum = start ? from[column] : 0, terms = fabs(sum);
        for (size_t j = 0; j < inner; j++) {
            double t = ((double)a[row * a_stride + j] - (less ? mean[j] : 0)) * (transposed ? b[column * inner + j] : b[j * columns + column]);
            sum += t;
            terms += fabs(t);
        }
        if (!(fabs(c[i] - sum) <= 1e-6 * (terms + 1e-30)))
            fail_msg("%s %zux%zux%zu: %.9g where %.9g belongs", k->name, rows, inner, columns, (double)c[i], sum);
    }
    free(a), free(b), free(mean), free(from), free(c), free(packed), free(before);
}

static void products_of_every_size_agree_with_sums_in_double(void **state)
{
    (void)state;
    EACH_KERNEL(k) {
        for (size_t rows = 1; rows < 16; rows++)
            for (size_t columns = 1; columns < 70; columns += 1 + seed_below(&seed, 5))
                try_product(k, rows, 1 + seed_below(&seed, 40), columns, rows % 2, columns % 2, seed_below(&seed, 2));
        for (size_t i = 0; i < 6; i++)
            try_product(k, 1 + seed_below(&seed, 150), 1 + seed_below(&seed, 500), 1 + seed_below(&seed, 100), i & 1, i & 2, i & 4);
        try_product(k, 3, 0, 5, false, true, false);
    }
}

static void a_row_s_product_does_not_depend_on_its_neighbours(void **state)
{
    enum { ROWS = 75, INNER = 403, COLUMNS = 45 };
    float *a = noise(ROWS * INNER), *b = noise(matrix_packed(INNER, COLUMNS)), *all = noise(ROWS * COLUMNS), one[COLUMNS];
    (void)state;
    EACH_KERNEL(k) {
        matrix_product p = { .a = a, .a_stride = INNER, .b = b, .c = all, .c_stride = COLUMNS, .rows = ROWS, .inner = INNER, .columns = COLUMNS };
        k->matrix->product(&p);
        for (size_t i = 0; i < ROWS; i++) {
            matrix_product row = p;
            row.a = a + i * INNER, row.c = one, row.rows = 1;
            k->matrix->product(&row);
            assert_memory_equal(one, all + i * COLUMNS, sizeof(one));
        }
    }
    free(a), free(b), free(all);
}

static void products_are_added_to_what_is_there(void **state)
{
    enum { ROWS = 7, INNER = 33, COLUMNS = 37 };
    float *a = noise(ROWS * INNER), *b = noise(matrix_packed(INNER, COLUMNS)), *c = noise(ROWS * COLUMNS), *d = noise(ROWS * COLUMNS);
    (void)state;
    EACH_KERNEL(k) {
        matrix_product p = { .a = a, .a_stride = INNER, .b = b, .c = c, .c_stride = COLUMNS, .rows = ROWS, .inner = INNER, .columns = COLUMNS };
        k->matrix->product(&p);
        memcpy(d, c, ROWS * COLUMNS * sizeof(*d));
        p.start = c, p.start_stride = COLUMNS;
        k->matrix->product(&p);
        for (size_t i = 0; i < ROWS * COLUMNS; i++) assert_true(fabsf(c[i] - 2 * d[i]) < 1e-5f);
    }
    free(a), free(b), free(c), free(d);
}

static void try_nearest(const kernel *k, size_t count, size_t n, size_t many)
{
    float *x = noise(count * n), *y = noise(n * many), *halves = noise(many);
    uint8_t *out = malloc(2 * count);
    for (size_t i = 0; i < many; i++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++) sum += (double)y[j * many + i] * y[j * many + i];
        halves[i] = (float)(sum / 2);
    }
    k->matrix->nearest(x, n, count, n, y, halves, many, out, 2);
    for (size_t r = 0; r < count; r++) {
        double least = INFINITY, got = INFINITY;
        for (size_t i = 0; i < many; i++) {
            double sum = 0;
            for (size_t j = 0; j < n; j++) sum += ((double)x[r * n + j] - y[j * many + i]) * ((double)x[r * n + j] - y[j * many + i]);
            if (sum < least) least = sum;
            if (i == out[2 * r]) got = sum;
        }
        assert_true(got <= least + 1e-5 * (double)n);
    }
    free(x), free(y), free(halves), free(out);
}

static void the_nearest_vector_is_as_near_as_any(void **state)
{
    (void)state;
    EACH_KERNEL(k)
        for (size_t n = 1; n < 20; n++) {
            try_nearest(k, 1 + seed_below(&seed, 40), n, 256);
            try_nearest(k, 1 + seed_below(&seed, 40), n, 16);
            try_nearest(k, 1 + seed_below(&seed, 40), n, NEAREST_STEP * (1 + seed_below(&seed, 16)));
        }
}

static void the_first_of_equally_near_vectors_is_taken(void **state)
{
    static float x[9], y[256], halves[256];
    uint8_t out[9];
    (void)state;
    for (size_t i = 0; i < 256; i++) y[i] = (float)(i / 3 % 5), halves[i] = y[i] * y[i] / 2;
    for (size_t i = 0; i < 9; i++) x[i] = (float)(i % 5);
    EACH_KERNEL(k)
        for (size_t many = NEAREST_STEP; many <= 256; many *= NEAREST_STEP) {
            k->matrix->nearest(x, 1, 9, 1, y, halves, many, out, 1);
            for (size_t i = 0; i < 9; i++) assert_int_equal(out[i], 3 * (i % 5));
        }
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_of_every_size_agree_with_sums_in_double),
        cmocka_unit_test(a_row_s_product_does_not_depend_on_its_neighbours),
        cmocka_unit_test(products_are_added_to_what_is_there),
        cmocka_unit_test(the_nearest_vector_is_as_near_as_any),
        cmocka_unit_test(the_first_of_equally_near_vectors_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
