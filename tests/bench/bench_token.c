/* bench_token.c - what a token costs: issuing one, checking one that was not seen before, checking one that was.
 *
 *   bench_token [TOKENS]
 *
 * One client, one thread, no refresh tokens, whose cost is the disk's. Each round issues TOKENS (2,000 at most; else 1,000) of either
 * format, checks each by a handle that was opened after they were issued, and then again and again one of them. Processor time; the
 * median of rounds. */
#include "bench/data.h"
#include "bench/measure.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 1000, TOKENS_MAX = 2000, ROUNDS = 9, AGAIN = 20000 };

typedef struct figures { double issue[ROUNDS], cold[ROUNDS], cached[ROUNDS]; } figures;

static evdb_token tokens[TOKENS_MAX];

static const evdb_check_options expected = { .size = sizeof(expected), .issuer = "https://evdb.example", .audience = "https://evdb.example/api" };

static void check(evdb *db, const char *token)
{
    evdb_error err;
    evdb_principal who;
    measure_must(evdb_auth_token_check(db, token, &expected, &who, &err), &err);
}

static void one_round(evdb *db, const char *path, const char *secret, evdb_token_format format, size_t count, figures *f, int round)
{
    evdb_token_options o = { .size = sizeof(o), .format = format };
    evdb_error err;
    evdb *fresh;
    if (format == EVDB_TOKEN_JWT) {
        o.issuer = expected.issuer;
        o.audience = "https://evdb.example/mcp https://evdb.example/api";
    }
    double began = measure_cpu();
    for (size_t i = 0; i < count; i++) measure_must(evdb_auth_token_issue(db, "bench", secret, &o, &tokens[i], &err), &err);
    f->issue[round] = (measure_cpu() - began) / (double)count;
    measure_must(evdb_open(path, NULL, &fresh, &err), &err);
    check(fresh, tokens[0].access); /* reads the keys */
    began = measure_cpu();
    for (size_t i = 1; i < count; i++) check(fresh, tokens[i].access);
    f->cold[round] = (measure_cpu() - began) / (double)(count - 1);
    began = measure_cpu();
    for (size_t i = 0; i < AGAIN; i++) check(fresh, tokens[count - 1].access);
    f->cached[round] = (measure_cpu() - began) / AGAIN;
    evdb_close(fresh);
}

static void print(const char *name, figures *f, bool judged)
{
    double issue = measure_median(f->issue, ROUNDS), cold = measure_median(f->cold, ROUNDS), cached = measure_median(f->cached, ROUNDS);
    printf("%-7s %9.0f issued/s a core %9.1f us cold %9.2f us cached\n", name, 1 / issue, cold * 1e6, cached * 1e6);
    if (judged) printf("%-7s cold at most 200 us: %s, cached at most 2 us: %s\n", "", cold <= 200e-6 ? "yes" : "NO", cached <= 2e-6 ? "yes" : "NO");
}

int main(int argc, char **argv)
{
    static figures jwt, opaque;
    char path[DATA_PATH_MAX], secret[EVDB_SECRET_BYTES];
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : TOKENS;
    evdb_error err;
    evdb *db;
    if (count < 2 || count > TOKENS_MAX) count = count < 2 ? TOKENS : TOKENS_MAX;
    data_folder_make(path);
    measure_must(evdb_open(path, NULL, &db, &err), &err);
    measure_must(evdb_auth_client_add(db, "bench", NULL, EVDB_SCOPE_READ | EVDB_SCOPE_WRITE, 0, secret, &err), &err);
    for (int round = 0; round < ROUNDS; round++) {
        one_round(db, path, secret, EVDB_TOKEN_JWT, count, &jwt, round);
        one_round(db, path, secret, EVDB_TOKEN_OPAQUE, count, &opaque, round);
    }
    printf("%zu tokens a round, medians of %d rounds\n", count, ROUNDS);
    print("JWT", &jwt, true);
    print("opaque", &opaque, false);
    evdb_close(db);
    return 0;
}
