/* key.c - commands that read or write a whole backup: --key-file, a line that shows how far they are, ^C. */
#include "cli.h"
#include "interrupt.h"
#include "op/op_key.h"
#include "progress.h"
#include "terminal.h"
#include <string.h>

typedef struct key_args { const char *key_file; } key_args;

const op_field key_fields[] = {
    OP_FIELD(key_args, key_file, OP_STRING, 0, .doc = "File with the key of encrypted backups: 32 bytes, or 64 hexadecimal digits."),
    OP_END
};

static const op key_shape = { .name = "key", .args = key_fields, .args_size = sizeof(key_args) };

static op_exit run_shown(cli *c)
{
    progress bar = progress_begin();
    c->bar = &bar;
    interrupt_note();
    op_exit rc = run_operation(c);
    c->bar = NULL;
    if (rc != OP_EXIT_OK) interrupt_obey();
    return rc;
}

op_exit run_keyed(cli *c)
{
    key_args a;
    evdb_error err;
    op_exit rc = extra_bind(c, &key_shape, &a);
    if (rc != OP_EXIT_OK) return rc;
    evdb_status read = a.key_file ? op_key_read(a.key_file, c->key, &err) : EVDB_OK;
    c->has_key = a.key_file != NULL;
    rc = read == EVDB_OK ? run_shown(c) : complain_error(read, &err);
    explicit_bzero(c->key, sizeof c->key);
    op_unbind(&key_shape, &a);
    return rc;
}
