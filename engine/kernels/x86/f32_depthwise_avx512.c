/* f32_depthwise_avx512.c - float depthwise convolution in AVX-512. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vf_avx512.h"

#include "engine/kernels/simd/f32_depthwise.h"
