/* op_spool.h - where bytes wait that must be read twice, or counted before they are sent. */
#ifndef OP_SPOOL_H
#define OP_SPOOL_H
#include <stdio.h>

/* A file below $TMPDIR, else /tmp, that has no name and vanishes when it is closed; NULL and errno when there can be none. */
FILE *op_spool(void);
#endif
