/* report_plot.c - draws SVG. Layer: clients. Thread rule: no shared state. Coordinates are SVG
 * units; y grows downwards. */
#include "clients/lib/report_plot.h"

#include <math.h>
#include <stdio.h>

#define WIDTH     420.0
#define CDF_LEFT  44.0
#define CDF_RIGHT 408.0
#define CDF_TOP   34.0
#define CDF_FOOT  236.0
#define STEPS     300 /* points of a curve */
#define BAR_LEFT  84.0
#define BAR_WIDTH 232.0 /* of the longest; the rest is for its label */

static const char *const side_class[2] = {"edge", "cloud"};

static void open_svg(cl_text *t, double height, const char *title, const char *about)
{
    cl_text_fmt(t, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\"><title>%s</title><desc>", WIDTH,
                height, title);
    cl_text_escaped(t, about);
    cl_text_fmt(t, "</desc>\n");
}

static void put_text(cl_text *t, double x, double y, const char *anchor, const char *text)
{
    cl_text_fmt(t, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    cl_text_escaped(t, text);
    cl_text_fmt(t, "</text>\n");
}

static void legend(cl_text *t, double x, const char *css, const char *text)
{
    cl_text_fmt(t, "<rect class=\"%s\" x=\"%.1f\" y=\"8\" width=\"12\" height=\"12\"/>\n", css, x);
    put_text(t, x + 17, 18.5, "start", text);
}

typedef struct log_axis {
    double low, high; /* nanoseconds at the ends */
} log_axis;

static double at_x(const log_axis *a, double ns)
{
    return CDF_LEFT + (CDF_RIGHT - CDF_LEFT) * log(ns / a->low) / log(a->high / a->low);
}

/* From the fastest to the slowest of both, with a margin, and half a decade wide at least. */
static log_axis axis_of(const cl_comparison *c)
{
    log_axis a = {INFINITY, 1};
    for (int s = 0; s < 2; s++) {
        const cl_side_summary *side = &c->side[s];
        if (!side->n) continue;
        a.low = fmin(a.low, fmax(1000, (double)side->sorted[0]));
        a.high = fmax(a.high, (double)side->sorted[side->n - 1]);
    }
    if (!isfinite(a.low)) return (log_axis){1e3, 1e6};
    const double middle = sqrt(a.low * a.high);
    return (log_axis){fmin(a.low / 1.15, middle / 2), fmax(a.high * 1.15, middle * 2)};
}

static void draw_tick(cl_text *t, const log_axis *a, double ns)
{
    char label[32];
    const char *unit = ns < 1e6 ? "us" : ns < 1e9 ? "ms" : "s";
    const double size = ns < 1e6 ? 1e3 : ns < 1e9 ? 1e6 : 1e9;
    if (ns < a->low || ns > a->high) return;
    snprintf(label, sizeof(label), "%g %s", round(ns / size * 100) / 100, unit);
    cl_text_fmt(t, "<path class=\"grid\" d=\"M%.1f %.0fV%.0f\"/>\n", at_x(a, ns), CDF_TOP,
                CDF_FOOT);
    put_text(t, at_x(a, ns), CDF_FOOT + 17, "middle", label);
}

/* Ticks at 1, 2 and 5 of each decade, or at 1 alone when there are many decades. */
static void draw_ticks(cl_text *t, const log_axis *a)
{
    static const double steps[] = {1, 2, 5};
    const size_t n = log10(a->high / a->low) < 1.7 ? NF_COUNT(steps) : 1;
    const int first = (int)floor(log10(a->low));
    const int last = (int)ceil(log10(a->high));
    for (int decade = first; decade <= last; decade++)
        for (size_t i = 0; i < n; i++)
            draw_tick(t, a, pow(10, decade) * steps[i]);
}

static void draw_shares(cl_text *t)
{
    char label[16];
    for (int percent = 0; percent <= 100; percent += 25) {
        const double y = CDF_FOOT - (CDF_FOOT - CDF_TOP) * percent / 100;
        snprintf(label, sizeof(label), "%d %%", percent);
        cl_text_fmt(t, "<path class=\"grid\" d=\"M%.0f %.1fH%.0f\"/>\n", CDF_LEFT, y, CDF_RIGHT);
        put_text(t, CDF_LEFT - 5, y + 4, "end", label);
    }
}

static void draw_curve(cl_text *t, const cl_side_summary *s, const log_axis *a, const char *css)
{
    if (!s->n) return;
    cl_text_fmt(t, "<path class=\"line %s\" d=\"M%.1f %.1f", css,
                at_x(a, fmax(1000, (double)s->sorted[0])), CDF_FOOT);
    for (size_t k = 1; k <= STEPS; k++) {
        const size_t rank = (s->n * k + STEPS - 1) / STEPS;         /* 1 .. n */
        if (rank == (s->n * (k - 1) + STEPS - 1) / STEPS) continue; /* the same sample again */
        const double share = (double)rank / (double)s->n;
        cl_text_fmt(t, "H%.1fV%.1f", at_x(a, fmax(1000, (double)s->sorted[rank - 1])),
                    CDF_FOOT - (CDF_FOOT - CDF_TOP) * share);
    }
    cl_text_fmt(t, "\"/>\n");
}

void cl_plot_cdf(cl_text *t, const cl_comparison *c)
{
    const log_axis a = axis_of(c);
    open_svg(t, 282, "Latency of both targets", c->sentence);
    legend(t, CDF_LEFT, "edge", "edge");
    legend(t, CDF_LEFT + 70, "cloud", "cloud");
    draw_shares(t);
    draw_ticks(t, &a);
    for (int s = 0; s < 2; s++)
        draw_curve(t, &c->side[s], &a, side_class[s]);
    put_text(t, (CDF_LEFT + CDF_RIGHT) / 2, CDF_FOOT + 37, "middle",
             "time to the whole answer (logarithmic)");
    cl_text_fmt(t, "</svg>\n");
}

/* One stacked bar at height y: two parts and the total behind it. */
static void draw_bar(cl_text *t, double y, const char *name, const double part[2], double scale,
                     const char *const css[2], const char *total)
{
    const double first = part[0] * scale;
    const double second = part[1] * scale;
    put_text(t, BAR_LEFT - 8, y + 17, "end", name);
    cl_text_fmt(t, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.2f\" height=\"24\"/>\n",
                css[0], BAR_LEFT, y, first);
    cl_text_fmt(t, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.2f\" height=\"24\"/>\n",
                css[1], BAR_LEFT + first, y, second);
    put_text(t, BAR_LEFT + first + second + 6, y + 17, "start", total);
}

bool cl_plot_split(cl_text *t, const cl_comparison *c)
{
    static const char *const css[2] = {"network", "server"};
    double longest = 0;
    for (int s = 0; s < 2; s++)
        if (c->side[s].server_known)
            longest = fmax(longest, c->side[s].network_ns + c->side[s].server_ns);
    if (longest <= 0) return false;
    open_svg(t, 112, "Network and server", "Median time of a request, split in two.");
    legend(t, BAR_LEFT, "network", "network");
    legend(t, BAR_LEFT + 96, "server", "server");
    for (int s = 0; s < 2; s++) {
        char total[32] = "not said";
        const double part[2] = {c->side[s].network_ns, c->side[s].server_ns};
        const bool known = c->side[s].server_known;
        if (known) cl_time_text(total, sizeof(total), c->side[s].median_ns);
        draw_bar(t, 34 + 36 * s, side_class[s], part, known ? BAR_WIDTH / longest : 0, css, total);
    }
    cl_text_fmt(t, "</svg>\n");
    return true;
}

void cl_plot_bytes(cl_text *t, const cl_comparison *c)
{
    static const char *const css[2] = {"body", "head"};
    static const char *const names[4] = {"edge up", "edge down", "cloud up", "cloud down"};
    double part[4][2];
    double longest = 1;
    for (int i = 0; i < 4; i++) {
        const cl_recorder *r = &c->pairs->side[i / 2].rec;
        const uint64_t app = i % 2 ? r->down_app : r->up_app;
        const uint64_t total = i % 2 ? r->down_total : r->up_total;
        part[i][0] = cl_recorder_each(r, app);
        part[i][1] = cl_recorder_each(r, total - app);
        longest = fmax(longest, part[i][0] + part[i][1]);
    }
    open_svg(t, 184, "Bytes of a request", "Bytes sent and received, bodies and headers.");
    legend(t, BAR_LEFT, "body", "body");
    legend(t, BAR_LEFT + 70, "head", "headers");
    for (int i = 0; i < 4; i++) {
        char total[32] = "not reached";
        if (c->pairs->side[i / 2].rec.ok)
            cl_bytes_text(total, sizeof(total), part[i][0] + part[i][1]);
        draw_bar(t, 34 + 36 * i, names[i], part[i], BAR_WIDTH / longest, css, total);
    }
    cl_text_fmt(t, "</svg>\n");
}
