/* error.c - implements evdb/error.h. */
#include <evdb/error.h>

const char *evdb_status_text(evdb_status status)
{
    switch (status) {
#define EVDB_STATUS(name, value, text) case EVDB_##name: return text;
#include <evdb/status.def>
#undef EVDB_STATUS
    }
    return "unknown status";
}

const char *evdb_status_name(evdb_status status)
{
    switch (status) {
#define EVDB_STATUS(name, value, text) case EVDB_##name: return #name;
#include <evdb/status.def>
#undef EVDB_STATUS
    }
    return "UNKNOWN";
}
