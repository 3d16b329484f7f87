/* stats.h - percentiles, their intervals, and the difference of two paired series. Layer: clients.
 * Thread rule: no shared state. Times are int64_t nanoseconds; nothing here knows a unit. */
#ifndef CL_STATS_H
#define CL_STATS_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CL_BEYOND 5 /* samples that must lie beyond a percentile before it is shown */

/** True when n samples carry the percentile `permille` (500 = median): CL_BEYOND lie beyond it. */
bool cl_quantile_shown(uint64_t n, unsigned permille);

/** Sorts ascending. */
void cl_sort(int64_t *v, size_t n);

/** Nearest rank: the smallest of the sorted values with at least permille/1000 at or below it.
 * n >= 1. */
int64_t cl_quantile(const int64_t *sorted, size_t n, unsigned permille);

/** The median; of an even count the mean of the middle two. n >= 1. */
double cl_median(const int64_t *sorted, size_t n);

typedef struct cl_interval {
    bool known; /* false: too few samples for 95 % */
    double lo, hi;
} cl_interval;

/**
 * The 1-based ranks of n ordered samples that enclose the percentile with at least 95 %, as
 * cl_quantile_interval uses them. False: n is too small.
 */
bool cl_quantile_ranks(uint64_t n, unsigned permille, uint64_t *low, uint64_t *high);

/**
 * Distribution-free 95 % interval of a percentile: the closest pair of order statistics around it
 * whose coverage, by the binomial distribution, is at least 95 %, with at most 2.5 % on each side.
 * Source: W. J. Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2.
 */
cl_interval cl_quantile_interval(const int64_t *sorted, size_t n, unsigned permille);

/**
 * 95 % interval of the median of paired differences by the percentile bootstrap: `resamples`
 * times n differences are drawn with replacement, the interval holds the middle 95 % of their
 * medians. Same seed, same interval. sorted: the differences, ascending.
 * Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap, chapter 13.
 * NF_ENOMEM. Cost: O(resamples * n).
 */
nf_status cl_bootstrap_median(cl_interval *out, const int64_t *sorted, size_t n, size_t resamples,
                              uint64_t seed, nf_error *err);

/**
 * Hodges-Lehmann estimate of the shift of paired series: the median of the means of all pairs
 * (i <= j) of differences. sorted: the differences, ascending; |values| < 2^60, n >= 1. Exact;
 * cost O(n log range).
 * Source: J. L. Hodges, E. L. Lehmann, Ann. Math. Statist. 34 (1963), 598-611.
 */
double cl_hodges_lehmann(const int64_t *sorted, size_t n);

/** 64 pseudo-random bits; *state is the seed. Source: S. Vigna, splitmix64. */
uint64_t cl_random(uint64_t *state);

/** Uniform in [0, 1). */
double cl_random_unit(uint64_t *state);

#endif /* CL_STATS_H */
