/* audit_file.c - implements audit_file.h. */
#include "audit_file.h"
#include "expect.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *path_of(const scratch *t)
{
    static char path[SCRATCH_PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/audit.log", t->path);
    return path;
}

audit_bytes audit_bytes_read(const scratch *t)
{
    audit_bytes b;
    b.at = scratch_content(path_of(t), &b.size);
    return b;
}

void audit_bytes_write(const scratch *t, const void *at, size_t size)
{
    FILE *f = fopen(path_of(t), "r+"); /* emptied first, some file systems would bring each to the disk */
    if (!f) f = fopen(path_of(t), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(at, 1, size, f), size);
    assert_int_equal(fflush(f), 0);
    assert_int_equal(ftruncate(fileno(f), (off_t)size), 0);
    fclose(f);
}

size_t audit_bytes_line(const audit_bytes *b, size_t n)
{
    size_t at = 0;
    for (; n && at < b->size; n--) at = (size_t)((const char *)memchr(b->at + at, '\n', b->size - at) - b->at) + 1;
    return at;
}

void audit_note(evdb *db, const char *target)
{
    evdb_audit_act act = EVDB_AUDIT_ACT;
    act.who = "admin";
    act.via = "rest";
    act.act = "register_client";
    act.target = target;
    ok(evdb_audit_append(db, &act, NULL, &why));
}

static void must_name_the_log(void *context, const char *text)
{
    (void)context;
    assert_memory_equal(text, "audit.log: ", 11);
}

uint64_t audit_problems(evdb *db, const char *anchor)
{
    evdb_audit_report report = EVDB_AUDIT_REPORT;
    ok(evdb_audit_verify(db, anchor, must_name_the_log, NULL, &report, &why));
    return report.problems;
}
