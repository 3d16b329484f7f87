/* quant_sums_avx512.c - sums and means of quantized values in AVX-512. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vq_avx512.h"

#include "engine/kernels/quant_sums_body.h"
