/* bench_files.c - bench as CSV and as a percentile file; what its reports share. Layer: clients.
 * Thread rule: no shared state. */
#include "clients/lib/bench_report.h"
#include "clients/lib/knee.h"

#include <errno.h>
#include <stdio.h>

#define STEPS_MOST 64 /* of a sweep */

size_t cl_bench_knee(const cl_bench *b)
{
    cl_knee_step at[STEPS_MOST];
    for (size_t i = 0; i < b->n && i < STEPS_MOST; i++) {
        const nf_hist *h = cl_recorder_latency(&b->step[i].result.rec);
        at[i].rate = cl_load_rate(&b->step[i].result);
        at[i].p95_ns = cl_quantile_shown(h->count, 950) ? (double)nf_hist_quantile(h, 0.95) : 0;
    }
    return b->n <= STEPS_MOST ? cl_knee_find(at, b->n) : b->n;
}

/* A request that was due and was not sent, or not answered, failed. */
cl_slo_facts cl_bench_facts(const cl_bench_step *s)
{
    const cl_load_result *r = &s->result;
    const uint64_t failed = cl_recorder_errors(&r->rec) + r->unsent + r->unanswered;
    const uint64_t all = r->rec.ok + failed;
    return (cl_slo_facts){.latency = cl_recorder_latency(&r->rec),
                          .err = all ? (double)failed / (double)all : 0,
                          .rate = cl_load_rate(r)};
}

bool cl_bench_slos_hold(const cl_bench *b)
{
    bool hold = true;
    for (size_t i = 0; i < b->n; i++) {
        const cl_slo_facts facts = cl_bench_facts(&b->step[i]);
        for (size_t k = 0; k < b->slos.n; k++)
            hold = cl_slo_judge(&b->slos.one[k], &facts).pass && hold;
    }
    return hold;
}

/* The value of a histogram at a 1-based rank. */
static double at_rank(const nf_hist *h, uint64_t rank)
{
    return (double)nf_hist_quantile(h, ((double)rank - 0.5) / (double)h->count);
}

cl_interval cl_hist_interval(const nf_hist *h, unsigned permille)
{
    uint64_t low, high;
    if (!cl_quantile_ranks(h->count, permille, &low, &high)) return (cl_interval){0};
    return (cl_interval){true, at_rank(h, low), at_rank(h, high)};
}

static nf_status open_file(FILE **to, const char *path, nf_error *err)
{
    *to = fopen(path, "w");
    if (*to) return NF_OK;
    return nf_fail(err, NF_EIO, path, "could not be opened to write: errno %d", errno);
}

static nf_status close_file(FILE *to, const char *path, nf_error *err)
{
    const bool bad = ferror(to) != 0;
    if (!fclose(to) && !bad) return NF_OK;
    return nf_fail(err, NF_EIO, path, "could not be written");
}

static void csv_quantiles(FILE *to, const nf_hist *h)
{
    for (size_t i = 0; i < NF_COUNT(cl_permilles); i++) {
        fputc(',', to);
        if (cl_quantile_shown(h->count, cl_permilles[i]))
            fprintf(to, "%.1f", (double)nf_hist_quantile(h, cl_permilles[i] / 1000.0) / 1e3);
    }
    fprintf(to, ",%.1f", (double)h->most / 1e3);
}

nf_status cl_csv_bench(const cl_bench *b, const char *path, nf_error *err)
{
    FILE *to;
    const nf_status st = open_file(&to, path, err);
    if (st) return st;
    fputs("mode,arrival,rate_asked,connections,elapsed_us,ok,failed,rate,"
          "raw_p50_us,raw_p90_us,raw_p95_us,raw_p99_us,raw_p99.9_us,raw_max_us,"
          "p50_us,p90_us,p95_us,p99_us,p99.9_us,max_us,waited,unsent,unanswered,cpu_share\n",
          to);
    for (size_t i = 0; i < b->n; i++) {
        const cl_load *l = &b->step[i].load;
        const cl_load_result *r = &b->step[i].result;
        fprintf(to, "%s,%s,", l->arrivals ? "open" : "closed",
                l->arrivals ? l->arrivals->name : "");
        if (l->arrivals) fprintf(to, "%g", l->arrivals->rate);
        fprintf(to, ",%zu,%llu,%llu,%llu,%.2f", l->connections,
                (unsigned long long)r->elapsed_ns / 1000, (unsigned long long)r->rec.ok,
                (unsigned long long)cl_recorder_errors(&r->rec), cl_load_rate(r));
        csv_quantiles(to, &r->rec.latency);
        csv_quantiles(to, cl_recorder_latency(&r->rec));
        fprintf(to, ",%llu,%llu,%llu,%.3f\n", (unsigned long long)r->waited,
                (unsigned long long)r->unsent, (unsigned long long)r->unanswered, cl_load_busy(r));
    }
    return close_file(to, path, err);
}

static void hgrm_row(FILE *to, const nf_hist *h, double share)
{
    const uint64_t ns = nf_hist_quantile(h, share);
    fprintf(to, "%12.3f %2.12f %10llu", (double)ns / 1e6, share,
            (unsigned long long)nf_hist_at_most(h, ns));
    if (share < 1)
        fprintf(to, " %14.2f\n", 1 / (1 - share));
    else
        fputs("            inf\n", to);
}

/* Five steps for each halving of what lies beyond, as HdrHistogram's own percentile iterator. */
nf_status cl_hgrm_bench(const cl_bench *b, const char *path, nf_error *err)
{
    FILE *to;
    const nf_hist *h = cl_recorder_latency(&b->step[b->n ? b->n - 1 : 0].result.rec);
    const nf_status st = open_file(&to, path, err);
    if (st) return st;
    fprintf(to, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    for (double beyond = 1; beyond * (double)h->count >= 0.5; beyond /= 2)
        for (int step = 0; step < 5; step++)
            hgrm_row(to, h, 1 - beyond * (1 - step / 10.0));
    hgrm_row(to, h, 1);
    fprintf(to, "#[Mean    = %12.3f, Max          = %12.3f]\n#[Count   = %12llu]\n",
            h->count ? (double)h->sum / (double)h->count / 1e6 : 0, (double)h->most / 1e6,
            (unsigned long long)h->count);
    return close_file(to, path, err);
}
