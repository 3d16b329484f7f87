/* f32_pool_avx2.c - float pooling in AVX2. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vf_avx2.h"

#include "engine/kernels/simd/f32_pool.h"
