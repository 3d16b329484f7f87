/* quant_resize_ref.c - bilinear resizing of quantized values in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_quant_resize.h"

#include <math.h>

#define REF_BITS 10
#define XNN_BITS 11

static void whole_places(krn_q_place *to, int64_t in, int64_t out, krn_q_corner corner)
{
    const int64_t one = 1 << REF_BITS;
    int64_t step = (one * in + out / 2) / out;
    if (corner == KRN_Q_ALIGNED && out > 1) step = (one * (in - 1) + (out - 1) / 2) / (out - 1);
    const int64_t start = corner == KRN_Q_HALF_PIXEL ? step / 2 - one / 2 : 0;
    for (int64_t o = 0; o < out; o++) {
        const int64_t at = o * step + start;
        int64_t low = at / one, high = (at + one - 1) / one;
        low = low < 0 ? 0 : low > in - 1 ? in - 1 : low;
        high = high < 0 ? 0 : high > in - 1 ? in - 1 : high;
        to[o] = (krn_q_place){(size_t)low, (size_t)high, (int32_t)(at - low * one)};
    }
}

static void float_places(krn_q_place *to, size_t in, size_t out, krn_q_corner corner)
{
    const bool aligned = corner == KRN_Q_ALIGNED && out > 1;
    const float step = aligned ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out;
    const float start = corner == KRN_Q_HALF_PIXEL ? 0.5f * step - 0.5f : 0;
    for (size_t o = 0; o < out; o++) {
        const float at = fminf(fmaxf((float)o * step + start, 0), (float)(in - 1));
        const size_t low = (size_t)at;
        to[o] = (krn_q_place){low, low + 1 < in ? low + 1 : in - 1,
                              (int32_t)lrintf((at - (float)low) * (1 << XNN_BITS))};
    }
}

void krn_q_places(krn_q_place *to, size_t in, size_t out, krn_q_corner corner, bool fast)
{
    if (fast)
        float_places(to, in, out, corner);
    else
        whole_places(to, (int64_t)in, (int64_t)out, corner);
}

static int64_t pixel(const krn_q_resize *r, const void *x, const size_t at[2], size_t c)
{
    return krn_q_get(x, r->type, (at[0] * r->in_w + at[1]) * r->c + c);
}

static int32_t between(const krn_q_resize *r, const void *x, const krn_q_place *h,
                       const krn_q_place *w, size_t c)
{
    const int64_t one = (int64_t)1 << r->bits, half = one * one / 2;
    const int64_t top = pixel(r, x, (size_t[]){h->low, w->low}, c) * (one - w->part) +
                        pixel(r, x, (size_t[]){h->low, w->high}, c) * w->part;
    const int64_t bottom = pixel(r, x, (size_t[]){h->high, w->low}, c) * (one - w->part) +
                           pixel(r, x, (size_t[]){h->high, w->high}, c) * w->part;
    const int64_t sum = top * (one - h->part) + bottom * h->part;
    if (r->fast) return (int32_t)((sum + half) >> (2 * r->bits));
    return (int32_t)((sum + (sum > 0 ? half : -half)) / (one * one));
}

void krn_q_resize_ref(void *y, const void *x, const krn_q_resize *r)
{
    for (size_t p = 0; p < r->out_h * r->out_w; p++)
        for (size_t c = 0; c < r->c; c++)
            krn_q_put(y, r->type, p * r->c + c,
                      between(r, x, &r->rows[p / r->out_w], &r->columns[p % r->out_w], c));
}
