/* folder.h - a database in memory with a folder of backups. */
#ifndef TESTS_OP_FOLDER_H
#define TESTS_OP_FOLDER_H
#include <evdb.h>

enum { FOLDER_PATH = 256 };

/* The folder is a new one. NULL when that fails. */
evdb *folder_open(char dir[FOLDER_PATH]);
/* With all that is in it. */
void folder_close(evdb *db, const char *dir);
#endif
