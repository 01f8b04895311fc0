/* answers.h - everything a database answers, written down, so that a damaged copy can be compared with the original.
 *
 * The rule for a damaged copy: each answer is the original one, or an error that says so. Never another answer. */
#ifndef TESTS_FAULT_ANSWERS_H
#define TESTS_FAULT_ANSWERS_H
#include <evdb.h>
#include <stdbool.h>
#include <stddef.h>

enum { ANSWERS_IDS = 70, ANSWERS_MAX = 400, ANSWERS_DIM = 12 };

typedef struct answer {
    char *question;
    evdb_status status;
    char *text;    /* what was answered, up to the error if there was one */
    char *message; /* of the error */
} answer;

typedef struct answers {
    answer at[ANSWERS_MAX];
    size_t count;
    unsigned verified; /* problems that evdb_verify() found; 1 when it answered an error itself */
    bool opened;
} answers;

/* Fills dir with a database: store "ints" (integer ids, cosine) and store "texts" (string ids, euclidean, written again with a
 * codec that was trained), with updates, deletes, freed slots, and metadata large enough to overflow pages; clients, some of them without a valid secret any
 * longer, and their refresh tokens. It is left open. With sync the first
 * half of it is moved from the logs into the files. */
evdb *answers_build(const char *dir, bool sync);
/* Opens the database and asks everything. */
answers answers_of(const char *dir);
void answers_free(answers *a);

typedef struct verdict {
    unsigned wrong;      /* answers that are neither the original nor an error that says why: printed */
    unsigned reported;   /* answers that became an error */
    unsigned unverified; /* 1 = some answer became an error but verify found nothing: printed */
} verdict;
verdict answers_compare(const answers *original, const answers *now);
/* The one named by question, or NULL. */
const answer *answers_find(const answers *a, const char *question);

#endif
