/* report_html.c - writes the page. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/report_html.h"

#include "clients/lib/json_run.h"
#include "clients/lib/recorder.h"
#include "clients/lib/report_plot.h"
#include "engine/base/file.h"

#include <math.h>
#include <stdio.h>

#define PAGE_MOST (4u << 20)

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--ink:#1b1f24;--soft:#5b6470;--line:#d9dee4;"
    "--card:#f6f8fa;--edge:#0b7a75;--cloud:#c2571a;--compute:#5a4fcf;--queue:#b59b1f;--net:#8a94a0;"
    "--again:#c0263b}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#14171b;--ink:#e8eaed;--soft:#a2abb6;"
    "--line:#343b44;--card:#1d2228;--edge:#3fc1b9;--cloud:#f0924e;--compute:#a79ff5;"
    "--queue:#d8c04f;--net:#7d8894;--again:#ff6b7d}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:980px;padding:20px 16px 40px;"
    "background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,\"DejaVu Sans\",sans-serif}\n"
    "h1{font-size:1.4rem;line-height:1.3;margin:.2em 0 .6em}h2{font-size:1.1rem;margin:1.8em 0 "
    ".5em}"
    "p{margin:.4em 0}.soft,figcaption{color:var(--soft);font-size:.9rem}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{padding:.35em .5em;border-bottom:1px solid var(--line);text-align:right;"
    "vertical-align:top}th:first-child{text-align:left;font-weight:400}"
    "thead th{font-weight:600}td{overflow-wrap:anywhere}small{color:var(--soft)}"
    "ul{padding-left:1.2em}.scroll{overflow-x:auto}h1::first-letter{text-transform:uppercase}@"
    "media(max-width:640px){td small{display:block}}\n"
    ".plots{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),"
    "1fr));align-items:start}figure{margin:0;padding:12px;background:var(--card);"
    "border:1px solid var(--line);border-radius:8px}figure h3{margin:0 0 "
    ".4em;font-size:1rem}section+section{margin-top:3em;border-top:3px solid var(--line)}"
    "figure:has(svg~p){grid-row:span 2}"
    "svg{display:block;width:100%;max-width:560px;height:auto}\n"
    "svg text{font:13px system-ui,\"DejaVu Sans\",sans-serif;fill:var(--ink)}"
    ".grid{stroke:var(--line);stroke-width:1;fill:none}.line{fill:none;stroke-width:2.5;"
    "stroke-linejoin:round}.edge{fill:var(--edge)}.cloud{fill:var(--cloud)}"
    ".line.edge{fill:none;stroke:var(--edge)}.line.cloud{fill:none;stroke:var(--cloud)}"
    ".net{fill:var(--net)}.compute{fill:var(--compute)}.queue{fill:var(--queue)}"
    ".again{fill:var(--again)}.dot{fill:var(--ink)}.none{fill:none;stroke:var(--line)}"
    ".band{opacity:.22}.axis{stroke:var(--soft);fill:none}.strong{stroke:var(--soft)}"
    ".num{stroke:var(--card);stroke-width:3;paint-order:stroke}"
    ".iso{stroke:var(--ink);stroke-width:2;stroke-dasharray:5 4;fill:none}\n"
    "pre{overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere;padding:10px;"
    "background:var(--card);border:1px solid var(--line);border-radius:8px;font-size:.85rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2em 1em;margin:0}"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
    "@media print{:root{color-scheme:light;--bg:#fff;--ink:#000;--soft:#444;--line:#bbb;"
    "--card:#fff;--edge:#0b7a75;--cloud:#c2571a;--compute:#5a4fcf;--queue:#b59b1f;"
    "--net:#8a94a0;--again:#c0263b}"
    "body{max-width:none;padding:0}figure,table,pre{break-inside:avoid}}\n";

static void add(cl_text *t, const char *s)
{
    cl_text_add(t, s, strlen(s));
}

static void row_open(cl_text *t, const char *name)
{
    add(t, "<tr><th scope=\"row\">");
    cl_text_escaped(t, name);
    add(t, "</th>");
}

static void cell(cl_text *t, const char *text, const char *small)
{
    add(t, "<td>");
    cl_text_escaped(t, text);
    if (small[0]) {
        add(t, " <small>");
        cl_text_escaped(t, small);
        add(t, "</small>");
    }
    add(t, "</td>");
}

/* Saved percentiles are whole microseconds: below a millisecond there is nothing behind the point.
 */
