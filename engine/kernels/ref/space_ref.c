/* space_ref.c - convolution over up to three axes, and its transpose, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_space.h"
#include "engine/kernels/simd/simd.h"

#include <string.h>

static size_t all(const size_t *size)
{
    return size[0] * size[1] * size[2];
}

size_t krn_space_in(const krn_space *s)
{
    return all(s->in);
}

size_t krn_space_out(const krn_space *s)
{
    return all(s->out);
}

size_t krn_space_taps(const krn_space *s)
{
    return all(s->kernel);
}

/* Coordinate i of pixel p in an image of that size. */
static size_t place(const size_t *size, size_t p, int i)
{
    return i == 2 ? p % size[2] : i == 1 ? p / size[2] % size[1] : p / size[2] / size[1];
}

ptrdiff_t krn_space_tap(const krn_space *s, size_t p, size_t t)
{
    ptrdiff_t at = 0;
    for (int i = 0; i < KRN_SPACE; i++) {
        const ptrdiff_t v = (ptrdiff_t)(place(s->out, p, i) * s->stride[i] +
                                        place(s->kernel, t, i) * s->dilation[i]) -
                            s->before[i];
        if (v < 0 || v >= (ptrdiff_t)s->in[i]) return -1;
        at = at * (ptrdiff_t)s->in[i] + v;
    }
    return at;
}

/* One axis of krn_space_window; *at: the place of the first tap. */
static void along_axis(krn_taps *t, ptrdiff_t *at, const krn_space *s, int i, size_t p)
{
    const ptrdiff_t step = (ptrdiff_t)s->dilation[i], size = (ptrdiff_t)s->in[i];
    const ptrdiff_t base = (ptrdiff_t)(p * s->stride[i]) - s->before[i], room = size - 1 - base;
    ptrdiff_t first = base < 0 ? -base : 0, end = room < 0 ? 0 : room + 1;
    if (step > 1) {
        first = (first + step - 1) / step;
        end = (end + step - 1) / step;
    }
    if (end > (ptrdiff_t)s->kernel[i]) end = (ptrdiff_t)s->kernel[i];
    t->first[i] = (size_t)first;
    t->n[i] = end > first ? (size_t)(end - first) : 0;
    *at = base + first * step;
}

void krn_space_window(krn_taps *t, const krn_space *s, size_t p)
{
    const size_t line = p / s->out[2],
                 pixel[] = {line / s->out[1], line % s->out[1], p % s->out[2]};
    ptrdiff_t all = 0, at;
    for (int i = 0; i < KRN_SPACE; i++) {
        along_axis(t, &at, s, i, pixel[i]);
        all = all * (ptrdiff_t)s->in[i] + at;
    }
    t->at = (size_t)all;
}

/* n taps of c channels, a constant where they are few. */
INLINE void gather_apart(float *a, const float *x, size_t n, const size_t c, size_t step)
{
    for (size_t i = 0; i < n; i++)
        memcpy(a + i * c, x + i * step * c, c * sizeof(*a));
}

/* A row of n taps, side by side or not. */
static void gather_row(float *a, const float *x, size_t n, size_t c, size_t step)
{
    if (step == 1)
        memcpy(a, x, n * c * sizeof(*a));
    else if (c == 1)
        gather_apart(a, x, n, 1, step);
    else if (c == 2)
        gather_apart(a, x, n, 2, step);
    else if (c == 3)
        gather_apart(a, x, n, 3, step);
    else if (c == 4)
        gather_apart(a, x, n, 4, step);
    else
        gather_apart(a, x, n, c, step);
}

