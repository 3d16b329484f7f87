/* comparison.c - summary statistics and the verdict. Layer: clients. Thread rule: no shared state.
 */
#include "clients/lib/comparison.h"

#include "clients/lib/text_out.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>

const char *cl_verdict_text(cl_verdict v)
{
    static const char *const text[] = {"edge faster", "cloud faster", "no difference shown"};
    return text[v];
}

/* The median of series[i] - minus[i] over the pairs where both are there; 0 when none is. */
static size_t median_of(double *out, int64_t *room, const int64_t *series, const int64_t *minus,
                        size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (series[i] != CL_NO_TIME && (!minus || minus[i] != CL_NO_TIME))
            room[k++] = series[i] - (minus ? minus[i] : 0);
    cl_sort(room, k);
    *out = k ? cl_median(room, k) : 0;
    return k;
}

static nf_status summarise(cl_side_summary *s, const cl_side *side, size_t pairs, nf_error *err)
{
    int64_t *room = nf_alloc_array(pairs, sizeof(*room), NF_MEM_CLIENT);
    s->sorted = nf_alloc_array(pairs, sizeof(*s->sorted), NF_MEM_CLIENT);
    if (!room || !s->sorted) {
        nf_free(room);
        return nf_fail(err, NF_ENOMEM, "comparison", "no memory for %zu pairs", pairs);
    }
    s->n = median_of(&s->median_ns, s->sorted, side->ns, NULL, pairs);
    if (s->n) s->median_ns = (double)cl_quantile(s->sorted, s->n, 500); /* the table's p50 */
    s->server_known = median_of(&s->server_ns, room, side->server_ns, NULL, pairs) > 0;
    median_of(&s->network_ns, room, side->ns, side->server_ns, pairs);
    nf_free(room);
    for (size_t i = 0; i < NF_COUNT(s->q); i++) {
        cl_percentile *q = &s->q[i];
        q->permille = cl_permilles[i];
        q->shown = cl_quantile_shown(s->n, q->permille);
        if (!q->shown) continue;
        q->ns = (double)cl_quantile(s->sorted, s->n, q->permille);
        q->ci = cl_quantile_interval(s->sorted, s->n, q->permille);
    }
    return NF_OK;
}

double cl_wilcoxon(int64_t *room, const int64_t *d, size_t n)
{
    size_t k = 0;
    double plus = 0, ties = 0;
    for (size_t i = 0; i < n; i++) /* twice the size, odd when positive */
        if (d[i]) room[k++] = d[i] > 0 ? 2 * d[i] + 1 : -2 * d[i];
    if (k < CL_PAIRS_LEAST) return NAN;
    cl_sort(room, k);
    for (size_t i = 0, j; i < k; i = j) {
        double above = 0;
        for (j = i; j < k && room[j] / 2 == room[i] / 2; j++)
            above += (double)(room[j] % 2);
        const double t = (double)(j - i);
        plus += above * (double)(i + 1 + j) / 2; /* the mean of the ranks i + 1 .. j */
        ties += t * t * t - t;
    }
    const double m = (double)k;
    const double variance = m * (m + 1) * (2 * m + 1) / 24 - ties / 48;
    const double off = fmax(0, fabs(plus - m * (m + 1) / 4) - 0.5);
    return variance > 0 ? erfc(off / sqrt(2 * variance)) : NAN;
}

static nf_status difference(cl_comparison *c, nf_error *err)
{
    const cl_pairs *p = c->pairs;
    nf_status st = NF_OK;
    int64_t *d = nf_alloc_array(2 * p->done, sizeof(*d), NF_MEM_CLIENT); /* and room for ranks */
    c->p_value = NAN;
    if (!d) return nf_fail(err, NF_ENOMEM, "comparison", "no memory for %zu pairs", p->done);
    for (size_t i = 0; i < p->done; i++)
        if (p->side[0].ns[i] != CL_NO_TIME && p->side[1].ns[i] != CL_NO_TIME)
            d[c->both++] = p->side[0].ns[i] - p->side[1].ns[i];
    cl_sort(d, c->both);
    if (c->both) {
        c->p_value = cl_wilcoxon(d + p->done, d, c->both);
        c->diff_ns = cl_median(d, c->both);
        c->shift_ns = cl_hodges_lehmann(d, c->both);
        st = cl_bootstrap_median(&c->ci, d, c->both, CL_RESAMPLES, c->seed, err);
    }
    nf_free(d);
    return st;
}

