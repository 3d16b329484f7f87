/* windows.c - cuts and compares windows. Layer: clients. Thread rule: one owner. */
#include "clients/lib/windows.h"

#include "engine/base/bytes.h"
#include "engine/base/mem.h"

#include <stdlib.h>

nf_status cl_windows_read(size_t *n, double *tolerance, const char *text, nf_error *err)
{
    char *end, *stop;
    const long count = strtol(text, &end, 10);
    const bool cross = end > text && *end == 'x';
    double share = cross ? strtod(end + 1, &stop) : 0;
    if (cross && *stop == '%') {
        share /= 100;
        stop++;
    }
    if (!cross || *stop || count < 2 || count > CL_WINDOWS_MOST || !(share > 0 && share <= 10))
        return nf_fail(err, NF_EINVAL, "stable", "expected COUNTxSHARE like 3x10%%, got '%.40s'",
                       text);
    *n = (size_t)count;
    *tolerance = share;
    return NF_OK;
}

nf_status cl_windows_init(cl_windows *w, size_t n, double tolerance, uint64_t whole_ns,
                          uint64_t requests, nf_error *err)
{
    *w = (cl_windows){.n = n, .tolerance = tolerance, .whole_ns = whole_ns, .requests = requests};
    if (!n) return NF_OK;
    w->window = nf_alloc_array(n, sizeof(*w->window), NF_MEM_CLIENT);
    if (!w->window) return nf_fail(err, NF_ENOMEM, "windows", "no memory for %zu", n);
    for (size_t i = 0; i < n && whole_ns; i++) {
        w->window[i].start_ns = whole_ns / n * i;
        w->window[i].end_ns = whole_ns / n * (i + 1);
    }
    return NF_OK;
}

void cl_windows_fini(cl_windows *w)
{
    nf_free(w->window);
    *w = (cl_windows){0};
}

/* Windows by count end with their last request and begin where the one before ended. */
static size_t place_by_count(cl_windows *w, uint64_t at_ns)
{
    const size_t i = (size_t)((w->seen - 1) * w->n / w->requests);
    if (i >= w->n) return w->n;
    if (!w->window[i].end_ns && i) w->window[i].start_ns = w->window[i - 1].end_ns;
    w->window[i].end_ns = at_ns;
    return i;
}

void cl_windows_add(cl_windows *w, uint64_t at_ns, bool ok, uint64_t latency_ns)
{
    size_t i = w->n;
    if (!w->n) return;
    w->seen++;
    if (w->whole_ns)
        i = (size_t)(at_ns / (w->whole_ns / w->n));
    else if (w->requests)
        i = place_by_count(w, at_ns);
    if (i < w->n && ok) nf_hist_add(&w->window[i].latency, latency_ns);
}

double cl_windows_rate(const cl_windows *w, size_t i)
{
    const cl_window *x = &w->window[i];
    if (x->end_ns <= x->start_ns) return 0;
    return (double)x->latency.count * 1e9 / (double)(x->end_ns - x->start_ns);
}

static double spread(double least, double most)
{
    return least > 0 ? most / least - 1 : 0;
}

cl_stability cl_windows_judge(const cl_windows *w)
{
    cl_stability s = {.known = w->n > 0};
    double rate[2] = {0}, middle[2] = {0}; /* least, most */
    for (size_t i = 0; i < w->n; i++) {
        const double r = cl_windows_rate(w, i);
        const double m = (double)nf_hist_quantile(&w->window[i].latency, 0.5);
        if (!w->window[i].latency.count) s.known = false;
        if (!i || r < rate[0]) rate[0] = r;
        if (!i || r > rate[1]) rate[1] = r;
        if (!i || m < middle[0]) middle[0] = m;
        if (!i || m > middle[1]) middle[1] = m;
    }
    s.rate_spread = spread(rate[0], rate[1]);
    s.latency_spread = spread(middle[0], middle[1]);
    s.stable = s.known && s.rate_spread <= w->tolerance && s.latency_spread <= w->tolerance;
    return s;
}
