/* f32_depthwise.h - one filter a channel, for any vector: included once by a file of each
 * instruction set, after its vec_*.h. Layer: kernels. Thread rule: pure functions. */
#ifndef F32_DEPTHWISE_H
#define F32_DEPTHWISE_H

#include "engine/kernels/krn_f32.h"
#include "engine/kernels/krn_window.h"
#include "engine/kernels/simd/simd.h"

#define MOST_PIXELS 8

/* Neighbouring output pixels of one line, VF_LANES channels or fewer. */
typedef struct strip {
    float *y;
    const float *x; /* the image, at the first channel */
    const float *f, *bias;
    const krn_window *w;
    ptrdiff_t top, left; /* input line and column of the first tap; may lie outside */
    float low, high;
    vf_mask lanes; /* of a partial unit */
} strip;

INLINE vf strip_load(const float *p, const strip *s, const bool part)
{
    return part ? vf_load_part(p, s->lanes) : vf_load(p);
}

INLINE void strip_store(const vf *acc, const strip *s, const int pixels, const bool part)
{
    const vf low = vf_set(s->low), high = vf_set(s->high);
    float *y = s->y;
    UNROLL
    for (int i = 0; i < pixels; i++, y += s->w->out_c) {
        const vf out = vf_min(high, vf_max(low, acc[i]));
        if (part)
            vf_store_part(y, out, s->lanes);
        else
            vf_store(y, out);
    }
}

/* Adds input column `column`, seen from the first output pixel, to every output that it is a tap
 * of: each input value is loaded once. */
INLINE void add_column(vf *acc, const vf *f, vf x, const int column, const int stride,
                       const int pixels)
{
    UNROLL
    for (int k = 0; k < 3; k++)
        if ((column - k) % stride == 0 && column >= k && (column - k) / stride < pixels)
            acc[(column - k) / stride] = vf_fma(x, f[k], acc[(column - k) / stride]);
}

/* 3 x 3 taps, at most one column of padding on each side. */
INLINE void strip_3x3(const strip *s, const int stride, const int pixels, const bool part)
{
    const int last = stride * (pixels - 1) + 2;
    const krn_window *w = s->w;
    const size_t c = w->in_c;
    vf acc[MOST_PIXELS];
    UNROLL
    for (int i = 0; i < pixels; i++)
        acc[i] = strip_load(s->bias, s, part);
    for (ptrdiff_t ky = 0; ky < 3; ky++) {
        const ptrdiff_t h = s->top + ky;
        if (h < 0 || h >= (ptrdiff_t)w->in_h) continue;
        const float *x = s->x + (h * (ptrdiff_t)w->in_w + s->left) * (ptrdiff_t)c;
        vf f[3];
        UNROLL
        for (int k = 0; k < 3; k++)
            f[k] = strip_load(s->f + (size_t)(ky * 3 + k) * c, s, part);
        if (s->left >= 0) add_column(acc, f, strip_load(x, s, part), 0, stride, pixels);
        UNROLL
        for (int i = 1; i < last; i++)
            add_column(acc, f, strip_load(x + (size_t)i * c, s, part), i, stride, pixels);
        if (s->left + last < (ptrdiff_t)w->in_w)
            add_column(acc, f, strip_load(x + (size_t)last * c, s, part), last, stride, pixels);
    }
    strip_store(acc, s, pixels, part);
}

/* Any window; `inside`: no column of it lies outside the image. */
INLINE void strip_any(const strip *s, const int pixels, const bool part, const bool inside)
{
    const krn_window *w = s->w;
    const ptrdiff_t step = (ptrdiff_t)(w->stride_w * w->in_c), c = (ptrdiff_t)w->in_c;
    vf acc[MOST_PIXELS];
    UNROLL
    for (int i = 0; i < pixels; i++)
        acc[i] = strip_load(s->bias, s, part);
    for (size_t ky = 0; ky < w->kernel_h; ky++) {
        const ptrdiff_t h = s->top + (ptrdiff_t)(ky * w->dilation_h);
        if (h < 0 || h >= (ptrdiff_t)w->in_h) continue;
        const float *f = s->f + ky * w->kernel_w * w->in_c;
        for (size_t kx = 0; kx < w->kernel_w; kx++, f += c) {
            const ptrdiff_t v = s->left + (ptrdiff_t)(kx * w->dilation_w);
            const float *x = s->x + (h * (ptrdiff_t)w->in_w + v) * c;
            const vf tap = strip_load(f, s, part);
            UNROLL
            for (int i = 0; i < pixels; i++)
                if (inside || (size_t)(v + i * (ptrdiff_t)w->stride_w) < w->in_w)
                    acc[i] = vf_fma(strip_load(x + i * step, s, part), tap, acc[i]);
        }
    }
    strip_store(acc, s, pixels, part);
}

