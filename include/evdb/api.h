/* api.h - how public declarations are marked. Nothing here is called. */
#ifndef EVDB_API_H
#define EVDB_API_H

#ifdef __cplusplus
#define EVDB_BEGIN extern "C" {
#define EVDB_END }
#else
#define EVDB_BEGIN
#define EVDB_END
#endif

#define EVDB_API __attribute__((visibility("default")))
/* The result carries an error that must be looked at. */
#define EVDB_MUST_CHECK __attribute__((warn_unused_result))
#endif
