/* key.c - commands on backups that may be encrypted: --key-file. */
#include "cli.h"
#include "op/op_key.h"
#include "terminal.h"
#include <string.h>

typedef struct key_args { const char *key_file; } key_args;

const op_field key_fields[] = {
    OP_FIELD(key_args, key_file, OP_STRING, 0, .doc = "File with the key of encrypted backups: 32 bytes, or 64 hexadecimal digits."),
    OP_END
};

static const op key_shape = { .name = "key", .args = key_fields, .args_size = sizeof(key_args) };

op_exit run_keyed(cli *c)
{
    key_args a;
    evdb_error err;
    op_exit rc = extra_bind(c, &key_shape, &a);
    if (rc != OP_EXIT_OK) return rc;
    evdb_status read = a.key_file ? op_key_read(a.key_file, c->key, &err) : EVDB_OK;
    c->has_key = a.key_file != NULL;
    rc = read == EVDB_OK ? run_operation(c) : complain_error(read, &err);
    explicit_bzero(c->key, sizeof c->key);
    op_unbind(&key_shape, &a);
    return rc;
}
