/* eigen.c - implements eigen.h.
 *
 * What takes time goes over memory as seldom as it can: the matrix is changed and multiplied by the next vector in one pass; rotations
 * are kept until there are many, and applied to a few columns at a time; several threads share rows and columns. */
#include "codec/eigen.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "codec/stage.h"
#include "platform/thread.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { STRIP = 32, GROUP = 8, ROUNDS = 60, KEPT = 1 << 16 };

typedef struct rotation {
    double c, s;
    uint32_t at; /* rows at and at + 1 */
} rotation;

typedef struct solver {
    const codec_training *t;
    uint32_t n;
    double *a, *vectors;
    double *d, *e;   /* diagonal; beside it, e[i] between i and i + 1 */
    double *tau;     /* of reflection k: 1 - tau v v', v behind the diagonal of row k of a */
    double *v, *w, *p;
    rotation *kept;
    size_t count;
    size_t threads;
} solver;

static double dot(const double *a, const double *b, size_t n)
{
    double s[8] = { 0 };
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++) s[j] += a[i + j] * b[i + j];
    for (; i < n; i++) s[0] += a[i] * b[i];
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

/* ---- to a tridiagonal matrix ---- */

/* The reflection that leaves of row k only what lies beside the diagonal. */
static void reflect(solver *s, uint32_t k)
{
    double *x = s->a + (size_t)k * s->n + k + 1, rest;
    size_t n = s->n - k - 1;
    rest = n > 1 ? dot(x + 1, x + 1, n - 1) : 0;
    s->tau[k] = 0;
    s->e[k] = x[0];
    if (rest > DBL_MIN) {
        double beta = x[0] > 0 ? -sqrt(x[0] * x[0] + rest) : sqrt(x[0] * x[0] + rest), scale = 1 / (x[0] - beta);
        for (size_t i = 1; i < n; i++) x[i] *= scale;
        s->tau[k] = (beta - x[0]) / beta;
        s->e[k] = beta;
    }
    x[0] = 1;
}

