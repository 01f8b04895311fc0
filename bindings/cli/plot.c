/* plot.c - implements plot.h. */
#include "plot.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 14, LABEL = 8, WIDTH = 80, WIDTH_MIN = 40, WIDTH_MAX = 160 };

typedef struct range { double low, high; } range;

/* Of both ends something is left over, so that no point lies on the frame. */
static range range_of(const plot_point *points, size_t count, bool of_x)
{
    range r = { INFINITY, -INFINITY };
    for (size_t i = 0; i < count; i++) {
        double v = of_x ? log(points[i].x) : points[i].y;
        if (v < r.low) r.low = v;
        if (v > r.high) r.high = v;
    }
    double spare = r.high > r.low ? (r.high - r.low) / 20 : fabs(r.high) / 20 + 1e-3;
    return (range){ r.low - spare, r.high + spare };
}

static size_t place(range r, double v, size_t cells)
{
    size_t at = (size_t)((v - r.low) / (r.high - r.low) * (double)cells);
    return at < cells ? at : cells - 1;
}

/* With as many digits as tell two values apart that differ by `step`. */
static void number(char *out, size_t room, double value, double step)
{
    int digits = step > 0 ? 1 - (int)floor(log10(step)) : 0;
    snprintf(out, room, "%.*f", digits < 0 ? 0 : digits > 6 ? 6 : digits, value);
}

static void print_scale(range x, size_t columns)
{
    char low[32], middle[32], high[32];
    number(low, sizeof low, exp(x.low), exp(x.low));
    number(middle, sizeof middle, exp((x.low + x.high) / 2), exp(x.low));
    number(high, sizeof high, exp(x.high), exp(x.low));
    int half = (int)(columns / 2);
    printf("%*s %-*s%-*s%s\n", LABEL, "", half, low, half - (int)strlen(high) + 1, middle, high);
}

bool plot_print(const char *x_name, const char *y_name, const plot_point *points, size_t count, unsigned width)
{
    if (!width) width = WIDTH;
    if (width < WIDTH_MIN) width = WIDTH_MIN;
    if (width > WIDTH_MAX) width = WIDTH_MAX;
    size_t columns = width - LABEL - 3;
    range x = range_of(points, count, true), y = range_of(points, count, false);
    char *cells = malloc(ROWS * columns);
    if (!cells) return false;
    memset(cells, ' ', ROWS * columns);
    for (size_t i = count; i-- > 0;)
        cells[(ROWS - 1 - place(y, points[i].y, ROWS)) * columns + place(x, log(points[i].x), columns)] = points[i].mark;
    printf("%s\n", y_name);
    for (size_t row = 0; row < ROWS; row++) {
        char label[32] = "";
        double step = (y.high - y.low) / ROWS;
        if (row % 3 == 1) number(label, sizeof label, y.high - step * ((double)row + 0.5), step);
        printf("%*s |", LABEL - 1, label);
        size_t used = columns;
        while (used && cells[row * columns + used - 1] == ' ') used--;
        printf("%.*s\n", (int)used, cells + row * columns);
    }
    printf("%*s +", LABEL - 1, "");
    for (size_t i = 0; i < columns; i++) putchar('-');
    putchar('\n');
    print_scale(x, columns);
    printf("%*s %s\n", LABEL, "", x_name);
    free(cells);
    return true;
}
