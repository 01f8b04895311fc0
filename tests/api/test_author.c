/* test_author.c - evdb/author.h: records say who wrote them last, wherever the store is told to, and carry it wherever they go. */
#include "backup_store.h"
#include "expect.h"
#include <stdlib.h>
#include <string.h>

static const float one[1] = { 1 };

static evdb_store *store_with(scratch *t, const char *name, uint32_t authors)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    o.dim = 1;
    o.metric = EVDB_EUCLIDEAN;
    o.authors = authors;
    ok(evdb_store_create(t->db, name, &o, &store, &why));
    return store;
}

static evdb_status write_as(evdb_store *store, evdb_write kind, int64_t id, const char *author, const char *metadata)
{
    evdb_batch b = EVDB_BATCH;
    b.kind = kind;
    b.count = 1;
    b.numbers = &id;
    b.vectors = kind == EVDB_UPDATE ? NULL : one;
    b.dim = kind == EVDB_UPDATE ? 0 : 1;
    b.metadata = metadata ? &metadata : NULL;
    b.author = author;
    return evdb_batch_write(store, &b, NULL, &why);
}

static void same_text(const char *a, const char *b)
{
    assert_true((a == NULL) == (b == NULL));
    if (a) assert_string_equal(a, b);
}

/* By get and by a cursor. *written receives the time. */
static void assert_author(evdb_store *store, int64_t id, const char *author, int64_t *written)
{
    evdb_cursor_options o = { .size = sizeof(o), .flags = EVDB_CURSOR_NO_VECTORS, .has_after = 1, .after = num(id - 1) };
    const evdb_record *seen;
    evdb_cursor *cursor;
    evdb_record *r;
    ok(evdb_record_get(store, num(id), &r, &why));
    ok(evdb_cursor_open(store, &o, &cursor, &why));
    ok(evdb_cursor_next(cursor, &seen, &why));
    same_text(author, r->author);
    same_text(author, seen->author);
    assert_int_equal(r->written_ms, seen->written_ms);
    *written = r->written_ms;
    evdb_cursor_close(cursor);
    evdb_record_free(r);
}

static void whoever_wrote_last_is_the_author(void **state)
{
    scratch *t = *state;
    evdb_store *store = store_with(t, "s", 1);
    evdb_record *r;
    int64_t first, then;
    ok(write_as(store, EVDB_INSERT, 1, "ann", NULL));
    assert_author(store, 1, "ann", &first);
    assert_true(first > INT64_C(1500000000000));
    ok(write_as(store, EVDB_UPDATE, 1, "bob \xc3\xa9", "{\"a\":1}"));
    assert_author(store, 1, "bob \xc3\xa9", &then);
    assert_true(then >= first);
    ok(evdb_record_merge(store, num(1), "{\"b\":1}", "cid", 0, &r, &why));
    assert_string_equal(r->author, "cid");
    assert_true(r->written_ms >= then);
    evdb_record_free(r);
    assert_author(store, 1, "cid", &then);
    ok(evdb_record_set_expiry(store, num(1), EVDB_NEVER, 0, NULL, &why)); /* nobody says who */
    assert_author(store, 1, NULL, &then);
    assert_true(then >= first);
    ok(write_as(store, EVDB_UPSERT, 1, "dan", NULL));
    assert_author(store, 1, "dan", &then);
    evdb_store_close(store);
}

static void a_store_keeps_authors_only_while_it_is_told_to(void **state)
{
    scratch *t = *state;
    evdb_store *store = store_with(t, "s", 0);
    evdb_store_info *info;
    int64_t at;
    ok(write_as(store, EVDB_INSERT, 1, "ann", NULL));
    assert_author(store, 1, NULL, &at);
    assert_int_equal(at, 0);
    ok(evdb_store_set_authors(store, 1, &why));
    ok(evdb_store_describe(store, &info, &why));
    assert_int_equal(info->authors, 1);
    evdb_store_info_free(info);
    assert_author(store, 1, NULL, &at);
    ok(write_as(store, EVDB_INSERT, 2, "ann", NULL));
    evdb_store_close(store);
    scratch_reopen(t);
    ok(evdb_store_open(t->db, "s", &store, &why));
    ok(write_as(store, EVDB_INSERT, 3, "bob", NULL));
    ok(evdb_store_set_authors(store, 0, &why));
    ok(write_as(store, EVDB_UPDATE, 3, "bob", "{}"));
    assert_author(store, 2, "ann", &at);
    assert_author(store, 3, NULL, &at);
    assert_int_equal(at, 0);
    backup_sound(t->db);
    evdb_store_close(store);
}

