/* f32_winograd.h - transforms of Winograd's convolution of 3 x 3 taps, for any vector: included
 * once by a file of each instruction set, after its vec_*.h. Layer: kernels. Thread rule: pure
 * functions. Source: A. Lavin, S. Gray, Fast Algorithms for Convolutional Neural Networks, 2015:
 * the matrices of F(2 x 2, 3 x 3) and F(4 x 4, 3 x 3). */
#ifndef F32_WINOGRAD_H
#define F32_WINOGRAD_H

#include "engine/kernels/krn_winograd.h"
#include "engine/kernels/simd/simd.h"

#define MOST_SIDE 6
#define A         0.75f
#define B         1.5f
#define AA        (A * A)
#define BB        (B * B)

/* One tile of VF_LANES channels or fewer. */
typedef struct wino_tile {
    ptrdiff_t top, left; /* of its input or output within the image */
    vf_mask lanes;
    bool part, inside;
} wino_tile;

/* B^T d along one axis. */
INLINE void wino_in(vf *t, const vf *d, const int m)
{
    if (m == 2) {
        t[0] = vf_sub(d[0], d[2]);
        t[1] = vf_add(d[1], d[2]);
        t[2] = vf_sub(d[2], d[1]);
        t[3] = vf_sub(d[1], d[3]);
        return;
    }
    const vf aa = vf_set(AA), bb = vf_set(BB), both = vf_set(AA * BB), sum = vf_set(AA + BB);
    const vf c = vf_fnma(bb, d[2], d[4]), e = vf_fnma(bb, d[1], d[3]);
    const vf f = vf_fnma(aa, d[2], d[4]), g = vf_fnma(aa, d[1], d[3]);
    t[0] = vf_fnma(sum, d[2], vf_fma(both, d[0], d[4]));
    t[1] = vf_fma(vf_set(A), e, c);
    t[2] = vf_fnma(vf_set(A), e, c);
    t[3] = vf_fma(vf_set(B), g, f);
    t[4] = vf_fnma(vf_set(B), g, f);
    t[5] = vf_fnma(sum, d[3], vf_fma(both, d[1], d[5]));
}

/* A^T p along one axis. */
INLINE void wino_out(vf *o, const vf *p, const int m)
{
    const vf a = vf_add(p[1], p[2]), b = vf_sub(p[1], p[2]);
    if (m == 2) {
        o[0] = vf_add(p[0], a);
        o[1] = vf_sub(b, p[3]);
        return;
    }
    const vf c = vf_add(p[3], p[4]), d = vf_sub(p[3], p[4]);
    o[0] = vf_add(vf_add(p[0], a), c);
    o[1] = vf_fma(vf_set(B), d, vf_mul(vf_set(A), b));
    o[2] = vf_fma(vf_set(BB), c, vf_mul(vf_set(AA), a));
    o[3] = vf_fma(vf_set(B * BB), d, vf_fma(vf_set(A * AA), b, p[5]));
}

INLINE vf wino_load(const float *x, const wino_tile *t)
{
    return t->part ? vf_load_part(x, t->lanes) : vf_load(x);
}

INLINE vf wino_pixel(const float *x, const krn_window *w, const wino_tile *t, int i, int j)
{
    const ptrdiff_t h = t->top + i, v = t->left + j;
    if (!t->inside && ((size_t)h >= w->in_h || (size_t)v >= w->in_w)) return vf_set(0);
    return wino_load(x + (h * (ptrdiff_t)w->in_w + v) * (ptrdiff_t)w->in_c, t);
}

/* v: the tile's first value of position 0; `apart` floats from one position to the next. */
INLINE void wino_tile_in(float *v, size_t apart, const float *x, const krn_window *w,
                         const wino_tile *t, const int m)
{
    vf half[MOST_SIDE][MOST_SIDE];
    for (int j = 0; j < m + 2; j++) {
        vf d[MOST_SIDE], to[MOST_SIDE];
        UNROLL
        for (int i = 0; i < m + 2; i++)
            d[i] = wino_pixel(x, w, t, i, j);
        wino_in(to, d, m);
        UNROLL
        for (int i = 0; i < m + 2; i++)
            half[i][j] = to[i];
    }
    for (int i = 0; i < m + 2; i++) {
        vf to[MOST_SIDE];
        wino_in(to, half[i], m);
        UNROLL
        for (int j = 0; j < m + 2; j++, v += apart)
            vf_store(v, to[j]);
    }
}

