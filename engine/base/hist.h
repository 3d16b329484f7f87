/* hist.h - log-linear histogram of durations. Layer: base. Thread rule: one writer; copies are
 * plain structs. Values: 0 .. 2^40-1 (any unit), relative error below 1/64. */
#ifndef NF_HIST_H
#define NF_HIST_H

#include <stddef.h>
#include <stdint.h>

#define NF_HIST_SUB     64                           /* buckets per doubling */
#define NF_HIST_BUCKETS (NF_HIST_SUB * (40 - 6 + 1)) /* 64 exact ones, then 34 doublings */

typedef struct nf_hist {
    uint64_t count, sum, least, most;
    uint32_t bucket[NF_HIST_BUCKETS];
} nf_hist;

void nf_hist_add(nf_hist *h, uint64_t value);
void nf_hist_merge(nf_hist *into, const nf_hist *from);

/** The smallest bucket value with at least share (0..1) of the counts at or below it; 0 when
 * empty. */
uint64_t nf_hist_quantile(const nf_hist *h, double share);

/** Counts at or below `value`, by bucket: for cumulative Prometheus buckets. */
uint64_t nf_hist_at_most(const nf_hist *h, uint64_t value);

#endif /* NF_HIST_H */
