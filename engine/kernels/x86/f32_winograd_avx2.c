/* f32_winograd_avx2.c - Winograd's transforms in AVX2. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vf_avx2.h"

#include "engine/kernels/simd/f32_winograd.h"
