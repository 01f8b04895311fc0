/* test_format_feed.c - rows of a vector file get their ids: from a companion, or counted up. */
#include "format/feed.h"
#include "format_rows.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct paired {
    size_t count, bad;
    int64_t last;
    evdb_error error;
    bool broken;
} paired;

/* Three rows of one element, with this companion (or none). */
static paired pair_with(const char *companion, int64_t first_id)
{
    static const float vectors[3] = { 11, 12, 13 };
    evdb_store_info info = { .name = "docs", .dim = 1 };
    evdb_record records[3];
    for (size_t i = 0; i < 3; i++) records[i] = (evdb_record){ .dim = 1, .vector = &vectors[i] };
    memory_sink file = rows_written(&writer_npy, &info, records, 3);
    memory_source rows = memory_from(file.bytes, file.size), names = memory_from_text(companion ? companion : "");
    evdb_source rows_in = memory_reading(&rows), names_in = memory_reading(&names);
    paired p = { 0 };
    feed f;
    assert_int_equal(
        feed_open(&f, rows_memory(), EVDB_FORMAT_NPY, &rows_in, companion ? &names_in : NULL, first_id, &p.error),
        EVDB_OK);
    for (;;) {
        const reader_row *row;
        evdb_status rc = feed_next(&f, &row, &p.error);
        if (rc == EVDB_OK && !row) break;
        if (rc == EVDB_OK) {
            p.count++;
            p.last = row->id.number;
            assert_true(row->vector[0] == vectors[row->line - 1]);
            continue;
        }
        p.bad++;
        p.broken = feed_broken(&f);
        if (p.broken) break;
    }
    feed_close(&f);
    memory_sink_free(&file);
    return p;
}

static void a_companion_names_the_rows_one_by_one(void **state)
{
    (void)state;
    paired p = pair_with("{\"id\":7}\n\n{\"id\":8,\"metadata\":{}}\n{\"id\":9}", 0);
    assert_int_equal(p.count, 3);
    assert_int_equal(p.last, 9);
    p = pair_with("{\"id\":7}\n{\"id\":}\n{\"id\":9}\n", 0); /* a bad line spoils its own row only */
    assert_int_equal(p.count, 2);
    assert_int_equal(p.bad, 1);
    assert_int_equal(p.error.item, 2);
    assert_int_equal(p.last, 9);
}

static void a_companion_of_another_length_is_refused(void **state)
{
    (void)state;
    paired p = pair_with("{\"id\":7}\n{\"id\":8}\n", 0);
    assert_true(p.broken);
    assert_int_equal(p.error.item, 3);
    assert_non_null(strstr(p.error.message, "row 3: the companion has no record for it"));
    p = pair_with("{\"id\":7}\n{\"id\":8}\n{\"id\":9}\n{\"id\":10}\n", 0);
    assert_true(p.broken);
    assert_non_null(strstr(p.error.message, "companion line 4: there is no row for it"));
}

static void rows_without_a_companion_are_counted(void **state)
{
    (void)state;
    paired p = pair_with(NULL, 100);
    assert_int_equal(p.count, 3);
    assert_int_equal(p.last, 102);
    p = pair_with(NULL, INT64_MAX - 1);
    assert_int_equal(p.count, 2);
    assert_true(p.broken);
    assert_non_null(strstr(p.error.message, "row 3: its id, counted from 9223372036854775806"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_companion_names_the_rows_one_by_one),
        cmocka_unit_test(a_companion_of_another_length_is_refused),
        cmocka_unit_test(rows_without_a_companion_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
