/* prompts.h - texts that teach a model to use a store well; they stand in prompts.def. */
#ifndef MCP_PROMPTS_H
#define MCP_PROMPTS_H
#include "mcp/mcp.h"

/* prompts/list: all of them. prompts/get: one, with what was given in place of its arguments. */
void prompts_list(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
void prompts_get(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);

enum { PROMPT_ARGUMENTS_MAX = 2 };

typedef struct prompt_argument {
    const char *name, *title, *doc;
    const char *without; /* what the text says when it is not given; NULL = it must be given */
    bool is_store;       /* the name of a store, of which the prompt then tells what it is */
} prompt_argument;

typedef struct prompt {
    const char *name, *title, *doc, *text; /* {topic} in the text: what the argument `topic` says */
    prompt_argument arguments[PROMPT_ARGUMENTS_MAX + 1]; /* ends with one that has no name */
} prompt;

const prompt *prompt_find(const char *name);
const prompt_argument *prompt_argument_find(const prompt *p, const char *name);

#endif
