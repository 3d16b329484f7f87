/* quant_sums_avx2.c - sums and means of quantized values in AVX2. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vq_avx2.h"

#include "engine/kernels/quant_sums_body.h"
