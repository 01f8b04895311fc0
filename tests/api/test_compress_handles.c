/* test_compress_handles.c - two handles on a store, as of two processes: one goes on with a codec that the other one has replaced, written
 * over and forgotten. */
#include "compressed_rows.h"
#include "expect.h"
#include "seed.h"

static const struct { const char *name, *codec; bool used; } cases[] = {
    { "a", "f16", true }, { "b", "f16", false }, { "c", "i8:trained", true }, { "d", "i8:trained", false },
};

static void who_has_not_heard_of_another_codec_writes_what_can_be_read(void **state)
{
    scratch *t = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        evdb_store *store = store_with(t, cases[i].name, cases[i].codec, EVDB_COSINE), *late;
        evdb *other;
        put(store, 0, ROWS);
        ok(evdb_store_recode(store, &why));
        ok(evdb_open(t->path, NULL, &other, &why));
        ok(evdb_store_open(other, cases[i].name, &late, &why));
        if (cases[i].used) put(late, 0, 10); /* else it knows the codec by name alone */
        ok(evdb_store_set_codec(store, "bf16", &why));
        ok(evdb_store_recode(store, &why));
        put(late, 0, 20);
        all_there(store, 0x1p-6);
        all_there(late, 0x1p-6);
        sound(t);
        ok(evdb_store_recode(store, &why));
        all_there(store, 0x1p-6);
        put(late, 0, 20);
        assert_string_equal(compression(late).in_force, "bf16");
        evdb_store_close(late);
        evdb_close(other);
        evdb_store_close(store);
    }
    sound(t);
}

int main(void)
{
    uint64_t seed = seed_print();
    seed_floats(&seed, rows[0], ROWS * DIM);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_has_not_heard_of_another_codec_writes_what_can_be_read, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
