/* f32_gemm_avx512.c - float products of matrices as they come in AVX-512. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vf_avx512.h"

#include "engine/kernels/simd/f32_gemm.h"
