/* report_plot.c - draws comparisons. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/report_plot.h"

#include "clients/lib/json_run.h"
#include "clients/lib/report_svg.h"
#include "engine/base/bytes.h"

#include <math.h>
#include <stdio.h>

#define LEFT  48.0
#define RIGHT 408.0
#define TOP   34.0
#define FOOT  236.0

static const char *const side_name[2] = {"edge", "cloud"};

static json_t *target(json_t *run, int side)
{
    return json_array_get(cl_json_at(run, "targets"), (size_t)side);
}

/* The number at a place of a list of lists. */
static double at(json_t *list, size_t i, size_t k)
{
    json_t *v = json_array_get(json_array_get(list, i), k);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* The axis over both sides' series; false when there is nothing in them. */
static bool span(cl_log_axis *a, json_t *run, const char *path, size_t column)
{
    double low = INFINITY, high = 0;
    for (int s = 0; s < 2; s++) {
        json_t *list = cl_json_at(target(run, s), path);
        for (size_t i = 0; i < json_array_size(list); i++) {
            low = fmin(low, at(list, i, column));
            high = fmax(high, at(list, i, column));
        }
    }
    if (!(high > 0) || !(low > 0)) return false;
    *a = cl_log_axis_over(low, high, LEFT, RIGHT);
    return true;
}

static double share_y(double share)
{
    return FOOT - (FOOT - TOP) * share;
}

/* The interval around a curve: along its lower ends and back along its upper ones. */
static void draw_band(cl_text *t, const cl_log_axis *a, json_t *list, const char *css)
{
    const char *command = "M";
    const size_t n = json_array_size(list);
    cl_text_fmt(t, "<path class=\"band %s\" d=\"", css);
    for (size_t i = 0; i < 2 * n; i++) {
        const size_t k = i < n ? i : 2 * n - 1 - i;
        const double x = at(list, k, i < n ? 2 : 3);
        if (!isfinite(x)) continue;
        cl_text_fmt(t, "%s%.1f %.1f", command, fmin(fmax(cl_log_at(a, x), LEFT), RIGHT),
                    share_y(at(list, k, 0)));
        command = "L";
    }
    cl_text_fmt(t, "\"/>\n");
}

static void draw_curve(cl_text *t, const cl_log_axis *a, json_t *list, const char *css)
{
    cl_text_fmt(t, "<path class=\"line %s\" d=\"M%.1f %.1f", css, cl_log_at(a, at(list, 0, 1)),
                FOOT);
    for (size_t i = 0; i < json_array_size(list); i++)
        cl_text_fmt(t, "H%.1fV%.1f", cl_log_at(a, at(list, i, 1)), share_y(at(list, i, 0)));
    cl_text_fmt(t, "\"/>\n");
}

static bool plot_cdf(cl_text *t, json_t *run)
{
    cl_log_axis a;
    char label[16];
    if (!span(&a, run, "latency/cdf", 1)) return false;
    cl_svg_open(t, 280, "Share of requests answered within a time",
                cl_json_text(run, "compare/verdict"));
    for (int s = 0; s < 2; s++)
        cl_svg_legend(t, LEFT + 76 * s, side_name[s], side_name[s]);
    for (int percent = 0; percent <= 100; percent += 25) {
        snprintf(label, sizeof(label), "%d %%", percent);
        cl_text_fmt(t, "<path class=\"grid\" d=\"M%.0f %.1fH%.0f\"/>\n", LEFT,
                    share_y(percent / 100.0), RIGHT);
        cl_svg_text(t, LEFT - 5, share_y(percent / 100.0) + 4, "end", label);
    }
    cl_log_ticks_x(t, &a, TOP, FOOT, cl_tick_us);
    for (int s = 0; s < 2; s++) {
        json_t *list = cl_json_at(target(run, s), "latency/cdf");
        if (!json_array_size(list)) continue;
        draw_band(t, &a, list, side_name[s]);
        draw_curve(t, &a, list, side_name[s]);
    }
    cl_svg_text(t, (LEFT + RIGHT) / 2, FOOT + 38, "middle", "time to the whole answer");
    cl_svg_close(t);
    return true;
}

static bool plot_bins(cl_text *t, json_t *run)
{
    const double middle = (TOP + FOOT) / 2;
    double most = 1;
    cl_log_axis a;
    if (!span(&a, run, "latency/bins", 0)) return false;
    a.high *= 1.13; /* room for the last bin's width */
    for (int s = 0; s < 2; s++) {
        json_t *list = cl_json_at(target(run, s), "latency/bins");
        for (size_t i = 0; i < json_array_size(list); i++)
            most = fmax(most, at(list, i, 1));
    }
    cl_svg_open(t, 280, "How often each time occurred",
                "Counts of answers by time, edge upwards and cloud downwards.");
    cl_log_ticks_x(t, &a, TOP, FOOT, cl_tick_us);
    for (int s = 0; s < 2; s++) {
        json_t *list = cl_json_at(target(run, s), "latency/bins");
        cl_svg_legend(t, LEFT + (s ? 136 : 0), side_name[s],
                      s ? "cloud, downwards" : "edge, upwards");
        for (size_t i = 0; i < json_array_size(list); i++) {
            const double from = at(list, i, 0);
            const double tall = at(list, i, 1) / most * ((FOOT - TOP) / 2 - 4);
            const double x = cl_log_at(&a, from);
            cl_svg_rect(t, side_name[s], x, s ? middle : middle - tall,
                        fmax(1, cl_log_at(&a, from * pow(10, 1 / 20.0)) - x - 0.6), tall);
        }
    }
    cl_text_fmt(t, "<path class=\"axis\" d=\"M%.0f %.1fH%.0f\"/>\n", LEFT, middle, RIGHT);
    cl_svg_text(t, (LEFT + RIGHT) / 2, FOOT + 38, "middle", "time to the whole answer");
    cl_svg_close(t);
    return true;
}

static bool plot_phases(cl_text *t, json_t *run)
{
    static const char *const css[] = {"net", "queue", "compute"};
    static const char *const words[] = {"network", "queue", "compute"};
    static const char *const paths[] = {"phases/network", "phases/server_queue",
                                        "phases/server_compute"};
    cl_bar bars[2];
    char label[2][32];
    bool any = false;
    for (int s = 0; s < 2; s++) {
        bars[s] = (cl_bar){.name = side_name[s], .n = 3, .label = label[s]};
        double sum = 0;
        for (size_t i = 0; i < 3; i++) {
            const double v = cl_json_number(target(run, s), paths[i]);
            bars[s].part[i] = isfinite(v) ? v : 0;
            sum += bars[s].part[i];
        }
        any = any || sum > 0;
        if (sum > 0)
            cl_time_text(label[s], sizeof(label[s]), sum * 1e3);
        else
            snprintf(label[s], sizeof(label[s]), "not said");
    }
    if (!any) return false;
    cl_svg_open(t, cl_svg_bars_height(2), "Where the time goes",
                "Median time of a request on the way, waiting in the server, and computing.");
    cl_svg_bars(t, bars, 2, css, words);
    cl_svg_close(t);
    return true;
}

static bool plot_bytes(cl_text *t, json_t *run)
{
    static const char *const css[] = {"compute", "net", "again"};
    static const char *const words[] = {"body", "headers", "sent again"};
    static const char *const names[] = {"edge up", "edge down", "cloud up", "cloud down"};
    cl_bar bars[4];
    char label[4][32];
    for (int i = 0; i < 4; i++) {
        json_t *to = target(run, i / 2);
        const double app = cl_json_number(to, i % 2 ? "bytes/app_down" : "bytes/app_up");
        const double head = cl_json_number(to, i % 2 ? "bytes/hdr_down" : "bytes/hdr_up");
        const double again = i % 2 ? NAN : cl_json_number(to, "tcp_each/again");
        if (!isfinite(app) || !isfinite(head)) return false;
        bars[i] = (cl_bar){.name = names[i], .n = 3, .label = label[i]};
        bars[i].part[0] = app;
        bars[i].part[1] = head;
        bars[i].part[2] = isfinite(again) ? again : 0;
        cl_bytes_text(label[i], sizeof(label[i]), app + head + bars[i].part[2]);
    }
    cl_svg_open(
        t, cl_svg_bars_height(4), "Bytes of a request",
        "Bytes sent and received a request: bodies, HTTP headers, and what TCP sent again.");
    cl_svg_bars(t, bars, 4, css, words);
    cl_svg_close(t);
    return true;
}

/* "2.1 uJ" */
static void joules(char *to, size_t room, double j)
{
    static const char *const units[] = {"J", "mJ", "uJ", "nJ"};
    size_t u = 0;
    for (; u + 1 < NF_COUNT(units) && j < 0.9995; u++)
        j *= 1000;
    snprintf(to, room, "%.3g %s", j, units[u]);
}

static bool plot_energy(cl_text *t, json_t *run)
{
    static const char *const css[] = {"compute", "net"};
    static const char *const words[] = {"compute", "radio of the device"};
    cl_bar bars[2];
    char label[2][32];
    for (int s = 0; s < 2; s++) {
        const double compute = cl_json_number(target(run, s), "energy/compute_j");
        const double radio = cl_json_number(target(run, s), "energy/radio_j");
        if (!isfinite(compute) || !isfinite(radio)) return false;
        bars[s] = (cl_bar){.name = side_name[s], .part = {compute, radio}, .n = 2};
        bars[s].label = label[s];
        joules(label[s], sizeof(label[s]), compute + radio);
    }
    cl_svg_open(t, cl_svg_bars_height(2), "Energy of a request, modelled",
                "Joules to compute there, and for the cloud to send it by radio. Modelled, not "
                "measured.");
    cl_svg_bars(t, bars, 2, css, words);
    cl_svg_close(t);
    return true;
}

static void tick_plain(char *to, size_t room, double v)
{
    static const char *const sign[] = {"", "k", "M", "G"};
    size_t i = 0;
    for (; i + 1 < NF_COUNT(sign) && v >= 999.5; i++)
        v /= 1000;
    snprintf(to, room, "%.3g%s", v, sign[i]);
}

static bool plot_price(cl_text *t, json_t *run)
{
    const double million = cl_json_number(run, "cost/usd_per_million");
    const double days = 30;
    char label[48];
    if (!(million > 0)) return false;
    const cl_log_axis x = {1e3, 1e8, LEFT + 8, RIGHT - 12};
    const cl_log_axis y = {x.low * days * million / 1e6, x.high * days * million / 1e6, FOOT, TOP};
    cl_svg_open(t, 280, "Price of the cloud by requests a day, modelled",
                "US dollars a month against requests a day, both logarithmic.");
    cl_log_ticks_x(t, &x, TOP, FOOT, tick_plain);
    cl_log_ticks_y(t, &y, LEFT + 8, RIGHT - 12, tick_plain);
    cl_text_fmt(t, "<path class=\"line cloud\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", x.from, y.from,
                x.to, y.to);
    const double day = 86400; /* one request a second */
    const double px = cl_log_at(&x, day), py = cl_log_at(&y, day * days * million / 1e6);
    cl_text_fmt(t, "<circle class=\"cloud\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>\n", px, py);
    snprintf(label, sizeof(label), "1 a second: %.3g USD", day * days * million / 1e6);
    cl_svg_text(t, px + 10, py + 16, "start", label);
    cl_svg_text(t, LEFT + 8, 20, "start", "USD a month");
    cl_svg_text(t, (LEFT + RIGHT) / 2, FOOT + 38, "middle", "requests a day");
    cl_svg_close(t);
    return true;
}

static void strip_row(cl_text *t, json_t *windows, int side, double y)
{
    const char *key = side ? "cloud_us" : "edge_us";
    const size_t n = json_array_size(windows);
    char text[80], low_text[32], high_text[32];
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < n; i++) {
        const double v = cl_json_number(json_array_get(windows, i), key);
        low = fmin(low, v);
        high = fmax(high, v);
    }
    const double wide = (RIGHT - LEFT) / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double v = cl_json_number(json_array_get(windows, i), key);
        const double tall = isfinite(v) && high > 0 ? fmax(1, 40 * v / high) : 0;
        cl_svg_rect(t, side_name[side], LEFT + wide * (double)i, y + 40 - tall, wide - 1.5, tall);
    }
    cl_svg_text(t, LEFT - 6, y + 26, "end", side_name[side]);
    snprintf(text, sizeof(text), "medians from %s to %s",
             cl_time_text(low_text, sizeof(low_text), low * 1e3),
             cl_time_text(high_text, sizeof(high_text), high * 1e3));
    cl_svg_text(t, LEFT, y + 57, "start", high > 0 ? text : "not answered");
}

