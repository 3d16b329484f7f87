/* svdf_lanes.h - what SVDF does with the products of its features, in loops that a compiler makes
 * vectors of. Layer: kernels (inside). Included once for each instruction set. Sums wrap at 32
 * bits, as those of krn_q_svdf_step_ref do in the end. */
#ifndef KRN_SVDF_LANES_H
#define KRN_SVDF_LANES_H

#include "engine/kernels/krn_quant_rnn.h"
#include "engine/kernels/simd/simd.h"

INLINE uint32_t dot16(const int16_t *a, const int16_t *b, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)(a[i] * b[i]);
    return sum;
}

INLINE uint32_t dot8(const int8_t *a, const int8_t *b, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)(a[i] * b[i]);
    return sum;
}

INLINE void put_newest(void *state, const int32_t *sums, const krn_q_svdf *p, const bool wide)
{
    const int32_t low = wide ? INT16_MIN : INT8_MIN, high = wide ? INT16_MAX : INT8_MAX;
    for (size_t f = 0, at = p->memory - 1; f < p->filters; f++, at += p->memory) {
        const int32_t v = krn_scale_int(sums[f], p->in_factor);
        const int32_t limited = v < low ? low : v > high ? high : v;
        if (wide)
            ((int16_t *)state)[at] = (int16_t)limited;
        else
            ((int8_t *)state)[at] = (int8_t)limited;
    }
}

INLINE void svdf(int8_t *y, void *state, const int32_t *sums, const krn_q_svdf *p, const bool wide)
{
    const size_t n = p->rank * p->memory;
    put_newest(state, sums, p, wide);
    for (size_t u = 0, at = 0; u < p->filters / p->rank; u++, at += n) {
        const uint32_t dot =
            wide ? dot16((const int16_t *)p->time + at, (const int16_t *)state + at, n)
                 : dot8((const int8_t *)p->time + at, (const int8_t *)state + at, n);
        const uint32_t sum = dot + (p->bias ? (uint32_t)p->bias[u] : 0);
        const int64_t v = (int64_t)krn_scale_int((int32_t)sum, p->out_factor) + p->zero;
        y[u] = (int8_t)(v < p->low ? p->low : v > p->high ? p->high : v);
    }
}

#define KRN_SVDF_LANES(name)                                                                       \
    KRN_DECL_Q_SVDF(name)                                                                          \
    {                                                                                              \
        if (p->state_type == KRN_I16)                                                              \
            svdf(y, state, sums, p, true);                                                         \
        else                                                                                       \
            svdf(y, state, sums, p, false);                                                        \
    }

#endif /* KRN_SVDF_LANES_H */
