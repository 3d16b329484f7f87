/* quant_sums_body.h - sums and means of quantized values; included by a tier's file behind its
 * vectors (vq_*.h). Layer: kernels. Thread rule: pure functions.
 *
 * Sums are of bytes from 0 to 255: signed ones with their highest bit turned. */
#ifndef KRN_QUANT_SUMS_BODY_H
#define KRN_QUANT_SUMS_BODY_H

#include "engine/kernels/krn_qs8.h"
#include "engine/kernels/krn_quant_reduce.h"
#include "engine/kernels/quant_scale.h"

#define SUMS_VECS 4 /* vectors of columns side by side: a line of the cache */

/* Sums of `vecs` vectors of columns over n rows. */
INLINE void sum_columns(int32_t *acc, const uint8_t *x, size_t n, size_t step, vq flip,
                        const int vecs)
{
    vq sum[SUMS_VECS];
    UNROLL
    for (int v = 0; v < vecs; v++)
        sum[v] = vq_all(0);
    for (size_t r = 0; r < n; r++, x += step) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[v] = vq_add(sum[v], vq_bytes(x + v * VQ_LANES, flip));
    }
    UNROLL
    for (int v = 0; v < vecs; v++)
        vq_store(acc + v * VQ_LANES, sum[v]);
}

/* Fewer columns than a vector has. */
INLINE void sum_few_columns(int32_t *acc, const uint8_t *x, size_t n, size_t columns, vq flip)
{
    vq sum = vq_all(0);
    for (size_t r = 0; r < n; r++, x += columns)
        sum = vq_add(sum, vq_bytes_part(x, columns, flip));
    vq_store(acc, sum);
}

/* The last vector overlaps the one before it. */
INLINE void sum_rows(int32_t *acc, const uint8_t *x, const krn_q_axis *a, vq flip)
{
    const size_t columns = a->inner, whole = SUMS_VECS * VQ_LANES;
    size_t c = 0;
    if (columns < VQ_LANES) {
        sum_few_columns(acc, x, a->n, columns, flip);
        return;
    }
    for (; c + whole <= columns; c += whole)
        sum_columns(acc + c, x + c, a->n, columns, flip, SUMS_VECS);
    for (; c < columns; c += VQ_LANES) {
        const size_t at = c + VQ_LANES <= columns ? c : columns - VQ_LANES;
        sum_columns(acc + at, x + at, a->n, columns, flip, 1);
    }
}

typedef struct sum_constants {
    vq moved; /* what is taken off a sum */
    vq zero, low, high;
    vq_factor factor;
    vqf each, offset, least, most;
} sum_constants;

INLINE sum_constants sum_constants_of(const krn_q_axis *a, const krn_q_reduce *p, int32_t up)
{
    const int32_t stored = (int32_t)a->n * up, zeros = (int32_t)a->n * p->zero_x;
    return (sum_constants){.moved = vq_all(p->real ? stored : stored + zeros),
                           .zero = vq_all(p->zero),
                           .low = vq_all(p->low - p->zero),
                           .high = vq_all(p->high - p->zero),
                           .factor = vq_factor_of(a->tail.factor),
                           .each = vqf_all(a->tail.each),
                           .offset = vqf_all(a->tail.offset),
                           .least = vqf_all((float)p->low),
                           .most = vqf_all((float)p->high)};
}

/* krn_q_reduce_ref, of a vector of sums. */
INLINE vq sum_result(vq sum, const sum_constants *k, const int real)
{
    const vq v = vq_sub(sum, k->moved);
    if (real) {
        const vqf f = vqf_add(vqf_mul(vq_float(v), k->each), k->offset);
        return vqf_nearest(vqf_limit(f, k->least, k->most));
    }
    return vq_add(vq_min(vq_max(vq_scale(v, &k->factor), k->low), k->high), k->zero);
}

INLINE void sum_results(uint8_t *y, const int32_t *acc, size_t n, const sum_constants *k,
                        const int real)
{
    for (size_t i = 0; i < n; i += VQ_LANES) {
        const vq v = sum_result(vq_load(acc + i), k, real);
        if (n - i >= VQ_LANES)
            vq_store_bytes(y + i, v);
        else
            vq_store_bytes_part(y + i, n - i, v);
    }
}

KRN_DECL_Q_SUMS(VQ_NAME(krn_q_sums))
{
    const int32_t up = p->type == KRN_U8 ? 0 : 128;
    const sum_constants k = sum_constants_of(a, p, up);
    const size_t kept = a->outer * a->inner;
    if (a->inner == 1)
        for (size_t i = 0; i < a->outer; i++)
            acc[i] = vq_sum_bytes(x + i * a->n, a->n, vq_turn_of(up));
    else
        for (size_t i = 0; i < a->outer; i++)
            sum_rows(acc + i * a->inner, x + i * a->n * a->inner, a, vq_all(up));
    if (p->real)
        sum_results(y, acc, kept, &k, 1);
    else
        sum_results(y, acc, kept, &k, 0);
}

#endif /* KRN_QUANT_SUMS_BODY_H */
