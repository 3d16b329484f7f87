/* qs8_real.h - floats to 8 bits, and sums of 8-bit products to floats; included by a file of an
 * instruction set behind its vectors (vf_*.h) and what it alone does with bytes. Layer: kernels.
 * Thread rule: pure functions. The same operations in the same order as qs8_real_ref.c. */
#ifndef SIMD_QS8_REAL_H
#define SIMD_QS8_REAL_H

#include "engine/kernels/krn_qs8_real.h"
#include "engine/kernels/simd/simd.h"

#include <string.h>

typedef struct steps { /* krn_qs8_steps in all lanes */
    vf scale, before, nan, half, after, low, high;
} steps;

INLINE steps steps_of(const krn_qs8_steps *s)
{
    return (steps){vf_set(s->scale),      vf_set(s->before),       vf_set(s->nan),
                   vf_set(s->half),       vf_set((float)s->after), vf_set((float)s->low),
                   vf_set((float)s->high)};
}

/* Whole numbers between low and high. */
INLINE vf step(vf x, const steps *s, const bool times, const bool even)
{
    vf v = vf_add(times ? vf_mul(x, s->scale) : vf_div(x, s->scale), s->before);
    v = vf_pick(real_numbers(v), vf_min(vf_max(v, vf_set(-1024)), vf_set(1024)), s->nan);
    v = even ? vf_round(v) : real_cut(vf_add(v, real_signed(s->half, v)));
    return vf_min(vf_max(vf_add(v, s->after), s->low), s->high);
}

INLINE void bytes_by(uint8_t *q, const float *x, size_t n, const krn_qs8_steps *one,
                     const bool times, const bool even)
{
    const steps s = steps_of(one);
    size_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES)
        real_store(q + i, step(vf_load(x + i), &s, times, even));
    if (i == n) return;
    if (n >= VF_LANES) { /* some of the last whole vector again */
        real_store(q + n - VF_LANES, step(vf_load(x + n - VF_LANES), &s, times, even));
        return;
    }
    uint8_t last[VF_LANES];
    real_store(last, step(vf_load_part(x, vf_first(n)), &s, times, even));
    for (i = 0; i < n; i++)
        q[i] = last[i];
}

static KRN_DECL_QS8_BYTES(bytes)
{
    if (s->times)
        s->half > 0 ? bytes_by(q, x, n, s, true, false) : bytes_by(q, x, n, s, true, true);
    else
        s->half > 0 ? bytes_by(q, x, n, s, false, false) : bytes_by(q, x, n, s, false, true);
}

/* Four of each, so that one need not wait for the other. */
static KRN_DECL_QS8_RANGE(range)
{
    vf least[4], most[4];
    size_t i = 0;
    UNROLL
    for (int j = 0; j < 4; j++)
        least[j] = most[j] = vf_set(0);
    for (; i + 4 * VF_LANES <= n; i += 4 * VF_LANES)
        UNROLL
    for (int j = 0; j < 4; j++) {
        const vf v = vf_load(x + i + (size_t)j * VF_LANES);
        least[j] = vf_min(v, least[j]); /* of a NaN and another, the other */
        most[j] = vf_max(v, most[j]);
    }
    for (; i < n; i += VF_LANES) {
        const vf v = vf_load_part(x + i, vf_first(n - i < VF_LANES ? n - i : VF_LANES));
        least[0] = vf_min(v, least[0]);
        most[0] = vf_max(v, most[0]);
    }
    const vf down = vf_min(vf_min(least[0], least[1]), vf_min(least[2], least[3]));
    *low = -vf_most(vf_sub(vf_set(0), down));
    *high = vf_most(vf_max(vf_max(most[0], most[1]), vf_max(most[2], most[3])));
}

static KRN_DECL_QS8_ROWS(rows_of)
{
    float low, high;
    for (size_t r = 0; r < rows; r++, x += k, q += k) {
        range(&low, &high, x, k);
        const krn_qs8_steps s = krn_qs8_steps_over(&row[r], low, high, way);
        bytes(q, x, k, &s);
    }
}

static KRN_DECL_QS8_FLOATS(floats)
{
    const vf zeros = vf_set((float)zero), scales = vf_set(scale);
    if (n < VF_LANES) {
        krn_qs8_real_ref.floats(x, q, n, scale, zero, is_unsigned);
        return;
    }
    for (size_t done = 0; done < n; done += VF_LANES) {
        const size_t i = done + VF_LANES <= n ? done : n - VF_LANES;
        vf_store(x + i, vf_mul(vf_sub(real_load(q + i, is_unsigned), zeros), scales));
    }
}

/* Outputs c and on, of every row. */
INLINE void reals_of(float *y, size_t rows, size_t n, const krn_qs8_out *o, size_t c,
                     const krn_qs8_row *row, size_t step)
{
    const bool late = o->late;
    const vf_mask m = vf_first(n - c < VF_LANES ? n - c : VF_LANES);
    const vf scale = vf_load_part(o->scale + c, m), bias = vf_load_part(o->bias + c, m);
    const vf low = vf_set(o->low), high = vf_set(o->high);
    const vi weights = real_integers(o->weights + c, m);
    for (size_t r = 0; r < rows; r++, row += step, y += n) {
        const vf sum = real_sums(y + c, m, row->zero, weights), by = vf_set(row->scale);
        const vf v = late ? vf_mul(vf_mul(sum, scale), by) : vf_mul(sum, vf_mul(by, scale));
        /* of a limit and NaN, NaN */
        vf_store_part(y + c, vf_min(high, vf_max(low, vf_add(v, bias))), m);
    }
}

static KRN_DECL_QS8_REALS(reals)
{
    for (size_t c = 0; c < n; c += VF_LANES)
        reals_of(y, rows, n, o, c, row, step);
}

#endif /* SIMD_QS8_REAL_H */
