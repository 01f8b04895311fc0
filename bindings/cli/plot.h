/* plot.h - points in a plane, drawn with plain characters. */
#ifndef PLOT_H
#define PLOT_H
#include <stdbool.h>
#include <stddef.h>

typedef struct plot_point {
    double x, y; /* x above 0 */
    char mark;
} plot_point;

/* Prints to stdout, x by its logarithm. width is that of the terminal, 0 = 80. Of points that fall on one place the first is shown. */
bool plot_print(const char *x_name, const char *y_name, const plot_point *points, size_t count, unsigned width);
#endif
