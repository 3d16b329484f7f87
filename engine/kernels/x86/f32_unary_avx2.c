/* f32_unary_avx2.c - the same loops with AVX2. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/f32_lanes.h"

KRN_F32_LANES(krn_f32_unary_avx2);
