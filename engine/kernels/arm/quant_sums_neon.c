/* quant_sums_neon.c - sums and means of quantized values in NEON. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/arm/vq_neon.h"

#include "engine/kernels/quant_sums_body.h"
