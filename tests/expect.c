/* expect.c - implements expect.h. */
#include "expect.h"
#include <string.h>

enum { POISON = 0x5a };

evdb_error why;

void expect_poison(void) { memset(&why, POISON, sizeof(why)); }

void expect_ok(evdb_status got, const char *call, const char *file, int line)
{
    const unsigned char *bytes = (const unsigned char *)&why;
    if (got != EVDB_OK) {
        print_error("%s answers %s: %s\n", call, evdb_status_name(got), why.message);
        _fail(file, line);
    }
    for (size_t i = 0; i < sizeof(why); i++)
        if (bytes[i] != POISON) {
            print_error("%s succeeds and writes an error\n", call);
            _fail(file, line);
        }
}

void expect_refused(evdb_status wanted, uint64_t item, evdb_status got, const char *call, const char *file, int line)
{
    const char *wrong = NULL;
    if (got != wanted) wrong = "has the wrong status";
    else if (why.status != got) wrong = "puts another status in the error than it returns";
    else if (why.item != item) wrong = "speaks of another item";
    else if (!memchr(why.message, 0, sizeof(why.message))) wrong = "leaves the message without an end";
    else if (!why.message[0]) wrong = "says nothing";
    if (!wrong) return;
    print_error("%s %s: %s, item %lld: %.*s\n", call, wrong, evdb_status_name(got), (long long)why.item,
                (int)sizeof(why.message), got == EVDB_OK ? "" : why.message);
    _fail(file, line);
}

void expect_says(const char *part)
{
    if (strstr(why.message, part)) return;
    fail_msg("'%s' does not mention '%s'", why.message, part);
}
