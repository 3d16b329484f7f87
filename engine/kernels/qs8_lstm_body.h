/* qs8_lstm_body.h - the integer LSTM; included by a tier's file behind its vectors (vec_*.h and
 * shorts_*.h). Layer: kernels. Thread rule: pure functions.
 *
 * What krn_q_lstm_step_ref does, a block of cells at a time. Products, factors and roundings are
 * those of 32 bits there; curves are of 16 bits, where gemmlowp's rounding doubling product is one
 * instruction: its one saturated case, both sides -2^15, does not occur in them. */
#ifndef KRN_QS8_LSTM_BODY_H
#define KRN_QS8_LSTM_BODY_H

#include "engine/kernels/krn_qs8_lstm.h"

#define VECS (SHORTS / LANES) /* vectors of sums a block */

/* krn_scale_int */
INLINE vec v_scaled(vec x, const krn_qs8_lstm_steps *f)
{
    const vec high = v_mul_high(v_left(x, f->left), v_all(f->m));
    return v_right(high, f->right, v_all(f->mask), v_all(f->half));
}

/* v / 4, rounded to nearest, halves up; v >= 0 */
INLINE shorts s_quarter(shorts v)
{
    return s_mul(v, s_all(1 << 13));
}

/* exp_fixed of quant_curve_ref.c for x < 0: bits below quarters by a series, the others by factors.
 */
INLINE shorts s_exp(shorts x, const int bits)
{
    static const int16_t step[] = {25520, 19875, 12055, 4435, 600, 11, 0};
    const int below = 15 - bits;
    const int16_t quarter = (int16_t)(1 << (below - 2)), exp_minus_eighth = 28918;
    const shorts part = s_sub(s_and(x, s_all((int16_t)(quarter - 1))), s_all(quarter)),
                 rest = s_sub(part, x);
    const shorts d = s_add(s_left(part, bits), s_all(1 << 12));
    const shorts d2 = s_mul(d, d), d3 = s_mul(d2, d);
    const shorts d4_4 = s_quarter(s_mul(d2, d2));
    const shorts cubes = s_mul(s_add(d4_4, d3), s_all(10923));
    const shorts grow =
        s_mul(s_all(exp_minus_eighth), s_add(d, s_average(s_add(cubes, d2), s_all(0))));
    shorts y = s_add_limited(s_all(exp_minus_eighth), grow);
    for (int k = 0; k < 7 && k - 2 < bits; k++) {
        const shorts bit = s_all((int16_t)(1 << (below + k - 2)));
        y = s_pick(s_zeros(s_and(rest, bit)), y, s_mul(y, s_all(step[k])));
    }
    return bits > 5 ? s_pick(s_less(x, s_all((int16_t) - (1 << (20 - bits)))), s_all(0), y) : y;
}

/* reciprocal_fixed, for x >= 0 */
INLINE shorts s_reciprocal(shorts x)
{
    const shorts half = s_average(x, s_all(INT16_MAX));
    shorts y = s_add(s_all(23130), s_mul(half, s_all(-15420)));
    UNROLL
    for (int i = 0; i < 3; i++) {
        const shorts miss = s_sub(s_all(1 << 13), s_mul(half, y));
        y = s_add(y, s_left(s_mul(y, miss), 2));
    }
    return y;
}

INLINE shorts s_sigmoid(shorts x)
{
    const shorts r = s_reciprocal(s_exp(s_minus_abs(x), 3));
    const shorts y = s_xor(s_add_limited(r, r), s_and(s_signs(x), s_all(INT16_MAX)));
    return s_pick(s_zeros(x), s_all(1 << 14), y);
}

INLINE shorts s_tanh(shorts x, const int bits)
{
    const shorts r = s_sub(s_reciprocal(s_exp(s_minus_abs(x), bits + 1)), s_all(1 << 13));
    const shorts twice = s_add_limited(r, r);
    return s_with_sign(s_add_limited(twice, twice), x);
}

/* a * b / 2^n, rounded to nearest, halves away from zero; n in 15..21 */
INLINE shorts s_scaled_product(shorts a, shorts b, int n)
{
    vec p[VECS];
    s_product(p, a, b);
    UNROLL
    for (int i = 0; i < VECS; i++)
        p[i] = v_right_small(p[i], n);
    return s_join(p);
}

