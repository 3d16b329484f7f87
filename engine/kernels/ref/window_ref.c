/* window_ref.c - im2col, depthwise convolution and pooling in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_window.h"
#include "engine/kernels/window_box.h"

#include <math.h>
#include <string.h>

/* Input row or column of output `o` and tap `k`; outside the image it is -1. */
static inline ptrdiff_t source(size_t o, size_t k, size_t stride, size_t dilation, ptrdiff_t pad,
                               size_t size)
{
    const ptrdiff_t at = (ptrdiff_t)(o * stride + k * dilation) - pad;
    return at >= 0 && at < (ptrdiff_t)size ? at : -1;
}

/* Offset in pixels of tap (kh, kw) for output pixel (oh, ow), or -1. */
static inline ptrdiff_t pixel(const krn_window *w, size_t oh, size_t ow, size_t kh, size_t kw)
{
    const ptrdiff_t h = source(oh, kh, w->stride_h, w->dilation_h, w->top, w->in_h);
    const ptrdiff_t v = source(ow, kw, w->stride_w, w->dilation_w, w->left, w->in_w);
    return h < 0 || v < 0 ? -1 : h * (ptrdiff_t)w->in_w + v;
}

/* The same by the number of the output pixel and of the tap. */
static inline ptrdiff_t tap(const krn_window *w, size_t p, size_t t)
{
    return pixel(w, p / w->out_w, p % w->out_w, t / w->kernel_w, t % w->kernel_w);
}

/* One row of the matrix of windows: the lines of a kernel are runs where its taps lie side by side
 * and have all channels. */
#define GATHER(name, type)                                                                         \
    static void name(type *a, const type *x, const krn_window *w, const krn_slice *s, size_t p)    \
    {                                                                                              \
        const krn_box b = krn_box_of(w, p);                                                        \
        const size_t taps = w->kernel_h * w->kernel_w, c = s->c;                                   \
        const bool whole = w->dilation_w == 1 && c == w->in_c;                                     \
        const size_t pieces = whole ? 1 : b.columns, size = (whole ? b.columns : 1) * c;           \
        const size_t row = first_tap(b.top, p / w->out_w * w->stride_h, w->top, w->dilation_h);    \
        const size_t col = first_tap(b.left, p % w->out_w * w->stride_w, w->left, w->dilation_w);  \
        if (b.rows * b.columns < taps) memset(a, 0, taps *c * sizeof(*a));                         \
        for (size_t r = 0; b.columns && r < b.rows; r++) {                                         \
            type *to = a + ((row + r) * w->kernel_w + col) * c;                                    \
            const size_t line = (b.top + r * w->dilation_h) * w->in_w + b.left;                    \
            const type *from = x + line * w->in_c + s->c0;                                         \
            for (size_t i = 0; i < pieces; i++, to += c, from += w->dilation_w * w->in_c)          \
                memcpy(to, from, size * sizeof(*a));                                               \
        }                                                                                          \
    }

/* Number of the first tap in the image, which lies at `at`. */
static inline size_t first_tap(size_t at, size_t start, ptrdiff_t pad, size_t dilation)
{
    const size_t skipped = at + (size_t)pad - start;
    return dilation > 1 ? skipped / dilation : skipped;
}

GATHER(gather_f32, float)
GATHER(gather_s16, int16_t)

void krn_f32_im2col_ref(float *a, const float *x, const krn_window *w, const krn_slice *s)
{
    for (size_t i = 0; i < s->count; i++, a += w->kernel_h * w->kernel_w * s->c)
        gather_f32(a, x, w, s, s->first + i);
}

void krn_s16_im2col_ref(int16_t *a, const int16_t *x, const krn_window *w, const krn_slice *s,
                        size_t k_pad)
{
    const size_t k = w->kernel_h * w->kernel_w * s->c;
    for (size_t i = 0; i < s->count; i++, a += k_pad) {
        gather_s16(a, x, w, s, s->first + i);
        if (k < k_pad) memset(a + k, 0, (k_pad - k) * sizeof(*a));
    }
}

static inline float limit(float v, float low, float high)
{
    return v < low ? low : v > high ? high : v;
}

static void depthwise_pixel_f32(float *y, const float *x, const float *f, const krn_window *w,
                                size_t oh, size_t ow)
{
    const size_t many = w->out_c / w->in_c;
    for (size_t t = 0; t < w->kernel_h * w->kernel_w; t++) {
        const ptrdiff_t at = pixel(w, oh, ow, t / w->kernel_w, t % w->kernel_w);
        if (at < 0) continue;
        for (size_t c = 0; c < w->out_c; c++)
            y[c] += x[(size_t)at * w->in_c + c / many] * f[t * w->out_c + c];
    }
}

KRN_DECL_F32_DEPTHWISE(krn_f32_depthwise_ref)
{
    for (size_t p = 0; p < w->out_h * w->out_w; p++, y += w->out_c) {
        for (size_t c = 0; c < w->out_c; c++)
            y[c] = bias[c];
        depthwise_pixel_f32(y, x, f, w, p / w->out_w, p % w->out_w);
        for (size_t c = 0; c < w->out_c; c++)
            y[c] = limit(y[c], low, high);
    }
}

