/* qs8_tail.h - four vectors of sums to bytes; included by a tier's file behind its vectors
 * (vec_*.h). Layer: kernels. Thread rule: pure functions.
 *
 * KRN_QS8_NEAREST is the float arithmetic itself. The others are exact: with v = sum * factor as a
 * real number, both exact roundings are floor(v + c) for a c known for each channel:
 *   KRN_ROUND_FIXED, right shift r >= 1: c = 1/2 + 2^-(r+1) for sum >= 0, 1/2 - 2^-(r+1) below;
 *     for r < 1: c = 1/2. (Two roundings are floors: floor(floor(a) + n) = floor(a + n).)
 *   KRN_ROUND_AWAY: c = 1/2, but for ties below zero.
 * In float v is off by less than KRN_QS8_DOUBT wherever it matters (|v| < 257: three roundings of
 * 2^-24 each). So floor(v + c - doubt) and floor(v + c + doubt) are computed; where the bytes that
 * come of them are the same, they are right, and elsewhere integers decide. Where every negative
 * result is cut anyway (ReLU), the c of positive sums serves all. */
#ifndef KRN_QS8_TAIL_H
#define KRN_QS8_TAIL_H

/* The order of the bytes of four vectors: one vector behind the other, or as wide strips have it.
 */
enum tail_order { TAIL_ORDER_VECTORS, TAIL_ORDER_WIDE };

INLINE bytes tail_order(bytes v, const int order)
{
    return order == TAIL_ORDER_WIDE ? b_order_wide(v) : b_order(v);
}

/* Out of line: one output in some thousands needs it. */
static __attribute__((noinline)) bytes tail_settle(bytes a, bytes b, const int32_t *sum,
                                                   const krn_qs8_tail *t,
                                                   const size_t at[KRN_QS8_MOST_VECS],
                                                   const int order)
{
    uint8_t low[4 * LANES], high[4 * LANES], out[4 * LANES];
    b_store(low, b_order(a));
    b_store(high, b_order(b));
    b_store(out, b_flip(b_order(a), t->limits));
    krn_qs8_settle(out, low, high, sum, t, at, LANES);
    if (order == TAIL_ORDER_WIDE) {
        memcpy(low, out, sizeof(low));
        for (size_t i = 0; i < sizeof(low); i++)
            out[krn_qs8_place(UNIT, LANES, i / LANES, i % LANES)] = low[i];
    }
    return b_load(out);
}

INLINE bytes tail_exact(const vec v[4], const krn_qs8_tail *t, const size_t at[4], const int mode,
                        const int order)
{
    vec low[4], high[4];
    UNROLL
    for (int i = 0; i < 4; i++) {
        const vecf x = v_float(v[i]), scale = vf_load(t->scale + at[i]);
        if (mode == KRN_QS8_BOUNDS) {
            low[i] = vf_down(vf_muladd(x, scale, vf_load(t->low_at + at[i])));
            high[i] = vf_down(vf_muladd(x, scale, vf_load(t->high_at + at[i])));
        } else {
            const vecf r = vf_muladd(x, scale, vf_sign(vf_load(t->nudge + at[i]), x));
            low[i] = vf_down(vf_add(r, vf_all(0.5f - KRN_QS8_DOUBT)));
            high[i] = vf_down(vf_add(r, vf_all(0.5f + KRN_QS8_DOUBT)));
        }
    }
    const bytes a = v_pack(low[0], low[1], low[2], low[3], t->limits);
    const bytes b = v_pack(high[0], high[1], high[2], high[3], t->limits);
    if (__builtin_expect(b_differ(a, b), 0)) {
        int32_t sum[4 * LANES];
        for (int i = 0; i < 4; i++)
            v_store(sum + i * LANES, v[i]);
        return tail_settle(a, b, sum, t, at, order);
    }
    return b_flip(tail_order(a, order), t->limits);
}

/* Vector i holds the sums of packed channels at[i] and on. */
INLINE bytes tail_four(const vec v[4], const krn_qs8_tail *t, const size_t at[4], const int mode,
                       const int order)
{
    vec r[4];
    if (mode != KRN_QS8_NEAREST) return tail_exact(v, t, at, mode, order);
    UNROLL
    for (int i = 0; i < 4; i++)
        r[i] = vf_nearest(vf_mul(v_float(v[i]), vf_load(t->scale + at[i])));
    return b_flip(tail_order(v_pack(r[0], r[1], r[2], r[3], t->limits), order), t->limits);
}

#endif /* KRN_QS8_TAIL_H */
