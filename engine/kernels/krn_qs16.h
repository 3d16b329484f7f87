/* krn_qs16.h - kernels on int16 activations (zero point 0 but for conversions). Layer: kernels.
 * Thread rule: pure functions. */
#ifndef KRN_QS16_H
#define KRN_QS16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* q = clamp(round(x / scale) + zero); halves away from zero (reference) or to even. */
void krn_qs16_quantize_ref(int16_t *q, const float *x, size_t n, float scale, int32_t zero,
                           bool away);
void krn_qs16_dequantize_ref(float *x, const int16_t *q, size_t n, float scale, int32_t zero);

#endif /* KRN_QS16_H */
