/* quant_softmax_neon.c - softmax of 8-bit values in NEON. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/arm/vq_neon.h"

#include "engine/kernels/quant_softmax_body.h"
