/* op_key.c - implements op/op_key.h. */
#include "op/op_key.h"
#include "op/op.h"
#include <errno.h>
#include <string.h>

enum { DIGITS = 2 * EVDB_BACKUP_KEY_BYTES, LONGEST = DIGITS + 2 /* a line's end */ };

static int digit(unsigned char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_digits(const unsigned char *text, size_t size, unsigned char *out)
{
    while (size > DIGITS && (text[size - 1] == '\n' || text[size - 1] == '\r')) size--;
    if (size != DIGITS) return false;
    for (size_t i = 0; i < EVDB_BACKUP_KEY_BYTES; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

evdb_status op_key_read(const char *path, unsigned char out[EVDB_BACKUP_KEY_BYTES], evdb_error *err)
{
    unsigned char text[LONGEST + 1];
    evdb_status rc = EVDB_OK;
    FILE *f = fopen(path, "rbe");
    if (!f) return op_fail(err, errno == ENOENT ? EVDB_NOT_FOUND : errno == EACCES ? EVDB_DENIED : EVDB_IO, "%s: cannot open the key file", path);
    setvbuf(f, NULL, _IONBF, 0); /* no copy of it stays behind */
    size_t size = fread(text, 1, sizeof text, f);
    if (ferror(f)) rc = op_fail(err, EVDB_IO, "%s: cannot read the key file", path);
    else if (size == EVDB_BACKUP_KEY_BYTES) memcpy(out, text, size);
    else if (!from_digits(text, size, out))
        rc = op_fail(err, EVDB_INVALID, "%s: is no key: %u bytes, or %d hexadecimal digits", path, EVDB_BACKUP_KEY_BYTES, DIGITS);
    fclose(f);
    explicit_bzero(text, sizeof text);
    return rc;
}
