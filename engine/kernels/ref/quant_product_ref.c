/* quant_product_ref.c - products of quantized values in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_quant_product.h"
#include "engine/kernels/simd/simd.h"

#include <math.h>
#include <string.h>

#define SAFE_TERMS 256 /* 2^15 * 255 * 256 < 2^31 */

static int32_t clamp(int64_t v, const krn_q_tail *t)
{
    return v < t->low ? t->low : v > t->high ? t->high : (int32_t)v;
}

static int32_t to_float_and_back(int64_t sum, size_t c, const krn_q_tail *t)
{
    /* clamped in float first, as XNNPACK does: the conversion must not leave int32 */
    const float low = (float)(t->low - t->zero), high = (float)(t->high - t->zero);
    const float v = (float)(int32_t)sum * t->scale[c];
    return (int32_t)lrintf(v < low ? low : v > high ? high : v) + t->zero;
}

static int32_t by_double(int64_t sum, size_t c, const krn_q_tail *t)
{
    const double v = round((double)sum * t->real[c]);
    const double most = 1e9;
    return clamp((int64_t)(v > most ? most : v < -most ? -most : v) + t->zero, t);
}

static float to_real(int64_t sum, size_t c, const krn_q_tail *t)
{
    const float v = (float)sum * t->scale[c] * t->x_scale + t->offset[c];
    return v < t->least ? t->least : v > t->most ? t->most : v;
}

/* The quantized result of a sum; way: t->way, a constant in a loop over many. */
INLINE int32_t result(int64_t sum, size_t c, const krn_q_tail *t, const krn_tail_way way)
{
    const int64_t all = (int64_t)((uint64_t)sum + (t->bias ? (uint64_t)t->bias[c] : 0));
    const int32_t cut = (int32_t)(uint32_t)(uint64_t)all; /* 32-bit sums wrap */
    switch (way) {
    case KRN_TAIL_FIXED:
        return clamp((int64_t)krn_scale_int(cut, t->factor[c]) + t->zero, t);
    case KRN_TAIL_UP:
        return clamp((int64_t)krn_scale_up(cut, t->factor[c]) + t->zero, t);
    case KRN_TAIL_LONG:
        return clamp((int64_t)krn_scale_long(all, t->factor[c]) + t->zero, t);
    case KRN_TAIL_FLOAT:
        return to_float_and_back(cut, c, t);
    case KRN_TAIL_AWAY:
        return by_double(all, c, t);
    case KRN_TAIL_HYBRID:
        break;
    }
    return 0;
}

void krn_q_tail_put(void *y, size_t at, int64_t sum, size_t c, const krn_q_tail *t)
{
    if (t->way == KRN_TAIL_HYBRID)
        ((float *)y)[at] = to_real(sum, c, t);
    else
        krn_q_put(y, t->to, at, result(sum, c, t, t->way));
}

INLINE void rows16(int16_t *y, const int32_t *acc, size_t m, size_t ld, const krn_q_tail *t,
                   const size_t n, const krn_tail_way way)
{
    for (size_t r = 0; r < m; r++, y += n, acc += ld)
        for (size_t c = 0; c < n; c++)
            y[c] = (int16_t)result(acc[c], c, t, way);
}

void krn_q_tail_rows16(int16_t *y, const int32_t *acc, size_t m, size_t n, size_t ld,
                       const krn_q_tail *t)
{
    if (t->way == KRN_TAIL_LONG)
        rows16(y, acc, m, ld, t, n, KRN_TAIL_LONG);
    else if (t->way == KRN_TAIL_UP)
        rows16(y, acc, m, ld, t, n, KRN_TAIL_UP);
    else
        rows16(y, acc, m, ld, t, n, t->way);
}

void krn_q_widen_ref(int16_t *a, const void *x, krn_type type, int32_t zero, size_t n)
{
    if (type == KRN_I16) {
        memcpy(a, x, n * sizeof(*a));
        return;
    }
    for (size_t i = 0; i < n; i++)
        a[i] = (int16_t)(krn_q_get(x, type, i) - zero);
}

/* Terms of at most 2^15 * 2^8, so that whole blocks fit 32 bits. */
static int64_t dot(const int16_t *a, const int16_t *b, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i += SAFE_TERMS) {
        const size_t end = n - i < SAFE_TERMS ? n : i + SAFE_TERMS;
        int32_t part = 0;
        for (size_t k = i; k < end; k++)
            part += a[k] * b[k];
        sum += part;
    }
    return sum;
}

/* Place of tap k of output o along one axis; at or past `size` when it lies outside. */
static size_t place(size_t o, size_t k, size_t stride, size_t dilation, ptrdiff_t pad, size_t size)
{
    const ptrdiff_t at = (ptrdiff_t)(o * stride + k * dilation) - pad;
    return at < 0 ? size : (size_t)at;
}

