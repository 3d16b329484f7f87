/* f32_product_avx512.c - float products in AVX-512. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/x86/vf_avx512.h"

#include "engine/kernels/simd/f32_product.h"
