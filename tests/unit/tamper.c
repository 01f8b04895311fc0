/* tamper.c - implements tamper.h. */
#include "tamper.h"
#include "disk/vfs.h"
#include "expect.h"
#include "platform/platform.h"
#include <sqlite3.h>

void tamper(const char *path, const char *statements)
{
    vfs *v;
    sqlite3 *db;
    char *message = NULL;
    ok(vfs_create(&platform_real, &v, &why));
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, vfs_name(v)), SQLITE_OK);
    if (sqlite3_exec(db, statements, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s: %s", statements, message);
    sqlite3_close(db);
    vfs_free(v);
}
