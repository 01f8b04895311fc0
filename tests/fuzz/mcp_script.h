/* mcp_script.h - MCP messages written by bytes of an input: each byte chooses, so that whatever a fuzzer changes, most of what comes
 * out is a message that gets far. */
#ifndef TESTS_FUZZ_MCP_SCRIPT_H
#define TESTS_FUZZ_MCP_SCRIPT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCRIPT_MESSAGE_MAX = 16 << 10 };

typedef struct mcp_script {
    const uint8_t *at, *end; /* bytes that have not chosen yet; behind the end all are 0 */
    char text[SCRIPT_MESSAGE_MAX];
    size_t length;
} mcp_script;

/* The next message, in text; false when no byte is left. One that would be longer is cut. */
bool mcp_script_next(mcp_script *s);

#endif
