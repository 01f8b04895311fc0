/* recode.c - `evdb compress set`: another codec for a store. This process ends with the command, so that by default the vectors are
 * written again before. */
#include "cli.h"

op_exit run_set_codec(cli *c)
{
    if (!json_object_get(c->args, "wait") && json_object_set_new(c->args, "wait", json_true()) != 0) return OP_EXIT_FAILED;
    return run_operation(c);
}