static void depthwise_pixel_qs8(int32_t *acc, const uint8_t *x, const krn_window *w,
                                const krn_qs8_depthwise *d, size_t p)
{
    const size_t many = w->out_c / w->in_c;
    memset(acc, 0, w->out_c * sizeof(*acc));
    for (size_t t = 0; t < w->kernel_h * w->kernel_w; t++) {
        const ptrdiff_t at = tap(w, p, t);
        if (at < 0) continue;
        for (size_t c = 0; c < w->out_c; c++)
            acc[c] += (krn_q8(x[(size_t)at * w->in_c + c / many], d->is_unsigned) - d->zero) *
                      d->f[t * w->out_c + c];
    }
}

void krn_qs8_depthwise_ref(uint8_t *y, const uint8_t *x, const krn_window *w,
                           const krn_qs8_depthwise *d, int32_t *acc)
{
    for (size_t p = 0; p < w->out_h * w->out_w; p++, y += w->out_c) {
        depthwise_pixel_qs8(acc, x, w, d, p);
        d->apply(y, acc, d->requant, 1, w->out_c, w->out_c, w->out_c);
    }
}

static void fill_f32(float *y, float v, size_t n)
{
    for (size_t c = 0; c < n; c++)
        y[c] = v;
}

KRN_DECL_F32_MAX_POOL(krn_f32_max_pool_ref)
{
    for (size_t p = 0; p < w->out_h * w->out_w; p++, y += w->in_c) {
        fill_f32(y, -INFINITY, w->in_c);
        const krn_box b = krn_box_of(w, p);
        for (size_t t = 0; t < b.rows * b.columns; t++) {
            const size_t at = krn_box_pixel(w, &b, t);
            const float *v = x + at * w->in_c;
            for (size_t c = 0; c < w->in_c; c++)
                y[c] = v[c] > y[c] ? v[c] : y[c];
        }
        for (size_t c = 0; c < w->in_c; c++)
            y[c] = limit(y[c], low, high);
    }
}

KRN_DECL_F32_MEAN_POOL(krn_f32_mean_pool_ref)
{
    for (size_t p = 0; p < w->out_h * w->out_w; p++, y += w->in_c) {
        size_t seen = 0;
        fill_f32(y, 0, w->in_c);
        const krn_box b = krn_box_of(w, p);
        for (size_t t = 0; t < b.rows * b.columns; t++) {
            const size_t at = krn_box_pixel(w, &b, t);
            seen++;
            for (size_t c = 0; c < w->in_c; c++)
                y[c] += x[at * w->in_c + c];
        }
        const size_t n = count_pad ? w->kernel_h * w->kernel_w : seen ? seen : 1;
        for (size_t c = 0; c < w->in_c; c++)
            y[c] = limit(y[c] / (float)n, low, high);
    }
}

/* y[c] = max(y[c], v[c]), written so that compilers make it one instruction and no branch. */
static void most_u8(uint8_t *y, const uint8_t *v, size_t n)
{
    for (size_t c = 0; c < n; c++)
        y[c] = v[c] > y[c] ? v[c] : y[c];
}

static void most_i8(uint8_t *y, const uint8_t *v, size_t n)
{
    for (size_t c = 0; c < n; c++)
        y[c] = (int8_t)v[c] > (int8_t)y[c] ? v[c] : y[c];
}

KRN_DECL_QS8_MAX(krn_qs8_max_pool_ref)
{
    for (size_t p = 0; p < w->out_h * w->out_w; p++, y += w->in_c) {
        memset(y, is_unsigned ? 0 : 0x80, w->in_c); /* the least value */
        const krn_box b = krn_box_of(w, p);
        for (size_t t = 0; t < b.rows * b.columns; t++) {
            const size_t at = krn_box_pixel(w, &b, t);
            (is_unsigned ? most_u8 : most_i8)(y, x + at * w->in_c, w->in_c);
        }
        krn_qs8_clamp_ref(y, y, w->in_c, low, high, is_unsigned);
    }
}

/* sum / n, halves away from zero */
static int32_t mean_of(int32_t sum, int32_t n)
{
    return sum > 0 ? (sum + n / 2) / n : (sum - n / 2) / n;
}

/* Sums of the pixels of window p that lie in the image; returns how many these are, at least 1. */
static int32_t sum_window(int32_t *acc, const uint8_t *x, const krn_window *w, size_t p,
                          bool is_unsigned)
{
    int32_t seen = 0;
    memset(acc, 0, w->in_c * sizeof(*acc));
    const krn_box b = krn_box_of(w, p);
    for (size_t t = 0; t < b.rows * b.columns; t++) {
        const size_t at = krn_box_pixel(w, &b, t);
        seen++;
        for (size_t c = 0; c < w->in_c; c++)
            acc[c] += krn_q8(x[at * w->in_c + c], is_unsigned);
    }
    return seen ? seen : 1;
}

KRN_DECL_QS8_MEAN(krn_qs8_mean_pool_ref)
{
    for (size_t p = 0; p < w->out_h * w->out_w; p++, y += w->in_c) {
        const int32_t n = sum_window(acc, x, w, p, m->is_unsigned);
        for (size_t c = 0; c < w->in_c; c++)
            y[c] = (uint8_t)krn_clamp(mean_of(acc[c], n), m->low, m->high);
    }
}
