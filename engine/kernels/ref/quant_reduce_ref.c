/* quant_reduce_ref.c - sums, means and products of quantized values, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_quant_reduce.h"

#include <math.h>

/* The element of the result that element i of x goes into. */
static size_t place_of(const krn_groups *g, size_t i)
{
    size_t at = 0, step = 1;
    for (int k = g->n - 1; k >= 0; k--) {
        if (!g->reduced[k]) {
            at += i % g->dim[k] * step;
            step *= g->dim[k];
        }
        i /= g->dim[k];
    }
    return at;
}

/* The n-th root of the result's scale goes into each multiplication. */
static krn_factor step_factor(const krn_q_reduce *p, size_t n)
{
    return krn_factor_of((double)p->scale_x / pow((double)p->scale, 1.0 / (double)n));
}

static void fold(int64_t *acc, const void *x, const krn_groups *g, const krn_q_reduce *p)
{
    const bool product = p->way == KRN_Q_REDUCE_PROD;
    const krn_factor step = step_factor(p, g->count ? g->count : 1);
    for (size_t i = 0; i < g->kept; i++)
        acc[i] = product ? INT64_MIN : 0; /* INT64_MIN: none yet, becomes 0 below */
    for (size_t i = 0; i < g->kept * g->count; i++) {
        const int32_t v = krn_q_get(x, p->type, i) - p->zero_x;
        int64_t *to = &acc[place_of(g, i)];
        if (!product)
            *to += v;
        else
            *to = *to == INT64_MIN ? v : krn_scale_long(*to * v, step);
    }
}

/* The factor divided by n with as many bits as there is room for. */
static krn_factor divided(krn_factor f, size_t n)
{
    int shift = 63 - __builtin_clzll(n);
    shift = shift > 32 ? 32 : shift;
    shift = shift > 31 + f.shift ? 31 + f.shift : shift;
    if (shift < 0) shift = 0;
    const int64_t m = (int64_t)((uint64_t)f.m << shift) / (int64_t)n;
    return (krn_factor){(int32_t)m, f.shift - shift};
}

krn_q_sum_tail krn_q_sum_tail_of(const krn_q_reduce *p, size_t n)
{
    const bool mean = p->way == KRN_Q_REDUCE_MEAN;
    const float step = p->scale_x / p->scale;
    const float zeros = mean ? (float)p->zero_x : (float)n * (float)p->zero_x;
    return (krn_q_sum_tail){.factor = mean ? divided(p->factor, n) : p->factor,
                            .each = mean ? step * (1 / (float)n) : step,
                            .offset = (float)p->zero - zeros * step};
}

/* The zero points are added in float, before the rounding. */
static int32_t in_float(int64_t sum, size_t n, const krn_q_reduce *p, const krn_q_sum_tail *t)
{
    const float v = (float)(sum + (int64_t)n * p->zero_x) * t->each + t->offset;
    return (int32_t)lrintf(fminf(fmaxf(v, (float)p->low), (float)p->high));
}

void krn_q_reduce_ref(void *y, const void *x, const krn_groups *g, const krn_q_reduce *p,
                      int64_t *acc)
{
    const bool product = p->way == KRN_Q_REDUCE_PROD;
    const size_t n = g->count ? g->count : 1;
    const krn_q_sum_tail t = krn_q_sum_tail_of(p, n);
    const krn_factor f = product ? step_factor(p, n) : t.factor;
    fold(acc, x, g, p);
    for (size_t i = 0; i < g->kept; i++) {
        const int32_t sum = (int32_t)(uint32_t)(uint64_t)acc[i]; /* 32-bit sums wrap */
        int64_t v =
            (int64_t)(product ? krn_scale_long(acc[i], f) : krn_scale_int(sum, f)) + p->zero;
        if (p->real) v = in_float(acc[i], n, p, &t);
        krn_q_put(y, p->type, i, (int32_t)(v < p->low ? p->low : v > p->high ? p->high : v));
    }
}
