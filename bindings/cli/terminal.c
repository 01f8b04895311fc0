/* terminal.c - implements terminal.h. */
#include "terminal.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_colour(FILE *file)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(file)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

unsigned terminal_width(FILE *file)
{
    struct winsize size;
    if (!isatty(fileno(file))) return 0;
    return ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

void terminal_put(FILE *file, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) { /* C1 controls, two bytes in UTF-8 */
            putc('?', file);
            p++;
        } else {
            putc(*p < 0x20 || *p == 0x7f ? '?' : *p, file);
        }
    }
}

void complain(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fputs(terminal_colour(stderr) ? "\033[31mevdb:\033[0m " : "evdb: ", stderr);
    terminal_put(stderr, text);
    putc('\n', stderr);
}

op_exit complain_error(evdb_status status, const evdb_error *err)
{
    complain("%s", err->message);
    return op_status(status).exit;
}
