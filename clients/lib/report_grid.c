/* report_grid.c - draws sweeps. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/json_run.h"
#include "clients/lib/report_plot.h"
#include "clients/lib/report_svg.h"

#include <math.h>
#include <stdio.h>

#define LEFT      76.0
#define RIGHT     412.0
#define TOP       34.0
#define ROW       38.0
#define FIT_FOOT  330.0
#define TEXT_MOST 8 /* columns that have room for a number in each cell */

typedef struct heat {
    json_t *sweep, *rtts, *ups;
    size_t base, nx, ny;
    size_t hatch; /* the pattern's number, unlike that of any other map of the page */
    double wide;  /* of a column */
} heat;

static double value(json_t *list, size_t i)
{
    return json_number_value(json_array_get(list, i));
}

static double column(const heat *h, size_t i)
{
    return LEFT + h->wide * ((double)i + 0.5);
}

static double row(size_t i)
{
    return TOP + ROW * ((double)i + 0.5);
}

/* The place of a round trip between the columns, straight from centre to centre; at the map's edge
 * when it lies outside. */
static double place(const heat *h, double rtt)
{
    if (rtt <= value(h->rtts, 0)) return rtt < value(h->rtts, 0) || rtt <= 0 ? LEFT : column(h, 0);
    for (size_t i = 0; i + 1 < h->nx; i++) {
        const double a = value(h->rtts, i), b = value(h->rtts, i + 1);
        if (rtt <= b && b > a) return column(h, i) + h->wide * (rtt - a) / (b - a);
    }
    return RIGHT;
}

static bool is_of(json_t *item, const heat *h, size_t x, size_t y)
{
    return (size_t)cl_json_number(item, "base") == h->base &&
           cl_json_number(item, "rtt_us") == value(h->rtts, x) &&
           cl_json_number(item, "up_bps") == value(h->ups, y);
}

static json_t *find_cell(const heat *h, size_t x, size_t y)
{
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(h->sweep, "cells"), i, c)
    {
        if (is_of(c, h, x, y)) return c;
    }
    return NULL;
}

static void draw_cell(cl_text *t, const heat *h, size_t x, size_t y)
{
    json_t *c = find_cell(h, x, y);
    const double edge = cl_json_number(c, "edge_us"), cloud = cl_json_number(c, "cloud_us");
    const double diff = cl_json_number(c, "diff_us") / 1e3;
    const double left = LEFT + h->wide * (double)x, top = TOP + ROW * (double)y;
    if (!c || !isfinite(diff)) {
        cl_svg_rect(t, "none", left, top, h->wide - 1.5, ROW - 1.5);
        return;
    }
    const double strength = fmin(1, fabs(log10(fmax(edge, 1) / fmax(cloud, 1))));
    cl_text_fmt(t,
                "<rect class=\"%s\" fill-opacity=\"%.2f\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                "height=\"%.1f\"/>\n",
                diff < 0 ? "edge" : "cloud", 0.15 + 0.4 * strength, left, top, h->wide - 1.5,
                ROW - 1.5);
    if (cl_json_text(c, "verdict")[0] == 'n')
        cl_text_fmt(t,
                    "<rect fill=\"url(#h%zu)\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                    "height=\"%.1f\"/>\n",
                    h->hatch, left, top, h->wide - 1.5, ROW - 1.5);
}

/* What is read stands above the model's line. */
static void draw_number(cl_text *t, const heat *h, size_t x, size_t y)
{
    char text[32];
    const double diff = cl_json_number(find_cell(h, x, y), "diff_us") / 1e3;
    if (!isfinite(diff)) return;
    cl_text_fmt(t, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.2\"/>\n", column(h, x),
                row(y) + (h->nx <= TEXT_MOST ? 11 : 0));
    if (h->nx > TEXT_MOST) return;
    snprintf(text, sizeof(text), fabs(diff) < 99.5 ? "%+.2g" : "%+.0f", diff);
    cl_text_fmt(t, "<text class=\"num\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
                column(h, x), row(y) + 3, text);
}

static void draw_labels(cl_text *t, const heat *h)
{
    char text[48];
    const double foot = TOP + ROW * (double)h->ny;
    for (size_t x = 0; x < h->nx; x++) {
        snprintf(text, sizeof(text), "%.4g", value(h->rtts, x) / 1e3);
        cl_svg_text(t, column(h, x), foot + 16, "middle", text);
    }
    for (size_t y = 0; y < h->ny; y++) {
        if (value(h->ups, y) > 0)
            snprintf(text, sizeof(text), "%.4g", value(h->ups, y) / 1e6);
        else
            snprintf(text, sizeof(text), "unlimited");
        cl_svg_text(t, LEFT - 6, row(y) + 4, "end", text);
    }
    cl_svg_text(t, (LEFT + RIGHT) / 2, foot + 34, "middle", "round trip, ms");
    cl_svg_text(t, 4, 24, "start", "up, Mbit/s");
}

