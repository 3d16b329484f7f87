/* f32_gemm_avx2.c - float products of matrices as they come in AVX2. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vf_avx2.h"

#include "engine/kernels/simd/f32_gemm.h"
