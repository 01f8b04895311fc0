/* accounts.h - what one owner of clients was told about them, kept apart from the database so that the two can be compared: what
 * ledger.h is for records.
 *
 * A change is noted before its call, and what it answered after the call returned EVDB_OK; accounts in shared memory so survive
 * the kill of their owner. A change that was not answered may have happened or not. */
#ifndef TESTS_FAULT_ACCOUNTS_H
#define TESTS_FAULT_ACCOUNTS_H
#include <evdb.h>
#include <stdbool.h>

enum { ACCOUNTS = 3, ACCOUNT_TOKEN = 1024 };

typedef enum account_change {
    ACCOUNT_NONE,
    ACCOUNT_ADD,
    ACCOUNT_ROTATE,
    ACCOUNT_REMOVE,
    ACCOUNT_LOGIN,
    ACCOUNT_REFRESH
} account_change;

/* "" = there is none, or nobody was told. */
typedef struct account {
    bool exists;
    account_change under_way;
    char secret[EVDB_SECRET_BYTES], old_secret[EVDB_SECRET_BYTES]; /* the old one is void */
    char access[ACCOUNT_TOKEN], old_access[ACCOUNT_TOKEN];
    char refresh[EVDB_SECRET_BYTES], used_refresh[EVDB_SECRET_BYTES];
} account;

typedef struct accounts {
    char owner; /* 'a' to 'z': its clients' ids begin so */
    uint64_t acknowledged;
    account at[ACCOUNTS];
} accounts;

/* Makes the change if it applies: a client that is not there can only be added, one under way is left alone. An answer other
 * than EVDB_OK leaves it under way. */
evdb_status accounts_change(accounts *a, evdb *db, unsigned i, account_change change, evdb_error *err);
/* A random one of those. */
evdb_status accounts_change_any(accounts *a, evdb *db, uint64_t *seed, evdb_error *err);

/* Compares with the database, by logging in, checking and refreshing, and prints each difference; answers how many there were.
 * Afterwards what was found counts as acknowledged. */
unsigned accounts_differences(accounts *a, evdb *db);

#endif
