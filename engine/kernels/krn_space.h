/* krn_space.h - kernels that slide a window over images of 1 to 3 axes, channels last: the plain
 * ones, for all that the kernels of krn_window.h do not take. Layer: kernels.
 * Thread rule: pure functions. */
#ifndef KRN_SPACE_H
#define KRN_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KRN_SPACE 3 /* axes; those that are not there have size, kernel and stride 1 */

typedef struct krn_space {
    size_t in[KRN_SPACE], out[KRN_SPACE];
    size_t kernel[KRN_SPACE], stride[KRN_SPACE], dilation[KRN_SPACE];
    ptrdiff_t before[KRN_SPACE], after[KRN_SPACE]; /* padding, may be negative */
} krn_space;

/** Pixels of an image in and out, and taps of the window. */
size_t krn_space_in(const krn_space *s);
size_t krn_space_out(const krn_space *s);
size_t krn_space_taps(const krn_space *s);

/* Number of the input pixel under tap t of the window at output pixel p; -1 outside the image. */
ptrdiff_t krn_space_tap(const krn_space *s, size_t p, size_t t);

/* The taps of one window that lie in the image: n along each axis, from `first` on, and the pixel
 * under the first one. There are none where some n is 0. */
typedef struct krn_taps {
    size_t first[KRN_SPACE], n[KRN_SPACE], at;
} krn_taps;

/** The taps at output pixel p. */
void krn_space_window(krn_taps *t, const krn_space *s, size_t p);

/* The pixel under the first tap of row (z, y) of those taps, and that tap's number: n[2] taps lie
 * dilation[2] pixels apart from there on. */
static inline size_t krn_taps_at(const krn_taps *t, const krn_space *s, size_t z, size_t y)
{
    return t->at + (z * s->dilation[0] * s->in[1] + y * s->dilation[1]) * s->in[2];
}
static inline size_t krn_taps_number(const krn_taps *t, const krn_space *s, size_t z, size_t y)
{
    return ((t->first[0] + z) * s->kernel[1] + t->first[1] + y) * s->kernel[2] + t->first[2];
}

/* Rows [taps, c] of `count` output pixels from `first` on; what lies outside the image is 0. */
void krn_f32_gather_ref(float *a, const float *x, const krn_space *s, size_t c, size_t first,
                        size_t count);

typedef struct krn_filter {
    size_t in_c, out_c, groups;
    size_t step_out, step_tap; /* in the weights: from one output to the next, from tap to tap */
    float low, high;           /* limits of the result */
} krn_filter;

/* y[pixel, o] = sum of x[tap, i] * w[o * step_out + tap * step_tap + i] over the in_c / groups
 * channels of o's group, plus bias[o] (NULL: 0). One image. */
void krn_f32_conv_ref(float *y, const float *x, const float *w, const float *bias,
                      const krn_space *s, const krn_filter *f);
/* The same in INT32, which wraps; without limits. */
void krn_i32_conv_ref(int32_t *y, const int32_t *x, const int32_t *w, const int32_t *bias,
                      const krn_space *s, const krn_filter *f);

/* The other way round: each of the x pixels adds cols[pixel][tap][c] to the y pixels under its
 * window. s is the window of the convolution from y to x: in is y's size. y is not cleared. One
 * image; y [pixels, ld], cols [pixels of x][taps][n]. */
void krn_f32_col2im_ref(float *y, const float *cols, const krn_space *s, size_t n, size_t ld);

/* index: of the largest value, counted in an image [c, in..] whose first element has the number
 * `first`; NULL = not wanted. columns: the last axis but the first one counts slowest. */
typedef struct krn_pool {
    size_t c;
    bool count_pad, columns;
    int32_t p; /* of the norm */
    int64_t first;
} krn_pool;
void krn_f32_max_pool_nd_ref(float *y, int64_t *index, const float *x, const krn_space *s,
                             const krn_pool *p);
/* count_pad: padding counts as zeros, but not what a rounded-up window adds behind it. */
void krn_f32_mean_pool_nd_ref(float *y, const float *x, const krn_space *s, const krn_pool *p);
/* (sum |x|^p)^(1/p) */
void krn_f32_lp_pool_nd_ref(float *y, const float *x, const krn_space *s, const krn_pool *p);

#endif /* KRN_SPACE_H */