static void whole_us(char *to, size_t room, double us)
{
    if (us < 999.5 && us == floor(us))
        snprintf(to, room, "%.0f us", us);
    else
        cl_time_text(to, room, us * 1e3);
}

/* A number of microseconds at `path` as text; false when it is not there. */
static bool time_at(char *to, size_t room, json_t *j, const char *path)
{
    const double us = cl_json_number(j, path);
    snprintf(to, room, "n/a");
    if (!isfinite(us)) return false;
    whole_us(to, room, us);
    return true;
}

static void percentile_row(cl_text *t, json_t *targets, const char *name)
{
    char path[64], value[32], lo[32], hi[32], around[80];
    size_t i;
    json_t *target;
    row_open(t, name);
    json_array_foreach(targets, i, target)
    {
        around[0] = '\0';
        snprintf(path, sizeof(path), "latency/raw/%s", name);
        const bool shown = time_at(value, sizeof(value), target, path);
        snprintf(path, sizeof(path), "latency/ci95/%s/0", name);
        const bool low = time_at(lo, sizeof(lo), target, path);
        snprintf(path, sizeof(path), "latency/ci95/%s/1", name);
        if (time_at(hi, sizeof(hi), target, path) && low)
            snprintf(around, sizeof(around), "%s to %s", lo, hi);
        if (!shown) snprintf(value, sizeof(value), "n/a");
        if (!shown)
            snprintf(around, sizeof(around), "n = %.0f", cl_json_number(target, "latency/n"));
        cell(t, value, around);
    }
    add(t, "</tr>\n");
}

/* Rows that are one number of each target. */
typedef enum number_kind { TIMES, BYTES, COUNT, PERCENT } number_kind;

static const struct {
    const char *name, *path, *small, *small_path; /* small: what the second number is */
    number_kind kind;
} number_rows[] = {
    {"server time, median", "phases/server", NULL, NULL, TIMES},
    {"network time, median", "phases/network", NULL, NULL, TIMES},
    {"body sent", "bytes/app_up", "headers", "bytes/hdr_up", BYTES},
    {"body received", "bytes/app_down", "headers", "bytes/hdr_down", BYTES},
    {"TCP payload sent", "tcp_each/up", "sent again", "tcp_each/again", BYTES},
    {"TCP payload received", "tcp_each/down", NULL, NULL, BYTES},
    {"accuracy", "scores/accuracy", NULL, NULL, PERCENT},
    {"precision, mean of classes", "scores/macro_precision", NULL, NULL, PERCENT},
    {"recall, mean of classes", "scores/macro_recall", NULL, NULL, PERCENT},
    {"requests", "requests", "failed", "errors/total", COUNT},
};

static const char *number_text(char *to, size_t room, double v, number_kind kind)
{
    if (!isfinite(v))
        snprintf(to, room, "n/a");
    else if (kind == TIMES)
        whole_us(to, room, v);
    else if (kind == BYTES)
        cl_bytes_text(to, room, v);
    else if (kind == PERCENT)
        snprintf(to, room, "%.2f %%", v * 100);
    else
        snprintf(to, room, "%.0f", v);
    return to;
}

