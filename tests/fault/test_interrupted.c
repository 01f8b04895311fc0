/* test_interrupted.c - system calls that a signal interrupts, and those that do less than was asked: whoever calls goes on, and nobody
 * hears of it. The calls are replaced by this program's own, for SQLite and evdb alike. */
#include "expect.h"
#include "ledger.h"
#include "scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_bool disturbed;
static _Atomic unsigned long calls, interrupted, shortened;

/* Every third call, but never two in a row. */
static bool interrupt(void)
{
    if (!atomic_load(&disturbed) || atomic_fetch_add(&calls, 1) % 3) return false;
    atomic_fetch_add(&interrupted, 1);
    errno = EINTR;
    return true;
}

static size_t less(size_t size)
{
    if (!atomic_load(&disturbed) || size < 2) return size;
    atomic_fetch_add(&shortened, 1);
    return size - size / 3;
}

/* Declarations differ in what offsets are called; on 64 bits all are the same. */
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) { return interrupt() ? -1 : syscall(SYS_pwrite64, fd, bytes, less(size), at); }
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) { return interrupt() ? -1 : syscall(SYS_pwrite64, fd, bytes, less(size), at); }
ssize_t pread(int fd, void *bytes, size_t size, off_t at) { return interrupt() ? -1 : syscall(SYS_pread64, fd, bytes, less(size), at); }
ssize_t pread64(int fd, void *bytes, size_t size, off64_t at) { return interrupt() ? -1 : syscall(SYS_pread64, fd, bytes, less(size), at); }
int fsync(int fd) { return interrupt() ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return interrupt() ? -1 : (int)syscall(SYS_fdatasync, fd); }
int posix_fallocate(int fd, off_t at, off_t size)
{
    if (interrupt()) return EINTR;
    return syscall(SYS_fallocate, fd, 0, at, size) == 0 ? 0 : errno;
}

static void interrupted_and_short_calls_go_on(void **state)
{
    scratch *t = *state;
    ledger l = { .first = 0 };
    uint64_t from = 0;
    evdb_backup_info info = EVDB_BACKUP_INFO;
    evdb_result *found;
    float query[LEDGER_DIM];
    atomic_store(&disturbed, true);
    scratch_reopen(t);
    evdb_store *store = scratch_store(t, "s", LEDGER_DIM, EVDB_EUCLIDEAN);
    for (int round = 0; round < 3; round++) {
        for (uint32_t at = 0; at < LEDGER_ROWS; at += LEDGER_BATCH_MAX)
            ok(ledger_write(&l, store, EVDB_UPSERT, at, LEDGER_BATCH_MAX, &why));
        ok(ledger_write(&l, store, EVDB_DELETE, (uint32_t)round, 1, &why));
        ok(evdb_store_sync(store, &why));
        ledger_vector(1, 1, query);
        ok(evdb_search(store, query, LEDGER_DIM, NULL, &found, &why));
        evdb_result_free(found);
    }
    ok(evdb_index_build(store, 1, &why));
    ok(evdb_backup_create(store, "b", NULL, NULL, &why));
    ok(evdb_backup_verify(t->db, "b", NULL, &info, &why));
    assert_int_equal(ledger_differences(&l, store) + ledger_feed_problems(store, &from) + ledger_verify_problems(t->db), 0);
    evdb_store_close(store);
    scratch_reopen(t);
    ok(evdb_store_open(t->db, "s", &store, &why));
    assert_int_equal(ledger_differences(&l, store), 0);
    evdb_store_close(store);
    evdb_close(t->db);
    t->db = NULL;
    atomic_store(&disturbed, false);
    printf("%lu calls, %lu interrupted, %lu shortened\n", calls, interrupted, shortened);
    assert_true(interrupted > 100 && shortened > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(interrupted_and_short_calls_go_on, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
