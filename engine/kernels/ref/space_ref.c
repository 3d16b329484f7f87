/* space_ref.c - convolution over up to three axes, and its transpose, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_space.h"

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

void krn_f32_col2im_ref(float *y, const float *cols, const krn_space *s, size_t n, size_t ld)
{
    const size_t pixels = krn_space_out(s), taps = krn_space_taps(s);
    for (size_t p = 0; p < pixels; p++)
        for (size_t t = 0; t < taps; t++, cols += n) {
            const ptrdiff_t at = krn_space_tap(s, p, t);
            for (size_t c = 0; at >= 0 && c < n; c++)
                y[(size_t)at * ld + c] += cols[c];
        }
}
