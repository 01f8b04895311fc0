/* backup_file.h - backups as files: a sink and a source over a descriptor, and what both ends of a file say. */
#ifndef EVDB_BACKUP_FILE_H
#define EVDB_BACKUP_FILE_H
#include "platform/descriptor.h"
#include <evdb/backup.h>
#include <stdbool.h>

#define BACKUP_SUFFIX ".backup" /* of files in a folder of backups, behind their names */

typedef struct backup_file {
    descriptor file;
    uint64_t at, size;
} backup_file;

/* A new file to write to, or one to read; path is borrowed. */
evdb_status backup_file_create(const platform *p, const char *path, backup_file *out, evdb_error *err);
evdb_status backup_file_open(const platform *p, const char *path, backup_file *out, evdb_error *err);
void backup_file_close(backup_file *f);
evdb_sink backup_file_sink(backup_file *f);
evdb_source backup_file_source(backup_file *f);

/* evdb_backup_look() */
evdb_status backup_look(const platform *p, const evdb_bytes *bytes, evdb_backup_info *out, evdb_error *err);
/* The same of a file. Whatever is wrong with the file is no failure but *out's problem, and *trouble its status. */
evdb_status backup_file_look(const platform *p, const char *path, evdb_backup_info *out, evdb_status *trouble, evdb_error *err);

/* Those of a folder, in one block that is freed with mem_free(); a folder that is missing has none. With their names from those of
 * the files. */
typedef struct backup_files {
    evdb_backup_info *at;
    size_t count;
    /* Of one that may be sound and an increment of any other, but could not be read: why, and its name. EVDB_OK = there is none. */
    evdb_status unread;
    char unread_name[EVDB_BACKUP_NAME_MAX + 1];
} backup_files;
evdb_status backup_files_list(const platform *p, const char *dir, backup_files *out, evdb_error *err);

#endif
