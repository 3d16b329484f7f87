/* qs8_tile_body.h - tiles of an 8-bit product; included by a tier's file behind its vectors
 * (vec_*.h). Layer: kernels. Thread rule: pure functions.
 *
 * tile() is written once and expanded with constant `rows` (pixels), `vecs` (vectors of channels)
 * and `mode`: all sums of a tile stay in registers. */
#ifndef KRN_QS8_TILE_BODY_H
#define KRN_QS8_TILE_BODY_H

#include "engine/kernels/qs8_tail.h"

typedef struct tile_rows { /* addresses of up to 16 pixels from two bases and four steps */
    const uint8_t *p, *q;
    ptrdiff_t s1, s3, s5, s7;
} tile_rows;

INLINE const uint8_t *tile_row(const tile_rows *r, const int m)
{
    const uint8_t *const base = m < 8 ? r->p : r->q;
    switch (m % 8) {
    case 0:
        return base;
    case 1:
        return base + r->s1;
    case 2:
        return base + 2 * r->s1;
    case 3:
        return base + r->s3;
    case 4:
        return base + 4 * r->s1;
    case 5:
        return base + r->s5;
    case 6:
        return base + 2 * r->s3;
    default:
        return base + r->s7;
    }
}

/* Part i of the bytes in v: the channels of one pixel. */
INLINE void tile_store(uint8_t *y, bytes v, const int i, const int vecs)
{
    if (vecs == 4)
        b_store(y, v);
    else if (vecs == 2)
        b_store_half(y, v, i);
    else
        b_store_quarter(y, v, i);
}

INLINE void tile_keep(uint8_t *y, const vec *sum, const ptrdiff_t step, const int rows,
                      const int vecs)
{
    UNROLL
    for (int i = 0; i < rows * vecs; i++)
        v_store((int32_t *)(void *)(y + i / vecs * step + i % vecs * 4 * LANES), sum[i]);
}

/* Sums to bytes, four vectors at a time: of one, two or four pixels. */
INLINE void tile_finish(uint8_t *y, const vec *sum, const krn_qs8_tile *t, const int rows,
                        const int vecs, const int mode)
{
    const int pixels = 4 / vecs;
    const krn_qs8_tail tail = *t->tail; /* a copy: the bytes stored could be anyone's */
    const size_t first = t->at;
    const ptrdiff_t step = t->y_step;
    UNROLL
    for (int m = 0; m < rows; m += pixels) {
        vec v[4];
        size_t at[4];
        UNROLL
        for (int i = 0; i < 4; i++) {
            const int row = m + i / vecs < rows ? m + i / vecs : m;
            v[i] = sum[row * vecs + i % vecs];
            at[i] = first + (size_t)(i % vecs) * LANES;
        }
        const bytes b = tail_four(v, &tail, at, mode, TAIL_ORDER_VECTORS);
        if (pixels > 1 && m + pixels <= rows && step == vecs * LANES) {
            b_store(y + m * step, b); /* pixels side by side */
            continue;
        }
        UNROLL
        for (int i = 0; i < pixels; i++)
            if (m + i < rows) tile_store(y + (m + i) * step, b, i, vecs);
    }
}

/* Bytes of a vector of weights. */
#define TILE_VECTOR(bits) (4 * LANES / ((bits) == 4 ? 2 * ELEM : 1))

/* One group of four bytes of every pixel. */
INLINE void tile_group(vec *sum, const tile_rows *r, const uint8_t *w, const int rows,
                       const int vecs, const int bits)
{
    weights v[4];
    UNROLL
    for (int n = 0; n < vecs; n++)
        v[n] = bits == 4 ? w_load_four(w + n * TILE_VECTOR(4)) : w_load(w + n * TILE_VECTOR(8));
    UNROLL
    for (int m = 0; m < rows; m++) {
        const vec x = v_four(tile_row(r, m));
        UNROLL
        for (int n = 0; n < vecs; n++)
            sum[m * vecs + n] = v_dot(sum[m * vecs + n], x, v[n]);
    }
}

/* One pixel has too few sums to hide the latency of a dot product: `ways` partial sums for each,
 * and weights asked for early, as they are used only once. */