static void names_that_cannot_be_are_refused(void **state)
{
    scratch *t = *state;
    evdb_store *store = store_with(t, "s", 1);
    char name[EVDB_AUTHOR_BYTES_MAX + 2];
    int64_t at;
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = 0;
    refused(EVDB_INVALID, write_as(store, EVDB_INSERT, 1, name, NULL));
    refused(EVDB_INVALID, write_as(store, EVDB_INSERT, 1, "", NULL));
    refused(EVDB_INVALID, write_as(store, EVDB_INSERT, 1, "\xff", NULL));
    refused(EVDB_INVALID, evdb_record_merge(store, num(1), "{}", "", 0, NULL, &why));
    assert_int_equal(scratch_count(store), 0);
    name[EVDB_AUTHOR_BYTES_MAX] = 0;
    ok(write_as(store, EVDB_INSERT, 1, name, NULL));
    assert_author(store, 1, name, &at);
    evdb_store_close(store);
}

static evdb_batch many(const int64_t *ids, const float *vectors, size_t count)
{
    evdb_batch b = EVDB_BATCH;
    b.kind = EVDB_INSERT;
    b.count = count;
    b.numbers = ids;
    b.vectors = vectors;
    b.dim = 1;
    return b;
}

static void records_of_a_batch_may_have_authors_of_their_own(void **state)
{
    static const int64_t ids[] = { 1, 2, 3 }, written[] = { 1000, 0, 2000 };
    static const float vectors[] = { 1, 2, 3 };
    scratch *t = *state;
    evdb_store *store = store_with(t, "s", 1);
    char ann[] = "ann", eve[] = "eve";
    const char *const authors[] = { ann, NULL, NULL };
    evdb_batch b = many(ids, vectors, 3);
    evdb_ticket *ticket;
    int64_t at;
    b.author = eve;
    b.authors = authors;
    b.written = written;
    ok(evdb_batch_submit(store, &b, &ticket, &why));
    memset(ann, '#', 3), memset(eve, '#', 3); /* it was copied */
    ok(evdb_ticket_wait(ticket, NULL, &why));
    evdb_ticket_free(ticket);
    assert_author(store, 1, "ann", &at);
    assert_int_equal(at, 1000);
    assert_author(store, 2, "eve", &at);
    assert_true(at > 2000);
    assert_author(store, 3, NULL, &at); /* at another time somebody else wrote it, who is not known */
    assert_int_equal(at, 2000);
    b.written = &(const int64_t){ -1 };
    b.count = 1;
    b.kind = EVDB_UPSERT;
    refused_item(EVDB_INVALID, 0, evdb_batch_write(store, &b, NULL, &why));
    const char *const wrong[] = { "", "ann", NULL };
    evdb_status statuses[3];
    b = many(ids, vectors, 3);
    b.kind = EVDB_UPSERT;
    b.flags = EVDB_BATCH_PARTIAL;
    b.authors = wrong;
    b.statuses = statuses;
    ok(evdb_batch_submit(store, &b, &ticket, &why));
    ok(evdb_ticket_wait(ticket, NULL, &why));
    evdb_ticket_free(ticket);
    assert_true(statuses[0] == EVDB_INVALID && statuses[1] == EVDB_OK && statuses[2] == EVDB_OK);
    assert_author(store, 2, "ann", &at);
    evdb_store_close(store);
}

static void a_backup_brings_authors_back(void **state)
{
    scratch *t = *state;
    evdb_store *store = store_with(t, "s", 0), *back;
    evdb_store_info *info;
    int64_t was, is;
    ok(write_as(store, EVDB_INSERT, 1, "before", NULL));
    ok(evdb_store_set_authors(store, 1, &why));
    ok(write_as(store, EVDB_INSERT, 2, "ann", "{\"a\":1}"));
    ok(write_as(store, EVDB_INSERT, 3, NULL, NULL));
    memory_sink file = backup_bytes(store, NULL, NULL, NULL);
    ok(backup_read(t->db, file.bytes, file.size, "back", NULL, &why));
    ok(evdb_store_open(t->db, "back", &back, &why));
    backup_same(store, back);
    ok(evdb_store_describe(back, &info, &why));
    assert_int_equal(info->authors, 1);
    evdb_store_info_free(info);
    assert_author(back, 1, NULL, &is);
    assert_int_equal(is, 0);
    for (int64_t id = 2; id <= 3; id++) {
        assert_author(store, id, id == 2 ? "ann" : NULL, &was);
        assert_author(back, id, id == 2 ? "ann" : NULL, &is);
        assert_int_equal(was, is);
    }
    backup_sound(t->db);
    evdb_store_close(back);
    memory_sink_free(&file);
    evdb_store_close(store);
}

