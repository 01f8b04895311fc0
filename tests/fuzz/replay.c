/* replay.c - runs a fuzz target where libFuzzer is not at hand: over its corpus, then over seeded mutations of it.
 *
 *   fuzz_NAME [-runs=N] [-seed=N] CORPUS...     a folder, or a single input to repeat a failure
 *
 * Takes libFuzzer's flags, so that the same command drives both. Run i depends on seed + i alone. The input of the run under
 * way is kept in last-input in the first folder: after a crash, it is the input that did it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_MAX = 1 << 16, INPUTS_MAX = 4096, CHANGES_MAX = 8, PATH_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
    uint8_t *bytes;
    size_t size;
} input;

static input corpus[INPUTS_MAX];
static size_t corpus_count;

static void die(const char *what, const char *name)
{
    fprintf(stderr, "replay: %s %s: %m\n", what, name);
    exit(2);
}

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t n)
{
    return n ? (size_t)(next(state) % n) : 0;
}

static void load_file(const char *path)
{
    uint8_t space[INPUT_MAX];
    FILE *f = fopen(path, "rbe");
    if (!f) die("cannot open", path);
    input in = { .size = fread(space, 1, sizeof(space), f) };
    fclose(f);
    if (!(in.bytes = malloc(in.size + 1))) die("no memory for", path);
    memcpy(in.bytes, space, in.size);
    if (corpus_count < INPUTS_MAX) corpus[corpus_count++] = in;
}

static void load(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 && errno == ENOENT) return;
    if (!S_ISDIR(st.st_mode)) {
        load_file(path);
        return;
    }
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort); /* sorted: the same seed picks the same inputs */
    if (count < 0) die("cannot list", path);
    for (int i = 0; i < count; i++) {
        char file[PATH_BYTES];
        snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
        if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && strcmp(names[i]->d_name, "last-input") != 0) load_file(file);
        free(names[i]);
    }
    free(names);
}

/* Opens a gap of n bytes at `at`, which must fit, for the caller to fill. */
static void widen(input *in, size_t at, size_t n)
{
    memmove(in->bytes + at + n, in->bytes + at, in->size - at);
    in->size += n;
}

static void narrow(input *in, size_t at, size_t n)
{
    if (n > in->size - at) n = in->size - at;
    memmove(in->bytes + at, in->bytes + at + n, in->size - at - n);
    in->size -= n;
}

static void change_once(input *in, uint64_t *state)
{
    static const uint8_t telling[] = { 0, 1, 0x7f, 0x80, 0xff, '"', '\\', '{', '}', '[', ']', ',', ':', '-', 'e', '.', '\n' };
    size_t at = below(state, in->size), n = 1 + below(state, 16);
    const input *other = &corpus[below(state, corpus_count)];
    switch (in->size ? below(state, 7) : 2) {
    case 0: in->bytes[at] ^= (uint8_t)(1u << below(state, 8)); break;
    case 1: in->bytes[at] = telling[below(state, sizeof(telling))]; break;
    case 2:
        if (in->size + n > INPUT_MAX) break;
        widen(in, at, n);
        for (size_t i = 0; i < n; i++) in->bytes[at + i] = (uint8_t)next(state);
        break;
    case 3: narrow(in, at, n); break;
    case 4: in->size = at; break;
    case 5: /* repeat a stretch: nesting, long tokens */
        if (n > in->size - at || in->size + n > INPUT_MAX) break;
        widen(in, at, n);
        memcpy(in->bytes + at, in->bytes + at + n, n);
        break;
    default: /* the tail of another input */
        if (other->size) {
            size_t from = below(state, other->size), length = other->size - from;
            if (at + length > INPUT_MAX) length = INPUT_MAX - at;
            memcpy(in->bytes + at, other->bytes + from, length);
            in->size = at + length;
        }
    }
}

/* A copy of exactly its size, so that reading one byte too far is seen. */
static void run(const input *in, int last)
{
    uint8_t *exact = malloc(in->size ? in->size : 1);
    if (!exact) die("no memory for", "an input");
    memcpy(exact, in->bytes, in->size);
    if (last >= 0 && (ftruncate(last, 0) != 0 || pwrite(last, exact, in->size, 0) != (ssize_t)in->size))
        die("cannot write", "last-input");
    LLVMFuzzerTestOneInput(exact, in->size);
    free(exact);
}

int main(int argc, char **argv)
{
    static uint8_t space[INPUT_MAX];
    uint64_t runs = 0, seed = (uint64_t)time(NULL);
    int last = -1;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        char file[PATH_BYTES];
        if (strncmp(argv[i], "-runs=", 6) == 0) {
            runs = strtoull(argv[i] + 6, NULL, 10);
        } else if (strncmp(argv[i], "-seed=", 6) == 0) {
            seed = strtoull(argv[i] + 6, NULL, 10);
        } else {
            load(argv[i]);
            snprintf(file, sizeof(file), "%s/last-input", argv[i]);
            if (last < 0 && stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
                last = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        }
    }
    for (size_t i = 0; i < corpus_count; i++) run(&corpus[i], last);
    printf("%zu inputs", corpus_count);
    fflush(stdout);
    if (corpus_count == 0) corpus[corpus_count++] = (input){ .bytes = calloc(1, 1) };
    for (uint64_t i = 0; i < runs; i++) {
        uint64_t state = seed + i;
        const input *from = &corpus[below(&state, corpus_count)];
        input in = { .bytes = space, .size = from->size };
        memcpy(space, from->bytes, from->size);
        for (size_t n = 1 + below(&state, CHANGES_MAX); n; n--) change_once(&in, &state);
        run(&in, last);
    }
    printf(", %llu mutations from seed %llu: passed\n", (unsigned long long)runs, (unsigned long long)seed);
    if (last >= 0) close(last);
    return 0;
}
