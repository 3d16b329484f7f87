/* stats.c - order statistics, bootstrap, Hodges-Lehmann. Layer: clients. Thread rule: no shared
 * state. */
#include "clients/lib/stats.h"

#include "engine/base/bytes.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdlib.h>

#define TAIL 0.025 /* what a 95 % interval leaves out on each side */

bool cl_quantile_shown(uint64_t n, unsigned permille)
{
    return n * (1000 - permille) >= CL_BEYOND * 1000u;
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void cl_sort(int64_t *v, size_t n)
{
    if (n) qsort(v, n, sizeof(*v), compare);
}

int64_t cl_quantile(const int64_t *sorted, size_t n, unsigned permille)
{
    const size_t rank = (n * permille + 999) / 1000; /* 1 .. n */
    return sorted[rank ? rank - 1 : 0];
}

double cl_median(const int64_t *sorted, size_t n)
{
    const size_t below = (n - 1) / 2;
    const size_t above = n / 2; /* the same one when n is odd */
    return ((double)sorted[below] + (double)sorted[above]) / 2;
}

/* log P(B = k) for B binomial(n, q). */
static double log_binomial(double n, double k, double q)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(q) + (n - k) * log1p(-q);
}

/* Only ranks near the percentile are looked at: beyond 12 standard deviations, and 60 ranks for the
 * skewed ends, less than 1e-20 of the distribution lies. */
bool cl_quantile_ranks(uint64_t n, unsigned permille, uint64_t *low, uint64_t *high)
{
    const double q = permille / 1000.0;
    const double middle = (double)n * q;
    const double reach = 12 * sqrt(middle * (1 - q)) + 60;
    const uint64_t first = middle > reach ? (uint64_t)(middle - reach) : 0;
    const uint64_t last = middle + reach < (double)n ? (uint64_t)(middle + reach) : n;
    double below = 0; /* P(B < k) */
    *low = 0;         /* largest rank with P(B < low) <= TAIL; 0: none */
    *high = n + 1;    /* smallest rank with P(B >= high) <= TAIL; n + 1: none */
    for (uint64_t k = first; k <= last; k++) {
        if (below <= TAIL) *low = k;
        if (1 - below <= TAIL && k < *high) *high = k;
        below += exp(log_binomial((double)n, (double)k, q));
    }
    return *low >= 1 && *high <= n;
}

cl_interval cl_quantile_interval(const int64_t *sorted, size_t n, unsigned permille)
{
    uint64_t low, high;
    if (!cl_quantile_ranks(n, permille, &low, &high)) return (cl_interval){0};
    return (cl_interval){true, (double)sorted[low - 1], (double)sorted[high - 1]};
}

uint64_t cl_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double cl_random_unit(uint64_t *state)
{
    return (double)(cl_random(state) >> 11) * 0x1p-53;
}

/* Below n; the bias of n / 2^32 at most is far below what the interval resolves. */
static size_t random_below(uint64_t *state, size_t n)
{
    return (size_t)(((cl_random(state) >> 32) * (uint64_t)n) >> 32);
}

/* The value at 0-based rank `k` of a resample, given how often each of the sorted values is in it.
 */
static int64_t value_at(const int64_t *sorted, const uint32_t *times, size_t k)
{
    size_t i = 0;
    size_t seen = times[0];
    while (seen <= k)
        seen += times[++i];
    return sorted[i];
}

/* Twice the median of one resample: an integer, so that the medians can be sorted as such. */
static int64_t resampled_median2(const int64_t *sorted, uint32_t *times, size_t n, uint64_t *state)
{
    memset(times, 0, n * sizeof(*times));
    for (size_t i = 0; i < n; i++)
        times[random_below(state, n)]++;
    return value_at(sorted, times, (n - 1) / 2) + value_at(sorted, times, n / 2);
}

nf_status cl_bootstrap_median(cl_interval *out, const int64_t *sorted, size_t n, size_t resamples,
                              uint64_t seed, nf_error *err)
{
    nf_status st = NF_OK;
    uint64_t state = seed;
    int64_t *medians = nf_alloc_array(resamples, sizeof(*medians), NF_MEM_CLIENT);
    uint32_t *times = nf_alloc_array(n, sizeof(*times), NF_MEM_CLIENT);

    *out = (cl_interval){0};
    if (!medians || !times) {
        st = nf_fail(err, NF_ENOMEM, "bootstrap", "no memory for %zu resamples", resamples);
        goto done;
    }
    if (n < 2) goto done; /* one pair says nothing about its spread */
    for (size_t b = 0; b < resamples; b++)
        medians[b] = resampled_median2(sorted, times, n, &state);
    cl_sort(medians, resamples);
    *out = (cl_interval){true, (double)cl_quantile(medians, resamples, 25) / 2,
                         (double)cl_quantile(medians, resamples, 975) / 2};
done:
    nf_free(medians);
    nf_free(times);
    return st;
}

/* How many pairs i <= j have sorted[i] + sorted[j] <= most. */
static uint64_t pairs_at_most(const int64_t *sorted, size_t n, int64_t most)
{
    uint64_t count = 0;
    size_t j = n; /* sorted[0 .. j) pair with sorted[i]; shrinks as i grows */
    for (size_t i = 0; i < n; i++) {
        while (j > 0 && sorted[i] + sorted[j - 1] > most)
            j--;
        if (j <= i) break; /* the remaining pairs were counted from the other side */
        count += j - i;
    }
    return count;
}

/* The pair sum at 1-based rank `rank`, by bisection over the integers. */
static int64_t pair_sum(const int64_t *sorted, size_t n, uint64_t rank)
{
    int64_t lo = 2 * sorted[0];
    int64_t hi = 2 * sorted[n - 1];
    while (lo < hi) {
        const int64_t mid = lo + (hi - lo) / 2;
        if (pairs_at_most(sorted, n, mid) >= rank)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

double cl_hodges_lehmann(const int64_t *sorted, size_t n)
{
    const uint64_t pairs = (uint64_t)n * (n + 1) / 2;
    const int64_t low = pair_sum(sorted, n, (pairs + 1) / 2);
    const int64_t high = pair_sum(sorted, n, pairs / 2 + 1);
    return ((double)low + (double)high) / 4; /* mean of two pair sums, each twice a pair mean */
}
