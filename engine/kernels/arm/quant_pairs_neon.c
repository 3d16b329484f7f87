/* quant_pairs_neon.c - operators of two quantized operands in NEON. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/arm/vq_neon.h"

#include "engine/kernels/quant_pairs_body.h"
