/* qs8_line_body.h - lines of 8-bit depthwise convolutions; included by a tier's file behind its
 * vectors (vec_*.h). Layer: kernels. Thread rule: pure functions.
 *
 * One dot product takes the four rows of a strip at one column and channel. Two lines of outputs
 * (stride 1, up to three kernel rows) share a strip, with weights moved by a row. */
#ifndef KRN_QS8_LINE_BODY_H
#define KRN_QS8_LINE_BODY_H

#include "engine/kernels/qs8_tail.h"

#define LINE_VECTOR ((size_t)(4 * LANES * ELEM))   /* bytes of a vector of weights */
#define LINE_LANES  ((size_t)(4 * LANES / PLANES)) /* bytes of a vector in one plane of a strip */
#define LINE_TAPS   3 /* a kernel row whose weights stay in registers */

/* With sixteen registers (LINE_KEEP 0) weights are read where they are used, and a loop over taps
 * stays one: unrolled, it would be all loads first and sums in memory. */
#if LINE_KEEP && defined(__clang__)
#define LINE_UNROLL UNROLL
#define LINE_UNROLL_TAPS
#elif LINE_KEEP
#define LINE_UNROLL      UNROLL
#define LINE_UNROLL_TAPS _Pragma("GCC unroll 3")
#elif defined(__clang__)
#define LINE_UNROLL      _Pragma("clang loop unroll(disable)")
#define LINE_UNROLL_TAPS LINE_UNROLL
#else
#define LINE_UNROLL      _Pragma("GCC unroll 1")
#define LINE_UNROLL_TAPS LINE_UNROLL
#endif

/* Sums of one vector of channels at four positions. */
INLINE void narrow_known(vec sum[2][4], const krn_qs8_line *d, size_t at, const taps *kept,
                         const uint8_t *w, const int outs)
{
    const uint8_t *from = d->strip[0] + at;
    const size_t step = d->x_step, plane = d->plane;
    UNROLL
    for (int i = 0; i < 4; i++, from += step) {
        const column c = c_load(from, plane);
        UNROLL
        for (int o = 0; o < outs; o++)
            sum[o][i] =
                v_taps(sum[o][i], c, LINE_KEEP ? kept[o] : t_load(w + (size_t)o * LINE_VECTOR));
    }
}

INLINE void narrow_any(vec sum[2][4], const krn_qs8_line *d, size_t at, const uint8_t *w)
{
    for (size_t s = 0; s < d->strips; s++) {
        const uint8_t *from = d->strip[s] + at;
        for (size_t k = 0; k < d->taps; k++, from += d->tap_step, w += LINE_VECTOR) {
            const taps t = t_load(w);
            UNROLL
            for (int i = 0; i < 4; i++)
                sum[0][i] = v_taps(sum[0][i], c_load(from + (size_t)i * d->x_step, d->plane), t);
        }
    }
}

INLINE void narrow_store(uint8_t *to, size_t step, bytes v)
{
    if (step == LANES) {
        b_store(to, v);
        return;
    }
    UNROLL
    for (int i = 0; i < 4; i++)
        b_store_quarter(to + (size_t)i * step, v, i);
}

INLINE void narrow_keep(uint8_t *to, size_t step, const vec sum[4])
{
    UNROLL
    for (int i = 0; i < 4; i++)
        v_store((int32_t *)(void *)(to + (size_t)i * step), sum[i]);
}

/* All positions of one vector of channels; there are at least four. n_taps 0: any number. */
INLINE void narrow_vector(uint8_t *const y[2], const krn_qs8_line *d, size_t vector, const int outs,
                          const int n_taps, const int mode)
{
    const krn_qs8_tail tail = *d->tail;
    const size_t all_taps = n_taps ? (size_t)n_taps : d->strips * d->taps;
    const uint8_t *const w = d->w + vector * all_taps * (size_t)outs * LINE_VECTOR;
    const size_t first = vector * LANES, at[4] = {first, first, first, first};
    const vec bias = v_load(tail.bias + first);
    taps kept[2 * LINE_TAPS];
    UNROLL
    for (int i = 0; LINE_KEEP && i < n_taps * outs; i++)
        kept[i] = t_load(w + (size_t)i * LINE_VECTOR);
    for (size_t done = 0; done < d->positions; done += 4) {
        const size_t x = done + 4 <= d->positions ? done : d->positions - 4;
        vec sum[2][4] = {{bias, bias, bias, bias}, {bias, bias, bias, bias}};
        const size_t from = vector * LINE_LANES + x * d->x_step;
        LINE_UNROLL
        for (int k = 0; k < n_taps; k++)
            narrow_known(sum, d, from + (size_t)k * d->tap_step, kept + k * outs,
                         w + (size_t)(k * outs) * LINE_VECTOR, outs);
        if (!n_taps) narrow_any(sum, d, from, w);
        UNROLL
        for (int o = 0; o < outs; o++)
            if (mode == KRN_QS8_SUMS)
                narrow_keep(y[o] + x * d->y_step + 4 * first, d->y_step, sum[o]);
            else
                narrow_store(y[o] + x * d->y_step + first, d->y_step,
                             tail_four(sum[o], &tail, at, mode, TAIL_ORDER_VECTORS));
    }
}