static cl_verdict judge(const cl_comparison *c)
{
    const double slower = fmax(c->side[0].median_ns, c->side[1].median_ns);
    if (c->both < CL_PAIRS_LEAST || !c->ci.known) return CL_NO_DIFFERENCE;
    if (fabs(c->diff_ns) < c->min_effect * slower) return CL_NO_DIFFERENCE;
    if (c->ci.hi < 0) return CL_EDGE_FASTER;
    return c->ci.lo > 0 ? CL_CLOUD_FASTER : CL_NO_DIFFERENCE;
}

/* Why there is no comparison at all, or NULL. */
static const char *obstacle(const cl_comparison *c)
{
    static const char *const down[] = {NULL, "edge could not be reached",
                                       "cloud could not be reached",
                                       "neither target could be reached"};
    const cl_side *s = c->pairs->side;
    const char *why = down[(s[0].reachable ? 0 : 1) + (s[1].reachable ? 0 : 2)];
    if (why) return why;
    if (s[0].given_up || s[1].given_up)
        return s[0].given_up ? "edge stopped answering" : "cloud stopped answering";
    return NULL;
}

static void write_sentence(cl_comparison *c)
{
    char diff[32], lo[32], hi[32], edge[32], cloud[32];
    const char *verdict = cl_verdict_text(c->verdict);
    const bool decided = c->verdict != CL_NO_DIFFERENCE;
    const double sign = c->verdict == CL_EDGE_FASTER ? -1 : 1; /* "faster by" a positive time */

    if (c->both < CL_PAIRS_LEAST) {
        const char *why = obstacle(c);
        snprintf(c->sentence, sizeof(c->sentence), "%s: %s (%zu valid pairs, at least %d needed)",
                 verdict, why ? why : "too little was measured", c->both, CL_PAIRS_LEAST);
        return;
    }
    cl_time_text(diff, sizeof(diff), sign * c->diff_ns);
    cl_time_text(lo, sizeof(lo), sign < 0 ? -c->ci.hi : c->ci.lo);
    cl_time_text(hi, sizeof(hi), sign < 0 ? -c->ci.lo : c->ci.hi);
    cl_time_text(edge, sizeof(edge), c->side[0].median_ns);
    cl_time_text(cloud, sizeof(cloud), c->side[1].median_ns);
    if (decided)
        snprintf(c->sentence, sizeof(c->sentence),
                 "%s by %s at the median (95 %% interval %s to %s): edge %s, cloud %s", verdict,
                 diff, lo, hi, edge, cloud);
    else
        snprintf(c->sentence, sizeof(c->sentence),
                 "%s: edge minus cloud is %s at the median (95 %% interval %s to %s); a verdict "
                 "needs %.3g %% and an interval without zero",
                 verdict, diff, lo, hi, c->min_effect * 100);
}

nf_status cl_comparison_make(cl_comparison *c, nf_error *err)
{
    nf_status st;
    for (int s = 0; s < 2; s++)
        if ((st = summarise(&c->side[s], &c->pairs->side[s], c->pairs->done, err))) return st;
    if ((st = difference(c, err))) return st;
    c->verdict = judge(c);
    write_sentence(c);
    return NF_OK;
}

void cl_comparison_fini(cl_comparison *c)
{
    for (int s = 0; s < 2; s++) {
        nf_free(c->side[s].sorted);
        c->side[s].sorted = NULL;
    }
}
