/* op_audit.c - implements op/op_audit.h. */
#include "op/op_audit.h"
#include <string.h>
#include <unistd.h>

bool op_audited(const op *o) { return o->effect == OP_ADMINISTERS || o->scope == OP_SCOPE_ADMIN; }

const char *op_audit_user(unsigned long uid, char out[OP_AUDIT_USER_BYTES])
{
    snprintf(out, OP_AUDIT_USER_BYTES, "local:%lu", uid);
    return out;
}

const char *op_audit_self(char out[OP_AUDIT_USER_BYTES]) { return op_audit_user((unsigned long)geteuid(), out); }

/* How much of an argument: whoever gives an API key in the place of its id does not leave it in the log. */
static int shown(const char *value)
{
    static const char key[] = "evdbkey_";
    return strncmp(value, key, sizeof key - 1) == 0 ? (int)sizeof key - 1 + EVDB_API_KEY_ID_BYTES - 1 : EVDB_AUDIT_TARGET_MAX;
}

/* What an act is done to are the arguments that can be given without their names: the store, the client, the backup. */
static void name_target(const op *o, const void *args, char *out, size_t room)
{
    size_t used = 0;
    for (const op_field *f = o->args; f->name && used < room; f++) {
        if (!f->position || f->type != OP_STRING || f->flags & OP_SECRET) continue;
        const char *const *value = (const void *)((const char *)args + f->offset);
        if (*value) used += (size_t)snprintf(out + used, room - used, "%s%.*s", used ? " " : "", shown(*value), *value);
    }
}

static evdb_status append(const op_audit *a, int32_t outcome, uint64_t *number, evdb_error *err)
{
    evdb_audit_act act = EVDB_AUDIT_ACT;
    act.who = a->who;
    act.via = a->via;
    act.act = a->act;
    act.target = a->target;
    act.of = a->begun;
    act.outcome = outcome;
    return evdb_audit_append(a->db, &act, number, err);
}

evdb_status op_audit_open(op_audit *a, evdb *db, const char *who, const char *via, const char *act, const char *target, evdb_error *err)
{
    *a = (op_audit){ .db = db, .who = who, .via = via, .act = act };
    snprintf(a->target, sizeof a->target, "%s", target);
    return append(a, EVDB_AUDIT_BEGUN, &a->begun, err);
}

evdb_status op_audit_begin(op_audit *a, const op *o, const op_call *call, const void *args, evdb_error *err)
{
    *a = (op_audit){ .reads = o->effect == OP_READS, .local = call->local, .act = o->name,
                     .via = call->protocol ? call->protocol : "program", .who = call->user ? call->user : "program" };
    if (call->who) a->who = call->who->client;
    if (!op_audited(o) || !call->db) return EVDB_OK;
    a->db = call->db;
    name_target(o, args, a->target, sizeof a->target);
    return a->reads ? EVDB_OK : append(a, EVDB_AUDIT_BEGUN, &a->begun, err);
}

evdb_status op_audit_end(op_audit *a, evdb_status outcome, evdb_error *err)
{
    evdb_error why;
    if (!a->db || append(a, (int32_t)outcome, NULL, &why) == EVDB_OK || !a->reads || a->local || outcome != EVDB_OK) return outcome;
    if (err) *err = why;
    return why.status;
}
