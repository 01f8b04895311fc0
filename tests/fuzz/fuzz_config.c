/* fuzz_config.c - any bytes as a configuration file: the reader must refuse them, naming the file, or understand them; and
 * what it understands, printed and read again, must be the same. */
#include "config/setting.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char name[] = "fuzz.conf";

static void check(bool sound)
{
    if (!sound) abort();
}

static void load_defaults(config *c)
{
    char program[] = "evdbd", help[] = "--help"; /* that stops before the environment is read */
    char *argv[] = { program, help, NULL };
    check(config_load(2, argv, c, NULL) == EVDB_OK);
    c->file = name;
}

static char *print(const config *c, size_t *size)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, size);
    check(f != NULL);
    config_print(c, f);
    fclose(f);
    return text;
}

static void check_bounds(const config *c)
{
    for (const setting *s = settings; s->name; s++) {
        const void *at = (const char *)c + s->offset;
        int64_t value = s->type == SETTING_BOOL ? 0 : setting_is_text(s) ? (int64_t)strlen(*(char *const *)at)
                                                                         : *(const int64_t *)at;
        check(value >= s->least && (s->type == SETTING_BOOL || value <= s->most));
    }
}

/* Secrets are printed as stars: the second printing has what the first had. */
static void check_round_trip(const config *c)
{
    config again;
    size_t size, size_again;
    char *text = print(c, &size);
    load_defaults(&again);
    check(config_read_text(text, size, &again, NULL) == EVDB_OK);
    char *text_again = print(&again, &size_again);
    check(size == size_again && memcmp(text, text_again, size) == 0);
    config_free(&again);
    free(text_again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    config c;
    evdb_error err;
    load_defaults(&c);
    evdb_status rc = config_read_text((const char *)data, size, &c, &err);
    if (rc != EVDB_OK) {
        check(err.status == rc && memchr(err.message, 0, sizeof(err.message)) != NULL);
        check(strncmp(err.message, name, sizeof(name) - 1) == 0 && err.message[sizeof(name) - 1] == ':');
    } else {
        check_bounds(&c);
        check_round_trip(&c);
    }
    config_free(&c);
    return 0;
}