INLINE void line_narrow(uint8_t *const y[2], const krn_qs8_line *d, const int outs,
                        const int n_taps, const int mode)
{
    for (size_t vector = 0; vector < d->vectors; vector++)
        narrow_vector(y, d, vector, outs, n_taps, mode);
}

typedef struct wide_place {
    size_t four, x; /* which four vectors of channels, from which position on */
    const krn_qs8_tail *tail;
} wide_place;

/* One column of the kernel for vector v of four: what is read serves all outputs that want it. */
INLINE void wide_vector(vec sum[4][4], const int v, const uint8_t *from, const krn_qs8_line *d,
                        const uint8_t *w, const int outs, const int pixels)
{
    column c[2];
    UNROLL
    for (int p = 0; p < pixels; p++)
        c[p] = c_load(from + (size_t)p * d->x_step, d->plane);
    UNROLL
    for (int o = 0; o < outs; o++) {
        const taps t = t_in_register(t_load(w + (size_t)(4 * o) * LINE_VECTOR));
        UNROLL
        for (int p = 0; p < pixels; p++)
            sum[p * outs + o][v] = v_taps(sum[p * outs + o][v], c[p], t);
    }
}

/* Four vectors of channels at `pixels` positions, 1 or 2. */
INLINE void wide_four(uint8_t *const y[2], const krn_qs8_line *d, const wide_place *at,
                      const int outs, const int pixels, const int n_taps, const int mode)
{
    const size_t taps_a_strip = n_taps ? (size_t)n_taps : d->taps;
    const size_t first = at->four * 4 * LANES;
    const size_t c[4] = {first, first + LANES, first + 2 * LANES, first + 3 * LANES};
    const size_t from_step = d->tap_step;
    const uint8_t *w = d->w + at->four * 4 * d->strips * taps_a_strip * (size_t)outs * LINE_VECTOR;
    vec sum[4][4]; /* [pixel * outs + out][vector] */
    UNROLL
    for (int i = 0; i < 4 * pixels * outs; i++)
        sum[i / 4][i % 4] = v_load(at->tail->bias + c[i % 4]);
    for (size_t s = 0; s < (n_taps ? 1 : d->strips); s++) {
        const uint8_t *from = d->strip[s] + at->four * 4 * LINE_LANES + at->x * d->x_step;
        LINE_UNROLL_TAPS
        for (size_t k = 0; k < taps_a_strip; k++, from += from_step) {
            UNROLL
            for (int v = 0; v < 4; v++)
                wide_vector(sum, v, from + (size_t)v * LINE_LANES, d, w + (size_t)v * LINE_VECTOR,
                            outs, pixels);
            w += (size_t)(4 * outs) * LINE_VECTOR;
        }
    }
    UNROLL
    for (int i = 0; i < pixels * outs; i++)
        b_store(y[i % outs] + (at->x + (size_t)(i / outs)) * d->y_step + first,
                tail_four(sum[i], at->tail, c, mode, TAIL_ORDER_WIDE));
}

INLINE void line_wide(uint8_t *const y[2], const krn_qs8_line *d, const int outs, const int n_taps,
                      const int mode)
{
    const krn_qs8_tail tail = *d->tail;
    for (size_t four = 0; four < d->vectors / 4; four++) {
        wide_place at = {four, 0, &tail};
        for (; at.x + WIDE_PIXELS <= d->positions; at.x += WIDE_PIXELS)
            wide_four(y, d, &at, outs, WIDE_PIXELS, n_taps, mode);
        for (; at.x < d->positions; at.x++)
            wide_four(y, d, &at, outs, 1, n_taps, mode);
    }
}

/* LINES(X, mode): X(shape, outs, taps, mode), as TILES in qs8_tile_body.h. */
#define LINES_NARROW(X, mode)                                                                      \
    X(narrow, 1, 0, mode)                                                                          \
    X(narrow, 1, 1, mode)                                                                          \
    X(narrow, 1, 3, mode)                                                                          \
    X(narrow, 2, 1, mode)                                                                          \
    X(narrow, 2, 3, mode)
#define LINES(X, mode)                                                                             \
    LINES_NARROW(X, mode)                                                                          \
    X(wide, 1, 0, mode)                                                                            \
    X(wide, 1, 3, mode)                                                                            \
    X(wide, 2, 1, mode)                                                                            \
    X(wide, 2, 3, mode)
#define LINE_FUNCTION(shape, outs, taps, mode)                                                     \
    static void line_##shape##_##outs##_##taps##_##mode(uint8_t *const y[2],                       \
                                                        const krn_qs8_line *d)                     \
    {                                                                                              \
        line_##shape(y, d, outs, taps, KRN_QS8_##mode);                                            \
    }
#define LINE_ENTRY(shape, outs, taps, mode)                                                        \
    .shape[KRN_QS8_##mode][outs][taps] = line_##shape##_##outs##_##taps##_##mode,

#endif /* KRN_QS8_LINE_BODY_H */
