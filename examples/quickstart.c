/* quickstart.c - 60,000 pictures of clothes in an embedded database: store them, find the most similar, check the answers.
 *
 *   quickstart DATABASE [DATASET]
 *
 * DATABASE is a directory to create; serve.sh beside this file then serves it over HTTP. DATASET holds Fashion-MNIST as Debian's dataset-fashion-mnist installs it. Everything
 * evdb does here is in store_images() and find(); the rest reads the data set and checks and draws what came back. */
#include <evdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIDE = 28, DIM = SIDE * SIDE, BATCH = 1000, QUERIES = 100, K = 10, SHOWN = 3 };

typedef struct images {
    size_t count;
    unsigned char *pixels; /* count * DIM */
    unsigned char *labels; /* count */
} images;

static const char *const label_names[] = { "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot" };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "quickstart: %s: %s\nquickstart: FAILED\n", what, why);
    exit(1);
}

/* Every evdb call answers a status and says why in an evdb_error. */
static void must(evdb_status status, const char *what, const evdb_error *err)
{
    if (status != EVDB_OK) die(what, err->message);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- evdb ---- */

static void to_floats(const unsigned char *pixels, float *out, size_t count)
{
    for (size_t i = 0; i < count; i++) out[i] = pixels[i];
}

/* Writes every image as a record: its number as id, its pixels as vector, its label as metadata. Each batch is one durable
 * commit: once evdb_batch_write() returns, it survives a power cut. */
static void store_images(evdb_store *store, const images *train)
{
    evdb_error err;
    float *vectors = malloc(sizeof(float) * BATCH * DIM);
    if (!vectors) die("storing", "out of memory");

    for (size_t done = 0; done < train->count; done += BATCH) {
        size_t count = train->count - done < BATCH ? train->count - done : BATCH;
        int64_t ids[BATCH];
        char texts[BATCH][40];
        const char *metadata[BATCH];
        for (size_t i = 0; i < count; i++) {
            ids[i] = (int64_t)(done + i);
            snprintf(texts[i], sizeof(texts[i]), "{\"label\":\"%s\"}", label_names[train->labels[done + i]]);
            metadata[i] = texts[i];
        }
        to_floats(train->pixels + done * DIM, vectors, count * DIM);

        evdb_batch batch = EVDB_BATCH;
        batch.kind = EVDB_INSERT;
        batch.count = count;
        batch.numbers = ids;
        batch.vectors = vectors;
        batch.dim = DIM;
        batch.metadata = metadata;
        must(evdb_batch_write(store, &batch, NULL, &err), "storing", &err);
    }
    free(vectors);
}

/* The K images most like this one, with their metadata. The caller frees the result. */
static evdb_result *find(evdb_store *store, const unsigned char *pixels)
{
    evdb_error err;
    evdb_result *result;
    float query[DIM];
    evdb_search_options options = EVDB_SEARCH_OPTIONS;
    options.k = K;
    options.flags = EVDB_SEARCH_METADATA;
    to_floats(pixels, query, DIM);
    must(evdb_search(store, query, DIM, &options, &result, &err), "searching", &err);
    return result;
}

/* ---- the data set ---- */

/* Reads an IDX file: a big-endian header (type, number of dimensions, their sizes), then bytes. */
static unsigned char *read_idx(const char *dataset, const char *name, size_t item_bytes, size_t *count)
{
    char command[1024];
    unsigned char head[16];
    size_t head_bytes = item_bytes == 1 ? 8 : 16;
    if ((size_t)snprintf(command, sizeof(command), "gzip -dc '%s/%s.gz'", dataset, name) >= sizeof(command))
        die(dataset, "the path is too long");
    FILE *f = popen(command, "r");
    if (!f || fread(head, 1, head_bytes, f) != head_bytes || head[2] != 8)
        die(command, "not the data set (apt-get install dataset-fashion-mnist)");
    *count = (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 | head[7];
    unsigned char *bytes = malloc(*count * item_bytes);
    if (!bytes || fread(bytes, item_bytes, *count, f) != *count || pclose(f) != 0) die(command, "it ends early");
    return bytes;
}

static images read_images(const char *dataset, const char *part)
{
    images out;
    size_t labels;
    char name[64];
    snprintf(name, sizeof(name), "%s-images-idx3-ubyte", part);
    out.pixels = read_idx(dataset, name, DIM, &out.count);
    snprintf(name, sizeof(name), "%s-labels-idx1-ubyte", part);
    out.labels = read_idx(dataset, name, 1, &labels);
    if (labels != out.count) die(name, "not as many labels as images");
    return out;
}

static void free_images(images *in)
{
    free(in->pixels);
    free(in->labels);
}

/* ---- checking ---- */

static int squared_distance(const unsigned char *a, const unsigned char *b)
{
    int sum = 0;
    for (int i = 0; i < DIM; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* The distance of the K-th nearest, found without evdb: whoever is as near or nearer is a right answer. */
static int kth_distance(const images *train, const unsigned char *query)
{
    int nearest[K], count = 0;
    for (size_t i = 0; i < train->count; i++) {
        int distance = squared_distance(train->pixels + i * DIM, query), at;
        if (count == K && distance >= nearest[K - 1]) continue;
        if (count < K) count++;
        for (at = count - 1; at > 0 && nearest[at - 1] > distance; at--) nearest[at] = nearest[at - 1];
        nearest[at] = distance;
    }
    return nearest[count - 1];
}

static int right_answers(const images *train, const unsigned char *query, const evdb_result *result)
{
    int limit = kth_distance(train, query), right = 0;
    for (size_t i = 0; i < result->count; i++) {
        int64_t id = result->numbers[i];
        right += id >= 0 && (size_t)id < train->count &&
                 squared_distance(train->pixels + (size_t)id * DIM, query) <= limit;
        for (size_t j = 0; j < i; j++) right -= result->numbers[j] == id; /* the same answer counts once */
    }
    return right;
}

/* ---- showing ---- */

enum { COLUMNS = 24, ROWS = 12 };

static void draw_row(const unsigned char *pixels, int row)
{
    static const char shades[] = " .:-=+*#%@";
    for (int column = 0; column < COLUMNS; column++) {
        int sum = 0, count = 0;
        for (int y = row * SIDE / ROWS; y < (row + 1) * SIDE / ROWS; y++)
            for (int x = column * SIDE / COLUMNS; x < (column + 1) * SIDE / COLUMNS; x++, count++) sum += pixels[y * SIDE + x];
        putchar(shades[sum / count * 9 / 255]);
    }
}

static void show(const images *train, const unsigned char *query, unsigned char label, const evdb_result *result)
{
    printf("\n%-*s  %-*s  nearest %d of %zu\n", COLUMNS, "a test image", COLUMNS, "the nearest stored", K, train->count);
    for (int row = 0; row < ROWS; row++) {
        draw_row(query, row);
        printf("  ");
        draw_row(train->pixels + (size_t)result->numbers[0] * DIM, row);
        if (row < (int)result->count)
            printf("  %7.1f  #%-6lld %s", (double)result->distances[row], (long long)result->numbers[row], result->metadata[row]);
        putchar('\n');
    }
    printf("%-*s  %-*s\n", COLUMNS, label_names[label], COLUMNS, label_names[train->labels[result->numbers[0]]]);
}

int main(int argc, char **argv)
{
    const char *dataset = argc > 2 ? argv[2] : "/usr/share/datasets/fashion-mnist";
    evdb_error err;
    evdb *db;
    evdb_store *store;
    if (argc < 2) die("usage", "quickstart DATABASE [DATASET]");
    images train = read_images(dataset, "train"), test = read_images(dataset, "t10k");

    evdb_store_options options = EVDB_STORE_OPTIONS;
    options.dim = DIM;
    options.metric = EVDB_EUCLIDEAN;
    must(evdb_open(argv[1], NULL, &db, &err), argv[1], &err);
    must(evdb_store_create(db, "fashion", &options, &store, &err), "creating a store", &err);
    double began = seconds();
    store_images(store, &train);
    double storing = seconds() - began;

    began = seconds();
    evdb_result_free(find(store, test.pixels)); /* loads the vectors into memory */
    double loading = seconds() - began, searching = 0;
    int right = 0, same_label = 0;
    for (size_t i = 0; i < QUERIES; i++) {
        const unsigned char *query = test.pixels + i * DIM;
        began = seconds();
        evdb_result *result = find(store, query);
        searching += seconds() - began;
        if (result->count != K) die("searching", "a search did not find 10 neighbours");
        right += right_answers(&train, query, result);
        same_label += train.labels[result->numbers[0]] == test.labels[i];
        if (i < SHOWN) show(&train, query, test.labels[i], result);
        evdb_result_free(result);
    }

    printf("\nstored     %zu images of %d pixels, durably, in %.1f s (%.0f a second)\n", train.count, DIM, storing,
           (double)train.count / storing);
    printf("loaded     into memory by the first search in %.2f s\n", loading);
    printf("searched   %.1f ms for %d neighbours, exact, one thread (%s)\n", searching / QUERIES * 1e3, K, evdb_version_kernel());
    printf("recall     %.4f against an exact search written without evdb (%d of %d)\n", (double)right / (QUERIES * K), right,
           QUERIES * K);
    printf("labels     %d of %d nearest neighbours show the same kind of thing\n", same_label, QUERIES);
    evdb_store_close(store);
    evdb_close(db);
    free_images(&train);
    free_images(&test);
    if (right != QUERIES * K) die("recall", "an exact search must find every neighbour");
    printf("library    passed\n");
    return 0;
}
