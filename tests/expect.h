/* expect.h - what a call must answer. For the thread cmocka runs in: a failure leaves the test. */
#ifndef TESTS_EXPECT_H
#define TESTS_EXPECT_H
#include <evdb/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Pass &why as the last argument of the call. */
extern evdb_error why;

/* The call succeeds, and leaves `why` alone. */
#define ok(call) expect_ok((expect_poison(), (call)), #call, __FILE__, __LINE__)
/* The call fails with this status, and says so in `why`, about no item. */
#define refused(status, call) refused_item(status, EVDB_NO_ITEM, call)
#define refused_item(status, item, call) \
    expect_refused(status, item, (expect_poison(), (call)), #call, __FILE__, __LINE__)

void expect_poison(void);
void expect_ok(evdb_status got, const char *call, const char *file, int line);
void expect_refused(evdb_status wanted, uint64_t item, evdb_status got, const char *call, const char *file, int line);
/* `why` names the thing at fault. */
void expect_says(const char *part);
#endif
