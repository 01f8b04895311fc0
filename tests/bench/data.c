/* data.c - implements bench/data.h. */
#include "bench/data.h"
#include "bench/measure.h"
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char images_file[] = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";

/* Pixels as floats; the number of rows found, 0 where the data set is not installed. */
static size_t read_images(float *rows, size_t count)
{
    unsigned char head[16], pixels[DATA_DIM];
    char command[256];
    size_t got = 0;
    if (access(images_file, R_OK) != 0) return 0;
    snprintf(command, sizeof(command), "gzip -dc %s", images_file);
    FILE *f = popen(command, "r");
    if (!f || fread(head, sizeof(head), 1, f) != 1) measure_die(images_file, "cannot be read");
    for (; got < count && fread(pixels, sizeof(pixels), 1, f) == 1; got++)
        for (size_t i = 0; i < DATA_DIM; i++) rows[got * DATA_DIM + i] = pixels[i];
    pclose(f);
    return got;
}

static void make_random(float *rows, size_t count)
{
    uint64_t state = 1;
    for (size_t i = 0; i < count * DATA_DIM; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        rows[i] = (float)(state >> 40);
    }
}

data data_load(int argc, char **argv)
{
    data d = { .count = argc > 1 ? strtoul(argv[1], NULL, 10) : DATA_ROWS };
    if (d.count < 1 || d.count > DATA_ROWS) measure_die("usage", "ROWS is 1..60000");
    if (!(d.rows = malloc(d.count * DATA_DIM * sizeof(float)))) measure_die("data", "out of memory");
    d.source = "fashion-mnist";
    if (read_images(d.rows, d.count) < d.count) {
        make_random(d.rows, d.count);
        d.source = "random";
    }
    return d;
}

void data_free(data *d)
{
    free(d->rows);
    d->rows = NULL;
}

/* The format's version 1.0: the header is padded with spaces to a multiple of 64. */
void data_write_npy(const data *d, const char *path)
{
    char head[128];
    int text = snprintf(head + 10, sizeof(head) - 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %d), }",
                        d->count, DATA_DIM);
    memset(head + 10 + text, ' ', sizeof(head) - 10 - (size_t)text);
    memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10); /* 0x76 = 118 bytes of header text */
    head[sizeof(head) - 1] = '\n';
    FILE *f = fopen(path, "wbe");
    if (!f || fwrite(head, sizeof(head), 1, f) != 1 || fwrite(d->rows, DATA_DIM * sizeof(float), d->count, f) != d->count ||
        fclose(f) != 0)
        measure_die(path, "cannot be written");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void data_folder_remove(const char *path)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) measure_die(path, "cannot be removed");
}

static char made[DATA_PATH_MAX];

static void remove_made(void)
{
    if (made[0]) nftw(made, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void data_folder_make(char path[DATA_PATH_MAX])
{
    const char *below = getenv("TMPDIR");
    if (!below) {
        below = "build";
        if (mkdir(below, 0777) != 0 && errno != EEXIST) measure_die(below, "cannot be made; set TMPDIR");
    }
    if (snprintf(path, DATA_PATH_MAX, "%s/bench-XXXXXX", below) >= DATA_PATH_MAX || !mkdtemp(path))
        measure_die(below, "no folder can be made below it");
    memcpy(made, path, DATA_PATH_MAX);
    atexit(remove_made);
}