static bool plot_strip(cl_text *t, json_t *run)
{
    json_t *windows = cl_json_at(run, "compare/windows");
    if (json_array_size(windows) < 2) return false;
    cl_svg_open(t, 146, "Steadiness over the run",
                "Median time in equal parts of the run, in order, each target on its own scale.");
    for (int s = 0; s < 2; s++)
        strip_row(t, windows, s, 8 + 70 * s);
    cl_svg_close(t);
    return true;
}

const cl_plot cl_plots[] = {
    {"heat", "Where the cloud wins",
     "Colour says who is faster, the number by how many ms (below zero: the edge); a dot is a "
     "measured cell, hatching means no difference shown, and the dashed line is where the model "
     "sees both equal.",
     cl_plot_heat},
    {"fit", "The model over the measurement",
     "Each dot is a cell: on the diagonal the predicted time of the cloud is the measured one, the "
     "thin lines are 15 % off.",
     cl_plot_fit},
    {"cdf", "How long an answer takes",
     "A curve's height is the share of requests answered by then, so the curve further left is the "
     "faster target; the band is the 95 % interval.",
     plot_cdf},
    {"bins", "How often each time occurred",
     "Edge upwards, cloud downwards, on one axis: two humps mean two kinds of answers, a long tail "
     "to the right means rare slow ones.",
     plot_bins},
    {"phases", "Where the time goes",
     "The longer the grey part, the more of the median request is spent on the way rather than in "
     "the server.",
     plot_phases},
    {"bytes", "What goes over the wire",
     "Up leaves the device, down comes back; grey is the price of HTTP headers around each body, "
     "red what TCP had to send again.",
     plot_bytes},
    {"energy", "Energy of a request (modelled)",
     "Not measured: arithmetic and memory by a 45 nm table, radio by measured phones; it tells "
     "which "
     "part dominates, not what this machine draws.",
     plot_energy},
    {"price", "Price of the cloud (modelled)",
     "Follow the line from requests a day to US dollars a month; the dot is one request a second.",
     plot_price},
    {"strip", "Was it steady?",
     "Columns of equal height mean a steady run; a step or a slope means the machine or network "
     "changed meanwhile.",
     plot_strip},
};
const size_t cl_plot_count = NF_COUNT(cl_plots);
