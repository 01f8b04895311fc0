/* commands.c - every command of `evdb`: the operation it calls and what of the reply it shows. */
#include "cli.h"

const cli_command commands[] = {
    { .name = "create", .op = "create_store", .creates = true,
      .example = "evdb create docs --dim 3 --metric cosine" },
    { .name = "ls", .op = "list_stores", .list = "stores", .columns = "name,dim,metric,dtype,id_type,created_ms,damaged",
      .example = "evdb ls -d /var/lib/evdb" },
    { .name = "describe", .op = "describe_store",
      .example = "evdb describe docs" },
    { .name = "rename", .op = "rename_store",
      .example = "evdb rename docs articles" },
    { .name = "rm-store", .op = "drop_store",
      .example = "evdb rm-store docs" },
    { .name = "import", .op = "create_store", .run = run_import, .extra = import_fields, .creates = true,
      .doc = "Load records from a file, creating the store when it is missing.\n"
             "The whole file is checked before anything is written. The options of 'create' apply\n"
             "to a store that this creates.",
      .example = "evdb import docs docs.jsonl --metric cosine" },
    { .name = "export", .run = run_export, .extra = export_fields,
      .doc = "Write all records of a store to a file, or to standard output for '-'.",
      .example = "evdb export docs docs.jsonl" },
    { .name = "get", .op = "get_records", .list = "records", .columns = "id,version,vector,metadata", .summary = "",
      .trouble = "missing", .complaint = "no such record", .trouble_exit = OP_EXIT_NOT_FOUND,
      .example = "evdb get docs a b" },
    { .name = "put", .op = "upsert_vector", .run = run_put, .extra = put_fields,
      .example = "evdb put docs a --vector '[1,2,3]' --metadata '{\"lang\":\"en\"}'" },
    { .name = "update", .op = "update_vector",
      .example = "evdb update docs a --metadata '{\"lang\":\"de\"}'" },
    { .name = "rm", .op = "delete_records", .summary = "deleted",
      .trouble = "missing", .complaint = "no such record", .trouble_exit = OP_EXIT_NOT_FOUND,
      .example = "evdb rm docs a b" },
    { .name = "search", .op = "search_vectors", .run = run_search, .extra = search_fields, .replaces = "vector",
      .list = "results", .columns = "id,distance,score,metadata", .summary = "stop",
      .example = "evdb search docs --vector '[1,2,3]' --k 5" },
    { .name = "count", .op = "count_records", .bare = "count",
      .example = "evdb count docs" },
    { .name = "stats", .op = "store_stats",
      .example = "evdb stats docs" },
    { .name = "verify", .op = "verify", .list = "found", .columns = "store,text",
      .trouble = "problems", .complaint = "problems found", .trouble_exit = OP_EXIT_CORRUPT,
      .example = "evdb verify docs" },
    { .name = "sync", .op = "sync_store",
      .example = "evdb sync docs" },
    { .name = "changes", .op = "list_changes", .list = "changes", .columns = "sequence,kind,id", .summary = "last",
      .example = "evdb changes docs --after 120" },
    { .name = "mcp", .run = run_mcp, .extra = mcp_fields, .creates = true,
      .doc = "Serve the database to an AI agent: MCP on standard input and output.\n"
             "One JSON-RPC message a line; ends at the end of input. The client acts as the user who\n"
             "started this, within --scope.",
      .example = "evdb mcp -d data --scope read" },
    { .name = NULL }
};
