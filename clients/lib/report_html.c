/* report_html.c - writes the page of a comparison. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/report_html.h"

#include "clients/lib/report_plot.h"
#include "engine/base/file.h"

#include <stdio.h>

#define PAGE_MOST (1u << 20)

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--ink:#1b1f24;--soft:#5b6470;--line:#d9dee4;"
    "--card:#f6f8fa;--edge:#0b7a75;--cloud:#c2571a;--server:#5a4fcf;--net:#8a94a0}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#14171b;--ink:#e8eaed;--soft:#a2abb6;"
    "--line:#343b44;--card:#1d2228;--edge:#3fc1b9;--cloud:#f0924e;--server:#a79ff5;"
    "--net:#7d8894}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:980px;padding:20px 16px 40px;"
    "background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,\"DejaVu Sans\",sans-serif}\n"
    "h1{font-size:1.5rem;line-height:1.3;margin:.2em 0 .6em}h2{font-size:1.1rem;margin:1.8em 0 "
    ".5em}"
    "p{margin:.4em 0}.soft,figcaption{color:var(--soft);font-size:.9rem}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{padding:.35em .5em;border-bottom:1px solid var(--line);text-align:right;"
    "vertical-align:top}th:first-child{text-align:left;font-weight:400}"
    "thead th{font-weight:600}td{overflow-wrap:anywhere}small{color:var(--soft)}"
    "h1::first-letter{text-transform:uppercase}@media(max-width:640px){td small{display:block}}\n"
    ".plots{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),"
    "1fr));align-items:start}figure{margin:0;padding:12px;background:var(--card);"
    "border:1px solid var(--line);border-radius:8px}figure h2{margin:0 0 .4em}"
    "@media(min-width:900px){figure:first-child{grid-row:span 2}}"
    "svg{display:block;width:100%;max-width:560px;height:auto}\n"
    "svg text{font:13px system-ui,\"DejaVu Sans\",sans-serif;fill:var(--ink)}"
    ".grid{stroke:var(--line);stroke-width:1;fill:none}.line{fill:none;stroke-width:2.5;"
    "stroke-linejoin:round}.edge{fill:var(--edge)}.cloud{fill:var(--cloud)}"
    ".line.edge{fill:none;stroke:var(--edge)}.line.cloud{fill:none;stroke:var(--cloud)}"
    ".network,.head{fill:var(--net)}.server,.body{fill:var(--server)}\n"
    "pre{overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere;padding:10px;"
    "background:var(--card);border:1px solid var(--line);border-radius:8px;font-size:.85rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2em 1em;margin:0}"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
    "@media print{:root{color-scheme:light;--bg:#fff;--ink:#000;--soft:#444;--line:#bbb;"
    "--card:#fff;--edge:#0b7a75;--cloud:#c2571a;--server:#5a4fcf;--net:#8a94a0}"
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

static void percentile_row(cl_text *t, const cl_comparison *c, size_t i)
{
    char name[32], value[32], lo[32], hi[32], around[80];
    cl_permille_name(name, sizeof(name), cl_permilles[i]);
    row_open(t, name);
    for (int s = 0; s < 2; s++) {
        const cl_percentile *q = &c->side[s].q[i];
        around[0] = '\0';
        if (q->shown)
            cl_time_text(value, sizeof(value), q->ns);
        else
            snprintf(value, sizeof(value), "n/a (n=%zu)", c->side[s].n);
        if (q->shown && q->ci.known)
            snprintf(around, sizeof(around), "%s to %s", cl_time_text(lo, sizeof(lo), q->ci.lo),
                     cl_time_text(hi, sizeof(hi), q->ci.hi));
        cell(t, value, around);
    }
    add(t, "</tr>\n");
}

static void server_rows(cl_text *t, const cl_comparison *c)
{
    char value[32];
    static const char *const names[2] = {"server time, median", "network time, median"};
    for (int i = 0; i < 2; i++) {
        row_open(t, names[i]);
        for (int s = 0; s < 2; s++) {
            const cl_side_summary *side = &c->side[s];
            cell(t,
                 side->server_known
                     ? cl_time_text(value, sizeof(value), i ? side->network_ns : side->server_ns)
                     : "not said",
                 "");
        }
        add(t, "</tr>\n");
    }
}

static void bytes_row(cl_text *t, const cl_comparison *c, bool down)
{
    char value[32], parts[64];
    row_open(t, down ? "bytes down per request" : "bytes up per request");
    for (int s = 0; s < 2; s++) {
        const cl_recorder *r = &c->pairs->side[s].rec;
        const double total = cl_recorder_each(r, down ? r->down_total : r->up_total);
        const double app = cl_recorder_each(r, down ? r->down_app : r->up_app);
        snprintf(parts, sizeof(parts), "%.0f body + %.0f headers", app, total - app);
        cl_bytes_text(value, sizeof(value), total);
        cell(t, r->ok ? value : "n/a", r->ok ? parts : "");
    }
    add(t, "</tr>\n");
}

static void errors_row(cl_text *t, const cl_comparison *c)
{
    row_open(t, "errors");
    for (int s = 0; s < 2; s++) {
        const cl_side *side = &c->pairs->side[s];
        cl_text kinds = {.most = 1000};
        char value[64];
        snprintf(value, sizeof(value), "%llu of %llu",
                 (unsigned long long)cl_recorder_errors(&side->rec),
                 (unsigned long long)side->rec.issued);
        for (int f = CL_NONE + 1; f < CL_FAILURE_COUNT; f++)
            if (side->rec.error[f])
                cl_text_fmt(&kinds, "%s%llu x %s", kinds.len ? ", " : "",
                            (unsigned long long)side->rec.error[f], cl_failure_text((cl_failure)f));
        cell(t, side->reachable ? value : "not reached", kinds.s ? kinds.s : "");
        cl_text_fini(&kinds);
    }
    add(t, "</tr>\n");
}

static void ran_row(cl_text *t, const cl_comparison *c)
{
    row_open(t, "what ran");
    for (int s = 0; s < 2; s++) {
        const cl_served *v = &c->pairs->side[s].served;
        char value[64], version[48];
        snprintf(value, sizeof(value), "%s, %s mode", v->precision, v->mode);
        snprintf(version, sizeof(version), "version %s", v->version);
        cell(t, v->known ? value : "not said", v->known ? version : "");
    }
    add(t, "</tr>\n");
}

static void table(cl_text *t, const cl_comparison *c)
{
    add(t, "<h2>Figures</h2>\n<table><thead><tr><th scope=\"col\">per request</th>"
           "<th scope=\"col\">edge</th><th scope=\"col\">cloud</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < NF_COUNT(cl_permilles); i++)
        percentile_row(t, c, i);
    server_rows(t, c);
    bytes_row(t, c, false);
    bytes_row(t, c, true);
    errors_row(t, c);
    ran_row(t, c);
    add(t, "</tbody></table>\n<p class=\"soft\">A percentile is shown when at least five samples "
           "lie beyond it; beside it its 95 % interval. Network time is the whole time less what "
           "the server says it queued and computed.</p>\n");
}

static void figure_open(cl_text *t, const char *title)
{
    cl_text_fmt(t, "<figure><h2>%s</h2>\n", title);
}

static void figure_close(cl_text *t, const char *how)
{
    cl_text_fmt(t, "<figcaption>%s</figcaption></figure>\n", how);
}

static void plots(cl_text *t, const cl_comparison *c)
{
    add(t, "<h2>Pictures</h2>\n<div class=\"plots\">\n");
    figure_open(t, "How long an answer takes");
    cl_plot_cdf(t, c);
    figure_close(t, "Read it from a time upwards: the curve's height is the share of requests that "
                    "were answered by then, so the curve further left is the faster target.");
    figure_open(t, "Where the time goes");
    if (!cl_plot_split(t, c)) add(t, "<p>The servers did not say how long they took.</p>\n");
    figure_close(t, "The longer the grey part, the more of the median request is spent on the way "
                    "rather than in the server.");
    figure_open(t, "What goes over the wire");
    cl_plot_bytes(t, c);
    figure_close(t, "Up is what leaves the device, down what comes back; grey is the price of HTTP "
                    "headers around each body.");
    add(t, "</div>\n");
}

static void verdict(cl_text *t, const cl_comparison *c)
{
    char shift[32];
    const cl_agreement *g = &c->pairs->agreement;
    add(t, "<h1>");
    cl_text_escaped(t, c->sentence);
    add(t, "</h1>\n<p>");
    for (int s = 0; s < 2; s++) {
        const cl_side *side = &c->pairs->side[s];
        if (side->reachable && !side->given_up) continue;
        cl_text_fmt(t, "<strong>%s %s:</strong> ", side->target->name,
                    side->reachable ? "stopped answering" : "could not be reached");
        cl_text_escaped(t, side->why);
        add(t, ". ");
    }
    if (c->both)
        cl_text_fmt(t,
                    "Measured on %zu pairs of the same request to both; typical shift "
                    "(Hodges-Lehmann) %s. ",
                    c->both, cl_time_text(shift, sizeof(shift), c->shift_ns));
    if (g->rows)
        cl_text_fmt(t,
                    "Both chose the same class for %llu of %llu inputs; their values differ by "
                    "at most %.3g.",
                    (unsigned long long)g->same, (unsigned long long)g->rows, g->max_abs_diff);
    add(t, "</p>\n");
}

static void fact(cl_text *t, const char *name, const char *value)
{
    cl_text_fmt(t, "<dt>%s</dt><dd>", name);
    cl_text_escaped(t, value[0] ? value : "unknown");
    add(t, "</dd>\n");
}

static void surroundings(cl_text *t, const cl_comparison *c)
{
    char text[1500];
    const cl_side *side = c->pairs->side;
    add(t, "<h2>How it was measured</h2>\n<dl>\n");
    fact(t, "model", c->model);
    fact(t, "inputs", c->inputs);
    for (int s = 0; s < 2; s++) {
        snprintf(text, sizeof(text), "http://%s%s", side[s].target->url.authority,
                 side[s].target->url.path);
        fact(t, side[s].target->name, text);
    }
    snprintf(text, sizeof(text), "%zu of %zu pairs, order ABBA beginning with %s, seed %llu%s",
             c->pairs->done, c->pairs->asked, side[c->pairs->first].target->name,
             (unsigned long long)c->seed, c->pairs->interrupted ? ", interrupted" : "");
    fact(t, "design", text);
    snprintf(text, sizeof(text),
             "paired bootstrap of the median difference, %d resamples, 95 %%; least effect %.3g %% "
             "of the slower median",
             CL_RESAMPLES, c->min_effect * 100);
    fact(t, "interval", text);
    fact(t, "started", c->env->started);
    fact(t, "client", c->env->cpu);
    fact(t, "kernel", c->env->kernel);
    fact(t, "TCP", c->env->congestion);
    snprintf(text, sizeof(text), "nearfar-client %s (%s)", c->env->version, c->env->git);
    fact(t, "program", text);
    add(t, "</dl>\n<p>Run it again:</p>\n<pre>");
    cl_text_escaped(t, c->env->command);
    add(t, "</pre>\n");
}

nf_status cl_html_comparison(const cl_comparison *c, const char *path, nf_error *err)
{
    cl_text t = {.most = PAGE_MOST};
    nf_status st;
    add(&t, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    cl_text_escaped(&t, cl_verdict_text(c->verdict));
    add(&t, ": ");
    cl_text_escaped(&t, c->model);
    add(&t, "</title>\n<style>");
    add(&t, style);
    add(&t, "</style></head><body>\n");
    verdict(&t, c);
    table(&t, c);
    plots(&t, c);
    surroundings(&t, c);
    add(&t, "</body></html>\n");
    st = t.failed
             ? nf_fail(err, NF_ENOMEM, path, "the page is over %u bytes, or no memory", PAGE_MOST)
             : nf_write_file(path, (nf_bytes){(const uint8_t *)t.s, t.len}, err);
    cl_text_fini(&t);
    return st;
}
