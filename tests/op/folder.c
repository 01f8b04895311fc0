/* folder.c - implements folder.h. */
#include "folder.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

evdb *folder_open(char dir[FOLDER_PATH])
{
    evdb_options o = EVDB_OPTIONS;
    evdb *db = NULL;
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, FOLDER_PATH, "%s/evdb-op-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) return NULL;
    o.backup_dir = dir;
    return evdb_open(":memory:", &o, &db, NULL) == EVDB_OK ? db : NULL;
}

void folder_close(evdb *db, const char *dir)
{
    DIR *all = opendir(dir);
    evdb_close(db);
    for (const struct dirent *one; all && (one = readdir(all)) != NULL;) (void)unlinkat(dirfd(all), one->d_name, 0);
    if (all) closedir(all);
    rmdir(dir);
}
