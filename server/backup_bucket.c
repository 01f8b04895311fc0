/* backup_bucket.c - implements backup_bucket.h. */
#include "backup_bucket.h"
#include "log.h"
#include "remote/secret_file.h"
#include <string.h>

enum { SECRET_MAX = 8193 };

static evdb_status look(const char *path, evdb_error *err)
{
    char secret[SECRET_MAX];
    if (!*path) return EVDB_OK;
    evdb_status rc = secret_file_read(path, secret, sizeof secret, err);
    explicit_bzero(secret, sizeof secret);
    if (rc == EVDB_OK && secret_file_open_to_others(path))
        log_line(LOG_WARNING, "a file with a secret is open to other users", json_pack("{s:o}", "file", log_text(path)));
    return rc;
}

evdb_status backup_bucket_open(const config *c, s3 **out, evdb_error *err)
{
    const s3_options o = {
        .endpoint = c->s3_endpoint, .region = c->s3_region, .bucket = c->s3_bucket, .prefix = c->s3_prefix, .access_key = c->s3_access_key,
        .secret_key_file = c->s3_secret_key_file, .session_token_file = c->s3_session_token_file, .ca_file = c->s3_ca_file,
        .path_style = c->s3_path_style, .timeout_ms = c->s3_timeout, .part_bytes = c->s3_part_bytes,
    };
    *out = NULL;
    if (!*c->s3_endpoint) return EVDB_OK;
    evdb_status rc = look(o.secret_key_file, err);
    if (rc == EVDB_OK) rc = look(o.session_token_file, err);
    return rc == EVDB_OK ? s3_open(&o, out, err) : rc;
}