INLINE const uint8_t *tile_run_one(vec *sum, tile_rows *r, const uint8_t *w, size_t *groups,
                                   const int vecs, const int ways, const int bits)
{
    const size_t group = (size_t)vecs * TILE_VECTOR(bits);
    for (; *groups >= (size_t)ways; *groups -= (size_t)ways, r->p += 4 * ways) {
        UNROLL
        for (int i = 0; i < ways; i++) {
            const tile_rows at = {.p = r->p + 4 * i};
            UNROLL
            for (int n = 0; n < vecs; n++)
                __builtin_prefetch(w + (size_t)i * group + n * TILE_VECTOR(bits) + TILE_AHEAD);
            tile_group(sum + i * vecs, &at, w + (size_t)i * group, 1, vecs, bits);
        }
        w += (size_t)ways * group;
    }
    return w;
}

INLINE void tile(uint8_t *y, const uint8_t *x, const krn_qs8_tile *t, const int rows,
                 const int vecs, const int mode, const int bits)
{
    const int ways = rows > 1 ? 1 : vecs == 4 ? 2 : 4;
    const ptrdiff_t step = t->x_step;
    const uint8_t *w = t->w;
    vec sum[TILE_SUMS];
    UNROLL
    for (int i = 0; i < rows * vecs * ways; i++)
        sum[i] = i < rows * vecs ? v_load(t->tail->bias + t->at + i % vecs * LANES) : v_zero();
    for (size_t i = 0; i < t->runs; i++) {
        const uint8_t *first = x + t->run[i];
        tile_rows r = {first, first + 8 * step, step, 3 * step, 5 * step, 7 * step};
        size_t groups = t->groups;
        if (rows == 1) w = tile_run_one(sum, &r, w, &groups, vecs, ways, bits);
        for (; groups; groups--, r.p += 4, r.q += 4, w += vecs * TILE_VECTOR(bits))
            tile_group(sum, &r, w, rows, vecs, bits);
    }
    UNROLL
    for (int i = rows * vecs; i < rows * vecs * ways; i++)
        sum[i % (rows * vecs)] = v_add(sum[i % (rows * vecs)], sum[i]);
    if (mode == KRN_QS8_SUMS)
        tile_keep(y, sum, t->y_step, rows, vecs);
    else
        tile_finish(y, sum, t, rows, vecs, mode);
}

/* A tier's lists of TILES(X, mode): X(rows, vecs, mode); TILES_EIGHT: for weights of 8 bits alone,
 * where those of 4 bits want more registers than there are. TILE_FUNCTION makes the functions,
 * TILE_ENTRY the rows of their table. */
#define TILE_OF(bits, rows, vecs, mode)                                                            \
    static void tile_##bits##_##vecs##_##rows##_##mode(uint8_t *y, const uint8_t *x,               \
                                                       const krn_qs8_tile *t)                      \
    {                                                                                              \
        tile(y, x, t, rows, vecs, KRN_QS8_##mode, bits);                                           \
    }
// clang-format off
#define TILE_FUNCTION_EIGHT(rows, vecs, mode) TILE_OF(8, rows, vecs, mode)
#define TILE_FUNCTION(rows, vecs, mode)                                                            \
    TILE_OF(8, rows, vecs, mode)                                                                   \
    TILE_OF(4, rows, vecs, mode)
#define TILE_ENTRY_EIGHT(rows, vecs, mode)                                                         \
    .tile[0][KRN_QS8_##mode][vecs][rows] = tile_8_##vecs##_##rows##_##mode,
#define TILE_ENTRY(rows, vecs, mode)                                                               \
    TILE_ENTRY_EIGHT(rows, vecs, mode)                                                             \
    .tile[1][KRN_QS8_##mode][vecs][rows] = tile_4_##vecs##_##rows##_##mode,
// clang-format on

/* A list of tiles or lines, for each mode of bytes. */
#define MODES(LIST, X) LIST(X, NEAREST) LIST(X, EXACT) LIST(X, SIGNED)
#define ALL_TILES(X)                                                                               \
    MODES(TILES, X) TILES(X, SUMS) MODES(TILES_EIGHT, X##_EIGHT) TILES_EIGHT(X##_EIGHT, SUMS)
#define ALL_LINES(X) MODES(LINES, X) LINES_NARROW(X, SUMS)

#endif /* KRN_QS8_TILE_BODY_H */
