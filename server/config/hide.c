/* hide.c - config_hide_secrets(): what /proc shows of a process, without the secrets that it was given. */
#include "config/setting.h"
#include <stdlib.h>
#include <string.h>

/* Is it "--cluster-cookie" or "--cluster_cookie=..."? */
static bool names_secret(const char *flag)
{
    char name[SETTING_VARIABLE_BYTES];
    size_t length = strncmp(flag, "--", 2) == 0 ? strcspn(flag + 2, "=") : 0;
    if (!length || length >= sizeof name) return false;
    for (size_t i = 0; i < length; i++) name[i] = flag[2 + i] == '-' ? '_' : flag[2 + i];
    const setting *s = setting_find(name, length);
    return s && s->type == SETTING_SECRET;
}

/* The texts of environment and arguments are where the kernel put them, and shows them to whoever may ask. */
void config_hide_secrets(int argc, char **argv)
{
    char variable[SETTING_VARIABLE_BYTES];
    for (const setting *s = settings; s->name; s++) {
        setting_variable(s, variable);
        char *value = s->type == SETTING_SECRET ? getenv(variable) : NULL;
        if (value) explicit_bzero(value, strlen(value));
    }
    for (int i = 1; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (!names_secret(argv[i])) continue;
        if (equals) explicit_bzero(equals + 1, strlen(equals + 1));
        else if (i + 1 < argc) i++, explicit_bzero(argv[i], strlen(argv[i]));
    }
}
