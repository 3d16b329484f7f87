/* f32_depthwise.h - one filter a channel, for any vector: included once by a file of each
 * instruction set, after its vec_*.h. Layer: kernels. Thread rule: pure functions. */
#ifndef F32_DEPTHWISE_H
#define F32_DEPTHWISE_H

#include "engine/kernels/krn_f32.h"
#include "engine/kernels/krn_window.h"
#include "engine/kernels/simd/simd.h"

#define MOST_PIXELS 8

/* What a vector holds: VF_LANES channels, fewer, or all channels of two neighbouring pixels. */
enum { FULL, PART, PAIR };

/* Neighbouring output pixels, or pairs of them, of one or two lines. */
typedef struct strip {
    float *y;
    const float *x; /* the image, at the first channel */
    const float *f, *bias;
    const krn_window *w;
    ptrdiff_t top, left; /* input line and column of the first tap; may lie outside */
    float low, high;
    vf_mask lanes; /* of a partial unit */
} strip;

INLINE vf strip_load(const float *p, const strip *s, const int kind)
{
    return kind == PART ? vf_load_part(p, s->lanes) : vf_load(p);
}

/* Of a filter or bias: the same for both pixels of a pair. */
INLINE vf strip_weight(const float *p, const strip *s, const int kind)
{
    return kind == PAIR ? vf_load_twice(p) : strip_load(p, s, kind);
}