/* The model's line through the rows: its round trip of equal times at each uplink. */
static void draw_line(cl_text *t, const heat *h)
{
    size_t i;
    json_t *c;
    const char *command = "M";
    cl_text_fmt(t, "<path class=\"iso\" d=\"");
    for (size_t y = 0; y < h->ny; y++) {
        json_array_foreach(json_object_get(h->sweep, "crossings"), i, c)
        {
            if ((size_t)cl_json_number(c, "base") != h->base || !cl_json_at(c, "up_bps") ||
                cl_json_number(c, "up_bps") != value(h->ups, y))
                continue;
            const double rtt = cl_json_number(c, "model_at");
            const double x = isfinite(rtt) ? place(h, rtt) : LEFT;
            cl_text_fmt(t, "%s%.1f %.1fV%.1f", command, x, TOP + ROW * (double)y,
                        TOP + ROW * (double)(y + 1) - 1.5);
            command = "L";
        }
    }
    cl_text_fmt(t, "\"/>\n");
}

static void draw_map(cl_text *t, const heat *h)
{
    char name[160], size[32];
    json_t *base = json_array_get(json_object_get(h->sweep, "bases"), h->base);
    snprintf(name, sizeof(name), "%s, requests of %s", cl_json_text(base, "model"),
             cl_bytes_text(size, sizeof(size), cl_json_number(base, "up_bytes")));
    cl_text_fmt(t, "<p><strong>");
    cl_text_escaped(t, name);
    cl_text_fmt(t, "</strong></p>\n");
    cl_svg_open(t, TOP + ROW * (double)h->ny + 44, "Edge minus cloud by round trip and uplink",
                name);
    cl_text_fmt(
        t,
        "<defs><pattern id=\"h%zu\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
        "patternTransform=\"rotate(45)\"><path class=\"grid strong\" d=\"M0 0V6\"/></pattern>"
        "</defs>\n",
        h->hatch);
    cl_svg_legend(t, LEFT + 36, "edge", "edge faster");
    cl_svg_legend(t, LEFT + 150, "cloud", "cloud faster");
    for (size_t y = 0; y < h->ny; y++)
        for (size_t x = 0; x < h->nx; x++)
            draw_cell(t, h, x, y);
    draw_labels(t, h);
    draw_line(t, h);
    for (size_t y = 0; y < h->ny; y++)
        for (size_t x = 0; x < h->nx; x++)
            draw_number(t, h, x, y);
    cl_svg_close(t);
}

bool cl_plot_heat(cl_text *t, json_t *run)
{
    heat h = {.sweep = cl_json_at(run, "sweep")};
    h.rtts = cl_json_at(h.sweep, "rtt_us");
    h.ups = cl_json_at(h.sweep, "up_bps");
    h.nx = json_array_size(h.rtts);
    h.ny = json_array_size(h.ups);
    const size_t bases = json_array_size(cl_json_at(h.sweep, "bases"));
    if (!h.nx || !h.ny || !bases) return false;
    h.wide = (RIGHT - LEFT) / (double)h.nx;
    for (h.base = 0; h.base < bases; h.base++) {
        h.hatch = t->len;
        draw_map(t, &h);
    }
    return true;
}

/* A line at which predicted is `factor` times measured. */
static void draw_ratio(cl_text *t, const cl_log_axis *x, const cl_log_axis *y, double factor,
                       const char *css)
{
    const double from = fmax(x->low, y->low / factor), to = fmin(x->high, y->high / factor);
    cl_text_fmt(t, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", css, cl_log_at(x, from),
                cl_log_at(y, from * factor), cl_log_at(x, to), cl_log_at(y, to * factor));
}

bool cl_plot_fit(cl_text *t, json_t *run)
{
    size_t i;
    json_t *c, *cells = cl_json_at(run, "sweep/cells");
    double low = INFINITY, high = 0;
    char about[120];
    json_array_foreach(cells, i, c)
    {
        const double m = cl_json_number(c, "cloud_us"), p = cl_json_number(c, "model_cloud_us");
        low = fmin(low, fmin(m, p));
        high = fmax(high, fmax(m, p));
    }
    if (!(high > 0) || !(low > 0)) return false;
    const cl_log_axis x = cl_log_axis_over(low, high, LEFT, RIGHT);
    const cl_log_axis y = {x.low, x.high, FIT_FOOT, TOP};
    snprintf(about, sizeof(about), "Predicted against measured time; median error %.1f %%.",
             100 * cl_json_number(run, "sweep/median_model_error"));
    cl_svg_open(t, FIT_FOOT + 44, "Model and measurement", about);
    cl_svg_text(t, 4, 20, "start", "predicted");
    cl_svg_text(t, RIGHT, 20, "end", about + strcspn(about, ";") + 2);
    cl_log_ticks_x(t, &x, TOP, FIT_FOOT, cl_tick_us);
    cl_log_ticks_y(t, &y, LEFT, RIGHT, cl_tick_us);
    draw_ratio(t, &x, &y, 1, "axis");
    draw_ratio(t, &x, &y, 1.15, "grid strong");
    draw_ratio(t, &x, &y, 1 / 1.15, "grid strong");
    json_array_foreach(cells, i, c)
    {
        const double m = cl_json_number(c, "cloud_us"), p = cl_json_number(c, "model_cloud_us");
        if (isfinite(m) && isfinite(p))
            cl_text_fmt(t, "<circle class=\"cloud\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n",
                        cl_log_at(&x, m), cl_log_at(&y, p));
    }
    cl_svg_text(t, (LEFT + RIGHT) / 2, FIT_FOOT + 38, "middle", "measured time of the cloud");
    cl_svg_close(t);
    return true;
}
