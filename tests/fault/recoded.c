/* recoded.c - implements recoded.h. */
#include "recoded.h"
#include "engine/engine.h"

evdb_status recoded(evdb_store *store, const char *spec, evdb_error *err)
{
    evdb_status rc = recode_choose(store->engine, spec, err);
    return rc == EVDB_OK ? recode_run(store->engine, err) : rc;
}
