/* test_backup_chain.c - evdb/backup.h: increments, and the states that a chain of them goes back to. */
#include "backup_store.h"
#include "expect.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static evdb_store *opened(evdb *db, const char *name)
{
    evdb_store *store;
    ok(evdb_store_open(db, name, &store, &why));
    return store;
}

typedef struct chain {
    memory_sink files[8];
    evdb_backup_info infos[8];
    unsigned count;
} chain;

/* As far as the chain goes, what is refused is refused by a check too, for the same reason. */
static evdb_status read_chain(evdb *db, const chain *c, const char *name, const evdb_restore_options *o, evdb_error *err)
{
    evdb_backup_info last = EVDB_BACKUP_INFO;
    evdb_error checked;
    memory_source files[8];
    evdb_source sources[8];
    const evdb_source *list[8];
    for (unsigned i = 0; i < c->count; i++) {
        files[i] = memory_from(c->files[i].bytes, c->files[i].size);
        sources[i] = memory_reading(&files[i]);
        list[i] = &sources[i];
    }
    evdb_status sound = evdb_backup_check_chain(db, list, c->count, NULL, &last, &checked);
    if (sound == EVDB_OK) assert_string_equal(last.id, c->infos[c->count - 1].id);
    for (unsigned i = 0; i < c->count; i++) files[i] = memory_from(c->files[i].bytes, c->files[i].size);
    evdb_status rc = evdb_backup_read(db, list, c->count, name, o, err);
    if (sound != EVDB_OK) {
        assert_int_equal(rc, sound);
        assert_string_equal(err->message, checked.message);
    }
    return rc;
}

static void add_link(chain *c, evdb_store *store)
{
    unsigned i = c->count++;
    c->infos[i] = (evdb_backup_info)EVDB_BACKUP_INFO;
    c->files[i] = backup_bytes(store, i ? &c->infos[i - 1] : NULL, NULL, &c->infos[i]);
}

static void chain_free(chain *c)
{
    for (unsigned i = 0; i < c->count; i++) memory_sink_free(&c->files[i]);
}

static void a_chain_comes_back_as_of_each_of_its_increments(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = scratch_store(t, "texts", 0, EVDB_EUCLIDEAN), *back, *states[5];
    chain c = { .count = 0 };
    for (unsigned i = 0; i < 5; i++) {
        char name[16];
        if (i == 3) ok(evdb_store_set_codec(store, "i8", &why));
        if (i == 4) ok(evdb_store_recode(store, &why));
        backup_change(store, &seed, i == 2 ? 0 : 30 + 200 * (i == 1));
        add_link(&c, store);
        assert_int_equal(c.infos[i].base_sequence, i ? c.infos[i - 1].sequence : 0);
        memory_sink full = backup_bytes(store, NULL, NULL, NULL);
        snprintf(name, sizeof(name), "state-%u", i);
        ok(backup_read(t->db, full.bytes, full.size, name, NULL, &why));
        states[i] = opened(t->db, name);
        memory_sink_free(&full);
    }
    assert_int_equal(c.infos[2].entries, 0);
    for (unsigned i = 0; i < 5; i++) {
        evdb_restore_options o = EVDB_RESTORE_OPTIONS;
        o.replace = 1;
        o.sequence = c.infos[i].sequence;
        ok(read_chain(t->db, &c, "back", &o, &why));
        back = opened(t->db, "back");
        if (i < 3) backup_same(states[i], back); /* later vectors may be of one codec or the other */
        else assert_int_equal(scratch_count(back), c.infos[i].records);
        evdb_store_close(back);
    }
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    o.time_ms = c.infos[0].finished_ms - 1;
    refused(EVDB_NOT_FOUND, read_chain(t->db, &c, "none", &o, &why));
    o.time_ms = c.infos[4].finished_ms;
    ok(read_chain(t->db, &c, "last", &o, &why));
    for (unsigned i = 0; i < 5; i++) evdb_store_close(states[i]);
    evdb_store_close(store);
    chain_free(&c);
    backup_sound(t->db);
}

static void links_that_do_not_fit_are_refused(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = scratch_store(t, "s", BACKUP_DIM, EVDB_EUCLIDEAN), *other = scratch_store(t, "o", BACKUP_DIM, EVDB_EUCLIDEAN);
    chain c = { .count = 0 }, wrong;
    memory_sink file = memory_to();
    evdb_sink sink = memory_writing(&file);
    evdb_backup_options o = EVDB_BACKUP_OPTIONS;
    for (int i = 0; i < 3; i++) {
        backup_change(store, &seed, 20);
        add_link(&c, store);
    }
    wrong = c;
    wrong.files[1] = c.files[2];
    wrong.count = 2; /* the middle is missing */
    refused(EVDB_INVALID, read_chain(t->db, &wrong, "x", NULL, &why));
    wrong.files[0] = c.files[1];
    refused(EVDB_INVALID, read_chain(t->db, &wrong, "x", NULL, &why));
    expect_says("increment");
    wrong.files[0] = wrong.files[1] = c.files[0];
    refused(EVDB_INVALID, read_chain(t->db, &wrong, "x", NULL, &why));
    o.base = &c.infos[0];
    refused(EVDB_INVALID, evdb_backup_write(other, &sink, &o, NULL, &why));
    expect_says("another store");
    backup_change(store, &seed, 20);
    ok(evdb_changes_trim(store, c.infos[2].sequence + 1, &why));
    refused(EVDB_GONE, evdb_backup_write(store, &sink, &o, NULL, &why));
    expect_says("full backup");
    evdb_store_close(store);
    evdb_store_close(other);
    chain_free(&c);
    memory_sink_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chain_comes_back_as_of_each_of_its_increments, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(links_that_do_not_fit_are_refused, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
