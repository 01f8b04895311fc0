/* codecs.h - the codecs of one store, as this process has met them.
 *
 * rows.db says which codec the store's creator wants, which one vectors to come are written with, and of which one each vector is.
 * What was met is kept until the engine closes: indexes borrow it. Codec 0 stands for elements of the store's type, without one. */
#ifndef EVDB_ENGINE_CODECS_H
#define EVDB_ENGINE_CODECS_H
#include "codec/codec.h"
#include "disk/rows.h"
#include <pthread.h>
#include <stdatomic.h>

struct engine;

#define CODECS_NONE "none" /* says of a store or a record that it has no codec */

typedef struct codec_met { /* one that was met; never changes */
    uint32_t id;
    bool own;
    double loss;
    const codec *codec;
    struct codec_met *next;
} codec_met;

typedef struct codecs {
    pthread_mutex_t lock;
    codec_met *met;
    rows_coding coding;      /* as last read */
    _Atomic uint32_t now, version; /* coding.codec, coding.version */
    atomic_bool pending;     /* by `coding` there is something to do */
    atomic_bool untrained;   /* another one is wanted, and waits for vectors */
} codecs;

void codecs_init(codecs *c);
void codecs_destroy(struct engine *e);

/* Reads again which codec is wanted and which in force. Whoever holds a reader may. */
evdb_status codecs_learn(struct engine *e, rows_reader *rd, evdb_error *err);
void codecs_coding(struct engine *e, rows_coding *out);
/* May there be something to be trained, or to be written again? */
bool codecs_unsettled(struct engine *e);
/* Are all vectors of a later coding than this one by now? */
bool codecs_renewed(struct engine *e, uint32_t version);
/* The codec that vectors of dim elements are written with; *out NULL = none. One that was in force may be gone by the time of a write: see
 * codecs_put_back(). */
evdb_status codecs_in_force(struct engine *e, uint32_t dim, const codec_met **out, evdb_error *err);
/* Within a transaction that writes vectors of it. Meanwhile another process may have written all vectors again, and forgotten it. */
evdb_status codecs_put_back(struct engine *e, rows *r, const codec_met *met, evdb_error *err);
/* Within a transaction: whoever only writes learns in this way that there is something to learn. */
void codecs_hear(struct engine *e, const rows *r);
/* The codec of that number, for vectors of dim elements; *out NULL for 0. EVDB_CORRUPT when there is none. */
evdb_status codecs_get(struct engine *e, rows_reader *rd, uint32_t id, uint32_t dim, const codec_met **out, evdb_error *err);
/* The same of what its row in rows.db says. */
evdb_status codecs_meet(struct engine *e, const rows_codec *row, uint32_t dim, const codec_met **out, evdb_error *err);
/* Stores of f32 and of no custom metric may have codecs; EVDB_UNSUPPORTED for others, naming the codec. */
evdb_status codecs_allowed(const struct engine *e, const char *spec, evdb_error *err);
/* The codec that single records ask for by name, NULL for "none"; remembered in rows.db at its first use. */
evdb_status codecs_own(struct engine *e, const char *spec, uint32_t dim, const codec_met **out, evdb_error *err);

#endif