typedef void (*strip_fn)(const strip *s);

#define STRIP_3X3(stride, pixels)                                                                  \
    static void strip_##stride##_##pixels(const strip *s)                                          \
    {                                                                                              \
        strip_3x3(s, stride, pixels, false);                                                       \
    }                                                                                              \
    static void part_##stride##_##pixels(const strip *s)                                           \
    {                                                                                              \
        strip_3x3(s, stride, pixels, true);                                                        \
    }
#define STRIP_ANY(name, pixels, part, inside)                                                      \
    static void name##_##pixels(const strip *s)                                                    \
    {                                                                                              \
        strip_any(s, pixels, part, inside);                                                        \
    }
// clang-format off
#define EACH_WIDTH(X, stride)                                                                      \
    X(stride, 1) X(stride, 2) X(stride, 3) X(stride, 4)                                            \
    X(stride, 5) X(stride, 6) X(stride, 7) X(stride, 8)
EACH_WIDTH(STRIP_3X3, 1)
EACH_WIDTH(STRIP_3X3, 2)
STRIP_ANY(inside, 1, false, true) STRIP_ANY(inside, 4, false, true)
STRIP_ANY(edge, 1, false, false) STRIP_ANY(edge, 4, false, false)
STRIP_ANY(ends, 1, true, false) STRIP_ANY(ends, 4, true, false)
#define WIDTHS(name) {name##_1, name##_2, name##_3, name##_4, name##_5, name##_6, name##_7, name##_8}
    // clang-format on

    /* By stride, partial unit, and pixels. */
    static const strip_fn strips_3x3[2][2][MOST_PIXELS] = {{WIDTHS(strip_1), WIDTHS(part_1)},
                                                           {WIDTHS(strip_2), WIDTHS(part_2)}};

/* The padding that strip_3x3 is made for. */
static bool is_3x3(const krn_window *w)
{
    return w->kernel_h == 3 && w->kernel_w == 3 && w->dilation_h == 1 && w->dilation_w == 1 &&
           w->stride_w <= 2 && w->left >= 0 && w->left <= 1 &&
           (ptrdiff_t)((w->out_w - 1) * w->stride_w) - w->left + 2 <= (ptrdiff_t)w->in_w;
}

static bool is_inside(const strip *s, size_t pixels)
{
    const krn_window *w = s->w;
    const size_t span = (pixels - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w;
    return s->left >= 0 && s->left + (ptrdiff_t)span < (ptrdiff_t)w->in_w;
}

static strip_fn pick_strip(const strip *s, size_t pixels, bool part, bool small)
{
    static const strip_fn any[3][2] = {{edge_1, edge_4}, {inside_1, inside_4}, {ends_1, ends_4}};
    if (small) return strips_3x3[s->w->stride_w - 1][part][pixels - 1];
    return any[part ? 2 : is_inside(s, pixels)][pixels > 1];
}

/* `pixels` outputs of one line from (oh, ow) on, all channels. */
static void run_strip(strip s, float *y, const float *x, size_t pixels, bool small)
{
    const float *f = s.f, *bias = s.bias;
    for (size_t c = 0; c < s.w->in_c; c += VF_LANES) {
        const size_t left = s.w->in_c - c;
        s.y = y + c;
        s.x = x + c;
        s.f = f + c;
        s.bias = bias + c;
        if (left < VF_LANES) s.lanes = vf_first(left);
        pick_strip(&s, pixels, left < VF_LANES, small)(&s);
    }
}

KRN_DECL_F32_DEPTHWISE(VF_NAME(krn_f32_depthwise))
{
    const bool small = is_3x3(w);
    strip s = {.f = f, .bias = bias, .w = w, .low = low, .high = high};
    if (w->in_c != w->out_c) {
        krn_f32_depthwise_ref(y, x, f, bias, w, low, high);
        return;
    }
    const size_t blocks = (w->out_w + MOST_PIXELS - 1) / MOST_PIXELS;
    for (size_t oh = 0; oh < w->out_h; oh++) {
        s.top = (ptrdiff_t)(oh * w->stride_h) - w->top;
        for (size_t ow = 0, i = 0; ow < w->out_w; i++) {
            const size_t pixels = small                ? w->out_w / blocks + (i < w->out_w % blocks)
                                  : w->out_w - ow >= 4 ? 4
                                                       : 1;
            s.left = (ptrdiff_t)(ow * w->stride_w) - w->left;
            run_strip(s, y + (oh * w->out_w + ow) * w->out_c, x, pixels, small);
            ow += pixels;
        }
    }
}

#endif /* F32_DEPTHWISE_H */
