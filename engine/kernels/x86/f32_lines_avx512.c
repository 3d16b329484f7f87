/* f32_lines_avx512.c - elementwise float operators, softmax and normalization in AVX-512. Layer:
 * kernels. Thread rule: pure functions. */
#include "engine/kernels/x86/vf_avx512.h"

#include "engine/kernels/simd/f32_lines.h"