static void import_as(evdb_store *store, const memory_sink *file, const char *author, uint32_t keep)
{
    evdb_import_options o = EVDB_IMPORT_OPTIONS;
    memory_source bytes = memory_from(file->bytes, file->size);
    evdb_source source = memory_reading(&bytes);
    o.format = EVDB_FORMAT_JSONL;
    o.author = author;
    o.keep_authors = keep;
    ok(evdb_import(store, &source, &o, NULL, &why));
}

static void an_export_tells_authors_and_an_import_believes_them_on_demand(void **state)
{
    scratch *t = *state;
    evdb_store *store = store_with(t, "s", 1), *kept = store_with(t, "kept", 1), *own = store_with(t, "own", 1), *none = store_with(t, "none", 0);
    evdb_export_options o = EVDB_EXPORT_OPTIONS;
    memory_sink file = memory_to();
    evdb_sink sink = memory_writing(&file);
    int64_t was, is;
    ok(write_as(store, EVDB_INSERT, 1, "ann \"x\"", NULL));
    ok(write_as(store, EVDB_INSERT, 2, NULL, NULL));
    o.format = EVDB_FORMAT_JSONL;
    ok(evdb_export(store, &sink, &o, NULL, &why));
    assert_non_null(strstr(file.bytes, "\"author\":\"ann \\\"x\\\"\",\"written_ms\":"));
    import_as(kept, &file, "eve", 1);
    import_as(own, &file, "eve", 0);
    import_as(none, &file, "eve", 1);
    for (int64_t id = 1; id <= 2; id++) {
        assert_author(store, id, id == 1 ? "ann \"x\"" : NULL, &was);
        assert_author(kept, id, id == 1 ? "ann \"x\"" : NULL, &is);
        assert_int_equal(was, is);
        assert_author(own, id, "eve", &is);
        assert_author(none, id, NULL, &is);
        assert_int_equal(is, 0);
    }
    memory_sink_free(&file);
    evdb_store_close(store), evdb_store_close(kept), evdb_store_close(own), evdb_store_close(none);
}

static void what_comes_back_from_the_trash_is_by_whom_it_was(void **state)
{
    scratch *t = *state;
    evdb_store *store = store_with(t, "s", 1);
    evdb_undelete what = EVDB_UNDELETE;
    const evdb_id id = num(1);
    int64_t was, is;
    ok(evdb_store_set_trash(store, EVDB_TRASH_DAY_MS, &why));
    ok(write_as(store, EVDB_INSERT, 1, "ann", NULL));
    assert_author(store, 1, "ann", &was);
    ok(write_as(store, EVDB_DELETE, 1, "bob", NULL));
    what.ids = &id;
    what.count = 1;
    ok(evdb_trash_restore(store, &what, NULL, &why));
    assert_author(store, 1, "ann", &is);
    assert_int_equal(was, is);
    ok(write_as(store, EVDB_DELETE, 1, "bob", NULL));
    ok(evdb_store_set_authors(store, 0, &why)); /* of writes from now on, and this is none */
    ok(evdb_trash_restore(store, &what, NULL, &why));
    assert_author(store, 1, "ann", &is);
    assert_int_equal(was, is);
    ok(write_as(store, EVDB_UPSERT, 1, "ann", NULL));
    assert_author(store, 1, NULL, &is);
    assert_int_equal(is, 0);
    ok(evdb_store_set_authors(store, 1, &why));
    ok(write_as(store, EVDB_DELETE, 1, "bob", NULL));
    ok(evdb_trash_restore(store, &what, NULL, &why));
    assert_author(store, 1, NULL, &is);
    assert_int_equal(is, 0);
    backup_sound(t->db);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whoever_wrote_last_is_the_author),
        TEST(a_store_keeps_authors_only_while_it_is_told_to),
        TEST(names_that_cannot_be_are_refused),
        TEST(records_of_a_batch_may_have_authors_of_their_own),
        TEST(a_backup_brings_authors_back),
        TEST(what_comes_back_from_the_trash_is_by_whom_it_was),
        TEST(an_export_tells_authors_and_an_import_believes_them_on_demand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
