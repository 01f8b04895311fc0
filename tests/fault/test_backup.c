/* test_backup.c - backups that are damaged, cut or mixed up: each is refused before anything is changed.
 *
 *   EVDB_EVERY=n  tries every n-th byte of a file (3), 1 for all of them
 *   EVDB_SEED=n   repeats a run */
#include "backup_scene.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DIM = 6, RECORDS = 40, BIG_DIM = 512, BIG_RECORDS = 2500 };

static unsigned every(void)
{
    const char *given = getenv("EVDB_EVERY");
    return given ? (unsigned)strtoul(given, NULL, 10) : 3;
}

/* ---- accidents ---- */

static void each_flipped_bit_is_noticed(void **state)
{
    scene *s = *state;
    scene_fill(s, RECORDS, DIM);
    for (int encrypted = 0; encrypted < 2; encrypted++) {
        memory_sink file = scene_backup(s, encrypted ? scene_key : NULL);
        for (size_t i = seed_below(&s->seed, every()); i < file.size; i += every()) {
            char bit = (char)(1 << seed_below(&s->seed, 8)), what[60];
            snprintf(what, sizeof(what), "byte %zu of %zu ^ %02x", i, file.size, (unsigned char)bit);
            file.bytes[i] ^= bit;
            scene_refuses(s, file.bytes, file.size, encrypted ? scene_key : NULL, what);
            file.bytes[i] ^= bit;
        }
        memory_sink_free(&file);
    }
}

static void each_length_but_the_right_one_is_noticed(void **state)
{
    scene *s = *state;
    scene_fill(s, RECORDS, DIM);
    memory_sink file = scene_backup(s, NULL);
    char *longer = calloc(1, file.size + 1);
    assert_non_null(longer);
    memcpy(longer, file.bytes, file.size);
    scene_refuses(s, longer, file.size + 1, NULL, "one byte more");
    for (size_t i = seed_below(&s->seed, every()); i < file.size; i += every()) scene_refuses(s, file.bytes, i, NULL, "a cut file");
    free(longer);
    memory_sink_free(&file);
}

/* ---- chunks ---- */

/* The file with its chunks in this order; `from` may be another file's. */
static void refuses_order(const scene *s, const memory_sink *file, const memory_sink *from, const unsigned *order, size_t count,
                          const unsigned char *with, const char *what)
{
    chunks c = chunks_of(file), other = chunks_of(from);
    char *made = malloc(2 * file->size + from->size);
    size_t size = c.at[0];
    assert_non_null(made);
    memcpy(made, file->bytes, size);
    for (size_t i = 0; i < count; i++) {
        bool foreign = order[i] >= 100;
        unsigned n = order[i] % 100;
        const chunks *of = foreign ? &other : &c;
        memcpy(made + size, (foreign ? from : file)->bytes + of->at[n], of->size[n]);
        size += of->size[n];
    }
    memcpy(made + size, file->bytes + c.end, file->size - c.end);
    size += file->size - c.end;
    scene_refuses(s, made, size, with, what);
    free(made);
}

static void chunks_are_taken_in_their_order_and_of_their_file_alone(void **state)
{
    scene *s = *state;
    scene_fill(s, BIG_RECORDS, BIG_DIM);
    for (int encrypted = 0; encrypted < 2; encrypted++) {
        const unsigned char *with = encrypted ? scene_key : NULL;
        memory_sink file = scene_backup(s, with), other = scene_backup(s, with);
        chunks c = chunks_of(&file);
        assert_true(c.count >= 4);
        unsigned order[64], n = (unsigned)c.count;
        for (unsigned i = 0; i < n; i++) order[i] = i;
        unsigned swapped[64], doubled[64];
        memcpy(swapped, order, sizeof(order));
        swapped[1] = 2, swapped[2] = 1;
        memcpy(doubled, order, sizeof(order));
        doubled[n] = n - 1;
        refuses_order(s, &file, &other, swapped, n, with, "swapped chunks");
        refuses_order(s, &file, &other, doubled, n + 1, with, "a chunk twice");
        refuses_order(s, &file, &other, order, n - 1, with, "the last chunk missing");
        refuses_order(s, &file, &other, order + 1, n - 1, with, "the first chunk missing");
        order[1] = 101;
        refuses_order(s, &file, &other, order, n, with, "a chunk of another backup of the same store");
        memory_sink_free(&file);
        memory_sink_free(&other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_flipped_bit_is_noticed, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(each_length_but_the_right_one_is_noticed, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(chunks_are_taken_in_their_order_and_of_their_file_alone, scene_open, scene_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
