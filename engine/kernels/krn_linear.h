/* krn_linear.h - quantization with scales that are data. Layer: kernels. Thread rule: pure
 * functions. */
#ifndef KRN_LINEAR_H
#define KRN_LINEAR_H

#include <stddef.h>
#include <stdint.h>

/* Elements [outer, n, inner]; scales and zero points [outer?, n / block, inner?]: one for each
 * index of axis n (outer and inner repeat it), or with `block` > 0 one for each block of them at
 * every place. One scale alone: n is 1. */
typedef struct krn_linear {
    size_t outer, n, inner, block;
    const float *scale;
    const int32_t *zero; /* as many as scales; NULL = 0 */
    int32_t low, high;   /* of the quantized type */
} krn_linear;

/* y = clamp(round_even(x / scale) + zero); NaN is 0 + zero. */
void krn_quantize_linear_ref(int32_t *y, const float *x, const krn_linear *p);
/* y = (x - zero) * scale */
void krn_dequantize_linear_ref(float *y, const int32_t *x, const krn_linear *p);

/* Scale and zero point of UINT8 over a range with 0 in it. */
void krn_dynamic_range(float *scale, uint8_t *zero, float low, float high);

#endif /* KRN_LINEAR_H */