/* Sum of one window of one filter; f: [kernel_h, kernel_w, c], x at the group's first channel. */
static int64_t window_sum(const int16_t *x, const int16_t *f, const krn_window *w, size_t pixel,
                          size_t c)
{
    int64_t sum = 0;
    for (size_t t = 0; t < w->kernel_h * w->kernel_w; t++) {
        const size_t h =
            place(pixel / w->out_w, t / w->kernel_w, w->stride_h, w->dilation_h, w->top, w->in_h);
        const size_t v =
            place(pixel % w->out_w, t % w->kernel_w, w->stride_w, w->dilation_w, w->left, w->in_w);
        if (h < w->in_h && v < w->in_w) sum += dot(x + (h * w->in_w + v) * w->in_c, f + t * c, c);
    }
    return sum;
}

void krn_q_conv_ref(void *y, const int16_t *x, const int16_t *f, const krn_window *w, size_t groups,
                    const krn_q_tail *t)
{
    const size_t c = w->in_c / groups, outputs = w->out_c / groups;
    const size_t filter = w->kernel_h * w->kernel_w * c;
    for (size_t p = 0; p < w->out_h * w->out_w; p++)
        for (size_t o = 0; o < w->out_c; o++) {
            const int64_t sum = window_sum(x + o / outputs * c, f + o * filter, w, p, c);
            krn_q_tail_put(y, p * w->out_c + o, sum, o, t);
        }
}

/* Adds one tap of every channel; each input channel has `times` filters. */
static void add_tap(int64_t *sums, const int16_t *x, const int16_t *f, size_t in_c, size_t times)
{
    for (size_t c = 0; c < in_c; c++)
        for (size_t m = 0; m < times; m++, sums++, f++)
            *sums += x[c] * *f;
}

void krn_q_depthwise_ref(void *y, const int16_t *x, const int16_t *f, const krn_window *w,
                         const krn_q_tail *t, int64_t *sums)
{
    for (size_t p = 0; p < w->out_h * w->out_w; p++) {
        memset(sums, 0, w->out_c * sizeof(*sums));
        for (size_t k = 0; k < w->kernel_h * w->kernel_w; k++) {
            const size_t h =
                place(p / w->out_w, k / w->kernel_w, w->stride_h, w->dilation_h, w->top, w->in_h);
            const size_t v =
                place(p % w->out_w, k % w->kernel_w, w->stride_w, w->dilation_w, w->left, w->in_w);
            if (h < w->in_h && v < w->in_w)
                add_tap(sums, x + (h * w->in_w + v) * w->in_c, f + k * w->out_c, w->in_c,
                        w->out_c / w->in_c);
        }
        for (size_t c = 0; c < w->out_c; c++)
            krn_q_tail_put(y, p * w->out_c + c, sums[c], c, t);
    }
}

/* The input row or column that tap k brings to output o; at or past `size`: none does. */
static size_t origin(size_t o, size_t k, size_t stride, size_t dilation, ptrdiff_t pad, size_t size)
{
    const ptrdiff_t at = (ptrdiff_t)o + pad - (ptrdiff_t)(k * dilation);
    return at < 0 || at % (ptrdiff_t)stride ? size : (size_t)at / stride;
}

void krn_q_transpose_conv_ref(void *y, const int16_t *x, const int16_t *f, const krn_window *w,
                              const krn_q_tail *t)
{
    const size_t taps = w->kernel_h * w->kernel_w;
    for (size_t at = 0; at < w->out_h * w->out_w * w->out_c; at++) {
        const size_t c = at % w->out_c, p = at / w->out_c;
        int64_t sum = 0;
        for (size_t k = 0; k < taps; k++) {
            const size_t h =
                origin(p / w->out_w, k / w->kernel_w, w->stride_h, w->dilation_h, w->top, w->in_h);
            const size_t v =
                origin(p % w->out_w, k % w->kernel_w, w->stride_w, w->dilation_w, w->left, w->in_w);
            if (h < w->in_h && v < w->in_w)
                sum += dot(x + (h * w->in_w + v) * w->in_c, f + (c * taps + k) * w->in_c, w->in_c);
        }
        krn_q_tail_put(y, at, sum, c, t);
    }
}

void krn_q_matmul_ref(void *y, const int16_t *a, const int16_t *b, const krn_q_matmul *s,
                      const krn_q_tail *t)
{
    for (size_t row = 0; row < s->m; row++)
        for (size_t col = 0; col < s->n; col++) {
            const int16_t *pa = a + row * s->a_row, *pb = b + col * s->b_col;
            int64_t sum = 0;
            for (size_t k = 0; k < s->k; k++)
                sum += pa[k * s->a_k] * pb[k * s->b_k];
            krn_q_tail_put(y, row * s->n + col, sum, 0, t);
        }
}
