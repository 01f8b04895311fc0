/* tamper.h - changes to a database's files that its page checksums do not give away. */
#ifndef TESTS_UNIT_TAMPER_H
#define TESTS_UNIT_TAMPER_H

/* Runs SQL on rows.db or system.db, whose database must be closed. */
void tamper(const char *path, const char *statements);

#endif