void krn_f32_gather_ref(float *a, const float *x, const krn_space *s, size_t c, size_t first,
                        size_t count)
{
    const size_t taps = krn_space_taps(s);
    for (size_t p = first; p < first + count; p++, a += taps * c) {
        krn_taps t;
        krn_space_window(&t, s, p);
        if (t.n[0] * t.n[1] * t.n[2] < taps) memset(a, 0, taps * c * sizeof(*a));
        for (size_t z = 0; t.n[2] && z < t.n[0]; z++)
            for (size_t y = 0; y < t.n[1]; y++)
                gather_row(a + krn_taps_number(&t, s, z, y) * c, x + krn_taps_at(&t, s, z, y) * c,
                           t.n[2], c, s->dilation[2]);
    }
}

#define CONV(name, type)                                                                           \
    static void name(type *y, const type *x, const type *w, const krn_filter *f)                   \
    {                                                                                              \
        const size_t n = f->out_c / f->groups, k = f->in_c / f->groups;                            \
        for (size_t o = 0; o < f->out_c; o++) {                                                    \
            const type *from = x + o / n * k, *weight = w + o * f->step_out;                       \
            type sum = y[o];                                                                       \
            for (size_t i = 0; i < k; i++)                                                         \
                sum += from[i] * weight[i];                                                        \
            y[o] = sum;                                                                            \
        }                                                                                          \
    }
CONV(add_tap_f32, float)
CONV(add_tap_u32, uint32_t)

static inline float limit(float v, float low, float high)
{
    return v < low ? low : v > high ? high : v;
}

void krn_f32_conv_ref(float *y, const float *x, const float *w, const float *bias,
                      const krn_space *s, const krn_filter *f)
{
    const size_t pixels = krn_space_out(s), taps = krn_space_taps(s);
    for (size_t p = 0; p < pixels; p++, y += f->out_c) {
        for (size_t o = 0; o < f->out_c; o++)
            y[o] = bias ? bias[o] : 0;
        for (size_t t = 0; t < taps; t++) {
            const ptrdiff_t at = krn_space_tap(s, p, t);
            if (at >= 0) add_tap_f32(y, x + (size_t)at * f->in_c, w + t * f->step_tap, f);
        }
        for (size_t o = 0; o < f->out_c; o++)
            y[o] = limit(y[o], f->low, f->high);
    }
}

void krn_i32_conv_ref(int32_t *y, const int32_t *x, const int32_t *w, const int32_t *bias,
                      const krn_space *s, const krn_filter *f)
{
    const size_t pixels = krn_space_out(s), taps = krn_space_taps(s);
    const uint32_t *from = (const uint32_t *)x, *weight = (const uint32_t *)w;
    for (size_t p = 0; p < pixels; p++, y += f->out_c) {
        for (size_t o = 0; o < f->out_c; o++)
            y[o] = bias ? bias[o] : 0;
        for (size_t t = 0; t < taps; t++) {
            const ptrdiff_t at = krn_space_tap(s, p, t);
            if (at >= 0)
                add_tap_u32((uint32_t *)y, from + (size_t)at * f->in_c, weight + t * f->step_tap,
                            f);
        }
    }
}

/* Adds a row of n taps of c values each; pixels lie `step` values apart. */
static void spread_row(float *y, const float *cols, size_t n, size_t c, size_t step)
{
    if (step == c) {
        c *= n;
        n = 1;
    }
    for (size_t i = 0; i < n; i++, y += step, cols += c)
        for (size_t k = 0; k < c; k++)
            y[k] += cols[k];
}

void krn_f32_col2im_ref(float *y, const float *cols, const krn_space *s, size_t n, size_t ld)
{
    const size_t pixels = krn_space_out(s), taps = krn_space_taps(s);
    for (size_t p = 0; p < pixels; p++, cols += taps * n) {
        krn_taps t;
        krn_space_window(&t, s, p);
        for (size_t z = 0; t.n[2] && z < t.n[0]; z++)
            for (size_t v = 0; v < t.n[1]; v++)
                spread_row(y + krn_taps_at(&t, s, z, v) * ld,
                           cols + krn_taps_number(&t, s, z, v) * n, t.n[2], n, s->dilation[2] * ld);
    }
}
