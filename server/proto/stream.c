/* stream.c - implements proto/stream.h. */
#include "proto/stream.h"
#include "op/op_spool.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static evdb_status spool_failed(const char *what, evdb_error *err)
{
    char reason[128];
    int why = errno;
    return op_fail(err, why == ENOSPC || why == EDQUOT ? EVDB_FULL : EVDB_IO, "the reply cannot be %s in a temporary file: %s",
                   what, strerror_r(why, reason, sizeof reason));
}

static evdb_status write_all(void *context, const void *bytes, size_t count, evdb_error *err)
{
    body_sink *b = context;
    return fwrite(bytes, 1, count, b->file) == count ? EVDB_OK : spool_failed("kept", err);
}

evdb_status body_sink_open(body_sink *b, evdb_error *err)
{
    b->file = op_spool();
    return b->file ? EVDB_OK : spool_failed("begun", err);
}

evdb_sink body_sink_of(body_sink *b)
{
    return (evdb_sink){ .context = b, .write = write_all };
}

evdb_status body_sink_send(body_sink *b, const op_file *about, http_response *response, evdb_error *err)
{
    char disposition[128];
    off_t size = fflush(b->file) == 0 ? ftello(b->file) : -1;
    int fd = size < 0 ? -1 : fcntl(fileno(b->file), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return spool_failed("kept", err);
    http_body_file(response, about->type, fd, (size_t)size);
    snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"", about->name);
    http_header_add(response, "Content-Disposition", disposition);
    return EVDB_OK;
}

void body_sink_close(body_sink *b)
{
    if (b->file) fclose(b->file);
    b->file = NULL;
}
