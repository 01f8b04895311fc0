/* bench_oauth.c - how many tokens a second evdbd hands out over HTTP.
 *
 *   bench_oauth
 *
 * client_credentials with a generated secret and with one chosen by a person (whose good answer is remembered), without and with
 * a refresh token, which is kept on the disk before it is handed out. Rounds in turns, by wrk over one connection and over eight, beside
 * a bare libmicrohttpd handler that answers as many bytes. */
#include "bench/bare_http.h"
#include "bench/daemon.h"
#include "bench/data.h"
#include "bench/load.h"
#include "bench/measure.h"
#include <evdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5, SECONDS = 1, KINDS = 3, FLOOR = 2000 };

static const struct kind { const char *client, *what, *secret; uint32_t grants; } kinds[KINDS] = {
    { "made", "a generated secret", NULL, EVDB_GRANT_CLIENT_CREDENTIALS },
    { "chosen", "a chosen secret", "correct horse battery staple", EVDB_GRANT_CLIENT_CREDENTIALS },
    { "renews", "a generated secret, refresh token", NULL, EVDB_GRANT_CLIENT_CREDENTIALS | EVDB_GRANT_REFRESH_TOKEN },
};

static void compare(const load_request *bare, const load_request asks[KINDS], const char *folder, unsigned connections)
{
    double http[ROUNDS], rates[KINDS][ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        http[r] = load_run(bare, folder, connections, SECONDS).rate;
        for (int k = 0; k < KINDS; k++) rates[k][r] = load_run(&asks[k], folder, connections, SECONDS).rate;
    }
    double most = measure_median(http, ROUNDS);
    printf(" %u connection%s\n  %-36s%8.0f a second\n", connections, connections == 1 ? "" : "s", "bare libmicrohttpd", most);
    for (int k = 0; k < KINDS; k++) {
        double rate = measure_median(rates[k], ROUNDS);
        printf("  %-36s%8.0f a second, %.2fx of bare (floor %d a second%s)\n", kinds[k].what, rate, rate / most, FLOOR,
               rate < FLOOR ? ": MISSED" : "");
    }
}

int main(int argc, char **argv)
{
    char folder[DATA_PATH_MAX], path[DATA_PATH_MAX + 8], bodies[KINDS][512], made[EVDB_SECRET_BYTES], *reply;
    load_request asks[KINDS], bare;
    evdb_error err;
    evdb *db;
    size_t size;
    (void)argc;
    data_folder_make(folder);
    snprintf(path, sizeof path, "%s/db", folder);
    measure_must(evdb_open(path, NULL, &db, &err), &err);
    for (int k = 0; k < KINDS; k++) {
        const char *secret = kinds[k].secret ? "correct%20horse%20battery%20staple" : made;
        measure_must(evdb_auth_client_add(db, kinds[k].client, kinds[k].secret, EVDB_SCOPE_READ, kinds[k].grants, made, &err), &err);
        snprintf(bodies[k], sizeof bodies[k], "grant_type=client_credentials&client_id=%s&client_secret=%s", kinds[k].client, secret);
    }
    daemon_process daemon = daemon_start(argv[0], path);
    for (int k = 0; k < KINDS; k++) {
        asks[k] = (load_request){ daemon.port, "/oauth/token", "application/x-www-form-urlencoded", NULL, bodies[k], strlen(bodies[k]) };
        reply = load_once(&asks[k], &size);
        if (k < KINDS - 1) free(reply);
    }
    bare = asks[0];
    bare_http *server = bare_http_start(reply, size, NULL, NULL, &bare.port);
    printf("tokens by client_credentials, medians of %d rounds of %d s in turns\n", ROUNDS, SECONDS);
    compare(&bare, asks, folder, 1);
    compare(&bare, asks, folder, 8);
    bare_http_stop(server);
    daemon_stop(&daemon);
    free(reply);
    evdb_close(db);
    return 0;
}
