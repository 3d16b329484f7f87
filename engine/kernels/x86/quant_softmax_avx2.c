/* quant_softmax_avx2.c - softmax of 8-bit values in AVX2. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vq_avx2.h"

#include "engine/kernels/quant_softmax_body.h"