static void number_row(cl_text *t, json_t *targets, size_t row)
{
    char value[32], second[32], small[64];
    size_t i;
    json_t *target;
    bool any = false;
    json_array_foreach(targets, i, target) any =
        any || isfinite(cl_json_number(target, number_rows[row].path));
    if (!any) return;
    row_open(t, number_rows[row].name);
    json_array_foreach(targets, i, target)
    {
        const number_kind kind = number_rows[row].kind;
        number_text(value, sizeof(value), cl_json_number(target, number_rows[row].path), kind);
        small[0] = '\0';
        if (number_rows[row].small)
            snprintf(small, sizeof(small), "%s %s",
                     number_text(second, sizeof(second),
                                 cl_json_number(target, number_rows[row].small_path), kind),
                     number_rows[row].small);
        cell(t, value, small);
    }
    add(t, "</tr>\n");
}

static void ran_row(cl_text *t, json_t *targets)
{
    size_t i;
    json_t *target;
    char value[64], version[48];
    row_open(t, "what ran");
    json_array_foreach(targets, i, target)
    {
        const char *precision = cl_json_text(target, "served/precision");
        snprintf(value, sizeof(value), "%.20s, %.20s mode", precision,
                 cl_json_text(target, "served/mode"));
        snprintf(version, sizeof(version), "version %.24s", cl_json_text(target, "served/version"));
        cell(t, precision[0] ? value : "not said", precision[0] ? version : "");
    }
    add(t, "</tr>\n");
}

static void target_table(cl_text *t, json_t *run)
{
    char name[16];
    size_t i;
    json_t *target, *targets = cl_json_at(run, "targets");
    if (!json_array_size(targets)) return;
    add(t, "<h2>Figures</h2>\n<table><thead><tr><th scope=\"col\">a request</th>");
    json_array_foreach(targets, i, target)
    {
        add(t, "<th scope=\"col\">");
        cl_text_escaped(t, cl_json_text(target, "name"));
        add(t, "</th>");
    }
    add(t, "</tr></thead><tbody>\n");
    for (i = 0; i < NF_COUNT(cl_permilles); i++)
        percentile_row(t, targets, cl_permille_name(name, sizeof(name), cl_permilles[i]));
    for (i = 0; i < NF_COUNT(number_rows); i++)
        number_row(t, targets, i);
    ran_row(t, targets);
    add(t, "</tbody></table>\n<p class=\"soft\">A percentile is shown when at least five samples "
           "lie beyond it; beside it its 95 % interval. Network time is the whole time less what "
           "the server says it queued and computed.</p>\n");
}

static void cell_row(cl_text *t, json_t *sweep, json_t *c)
{
    static const char *const paths[] = {"edge_us", "cloud_us", "model_cloud_us"};
    char text[80], lo[32], hi[32];
    json_t *bases = json_object_get(sweep, "bases");
    json_t *base = json_array_get(bases, (size_t)cl_json_number(c, "base"));
    const double up = cl_json_number(c, "up_bps");
    snprintf(text, sizeof(text), "%.40s", cl_json_text(base, "model"));
    row_open(t, text);
    time_at(text, sizeof(text), c, "rtt_us");
    cell(t, text, "");
    if (up > 0)
        snprintf(text, sizeof(text), "%.4g Mbit/s", up / 1e6);
    else
        snprintf(text, sizeof(text), "unlimited");
    cell(t, text, "");
    for (size_t i = 0; i < NF_COUNT(paths); i++) {
        time_at(text, sizeof(text), c, paths[i]);
        cell(t, text, "");
    }
    time_at(lo, sizeof(lo), c, "ci95/0");
    time_at(hi, sizeof(hi), c, "ci95/1");
    snprintf(text, sizeof(text), "%s to %s", lo, hi);
    cell(t, cl_json_text(c, "verdict"), text);
    add(t, "</tr>\n");
}

