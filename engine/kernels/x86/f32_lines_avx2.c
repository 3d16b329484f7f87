/* f32_lines_avx2.c - elementwise float operators, softmax and normalization in AVX2. Layer:
 * kernels. Thread rule: pure functions. */
#include "engine/kernels/x86/vf_avx2.h"

#include "engine/kernels/simd/f32_lines.h"
