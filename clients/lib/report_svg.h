/* report_svg.h - what the plots draw with: inline SVG, 420 units wide, that scales with the page
 * and takes its colours from it. y grows downwards. Layer: clients. Thread rule: no shared state.
 */
#ifndef CL_REPORT_SVG_H
#define CL_REPORT_SVG_H

#include "clients/lib/text_out.h"

#include <stdbool.h>

#define CL_SVG_WIDTH 420.0

/** Opens a drawing; `title` and `about` are for who cannot see it. */
void cl_svg_open(cl_text *t, double height, const char *title, const char *about);
void cl_svg_close(cl_text *t);

/** anchor: "start", "middle", "end". */
void cl_svg_text(cl_text *t, double x, double y, const char *anchor, const char *text);

void cl_svg_rect(cl_text *t, const char *css, double x, double y, double width, double height);

/** A small square and a word at the top. */
void cl_svg_legend(cl_text *t, double x, const char *css, const char *text);

/* A logarithmic axis from `low` at `from` to `high` at `to`. */
typedef struct cl_log_axis {
    double low, high, from, to;
} cl_log_axis;

/** The axis over [low, high] with a margin, at least a factor of four wide. */
cl_log_axis cl_log_axis_over(double low, double high, double from, double to);

double cl_log_at(const cl_log_axis *a, double v);

/** Writes a value of the axis as text. */
typedef void (*cl_tick_text)(char *to, size_t room, double v);

/** Lines and words at 1, 2 and 5 of each decade (at 1 alone over many): across, words below
 * `foot`; or up, words left of `foot`. `across` lines run from `top` to `foot`. */
void cl_log_ticks_x(cl_text *t, const cl_log_axis *a, double top, double foot, cl_tick_text text);
void cl_log_ticks_y(cl_text *t, const cl_log_axis *a, double left, double right, cl_tick_text text);

/** "20 us", "1.5 ms" of a time in microseconds. */
void cl_tick_us(char *to, size_t room, double us);

/* One bar of stacked parts. */
typedef struct cl_bar {
    const char *name;
    double part[4];
    size_t n;
    const char *label; /* behind it */
} cl_bar;

/** Bars under each other on one scale, parts in the colours of css[]; `words` are the legend. */
void cl_svg_bars(cl_text *t, const cl_bar *bars, size_t n, const char *const *css,
                 const char *const *words);

/** The height cl_svg_bars needs for n bars. */
double cl_svg_bars_height(size_t n);

#endif /* CL_REPORT_SVG_H */
