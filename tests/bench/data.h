/* data.h - what the benchmarks work on and where: vectors, and a folder that goes away again. */
#ifndef BENCH_DATA_H
#define BENCH_DATA_H
#include <stddef.h>
#include <stdint.h>

enum { DATA_DIM = 784, DATA_ROWS = 60000, DATA_PATH_MAX = 4096 };

typedef struct data {
    float *rows; /* count * DATA_DIM */
    size_t count;
    const char *source; /* "fashion-mnist", or "random" where it is not installed */
} data;

/* The first argument of the program is the number of rows, else DATA_ROWS. */
data data_load(int argc, char **argv);
void data_free(data *d);
void data_write_npy(const data *d, const char *path);

/* A fresh folder below $TMPDIR, else build/; one a program, removed when it ends. */
void data_folder_make(char path[DATA_PATH_MAX]);
/* Removes a folder within it. */
void data_folder_remove(const char *path);
#endif
