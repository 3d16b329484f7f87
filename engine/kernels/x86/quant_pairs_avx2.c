/* quant_pairs_avx2.c - operators of two quantized operands in AVX2. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vq_avx2.h"

#include "engine/kernels/quant_pairs_body.h"
