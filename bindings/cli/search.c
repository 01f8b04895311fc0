/* search.c - `evdb search`: by a vector given, or by the vector of a record. */
#include "cli.h"
#include "terminal.h"

const op_field search_fields[] = {
    { .name = "id", .type = OP_ID, .doc = "Search for what is near this record, instead of --vector." },
    OP_END
};

/* Puts the record's vector where --vector would have put its own. */
static op_exit take_vector(cli *c, json_t *id)
{
    json_t *reply = NULL, *args = json_pack("{s:O, s:[O]}", "store", json_object_get(c->args, "store"), "ids", id);
    op_exit rc = args ? call_operation(c, op_find("get_records"), args, &reply) : OP_EXIT_FAILED;
    json_t *record = json_array_get(json_object_get(reply, "records"), 0);
    if (rc == OP_EXIT_OK && !record) {
        complain("there is no record of that id to search by");
        rc = OP_EXIT_NOT_FOUND;
    }
    if (rc == OP_EXIT_OK && json_object_set(c->args, "vector", json_object_get(record, "vector")) != 0) rc = OP_EXIT_FAILED;
    json_decref(args);
    json_decref(reply);
    return rc;
}

op_exit run_search(cli *c)
{
    json_t *id = json_object_get(c->extra, "id");
    if (id && json_object_get(c->args, "vector")) {
        complain("--id and --vector exclude each other");
        return OP_EXIT_USAGE;
    }
    op_exit rc = database_open(c, false);
    if (rc == OP_EXIT_OK && id) rc = take_vector(c, id);
    return rc == OP_EXIT_OK ? run_operation(c) : rc;
}
