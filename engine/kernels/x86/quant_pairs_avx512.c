/* quant_pairs_avx512.c - operators of two quantized operands in AVX-512. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vq_avx512.h"

#include "engine/kernels/quant_pairs_body.h"