INLINE void strip_store(float *y, const vf *acc, const strip *s, const int pixels, const int kind)
{
    const vf low = vf_set(s->low), high = vf_set(s->high);
    const size_t step = kind == PAIR ? VF_LANES : s->w->out_c;
    const vf_mask lanes = s->lanes;
    UNROLL
    for (int i = 0; i < pixels; i++, y += step) {
        const vf out = vf_min(high, vf_max(low, acc[i]));
        if (kind == PART)
            vf_store_part(y, out, lanes);
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

/* The first or last column of a strip: outside the image, of a pair maybe one half, it is 0. */
INLINE vf edge_column(const float *x, const strip *s, const int column, const int kind)
{
    const ptrdiff_t at = s->left + column, columns = (ptrdiff_t)s->w->in_w;
    if (kind == PAIR && at < 0) return vf_load_part(x, vf_second_half());
    if (kind == PAIR && at + 1 == columns) return vf_load_part(x, vf_first(VF_LANES / 2));
    return at < 0 || at >= columns ? vf_set(0) : strip_load(x, s, kind);
}

/* 3 x 3 taps, at most one column of padding on each side. A pair is a vector whose neighbours lie
 * two columns on: its taps are those of stride 2. */
INLINE void strip_3x3(const strip *s, const int stride, const int pixels, const int kind,
                      const int lines)
{
    const int last = stride * (pixels - 1) + 2;
    const krn_window *w = s->w;
    const size_t c = w->in_c;
    vf acc[2][MOST_PIXELS];
    UNROLL
    for (int i = 0; i < pixels; i++)
        acc[0][i] = acc[1][i] = strip_weight(s->bias, s, kind);
    UNROLL
    for (int r = 0; r < lines + 2; r++) {
        const ptrdiff_t h = s->top + r;
        if (h < 0 || h >= (ptrdiff_t)w->in_h) continue;
        const float *x = s->x + (h * (ptrdiff_t)w->in_w + s->left) * (ptrdiff_t)c;
        vf f[2][3]; /* input line r is tap r of the first line of results, r - 1 of the second */
        UNROLL
        for (int k = 0; k < 3; k++) {
            if (r < 3) f[0][k] = strip_weight(s->f + (size_t)(r * 3 + k) * c, s, kind);
            if (r > 0 && lines > 1)
                f[1][k] = strip_weight(s->f + (size_t)(r * 3 - 3 + k) * c, s, kind);
        }
        UNROLL
        for (int i = 0; i <= last; i++) {
            const float *at = x + (size_t)i * c;
            const vf v =
                i == 0 || i == last ? edge_column(at, s, i, kind) : strip_load(at, s, kind);
            if (r < 3) add_column(acc[0], f[0], v, i, stride, pixels);
            if (r > 0 && lines > 1) add_column(acc[1], f[1], v, i, stride, pixels);
        }
    }
    strip_store(s->y, acc[0], s, pixels, kind);
    if (lines > 1) strip_store(s->y + w->out_w * w->out_c, acc[1], s, pixels, kind);
}

/* Any window; `inside`: no column of it lies outside the image. */
INLINE void strip_any(const strip *s, const int pixels, const int kind, const bool inside)
{
    const krn_window *w = s->w;
    const ptrdiff_t step = (ptrdiff_t)(w->stride_w * w->in_c), c = (ptrdiff_t)w->in_c;
    vf acc[MOST_PIXELS];
    UNROLL
    for (int i = 0; i < pixels; i++)
        acc[i] = strip_load(s->bias, s, kind);
    for (size_t ky = 0; ky < w->kernel_h; ky++) {
        const ptrdiff_t h = s->top + (ptrdiff_t)(ky * w->dilation_h);
        if (h < 0 || h >= (ptrdiff_t)w->in_h) continue;
        const float *f = s->f + ky * w->kernel_w * w->in_c;
        for (size_t kx = 0; kx < w->kernel_w; kx++, f += c) {
            const ptrdiff_t v = s->left + (ptrdiff_t)(kx * w->dilation_w);
            const float *x = s->x + (h * (ptrdiff_t)w->in_w + v) * c;
            const vf tap = strip_load(f, s, kind);
            UNROLL
            for (int i = 0; i < pixels; i++)
                if (inside || (size_t)(v + i * (ptrdiff_t)w->stride_w) < w->in_w)
                    acc[i] = vf_fma(strip_load(x + i * step, s, kind), tap, acc[i]);
        }
    }
    strip_store(s->y, acc, s, pixels, kind);
}

typedef void (*strip_fn)(const strip *s);

#define STRIP_3X3(name, pixels, stride, kind, lines)                                               \
    static void name##_##pixels(const strip *s)                                                    \
    {                                                                                              \
        strip_3x3(s, stride, pixels, kind, lines);                                                 \
    }
#define STRIP_ANY(name, pixels, ...)                                                               \
    static void name##_##pixels(const strip *s)                                                    \
    {                                                                                              \
        strip_any(s, pixels, __VA_ARGS__);                                                         \
    }
// clang-format off
#define EACH_WIDTH(X, name, ...)                                                                   \
    X(name, 1, __VA_ARGS__) X(name, 2, __VA_ARGS__) X(name, 3, __VA_ARGS__)                        \
    X(name, 4, __VA_ARGS__) X(name, 5, __VA_ARGS__) X(name, 6, __VA_ARGS__)                        \
    X(name, 7, __VA_ARGS__) X(name, 8, __VA_ARGS__)
#define WIDTHS(name)                                                                               \
    {name##_1, name##_2, name##_3, name##_4, name##_5, name##_6, name##_7, name##_8}

EACH_WIDTH(STRIP_3X3, one_full, 1, FULL, 1)
EACH_WIDTH(STRIP_3X3, one_part, 1, PART, 1)
EACH_WIDTH(STRIP_3X3, one_pair, 2, PAIR, 1)
EACH_WIDTH(STRIP_3X3, two_full, 1, FULL, 2)
EACH_WIDTH(STRIP_3X3, two_part, 1, PART, 2)
EACH_WIDTH(STRIP_3X3, two_pair, 2, PAIR, 2)
EACH_WIDTH(STRIP_3X3, wide_full, 2, FULL, 1)
EACH_WIDTH(STRIP_3X3, wide_part, 2, PART, 1)
EACH_WIDTH(STRIP_ANY, inside, FULL, true)
EACH_WIDTH(STRIP_ANY, edge, FULL, false)
EACH_WIDTH(STRIP_ANY, ends, PART, false)

/* Stride 1 with one and with two lines, then stride 2; by what a vector holds; by pixels or pairs. */
static const strip_fn strips_3x3[3][3][MOST_PIXELS] = {
    {WIDTHS(one_full), WIDTHS(one_part), WIDTHS(one_pair)},
    {WIDTHS(two_full), WIDTHS(two_part), WIDTHS(two_pair)},
    {WIDTHS(wide_full), WIDTHS(wide_part)},
};

/* Any window: at the edge, inside, and with a partial unit of channels. */
static const strip_fn strips_any[3][MOST_PIXELS] = {WIDTHS(edge), WIDTHS(inside), WIDTHS(ends)};
// clang-format on

/* The padding that strip_3x3 is made for. */
static bool is_3x3(const krn_window *w)
{
    return w->kernel_h == 3 && w->kernel_w == 3 && w->dilation_h == 1 && w->dilation_w == 1 &&
           w->stride_w <= 2 && w->left >= 0 && w->left <= 1 &&
           (ptrdiff_t)((w->out_w - 1) * w->stride_w) - w->left + 2 <= (ptrdiff_t)w->in_w;
}

/* Pixels from ow on, of one line or two, all channels. */
static void run_3x3(strip s, float *y, const float *x, size_t pixels, size_t lines)
{
    const krn_window *w = s.w;
    const size_t row = w->stride_w == 2 ? 2 : lines - 1;
    const float *f = s.f, *bias = s.bias;
    if (w->stride_w == 1 && w->in_c * 2 == VF_LANES && w->out_w % 2 == 0) {
        s.y = y;
        s.x = x;
        strips_3x3[row][PAIR][pixels / 2 - 1](&s);
        return;
    }
    for (size_t c = 0; c < w->in_c; c += VF_LANES) {
        const size_t left = w->in_c - c;
        s.y = y + c;
        s.x = x + c;
        s.f = f + c;
        s.bias = bias + c;
        if (left < VF_LANES) s.lanes = vf_first(left);
        strips_3x3[row][left < VF_LANES ? PART : FULL][pixels - 1](&s);
    }
}

/* Blocks of nearly equal width along one line or two. */
static void line_3x3(strip s, float *y, const float *x, size_t lines)
{
    const krn_window *w = s.w;
    const bool pairs = w->stride_w == 1 && w->in_c * 2 == VF_LANES && w->out_w % 2 == 0;
    const size_t wide = pairs ? 2 : 1, n = w->out_w / wide;
    const size_t most = lines == 2 ? VF_STRIP : MOST_PIXELS, blocks = (n + most - 1) / most;
    for (size_t i = 0, ow = 0; i < blocks; i++) {
        const size_t pixels = (n / blocks + (i < n % blocks)) * wide;
        s.left = (ptrdiff_t)(ow * w->stride_w) - w->left;
        run_3x3(s, y + ow * w->out_c, x, pixels, lines);
        ow += pixels;
    }
}

static bool is_inside(const strip *s, size_t pixels)
{
    const krn_window *w = s->w;
    const size_t span = (pixels - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w;
    return s->left >= 0 && s->left + (ptrdiff_t)span < (ptrdiff_t)w->in_w;
}

/* Pixels from ow on, of one line, all channels. */
static void run_any(strip s, float *y, const float *x, size_t pixels)
{
    const float *f = s.f, *bias = s.bias;
    for (size_t c = 0; c < s.w->in_c; c += VF_LANES) {
        const size_t left = s.w->in_c - c;
        s.y = y + c;
        s.x = x + c;
        s.f = f + c;
        s.bias = bias + c;
        if (left < VF_LANES) s.lanes = vf_first(left);
        strips_any[left < VF_LANES ? 2 : is_inside(&s, pixels)][pixels - 1](&s);
    }
}

static void line_any(strip s, float *y, const float *x)
{
    const krn_window *w = s.w;
    const size_t n = w->out_w, blocks = (n + MOST_PIXELS - 1) / MOST_PIXELS;
    for (size_t i = 0, ow = 0; i < blocks; i++) {
        const size_t pixels = n / blocks + (i < n % blocks);
        s.left = (ptrdiff_t)(ow * w->stride_w) - w->left;
        run_any(s, y + ow * w->out_c, x, pixels);
        ow += pixels;
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
    for (size_t oh = 0; oh < w->out_h;) {
        const bool two = small && w->stride_w == 1 && w->stride_h == 1 && oh + 1 < w->out_h;
        float *to = y + oh * w->out_w * w->out_c;
        s.top = (ptrdiff_t)(oh * w->stride_h) - w->top;
        if (small)
            line_3x3(s, to, x, two ? 2 : 1);
        else
            line_any(s, to, x);
        oh += two ? 2 : 1;
    }
}

#endif /* F32_DEPTHWISE_H */
