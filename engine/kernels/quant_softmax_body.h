/* quant_softmax_body.h - softmax of 8-bit values along rows; included by a tier's file behind its
 * vectors (vq_*.h). Layer: kernels. Thread rule: pure functions.
 *
 * Exponentials come from the tables of krn_qs8_softmax, by scalar loads into a buffer; all that
 * follows works on vectors of it. Four rows go side by side: sums of floats keep their order, and
 * vectors of what was just stored in pieces would have to wait. */
#ifndef KRN_QUANT_SOFTMAX_BODY_H
#define KRN_QUANT_SOFTMAX_BODY_H

#include "engine/kernels/krn_qs8.h"
#include "engine/kernels/quant_scale.h"

#define LEAST     16   /* columns; fewer go to plain C */
#define MOST      1024 /* columns; more do too */
#define SIDE_ROWS 4
#define EIGHT     8 /* bytes of a register */

typedef union softmax_row { /* with a vector's room behind */
    float real[MOST + VQ_LANES];
    int32_t fixed[MOST + VQ_LANES];
} softmax_row;

/* to[c] = table[largest - x[c]]; the last eight overlap those before. */
INLINE void exponentials(softmax_row *to, const uint8_t *x, size_t n, const void *table,
                         vq_turn turn)
{
    const int32_t *const bits = table; /* of floats too */
    const uint8_t most = vq_most_byte(x, n, turn);
    for (size_t c = 0; c < n; c += EIGHT) {
        const size_t at = c + EIGHT <= n ? c : n - EIGHT;
        uint64_t below = vq_eight_below(x + at, most, turn);
        UNROLL
        for (size_t i = 0; i < EIGHT; i++, below >>= 8)
            to->fixed[at + i] = bits[below & 0xff];
    }
}

INLINE void store_results(uint8_t *y, size_t n, vq v)
{
    if (n >= VQ_LANES)
        vq_store_bytes(y, v);
    else
        vq_store_bytes_part(y, n, v);
}

/* krn_round_float: what is not below 1024, or no number, is cut as there. */
INLINE void scale_real(uint8_t *y, const softmax_row *e, size_t n, float inverse, int32_t zero,
                       int32_t low)
{
    const vqf none = vqf_all(0), most = vqf_all(1024), half = vqf_all(0.5f);
    const vqf times = vqf_all(inverse);
    const vq least = vq_all(low), greatest = vq_all(low + 255), zeros = vq_all(zero);
    for (size_t c = 0; c < n; c += VQ_LANES) {
        const vqf v = vqf_limit(vqf_mul(vqf_load(e->real + c), times), none, most);
        const vq q = vq_add(vqf_down(vqf_add(v, half)), zeros);
        store_results(y + c, n - c, vq_min(vq_max(q, least), greatest));
    }
}

INLINE void rows_real(uint8_t *y, const uint8_t *x, size_t n, const krn_qs8_softmax *p,
                      const int rows)
{
    const int32_t low = p->is_unsigned ? 0 : -128;
    const vq_turn turn = vq_turn_of(low);
    softmax_row e[SIDE_ROWS];
    float sum[SIDE_ROWS] = {0};
    for (int r = 0; r < rows; r++)
        exponentials(&e[r], x + (size_t)r * n, n, p->table, turn);
    for (size_t c = 0; c < n; c++) {
        UNROLL
        for (int r = 0; r < rows; r++)
            sum[r] += e[r].real[c];
    }
    for (int r = 0; r < rows; r++)
        scale_real(y + (size_t)r * n, &e[r], n, 1 / (sum[r] * p->out_scale), p->out_zero, low);
}

/* Sums of at most MOST terms below 2^19 + 1, in whole numbers: in any order. */
INLINE int32_t sum_fixed(softmax_row *e, size_t n)
{
    const vq_factor twelve = vq_shift_of(12);
    vq sum = vq_all(0);
    for (size_t c = n; c % VQ_LANES; c++)
        e->fixed[c] = 0;
    for (size_t c = 0; c < n; c += VQ_LANES)
        sum = vq_add(sum, vq_shift_right(vq_load(e->fixed + c), &twelve));
    return vq_sum(sum);
}

INLINE void scale_fixed(uint8_t *y, softmax_row *e, size_t n, int32_t low)
{
    int bits;
    const vq inverse = vq_all(krn_reciprocal_q12(sum_fixed(e, n), &bits));
    const vq_factor down = vq_shift_of(bits + 31 - 8 > 31 ? 31 : bits + 31 - 8);
    for (size_t c = 0; c < n; c += VQ_LANES) {
        const vq v = vq_shift_right(vq_mul_high(vq_load(e->fixed + c), inverse), &down);
        store_results(y + c, n - c, vq_add(vq_min(v, vq_all(255)), vq_all(low)));
    }
}

INLINE void rows_fixed(uint8_t *y, const uint8_t *x, size_t n, const krn_qs8_softmax *p,
                       const int rows)
{
    const int32_t low = p->is_unsigned ? 0 : -128;
    const vq_turn turn = vq_turn_of(low);
    softmax_row e[SIDE_ROWS];
    for (int r = 0; r < rows; r++)
        exponentials(&e[r], x + (size_t)r * n, n, p->fixed, turn);
    for (int r = 0; r < rows; r++)
        scale_fixed(y + (size_t)r * n, &e[r], n, low);
}

typedef void (*softmax_rows_fn)(uint8_t *y, const uint8_t *x, size_t n, const krn_qs8_softmax *p);

#define SOFTMAX_FUNCTION(way, rows)                                                                \
    static void rows_##way##_##rows(uint8_t *y, const uint8_t *x, size_t n,                        \
                                    const krn_qs8_softmax *p)                                      \
    {                                                                                              \
        rows_##way(y, x, n, p, rows);                                                              \
    }
SOFTMAX_FUNCTION(real, 1)
SOFTMAX_FUNCTION(real, 4)
SOFTMAX_FUNCTION(fixed, 1)
SOFTMAX_FUNCTION(fixed, 4)

KRN_DECL_QS8_SOFTMAX(VQ_NAME(krn_qs8_softmax))
{
    const bool fixed = p->round == KRN_ROUND_FIXED;
    const softmax_rows_fn four = fixed ? rows_fixed_4 : rows_real_4;
    const softmax_rows_fn one = fixed ? rows_fixed_1 : rows_real_1;
    size_t r = 0;
    if (n < LEAST || n > MOST) {
        krn_qs8_softmax_ref(y, x, rows, n, p);
        return;
    }
    for (; r + SIDE_ROWS <= rows; r += SIDE_ROWS)
        four(y + r * n, x + r * n, n, p);
    for (; r < rows; r++)
        one(y + r * n, x + r * n, n, p);
}

#endif /* KRN_QUANT_SOFTMAX_BODY_H */