static wino_tile tile_at(const krn_window *w, size_t index, size_t m)
{
    const size_t across = (w->out_w + m - 1) / m;
    return (wino_tile){.top = (ptrdiff_t)(index / across * m),
                       .left = (ptrdiff_t)(index % across * m)};
}

INLINE void wino_image_in(float *v, const float *x, const krn_window *w, const krn_tiles *s,
                          const int m)
{
    for (size_t i = 0; i < s->count; i++) {
        wino_tile t = tile_at(w, s->first + i, (size_t)m);
        t.top -= w->top;
        t.left -= w->left;
        t.inside = t.top >= 0 && t.left >= 0 && t.top + m + 2 <= (ptrdiff_t)w->in_h &&
                   t.left + m + 2 <= (ptrdiff_t)w->in_w;
        for (size_t c = 0; c < w->in_c; c += VF_LANES) {
            t.part = w->in_c - c < VF_LANES;
            if (t.part) t.lanes = vf_first(w->in_c - c);
            float *to = v + i * s->row + c;
            if (t.inside && !t.part) {
                const wino_tile easy = {t.top, t.left, t.lanes, false, true};
                wino_tile_in(to, s->apart, x + c, w, &easy, m);
            } else {
                wino_tile_in(to, s->apart, x + c, w, &t, m);
            }
        }
    }
}

KRN_DECL_F32_WINOGRAD_IN(VF_NAME(krn_f32_winograd_in))
{
    if (s->m == 2)
        wino_image_in(v, x, w, s, 2);
    else
        wino_image_in(v, x, w, s, 4);
}

INLINE void wino_tile_out(float *y, const float *p, const krn_window *w, const wino_tile *t,
                          const krn_winograd_end *e, const int m)
{
    const vf low = vf_set(e->low), high = vf_set(e->high), bias = wino_load(e->bias, t);
    vf half[MOST_SIDE][MOST_SIDE];
    for (int i = 0; i < m + 2; i++) {
        vf from[MOST_SIDE], to[MOST_SIDE];
        UNROLL
        for (int j = 0; j < m + 2; j++, p += e->apart)
            from[j] = vf_load(p);
        wino_out(to, from, m);
        UNROLL
        for (int j = 0; j < m; j++)
            half[j][i] = to[j];
    }
    for (int j = 0; j < m; j++) {
        vf to[MOST_SIDE];
        if (t->left + j >= (ptrdiff_t)w->out_w) break;
        wino_out(to, half[j], m);
        UNROLL
        for (int i = 0; i < m; i++) {
            if (t->top + i >= (ptrdiff_t)w->out_h) break;
            const vf out = vf_min(high, vf_max(low, vf_add(to[i], bias)));
            float *at = y + ((size_t)(t->top + i) * w->out_w + (size_t)(t->left + j)) * w->out_c;
            if (t->part)
                vf_store_part(at, out, t->lanes);
            else
                vf_store(at, out);
        }
    }
}

INLINE void wino_image_out(float *y, const float *p, const krn_window *w, const krn_tiles *s,
                           const krn_winograd_end *end, const int m)
{
    for (size_t i = 0; i < s->count; i++) {
        wino_tile t = tile_at(w, s->first + i, (size_t)m);
        for (size_t c = 0; c < w->out_c; c += VF_LANES) {
            krn_winograd_end e = *end;
            e.bias += c;
            e.apart = s->apart;
            t.part = w->out_c - c < VF_LANES;
            if (t.part) {
                t.lanes = vf_first(w->out_c - c);
                wino_tile_out(y + c, p + i * s->row + c, w, &t, &e, m);
            } else {
                wino_tile_out(y + c, p + i * s->row + c, w, &t, &e, m);
            }
        }
    }
}

KRN_DECL_F32_WINOGRAD_OUT(VF_NAME(krn_f32_winograd_out))
{
    if (s->m == 2)
        wino_image_out(y, p, w, s, e, 2);
    else
        wino_image_out(y, p, w, s, e, 4);
}

#endif /* F32_WINOGRAD_H */
