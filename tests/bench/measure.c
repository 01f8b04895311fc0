/* measure.c - implements bench/measure.h. */
#include "bench/measure.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double read_clock(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double measure_wall(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double measure_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double measure_median(double *v, size_t count)
{
    qsort(v, count, sizeof(*v), by_value);
    return count % 2 ? v[count / 2] : (v[count / 2 - 1] + v[count / 2]) / 2;
}

void measure_die(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

void measure_must(evdb_status status, const evdb_error *err)
{
    if (status != EVDB_OK) measure_die(evdb_status_name(status), err->message);
}

void measure_print_ratio(double ratio, double floor)
{
    printf("%.2fx (floor %.2f)%s\n", ratio, floor, ratio < floor ? " BELOW" : "");
}