static void sweep_table(cl_text *t, json_t *run)
{
    size_t i;
    json_t *item, *sweep = cl_json_at(run, "sweep");
    if (!sweep) return;
    add(t, "<h2>Where the cloud begins to win</h2>\n<ul>\n");
    json_array_foreach(json_object_get(sweep, "answers"), i, item)
    {
        add(t, "<li>");
        cl_text_escaped(t, cl_json_text(item, ""));
        add(t, "</li>\n");
    }
    add(t, "</ul>\n<details><summary>All cells as a table</summary><div class=\"scroll\"><table>"
           "<thead><tr><th scope=\"col\">model</th><th scope=\"col\">round trip</th>"
           "<th scope=\"col\">uplink</th><th scope=\"col\">edge</th><th scope=\"col\">cloud</th>"
           "<th scope=\"col\">predicted</th><th scope=\"col\">verdict</th></tr></thead><tbody>\n");
    json_array_foreach(json_object_get(sweep, "cells"), i, item) cell_row(t, sweep, item);
    add(t, "</tbody></table></div></details>\n");
}

static void plots(cl_text *t, json_t *run)
{
    add(t, "<h2>Pictures</h2>\n<div class=\"plots\">\n");
    for (size_t i = 0; i < cl_plot_count; i++) {
        cl_text picture = {.most = t->most};
        if (cl_plots[i].draw(&picture, run)) {
            cl_text_fmt(t, "<figure class=\"%s\"><h3>%s</h3>\n", cl_plots[i].id, cl_plots[i].title);
            if (picture.s) cl_text_add(t, picture.s, picture.len);
            cl_text_fmt(t, "<figcaption>%s</figcaption></figure>\n", cl_plots[i].how);
        }
        t->failed = t->failed || picture.failed;
        cl_text_fini(&picture);
    }
    add(t, "</div>\n");
}

/* The sentence a run comes down to: of a sweep the last crossing by round trip, which is that of
 * the last model on the last uplink that has one. */
static void verdict_of(char *to, size_t room, json_t *run)
{
    size_t i;
    json_t *c;
    snprintf(to, room, "%s", cl_json_text(run, "compare/verdict"));
    if (!cl_json_at(run, "sweep")) return;
    snprintf(to, room, "No crossover in this grid: %s", cl_json_text(run, "sweep/answers/0"));
    json_array_foreach(cl_json_at(run, "sweep/crossings"), i, c)
    {
        if (strcmp(cl_json_text(c, "kind"), "crosses") == 0 &&
            strcmp(cl_json_text(c, "axis"), "rtt_us") == 0)
            snprintf(to, room, "%s", cl_json_text(c, "sentence"));
    }
}

static void sweep_remarks(cl_text *t, json_t *run)
{
    size_t i, wins = 0, cells = 0;
    json_t *c;
    json_array_foreach(cl_json_at(run, "sweep/cells"), i, c)
    {
        cells++;
        wins += cl_json_text(c, "verdict")[0] == 'c';
    }
    const double error = 100 * cl_json_number(run, "sweep/median_model_error");
    if (cells) cl_text_fmt(t, "The cloud is faster in %zu of %zu cells. ", wins, cells);
    if (isfinite(error))
        cl_text_fmt(t, "The model is off by %.1f %% of the cloud's time at the median. ", error);
}

static void remarks(cl_text *t, json_t *run)
{
    char shift[32];
    size_t i;
    json_t *target;
    add(t, "<p>");
    sweep_remarks(t, run);
    json_array_foreach(cl_json_at(run, "targets"), i, target)
    {
        const bool gone = json_is_true(json_object_get(target, "gave_up"));
        if (!gone && !json_is_false(json_object_get(target, "reachable"))) continue;
        add(t, "<strong>");
        cl_text_escaped(t, cl_json_text(target, "name"));
        cl_text_fmt(t, " %s:</strong> ", gone ? "stopped answering" : "could not be reached");
        cl_text_escaped(t, cl_json_text(target, "first_error"));
        add(t, ". ");
    }
    const double pairs = cl_json_number(run, "compare/pairs");
    if (pairs > 0 && time_at(shift, sizeof(shift), run, "compare/hl_shift_us"))
        cl_text_fmt(t,
                    "Measured on %.0f pairs of the same request to both; typical shift "
                    "(Hodges-Lehmann) %s. ",
                    pairs, shift);
    const double rows = cl_json_number(run, "compare/agreement/compared");
    if (rows > 0)
        cl_text_fmt(t,
                    "Both chose the same class for %.1f %% of %.0f inputs; their values differ by "
                    "at most %.3g.",
                    100 * cl_json_number(run, "compare/agreement/same_label"), rows,
                    cl_json_number(run, "compare/agreement/max_abs_diff"));
    add(t, "</p>\n");
}

