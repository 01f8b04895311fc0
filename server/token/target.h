/* target.h - the parameter `resource`, once or more: what tokens shall be good for (RFC 8707). */
#ifndef TOKEN_TARGET_H
#define TOKEN_TARGET_H
#include "proto/proto.h"

/* From a form or a query into words as evdb_token_options.audience has them; "" = nothing was said. What is wrong (invalid_target), or NULL. */
const char *target_read(const service *s, const char *form, char audience[EVDB_AUDIENCE_MAX + 1]);

#endif
