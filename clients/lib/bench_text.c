/* bench_text.c - bench as text for people. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/bench_report.h"
#include "clients/lib/knee.h"
#include "clients/lib/text_out.h"

#include <stdio.h>

static const char *cell(char *to, size_t room, const nf_hist *h, unsigned permille)
{
    if (cl_quantile_shown(h->count, permille))
        return cl_time_text(to, room, (double)nf_hist_quantile(h, permille / 1000.0));
    snprintf(to, room, "n/a");
    return to;
}

static void print_percentiles(const char *name, const nf_hist *h, FILE *to)
{
    char label[16], value[32];
    fprintf(to, "%-10s", name);
    for (size_t i = 0; i < NF_COUNT(cl_permilles); i++) {
        const unsigned p = cl_permilles[i];
        fprintf(to, " %s %s", cl_permille_name(label, sizeof(label), p),
                cell(value, sizeof(value), h, p));
        if (!cl_quantile_shown(h->count, p)) fprintf(to, " (n=%llu)", (unsigned long long)h->count);
        fputc(',', to);
    }
    fprintf(to, " max %s\n", cl_time_text(value, sizeof(value), (double)h->most));
}

static void print_intervals(const nf_hist *h, FILE *to)
{
    char label[16], lo[32], hi[32];
    const char *sep = "";
    fprintf(to, "95 %%       ");
    for (size_t i = 0; i < NF_COUNT(cl_permilles); i++) {
        const unsigned p = cl_permilles[i];
        const cl_interval ci = cl_hist_interval(h, p);
        if (!ci.known || !cl_quantile_shown(h->count, p)) continue;
        fprintf(to, "%s%s [%s, %s]", sep, cl_permille_name(label, sizeof(label), p),
                cl_time_text(lo, sizeof(lo), ci.lo), cl_time_text(hi, sizeof(hi), ci.hi));
        sep = ", ";
    }
    fputs(*sep ? "\n" : "n/a\n", to);
}

static void print_latency(const cl_bench_step *s, FILE *to)
{
    const cl_recorder *r = &s->result.rec;
    if (s->load.arrivals) {
        print_percentiles("corrected", &r->corrected, to);
        print_percentiles("raw", &r->latency, to);
        fputs("           corrected: from the moment a request was due; raw: from when it was "
              "sent\n",
              to);
    } else {
        print_percentiles("latency", &r->latency, to);
    }
    print_intervals(cl_recorder_latency(r), to);
}

static void print_phases(const cl_recorder *r, FILE *to)
{
    char value[32];
    fputs("steps p50 ", to);
    for (int p = 0; p < CL_PHASES; p++) {
        const nf_hist *h = &r->phase[p];
        fprintf(to, "%s%s %s", p ? ", " : " ", cl_phase_name((cl_phase)p),
                h->count ? cl_time_text(value, sizeof(value), (double)nf_hist_quantile(h, 0.5))
                         : "-");
    }
    fprintf(to, " (%llu new connections)\n", (unsigned long long)r->opened);
}

static void print_schedule(const cl_bench_step *s, FILE *to)
{
    char p50[32], p99[32], most[32];
    const cl_load_result *r = &s->result;
    if (!s->load.arrivals) return;
    fprintf(to, "schedule   %llu due, %llu waited for a connection, %llu unsent, %llu unanswered\n",
            (unsigned long long)r->due, (unsigned long long)r->waited,
            (unsigned long long)r->unsent, (unsigned long long)r->unanswered);
    fprintf(to, "           error p50 %s, p99 %s, max %s\n", cell(p50, sizeof(p50), &r->lag, 500),
            cell(p99, sizeof(p99), &r->lag, 990),
            cl_time_text(most, sizeof(most), (double)r->lag.most));
}

static void print_errors(const cl_recorder *r, FILE *to)
{
    const char *sep = "";
    if (!cl_recorder_errors(r)) return;
    fputs("errors     ", to);
    for (int f = CL_NONE + 1; f < CL_FAILURE_COUNT; f++) {
        if (!r->error[f]) continue;
        fprintf(to, "%s%llu x %s", sep, (unsigned long long)r->error[f],
                cl_failure_text((cl_failure)f));
        sep = ", ";
    }
    fputc('\n', to);
}

static void print_windows(const cl_windows *w, FILE *to)
{
    char p50[32];
    if (!w->n) return;
    const cl_stability s = cl_windows_judge(w);
    fprintf(to, "windows    %s, limit %.0f %%: ", s.stable ? "stable" : "unstable",
            w->tolerance * 100);
    if (s.known)
        fprintf(to, "rate spreads %.1f %%, p50 %.1f %%;", s.rate_spread * 100,
                s.latency_spread * 100);
    else
        fputs("a window is without answers;", to);
    for (size_t i = 0; i < w->n && i < 10; i++)
        fprintf(to, "%s %.0f/s %s", i ? "," : "", cl_windows_rate(w, i),
                cell(p50, sizeof(p50), &w->window[i].latency, 500));
    fputc('\n', to);
}

static void print_slos(const cl_bench *b, const cl_bench_step *s, FILE *to)
{
    char value[32];
    const cl_slo_facts facts = cl_bench_facts(s);
    for (size_t k = 0; k < b->slos.n; k++) {
        const cl_slo *o = &b->slos.one[k];
        const cl_slo_result r = cl_slo_judge(o, &facts);
        if (!r.known)
            snprintf(value, sizeof(value), "n/a");
        else if (o->metric == CL_SLO_ERR)
            snprintf(value, sizeof(value), "%.3g %%", r.value * 100);
        else if (o->metric == CL_SLO_RATE)
            snprintf(value, sizeof(value), "%.1f/s", r.value);
        else
            cl_time_text(value, sizeof(value), r.value);
        fprintf(to, "slo        %-16s %s: %s\n", o->expr, r.pass ? "pass" : "FAIL", value);
    }
}

static void print_load(const cl_bench *b, const cl_bench_step *s, FILE *to)
{
    fprintf(to, "%s, %zu connection%s, ", b->url, s->load.connections,
            s->load.connections == 1 ? "" : "s");
    if (s->load.arrivals)
        fprintf(to, "open loop %s at %g/s", s->load.arrivals->name, s->load.arrivals->rate);
    else
        fputs("closed loop", to);
    fprintf(to, ", %.2f s%s%s%s\n", (double)s->result.elapsed_ns / 1e9,
            s->result.facts.congestion[0] ? ", TCP " : "", s->result.facts.congestion,
            s->result.interrupted ? ", interrupted" : "");
}

static void print_step(const cl_bench *b, const cl_bench_step *s, FILE *to)
{
    const cl_recorder *r = &s->result.rec;
    const double busy = cl_load_busy(&s->result);
    print_load(b, s, to);
    fprintf(to, "requests   %llu ok, %llu failed, %.0f/s\n", (unsigned long long)r->ok,
            (unsigned long long)cl_recorder_errors(r), cl_load_rate(&s->result));
    print_latency(s, to);
    print_phases(r, to);
    print_schedule(s, to);
    fprintf(to, "bytes/req  up %.0f (%.0f body + %.0f headers), down %.0f (%.0f + %.0f)\n",
            cl_recorder_each(r, r->up_total), cl_recorder_each(r, r->up_app),
            cl_recorder_each(r, r->up_total - r->up_app), cl_recorder_each(r, r->down_total),
            cl_recorder_each(r, r->down_app), cl_recorder_each(r, r->down_total - r->down_app));
    print_errors(r, to);
    print_windows(&s->result.windows, to);
    print_slos(b, s, to);
    if (busy > CL_BUSY_SHARE)
        fprintf(to, "note       this client used %.0f %% of a core: it may be the limit\n",
                busy * 100);
}

static void print_row(const cl_bench *b, const cl_bench_step *s, FILE *to)
{
    char asked[24], p50[32], p95[32], p99[32];
    const nf_hist *h = cl_recorder_latency(&s->result.rec);
    const double busy = cl_load_busy(&s->result);
    if (s->load.arrivals)
        snprintf(asked, sizeof(asked), "%g/s", s->load.arrivals->rate);
    else
        snprintf(asked, sizeof(asked), "%zu", s->load.connections);
    fprintf(to, "%12s %9.0f/s %9s %9s %9s %7.2f%% %8llu %6.0f%%%s\n", asked,
            cl_load_rate(&s->result), cell(p50, sizeof(p50), h, 500),
            cell(p95, sizeof(p95), h, 950), cell(p99, sizeof(p99), h, 990),
            cl_bench_facts(s).err * 100, (unsigned long long)s->result.waited, busy * 100,
            busy > CL_BUSY_SHARE ? "  the client may be the limit" : "");
    print_errors(&s->result.rec, to);
    print_windows(&s->result.windows, to);
    print_slos(b, s, to);
}

static void print_sweep(const cl_bench *b, FILE *to)
{
    const size_t knee = cl_bench_knee(b);
    const bool open = b->n && b->step[0].load.arrivals;
    fprintf(to, "%s, %s loop, sweep of %s%s%s\n", b->url, open ? "open" : "closed", b->swept,
            b->n && b->step[0].result.facts.congestion[0] ? ", TCP " : "",
            b->n ? b->step[0].result.facts.congestion : "");
    fprintf(to, "%12s %11s %9s %9s %9s %8s %8s %7s\n", b->swept, "answered", "p50", "p95", "p99",
            "failed", "waited", "client");
    for (size_t i = 0; i < b->n; i++)
        print_row(b, &b->step[i], to);
    if (knee >= b->n)
        fputs("knee       not reached", to);
    else if (open)
        fprintf(to, "knee       at %g/s", b->step[knee].load.arrivals->rate);
    else
        fprintf(to, "knee       at %zu connections", b->step[knee].load.connections);
    fputs(": " CL_KNEE_RULE "\n", to);
}

void cl_text_bench(const cl_bench *b, FILE *to)
{
    if (b->swept)
        print_sweep(b, to);
    else if (b->n)
        print_step(b, &b->step[0], to);
}