static const struct {
    const char *name, *path;
} facts[] = {
    {"model", "model"},
    {"inputs", "load/inputs"},
    {"order", "load/order"},
    {"edge", "targets/0/url"},
    {"cloud", "targets/1/url"},
    {"edge", "sweep/edge"},
    {"cloud", "sweep/cloud"},
    {"link", "sweep/link"},
    {"started", "run/started"},
    {"client", "run/host/cpu"},
    {"kernel", "run/host/kernel"},
    {"TCP", "run/host/cc"},
    {"program", "run/tool/version"},
    {"commit", "run/tool/git"},
};

static void surroundings(cl_text *t, json_t *run)
{
    add(t, "<h2>How it was measured</h2>\n<dl>\n");
    for (size_t i = 0; i < NF_COUNT(facts); i++) {
        const char *value = cl_json_text(run, facts[i].path);
        if (!value[0]) continue;
        cl_text_fmt(t, "<dt>%s</dt><dd>", facts[i].name);
        cl_text_escaped(t, value);
        add(t, "</dd>\n");
    }
    cl_text_fmt(t, "<dt>seed</dt><dd>%.0f</dd>\n</dl>\n<p>Run it again:</p>\n<pre>",
                cl_json_number(run, "run/seed"));
    cl_text_escaped(t, cl_json_text(run, "run/args"));
    add(t, "</pre>\n");
}

static void run_part(cl_text *t, json_t *run)
{
    char said[400];
    verdict_of(said, sizeof(said), run);
    add(t, "<section>\n<h1>");
    cl_text_escaped(t, said);
    add(t, "</h1>\n");
    remarks(t, run);
    if (cl_json_at(run, "sweep")) {
        sweep_table(t, run);
        plots(t, run);
    } else {
        target_table(t, run);
        plots(t, run);
    }
    surroundings(t, run);
    add(t, "</section>\n");
}

static bool has_something(json_t *run)
{
    return json_array_size(cl_json_at(run, "targets")) || cl_json_at(run, "sweep/cells");
}

nf_status cl_html_runs(json_t *const *runs, size_t n, const char *path, nf_error *err)
{
    char said[400];
    nf_status st;
    cl_text t = {.most = PAGE_MOST};
    for (size_t i = 0; i < n; i++) {
        if (!runs[i]) return nf_fail(err, NF_ENOMEM, path, "no memory for the run");
        if (!has_something(runs[i]))
            return nf_fail(err, NF_EINVAL, path, "run %zu has no targets and no sweep", i + 1);
    }
    verdict_of(said, sizeof(said), runs[0]);
    add(&t, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    cl_text_escaped(&t, said);
    add(&t, "</title>\n<style>");
    add(&t, style);
    add(&t, "</style></head><body>\n");
    for (size_t i = 0; i < n; i++)
        run_part(&t, runs[i]);
    add(&t, "</body></html>\n");
    st = t.failed
             ? nf_fail(err, NF_ENOMEM, path, "the page is over %u bytes, or no memory", PAGE_MOST)
             : nf_write_file(path, (nf_bytes){(const uint8_t *)t.s, t.len}, err);
    cl_text_fini(&t);
    return st;
}
