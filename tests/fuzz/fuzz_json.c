/* fuzz_json.c - any bytes as the JSON arguments of each operation: refused with a message that names what is wrong, or bound; and
 * whether numbers and objects are cut out of the text or read as a tree makes no difference.
 *
 * Input: two bytes that choose the operation, then the text. */
#include "choose.h"
#include "op/op_slices.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound)
{
    if (!sound) abort();
}

static void check_error(evdb_status rc, const evdb_error *err)
{
    if (rc == EVDB_OK) return;
    check(rc == EVDB_INVALID || rc == EVDB_LIMIT);
    check(err->status == rc && *err->message && memchr(err->message, 0, sizeof(err->message)));
}

/* A tree's numbers are doubles first, so that they may be rounded twice. */
static void check_floats(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(isfinite(a[i]) && isfinite(b[i]) && (a[i] == b[i] || nextafterf(a[i], b[i]) == b[i]));
}

static void check_records(const op_records *a, const op_records *b)
{
    check(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        check(a->at[i].vector.count == b->at[i].vector.count && !a->at[i].metadata == !b->at[i].metadata);
        check_floats(a->at[i].vector.at, b->at[i].vector.at, a->at[i].vector.count);
    }
}

static void check_same(const op_field *f, const void *a, const void *b)
{
    const op_vector *v = a, *w = b;
    const op_vectors *many = a, *others = b;
    switch (f->type) {
    case OP_INTEGER: check(*(const int64_t *)a == *(const int64_t *)b); break;
    case OP_BOOL: check(*(const bool *)a == *(const bool *)b); break;
    case OP_CHOICE: check(*(const uint32_t *)a == *(const uint32_t *)b); break;
    case OP_STRING: check(!*(char *const *)a == !*(char *const *)b); break;
    case OP_OBJECT: check(!*(char *const *)a == !*(char *const *)b); break;
    case OP_IDS: check(((const op_ids *)a)->count == ((const op_ids *)b)->count); break;
    case OP_STRINGS: check(((const op_strings *)a)->count == ((const op_strings *)b)->count); break;
    case OP_RECORDS: check_records(a, b); break;
    case OP_VECTOR:
        check(v->count == w->count);
        check_floats(v->at, w->at, v->count);
        break;
    case OP_VECTORS:
        check(many->count == others->count && many->dim == others->dim && many->packed_size == others->packed_size);
        if (many->at) check_floats(many->at, others->at, many->count * many->dim);
        break;
    default: break;
    }
}

/* Both ways of reading what is sound JSON as a whole. */
static void compare(const op *o, const json_t *cut, const op_slices *slices, const json_t *tree)
{
    evdb_error err;
    void *a = malloc(o->args_size + 1), *b = malloc(o->args_size + 1);
    check(a && b);
    evdb_status one = op_bind(o, cut, slices, a, &err);
    check_error(one, &err);
    evdb_status other = op_bind(o, tree, NULL, b, &err);
    check_error(other, &err);
    check(one == other);
    for (const op_field *f = o->args; one == EVDB_OK && f->name; f++)
        check_same(f, (const char *)a + f->offset, (const char *)b + f->offset);
    op_unbind(o, a);
    op_unbind(o, b);
    free(a);
    free(b);
}

/* What is cut out is not looked at before it is bound. */
static void bind(const op *o, const json_t *cut, const op_slices *slices)
{
    evdb_error err;
    void *args = malloc(o->args_size + 1);
    check(args != NULL);
    check_error(op_bind(o, cut, slices, args, &err), &err);
    op_unbind(o, args);
    free(args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    op_slices slices = OP_SLICES;
    json_t *cut = NULL, *tree = NULL;
    evdb_error err;
    if (size <= CHOICE_BYTES) return 0;
    const op *o = choose_op(data);
    const char *text = (const char *)data + CHOICE_BYTES;
    size -= CHOICE_BYTES;
    evdb_status rc = op_slices_parse(text, size, &slices, &cut, &err);
    check_error(rc, &err);
    evdb_status whole = op_parse(text, size, &tree, &err);
    check_error(whole, &err);
    check(rc == EVDB_OK || whole != EVDB_OK);
    if (whole == EVDB_OK) compare(o, cut, &slices, tree);
    else if (rc == EVDB_OK) bind(o, cut, &slices);
    json_decref(cut);
    json_decref(tree);
    op_slices_free(&slices);
    return 0;
}
