/* measure.h - clocks and medians for the benchmarks. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H
#include <evdb.h>
#include <stddef.h>

double measure_wall(void); /* seconds */
double measure_cpu(void);  /* of this process, seconds */
/* Sorts v. */
double measure_median(double *v, size_t count);
/* Ends the program when status is a failure. */
void measure_must(evdb_status status, const evdb_error *err);
void measure_die(const char *what, const char *why);
/* "1.23x (floor 0.70)", and a word when it is below. */
void measure_print_ratio(double ratio, double floor);
#endif
