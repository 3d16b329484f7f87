/* krn_window.h - kernels that slide a window over an NHWC image. Layer: kernels.
 * Thread rule: pure functions. */
#ifndef KRN_WINDOW_H
#define KRN_WINDOW_H

#include "engine/kernels/krn_qs8.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct krn_window { /* one image; pixels and channels */
    size_t in_h, in_w, in_c, out_h, out_w, out_c;
    size_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    ptrdiff_t top, left; /* padding before the image */
} krn_window;

/* Which part of the matrix [out_h * out_w, kernel_h * kernel_w * c] of one image: `count` rows
 * (output pixels) from `first` on, of `c` channels from channel `c0` on. */
typedef struct krn_slice {
    size_t c0, c, first, count;
} krn_slice;

/* Gathers those rows; what lies outside the image is 0. */
void krn_f32_im2col_ref(float *a, const float *x, const krn_window *w, const krn_slice *s);

/* The same for images of int16 that krn_qs8_widen_ref or krn_qs8_dynamic_ref made; rows of k_pad >=
 * taps * c, zeros behind them. */
void krn_s16_im2col_ref(int16_t *a, const int16_t *x, const krn_window *w, const krn_slice *s,
                        size_t k_pad);

/* One filter a channel: y[h, w, c] = clamp(sum x * f[tap, c] + bias[c]); out_c is in_c times a
 * whole number. f: [kernel_h * kernel_w, out_c]. */
#define KRN_DECL_F32_DEPTHWISE(name)                                                               \
    void name(float *y, const float *x, const float *f, const float *bias, const krn_window *w,    \
              float low, float high)
typedef KRN_DECL_F32_DEPTHWISE((*krn_f32_depthwise_fn));
KRN_DECL_F32_DEPTHWISE(krn_f32_depthwise_ref);
KRN_DECL_F32_DEPTHWISE(krn_f32_depthwise_avx2);
KRN_DECL_F32_DEPTHWISE(krn_f32_depthwise_avx512);

typedef struct krn_qs8_depthwise {
    const int8_t *f; /* [kernel_h * kernel_w, out_c] */
    int32_t zero;    /* of x */
    bool is_unsigned;
    const krn_requant *requant;
    krn_qs8_requant_fn apply; /* the chosen version of requantization */
} krn_qs8_depthwise;

/* The same in 8 bits: sums of (x - zero) * f; acc: [out_c], the sums of one pixel while it is
 * worked on. */
void krn_qs8_depthwise_ref(uint8_t *y, const uint8_t *x, const krn_window *w,
                           const krn_qs8_depthwise *d, int32_t *acc);

#define KRN_DECL_F32_MAX_POOL(name)                                                                \
    void name(float *y, const float *x, const krn_window *w, float low, float high)
typedef KRN_DECL_F32_MAX_POOL((*krn_f32_max_pool_fn));
KRN_DECL_F32_MAX_POOL(krn_f32_max_pool_ref);
KRN_DECL_F32_MAX_POOL(krn_f32_max_pool_avx2);
KRN_DECL_F32_MAX_POOL(krn_f32_max_pool_avx512);

/* count_pad: padding counts in the mean as zeros. */
#define KRN_DECL_F32_MEAN_POOL(name)                                                               \
    void name(float *y, const float *x, const krn_window *w, bool count_pad, float low, float high)
typedef KRN_DECL_F32_MEAN_POOL((*krn_f32_mean_pool_fn));
KRN_DECL_F32_MEAN_POOL(krn_f32_mean_pool_ref);
KRN_DECL_F32_MEAN_POOL(krn_f32_mean_pool_avx2);
KRN_DECL_F32_MEAN_POOL(krn_f32_mean_pool_avx512);

typedef struct krn_qs8_mean { /* input and output share scale and zero point */
    bool is_unsigned;
    int32_t low, high;
} krn_qs8_mean;

/* The most pixels whose sum, and the half that rounds it, stay in int32: 255.5 * n < 2^31. */
#define KRN_QS8_MAX_MEAN 8405024

/* krn_qs8_mean_pool_*: means of the values as they are, halves away from zero: reference, and
 * litert too, whose fast kernels have no 8-bit mean. acc: [in_c], the sums of one window while it
 * is worked on. krn_qs8_max_pool_*: the largest value. */

#endif /* KRN_WINDOW_H */
