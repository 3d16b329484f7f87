/* quant_vec.h - what a tier's vectors for quantized values (vq_*.h) and the kernels written for
 * them (quant_*_body.h) ask of the compiler. Layer: kernels. */
#ifndef KRN_QUANT_VEC_H
#define KRN_QUANT_VEC_H

#include "engine/kernels/fixed.h"

#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

/* Loops over vectors in an array must vanish, or the vectors live in memory. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

#endif /* KRN_QUANT_VEC_H */