/* Row i, from its diagonal on: less what v w' + w v' have there (old), then its share of the product with u (fresh) into p. */
static void pass_row(double *row, size_t n, const double *v, const double *w, const double *u, double *p)
{
    double v0 = v[0], w0 = w[0], u0 = u[0], sum;
    row[0] -= 2 * v0 * w0;
    sum = row[0] * u0;
    double sums[4] = { 0 };
    size_t j = 1;
    for (; j + 4 <= n; j += 4)
        for (size_t i = 0; i < 4; i++) {
            double x = row[j + i] - v0 * w[j + i] - w0 * v[j + i];
            row[j + i] = x;
            sums[i] += x * u[j + i];
            p[j + i] += x * u0;
        }
    for (; j < n; j++) {
        row[j] -= v0 * w[j] + w0 * v[j];
        sum += row[j] * u[j];
        p[j] += row[j] * u0;
    }
    p[0] += sum + ((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/* v and w of reflection k from u and p, its product with the matrix. */
static void rank_two(solver *s, uint32_t k)
{
    size_t n = s->n - k - 1;
    const double *u = s->a + (size_t)k * s->n + k + 1;
    double *p = s->p + k + 1, tau = s->tau[k], half = tau * tau / 2 * dot(p, u, n);
    memcpy(s->v + k + 1, u, n * sizeof(*u));
    for (size_t i = 0; i < n; i++) s->w[k + 1 + i] = tau * p[i] - half * u[i];
}

static evdb_status reduce(solver *s, evdb_error *err)
{
    uint32_t n = s->n;
    memset(s->v, 0, n * sizeof(*s->v));
    memset(s->w, 0, n * sizeof(*s->w));
    for (uint32_t k = 0; k < n; k++) {
        double *row = s->a + (size_t)k * n;
        if (k % 64 == 0) {
            evdb_status rc = stage_stopped(s->t, err);
            if (rc != EVDB_OK) return rc;
        }
        /* Row k is behind by one reflection, as all rows after it are. */
        for (uint32_t j = k; j < n; j++) row[j] -= s->v[k] * s->w[j] + s->w[k] * s->v[j];
        s->d[k] = row[k];
        if (k + 1 == n) break;
        reflect(s, k);
        memset(s->p, 0, n * sizeof(*s->p));
        for (uint32_t i = k + 1; i < n; i++)
            pass_row(s->a + (size_t)i * n + i, n - i, s->v + i, s->w + i, row + i, s->p + i);
        rank_two(s, k);
    }
    return EVDB_OK;
}

/* ---- all reflections in one matrix, transposed ---- */

/* A few rows: unit vectors that go through the reflections, last first. Row i meets those before it only. */
static void form_rows(const solver *s, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        double *row = s->vectors + (size_t)i * s->n;
        memset(row, 0, s->n * sizeof(*row));
        row[i] = 1;
    }
    for (uint32_t k = end - 1; k-- > 0;) {
        const double *u = s->a + (size_t)k * s->n + k + 1;
        size_t n = s->n - k - 1;
        if (s->tau[k] == 0) continue;
        for (uint32_t i = first > k + 1 ? first : k + 1; i < end; i++) {
            double *row = s->vectors + (size_t)i * s->n + k + 1, share = s->tau[k] * dot(row, u, n);
            for (size_t j = 0; j < n; j++) row[j] -= share * u[j];
        }
    }
}

static void form_share(void *context, size_t thread)
{
    const solver *s = context;
    for (uint32_t i = (uint32_t)thread * GROUP; i < s->n; i += (uint32_t)s->threads * GROUP)
        form_rows(s, i, i + GROUP < s->n ? i + GROUP : s->n);
}

/* ---- QL ---- */

static void rotate_strip(const solver *s, uint32_t column, uint32_t count)
{
    for (size_t i = 0; i < s->count; i++) {
        const rotation r = s->kept[i];
        double *x = s->vectors + (size_t)r.at * s->n + column, *y = x + s->n;
        for (uint32_t j = 0; j < count; j++) {
            double a = x[j], b = y[j];
            y[j] = r.s * a + r.c * b;
            x[j] = r.c * a - r.s * b;
        }
    }
}

static void rotate_share(void *context, size_t thread)
{
    const solver *s = context;
    for (uint32_t column = (uint32_t)thread * STRIP; column < s->n; column += (uint32_t)s->threads * STRIP) {
        if (s->n - column >= STRIP) rotate_strip(s, column, STRIP);
        else rotate_strip(s, column, s->n - column);
    }
}

static void rotate_kept(solver *s)
{
    thread_share(s->threads, rotate_share, s);
    s->count = 0;
}

/* One sweep over l .. m. */
static void sweep(solver *s, uint32_t l, uint32_t m)
{
    double *d = s->d, *e = s->e, g = (d[l + 1] - d[l]) / (2 * e[l]), sine = 1, cosine = 1, p = 0;
    g = d[m] - d[l] + e[l] / (g + copysign(hypot(g, 1), g));
    for (uint32_t i = m; i-- > l;) {
        double f = sine * e[i], b = cosine * e[i], r = hypot(f, g);
        e[i + 1] = r;
        if (r == 0) {
            d[i + 1] -= p;
            e[m] = 0;
            return;
        }
        sine = f / r;
        cosine = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * sine + 2 * cosine * b;
        p = sine * r;
        d[i + 1] = g + p;
        g = cosine * r - b;
        s->kept[s->count++] = (rotation){ .c = cosine, .s = sine, .at = i };
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
}

static evdb_status diagonalise(solver *s, evdb_error *err)
{
    uint32_t n = s->n;
    double size = 0;
    for (uint32_t i = 0; i < n; i++) size = fmax(size, fabs(s->d[i]) + (i + 1 < n ? fabs(s->e[i]) : 0));
    s->e[n - 1] = 0;
    for (uint32_t l = 0; l < n; l++)
        for (uint32_t round = 0; round < ROUNDS; round++) {
            uint32_t m = l;
            while (m + 1 < n && fabs(s->e[m]) > DBL_EPSILON * size) m++;
            if (m == l) break;
            if (s->count + n > KEPT) {
                evdb_status rc = stage_stopped(s->t, err);
                if (rc != EVDB_OK) return rc;
                rotate_kept(s);
            }
            sweep(s, l, m);
        }
    rotate_kept(s);
    return EVDB_OK;
}

/* Largest first. */
static void sort(solver *s, double *values)
{
    uint32_t n = s->n;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t most = i;
        for (uint32_t j = i + 1; j < n; j++)
            if (s->d[j] > s->d[most]) most = j;
        double *x = s->vectors + (size_t)i * n, *y = s->vectors + (size_t)most * n, value = s->d[most];
        s->d[most] = s->d[i];
        values[i] = s->d[i] = value;
        for (uint32_t j = 0; j < n && most != i; j++) {
            double t = x[j];
            x[j] = y[j];
            y[j] = t;
        }
    }
}

evdb_status eigen_symmetric(const evdb_allocator *mem, const codec_training *t, double *a, uint32_t n, double *values, double *vectors,
                            evdb_error *err)
{
    solver s = { .t = t, .n = n, .a = a, .vectors = vectors, .threads = t->threads < 1 ? 1 : t->threads };
    if (s.threads > THREAD_PARTS_MAX) s.threads = THREAD_PARTS_MAX;
    double *room = mem_array(mem, n, 6 * sizeof(*room));
    s.kept = mem_array(mem, KEPT, sizeof(*s.kept));
    evdb_status rc = EVDB_OK;
    if (!room || !s.kept) TRY(error_no_memory(err, KEPT * sizeof(*s.kept), "eigenvectors"));
    s.d = room, s.e = room + n, s.tau = room + 2 * (size_t)n, s.v = room + 3 * (size_t)n, s.w = room + 4 * (size_t)n, s.p = room + 5 * (size_t)n;
    TRY(reduce(&s, err));
    thread_share(s.threads, form_share, &s);
    TRY(diagonalise(&s, err));
    sort(&s, values);
out:
    mem_free(mem, room);
    mem_free(mem, s.kept);
    return rc;
}
