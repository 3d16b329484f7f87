/* qs8_tail.h - four vectors of sums to bytes; included by a tier's file behind its vectors
 * (vec_*.h). Layer: kernels. Thread rule: pure functions.
 *
 * KRN_QS8_NEAREST is the float arithmetic itself. The others are exact. With v = sum * factor as a
 * real number, both exact roundings are floor(v + c) for a c known for each channel.
 *
 * KRN_ROUND_FIXED with a right shift r >= 1 has c = 1/2 + 2^-(r+1) for sum >= 0 and 1/2 - 2^-(r+1)
 * below, else c = 1/2: two roundings are floors, and floor(floor(a) + n) = floor(a + n).
 * KRN_ROUND_AWAY has c = 1/2, but for ties below zero. Where every negative result is cut anyway
 * (ReLU), the c of positive sums serves all.
 *
 * What is computed is floor(2^16 * (v + c + zero point + doubt)). Its upper 16 bits are the result,
 * unless the lower ones are less than 2 * doubt: then integers decide. doubt is more than floats
 * can be off by, in units of 2^-16, where the result is not cut, |v| <= 256.5: 1.01 by the factor's
 * rounding, 0.5 by that of c and 0.25 by that of the sum, together less than 2 (KRN_QS8_EXACT,
 * |sum| < 2^24), and 1.01 more for sums that a float does not hold, less than 4 (_SIGNED). */
#ifndef KRN_QS8_TAIL_H
#define KRN_QS8_TAIL_H

/* The order of the bytes of four vectors: one vector behind the other, or as wide strips have it.
 */
enum tail_order { TAIL_ORDER_VECTORS, TAIL_ORDER_WIDE };

INLINE bytes tail_order(bytes v, const int order)
{
    return order == TAIL_ORDER_WIDE ? b_order_wide(v) : b_order(v);
}

/* Out of line: one output in some ten thousands needs it. */
static __attribute__((noinline)) bytes tail_settle(bytes found, const int32_t *v,
                                                   const int32_t *sum, const krn_qs8_tail *t,
                                                   const size_t at[KRN_QS8_MOST_VECS])
{
    uint8_t out[4 * LANES];
    b_store(out, found);
    krn_qs8_settle(out, v, sum, t, at, LANES);
    return b_load(out);
}

/* From the order of vectors to that of wide strips. */
static __attribute__((noinline)) bytes tail_as_wide(bytes v)
{
    uint8_t from[4 * LANES], to[4 * LANES];
    b_store(from, v);
    for (size_t i = 0; i < sizeof(to); i++)
        to[krn_qs8_place(UNIT, LANES, i / LANES, i % LANES)] = from[i];
    return b_load(to);
}

INLINE bytes tail_exact(const vec sum[4], const krn_qs8_tail *t, const size_t at[4], const int mode,
                        const int order)
{
    vec v[4];
    UNROLL
    for (int i = 0; i < 4; i++) {
        const vecf x = v_float(sum[i]), scale = vf_load(t->scale + at[i]);
        const vecf nudge = vf_load(t->nudge + at[i]);
        if (mode == KRN_QS8_EXACT) {
            v[i] = vf_down(vf_muladd(x, scale, nudge));
        } else {
            const vecf c = vf_add(vf_sign(nudge, x), vf_load(t->limits->base));
            v[i] = vf_down(vf_least(vf_muladd(x, scale, c), vf_all(2147483520.0f)));
        }
    }
    const bytes b = v_pack_high(v[0], v[1], v[2], v[3], t->limits);
    if (__builtin_expect(v_doubt(v[0], v[1], v[2], v[3], t->limits), 0)) {
        int32_t sums[4 * LANES], found[4 * LANES];
        for (int i = 0; i < 4; i++) {
            v_store(sums + i * LANES, sum[i]);
            v_store(found + i * LANES, v[i]);
        }
        const bytes settled = tail_settle(b_order(b), found, sums, t, at);
        return order == TAIL_ORDER_WIDE ? tail_as_wide(settled) : settled;
    }
    return tail_order(b, order);
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
    return tail_order(v_pack(r[0], r[1], r[2], r[3], t->limits), order);
}

#endif /* KRN_QS8_TAIL_H */