/* Sums of one block: bias [gates][block] and groups of staged bytes times weights. */
INLINE const uint8_t *lstm_sums(vec *sum, const int32_t *bias, const uint8_t *staged, size_t groups,
                                const uint8_t *w)
{
    UNROLL
    for (int i = 0; i < KRN_GATES * VECS; i++)
        sum[i] = v_load(bias + i * LANES);
    for (size_t g = 0; g < groups; g++, staged += 4, w += KRN_GATES * SHORTS * 4) {
        const vec four = v_four(staged);
        UNROLL
        for (int i = 0; i < KRN_GATES * VECS; i++)
            sum[i] = v_dot(sum[i], four, w_load(w + i * 4 * LANES));
    }
    return w;
}

/* Both products to Q3.12, the first one saturated before the second is added. */
INLINE void lstm_gates(shorts gate[KRN_GATES], const krn_qs8_lstm *l, size_t block,
                       const uint8_t *x, const uint8_t *h)
{
    const int32_t *bias = l->bias + block * 2 * KRN_GATES * SHORTS;
    const uint8_t *w = l->w + block * (l->x_groups + l->h_groups) * KRN_GATES * SHORTS * 4;
    vec own[KRN_GATES * VECS], sum[KRN_GATES * VECS];
    w = lstm_sums(own, bias, x, l->x_groups, w);
    UNROLL
    for (int i = 0; i < KRN_GATES * VECS; i++)
        own[i] = v_limited(v_scaled(own[i], &l->x_steps[i / VECS]), 1 << 15);
    lstm_sums(sum, bias + KRN_GATES * SHORTS, h, l->h_groups, w);
    UNROLL
    for (int i = 0; i < KRN_GATES * VECS; i++) /* past 2^16 the sum is saturated anyway */
        sum[i] = v_add(own[i], v_limited(v_scaled(sum[i], &l->h_steps[i / VECS]), 1 << 16));
    UNROLL
    for (int g = 0; g < KRN_GATES; g++)
        gate[g] = s_join(sum + g * VECS);
}

/* The new state of one block, as numbers of 8 bits. */
INLINE shorts lstm_block(const krn_qs8_lstm *l, size_t block, const uint8_t *x, const uint8_t *h,
                         int16_t *cell)
{
    shorts gate[KRN_GATES];
    lstm_gates(gate, l, block, x, h);
    const shorts kept = s_scaled_product(s_sigmoid(gate[KRN_GATE_FORGET]), s_load(cell), 15);
    const shorts fresh =
        s_scaled_product(s_sigmoid(gate[KRN_GATE_INPUT]), s_tanh(gate[KRN_GATE_CELL], 3), l->shift);
    shorts new = s_add_limited(kept, fresh);
    if (l->clip >= 0) new = s_between(new, (int16_t)-l->clip, l->clip);
    s_store(cell, new);
    vec p[VECS];
    s_product(p, s_sigmoid(gate[KRN_GATE_OUTPUT]), s_tanh(new, l->cell_bits));
    UNROLL
    for (int i = 0; i < VECS; i++)
        p[i] = v_scaled(p[i], &l->hidden);
    return s_between(s_add_limited(s_join(p), s_all(l->zero)), INT8_MIN, INT8_MAX);
}

static void lstm_step(int8_t *y, uint8_t *to, const krn_qs8_lstm *l, const uint8_t *x,
                      const uint8_t *h, int16_t *cell)
{
    const size_t whole = l->cells / SHORTS;
    for (size_t i = 0; i < l->blocks; i++, cell += SHORTS, to += SHORTS * ELEM) {
        const shorts v = lstm_block(l, i, x, h, cell);
        int8_t last[SHORTS];
        s_stage(to, v);
        s_store_bytes(i < whole ? y + i * SHORTS : last, v);
        if (i == whole) memcpy(y + i * SHORTS, last, l->cells - whole * SHORTS);
    }
}

static KRN_DECL_QS8_LSTM(lstm_run)
{
    const size_t width = l->blocks * SHORTS;
    int16_t *cells = scratch;
    uint8_t *state = (uint8_t *)(cells + width), *next = state + width * ELEM;
    uint8_t *staged = next + width * ELEM;
    memset(scratch, 0, width * (sizeof(int16_t) + 2 * ELEM) + l->x_groups * 4);
    memcpy(cells, cell, l->cells * sizeof(*cells));
    stage(state, (const uint8_t *)h, l->cells);
    for (size_t t = 0; t < r->steps; t++) {
        int8_t *y = r->y + (ptrdiff_t)t * r->y_step;
        stage(staged, (const uint8_t *)r->x + (ptrdiff_t)t * r->x_step, l->in);
        lstm_step(y, next, l, staged, state, cells);
        uint8_t *const old = state;
        state = next;
        next = old;
        if (t + 1 == r->steps) memcpy(h, y, l->cells);
    }
    memcpy(cell, cells, l->cells * sizeof(*cells));
}

#endif /* KRN_QS8_LSTM_BODY_H */
