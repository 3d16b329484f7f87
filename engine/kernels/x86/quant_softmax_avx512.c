/* quant_softmax_avx512.c - softmax of 8-bit values in AVX-512. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vq_avx512.h"

#include "engine/kernels/quant_softmax_body.h"
