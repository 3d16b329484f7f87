/* krn_cast.h - values from one element type to another. Layer: kernels. Thread rule: pure
 * functions. */
#ifndef KRN_CAST_H
#define KRN_CAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The element types of kernels that serve many of them, in the order of their tables. */
typedef enum krn_type {
    KRN_F32,
    KRN_I8,
    KRN_U8,
    KRN_I16,
    KRN_I32,
    KRN_I64,
    KRN_BOOL,
    KRN_F64,
    KRN_F16,
    KRN_BF16,
    KRN_U16,
    KRN_U32,
    KRN_U64,
    KRN_TYPES
} krn_type;

/* n elements. To BOOL: not 0. Real to whole: towards 0, what does not fit is cut to the type's
 * limits, NaN is 0; whole to narrower whole: the low bits, as in C. To FP16 and BF16: nearest even.
 * y may not overlap x. */
void krn_cast_ref(void *y, krn_type to, const void *x, krn_type from, size_t n);

typedef struct krn_scales {
    const float *scale;
    const int32_t *zero;
    size_t n, inner; /* scales, and elements that one stands for */
} krn_scales;

/* y = (x - zero[c]) * scale[c] for whole numbers x [outer, n, inner]; exact but for the product. */
void krn_dequantize_ref(float *y, const void *x, krn_type type, size_t outer, const krn_scales *q);

#endif /* KRN_CAST_H */
