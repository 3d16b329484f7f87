/* f32_pool.h - largest values and means of windows, for any vector: included once by a file of each
 * instruction set, after its vec_*.h. Layer: kernels. Thread rule: pure functions. */
#ifndef F32_POOL_H
#define F32_POOL_H

#include "engine/kernels/simd/simd.h"
#include "engine/kernels/window_box.h"

#include <math.h>

#define POOL_UNITS 4

typedef struct pool {
    const krn_window *w;
    krn_box box;
    const float *x; /* the image, at the first channel */
    size_t c;       /* channels of this block, at most POOL_UNITS units */
    float count, low, high;
} pool;

INLINE vf part_of(const float *p, const pool *b, const int unit, const bool full)
{
    if (full) return vf_load(p + unit * VF_LANES);
    const size_t left = b->c - (size_t)unit * VF_LANES;
    return vf_load_part(p + unit * VF_LANES, vf_first(left < VF_LANES ? left : VF_LANES));
}

INLINE void pool_block(float *y, const pool *b, const int units, const bool full, const bool most)
{
    const krn_window *w = b->w;
    vf acc[POOL_UNITS];
    UNROLL
    for (int u = 0; u < units; u++)
        acc[u] = vf_set(most ? -INFINITY : 0);
    for (size_t r = 0; r < b->box.rows; r++) {
        const size_t line = (b->box.top + r * w->dilation_h) * w->in_w + b->box.left;
        const float *x = b->x + line * w->in_c;
        for (size_t i = 0; i < b->box.columns; i++, x += w->dilation_w * w->in_c) {
            UNROLL
            for (int u = 0; u < units; u++) {
                const vf v = part_of(x, b, u, full);
                acc[u] = most ? vf_max(v, acc[u]) : vf_add(acc[u], v);
            }
        }
    }
    const vf count = vf_set(b->count), low = vf_set(b->low), high = vf_set(b->high);
    UNROLL
    for (int u = 0; u < units; u++) {
        const size_t left = b->c - (size_t)u * VF_LANES;
        const vf out = vf_min(high, vf_max(low, most ? acc[u] : vf_div(acc[u], count)));
        if (full)
            vf_store(y + u * VF_LANES, out);
        else
            vf_store_part(y + u * VF_LANES, out, vf_first(left < VF_LANES ? left : VF_LANES));
    }
}

/* All channels of one output pixel. */
INLINE void pool_pixel(float *y, pool b, const bool most)
{
    const size_t channels = b.w->in_c, wide = POOL_UNITS * VF_LANES;
    const float *x = b.x;
    for (size_t c = 0; c < channels; c += b.c) {
        b.x = x + c;
        b.c = channels - c >= wide ? wide : channels - c >= VF_LANES ? VF_LANES : channels - c;
        if (b.c == wide)
            pool_block(y + c, &b, POOL_UNITS, true, most);
        else
            pool_block(y + c, &b, 1, b.c == VF_LANES, most);
    }
}

KRN_DECL_F32_MAX_POOL(VF_NAME(krn_f32_max_pool))
{
    pool b = {.w = w, .x = x, .low = low, .high = high};
    for (size_t p = 0; p < w->out_h * w->out_w; p++) {
        b.box = krn_box_of(w, p);
        pool_pixel(y + p * w->in_c, b, true);
    }
}

KRN_DECL_F32_MEAN_POOL(VF_NAME(krn_f32_mean_pool))
{
    pool b = {.w = w, .x = x, .low = low, .high = high};
    for (size_t p = 0; p < w->out_h * w->out_w; p++) {
        b.box = krn_box_of(w, p);
        const size_t seen = b.box.rows * b.box.columns;
        b.count = (float)(count_pad ? w->kernel_h * w->kernel_w : seen ? seen : 1);
        pool_pixel(y + p * w->in_c, b, false);
    }
}

#endif /* F32_POOL_H */
