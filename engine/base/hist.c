/* hist.c - log-linear histogram. Layer: base. Thread rule: one writer a histogram. */
#include "engine/base/hist.h"

#define SUB_BITS 6

static size_t index_of(uint64_t v)
{
    if (v < NF_HIST_SUB) return (size_t)v;
    const unsigned top = 63u - (unsigned)__builtin_clzll(v);
    const size_t i = ((size_t)(top - SUB_BITS + 1) << SUB_BITS) + ((v >> (top - SUB_BITS)) & 63u);
    return i < NF_HIST_BUCKETS ? i : NF_HIST_BUCKETS - 1;
}

/* The largest value that falls into bucket i. */
static uint64_t top_of(size_t i)
{
    if (i < NF_HIST_SUB) return i;
    const unsigned shift = (unsigned)(i >> SUB_BITS) - 1;
    return (((uint64_t)(NF_HIST_SUB + (i & 63u)) + 1) << shift) - 1;
}

void nf_hist_add(nf_hist *h, uint64_t v)
{
    h->bucket[index_of(v)]++;
    if (!h->count || v < h->least) h->least = v;
    if (v > h->most) h->most = v;
    h->count++;
    h->sum += v;
}

void nf_hist_merge(nf_hist *into, const nf_hist *from)
{
    if (!from->count) return;
    for (size_t i = 0; i < NF_HIST_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
    if (!into->count || from->least < into->least) into->least = from->least;
    if (from->most > into->most) into->most = from->most;
    into->count += from->count;
    into->sum += from->sum;
}

uint64_t nf_hist_quantile(const nf_hist *h, double share)
{
    uint64_t seen = 0;
    const double want = share * (double)h->count;
    for (size_t i = 0; i < NF_HIST_BUCKETS && h->count; i++) {
        seen += h->bucket[i];
        if (seen && (double)seen >= want) return top_of(i) < h->most ? top_of(i) : h->most;
    }
    return h->most;
}

uint64_t nf_hist_at_most(const nf_hist *h, uint64_t value)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < NF_HIST_BUCKETS && top_of(i) <= value; i++)
        seen += h->bucket[i];
    return seen;
}
