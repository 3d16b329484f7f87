/* report_svg.c - strokes and words. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/report_svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BAR_LEFT  88.0
#define BAR_WIDTH 216.0 /* of the longest; the rest is for its label */
#define BAR_STEP  34.0
#define BAR_TOP   34.0

void cl_svg_open(cl_text *t, double height, const char *title, const char *about)
{
    cl_text_fmt(t, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\"><title>", CL_SVG_WIDTH, height);
    cl_text_escaped(t, title);
    cl_text_fmt(t, "</title><desc>");
    cl_text_escaped(t, about);
    cl_text_fmt(t, "</desc>\n");
}

void cl_svg_close(cl_text *t)
{
    cl_text_fmt(t, "</svg>\n");
}

void cl_svg_text(cl_text *t, double x, double y, const char *anchor, const char *text)
{
    cl_text_fmt(t, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    cl_text_escaped(t, text);
    cl_text_fmt(t, "</text>\n");
}

void cl_svg_rect(cl_text *t, const char *css, double x, double y, double width, double height)
{
    cl_text_fmt(t, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.2f\" height=\"%.2f\"/>\n",
                css, x, y, width, height);
}

void cl_svg_legend(cl_text *t, double x, const char *css, const char *text)
{
    cl_svg_rect(t, css, x, 8, 12, 12);
    cl_svg_text(t, x + 17, 18.5, "start", text);
}

cl_log_axis cl_log_axis_over(double low, double high, double from, double to)
{
    const double middle = sqrt(low * high);
    return (cl_log_axis){fmin(low / 1.12, middle / 2), fmax(high * 1.12, middle * 2), from, to};
}

double cl_log_at(const cl_log_axis *a, double v)
{
    return a->from + (a->to - a->from) * log(fmax(v, 1e-12) / a->low) / log(a->high / a->low);
}

typedef void (*draw_tick)(cl_text *t, double at, const char *text, double a, double b);

static void ticks(cl_text *t, const cl_log_axis *a, cl_tick_text text, draw_tick draw,
                  const double ends[2])
{
    static const double steps[] = {1, 2, 5};
    char label[32];
    const size_t n = log10(a->high / a->low) < 1.7 ? sizeof(steps) / sizeof(steps[0]) : 1;
    const int last = (int)ceil(log10(a->high));
    for (int decade = (int)floor(log10(a->low)); decade <= last; decade++)
        for (size_t i = 0; i < n; i++) {
            const double v = pow(10, decade) * steps[i];
            if (v < a->low || v > a->high) continue;
            text(label, sizeof(label), v);
            draw(t, cl_log_at(a, v), label, ends[0], ends[1]);
        }
}

static void draw_x(cl_text *t, double at, const char *text, double top, double foot)
{
    cl_text_fmt(t, "<path class=\"grid\" d=\"M%.1f %.0fV%.0f\"/>\n", at, top, foot);
    cl_svg_text(t, at, foot + 17, "middle", text);
}

static void draw_y(cl_text *t, double at, const char *text, double left, double right)
{
    cl_text_fmt(t, "<path class=\"grid\" d=\"M%.0f %.1fH%.0f\"/>\n", left, at, right);
    cl_svg_text(t, left - 6, at + 4.5, "end", text);
}

void cl_log_ticks_x(cl_text *t, const cl_log_axis *a, double top, double foot, cl_tick_text text)
{
    ticks(t, a, text, draw_x, (const double[2]){top, foot});
}

void cl_log_ticks_y(cl_text *t, const cl_log_axis *a, double left, double right, cl_tick_text text)
{
    ticks(t, a, text, draw_y, (const double[2]){left, right});
}

void cl_tick_us(char *to, size_t room, double us)
{
    const char *unit = us < 1e3 ? "us" : us < 1e6 ? "ms" : "s";
    const double size = us < 1e3 ? 1 : us < 1e6 ? 1e3 : 1e6;
    snprintf(to, room, "%.3g %s", us / size, unit);
}

double cl_svg_bars_height(size_t n)
{
    return BAR_TOP + BAR_STEP * (double)n + 2;
}

static double length_of(const cl_bar *b)
{
    double sum = 0;
    for (size_t i = 0; i < b->n; i++)
        sum += fmax(0, b->part[i]);
    return sum;
}

void cl_svg_bars(cl_text *t, const cl_bar *bars, size_t n, const char *const *css,
                 const char *const *words)
{
    double longest = 0, x = BAR_LEFT;
    for (size_t i = 0; i < n; i++)
        longest = fmax(longest, length_of(&bars[i]));
    for (size_t i = 0; i < bars[0].n; i++) {
        cl_svg_legend(t, x, css[i], words[i]);
        x += 34 + 7.6 * (double)strlen(words[i]);
    }
    for (size_t i = 0; i < n; i++) {
        const double y = BAR_TOP + BAR_STEP * (double)i;
        x = BAR_LEFT;
        cl_svg_text(t, BAR_LEFT - 8, y + 16, "end", bars[i].name);
        for (size_t k = 0; k < bars[i].n; k++) {
            const double wide = longest > 0 ? fmax(0, bars[i].part[k]) * BAR_WIDTH / longest : 0;
            cl_svg_rect(t, css[k], x, y, wide, 22);
            x += wide;
        }
        cl_svg_text(t, x + 6, y + 16, "start", bars[i].label);
    }
}
