/* vq_avx2.h - eight 32-bit numbers, for the kernels on quantized values (quant_*_body.h): AVX2.
 * Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_VQ_AVX2_H
#define KRN_VQ_AVX2_H

#include "engine/kernels/x86/vq_bytes.h"

#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#define VQ_LANES    8
#define VQ_NAME(fn) fn##_avx2

typedef __m256i vq;
typedef __m256 vqf;

INLINE vq vq_all(int32_t v)
{
    return _mm256_set1_epi32(v);
}

INLINE vq vq_load(const int32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

INLINE void vq_store(int32_t *p, vq v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, v);
}

INLINE vqf vqf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

INLINE vqf vqf_all(float v)
{
    return _mm256_set1_ps(v);
}

/* Eight bytes with `flip` (0 or 0x80) in all bits of a byte that it has, from 0 to 255. */
INLINE vq vq_bytes(const uint8_t *p, vq flip)
{
    const __m128i v = _mm_loadl_epi64((const __m128i *)(const void *)p);
    return _mm256_xor_si256(_mm256_cvtepu8_epi32(v), flip);
}

INLINE vq vq_bytes_part(const uint8_t *p, size_t n, vq flip)
{
    uint8_t all[VQ_LANES] = {0};
    memcpy(all, p, n);
    return vq_bytes(all, flip);
}

INLINE __m128i vq_low_bytes(vq v)
{
    const __m256i low = _mm256_set1_epi32(0x0c080400);
    const __m256i b = _mm256_shuffle_epi8(v, low);
    return _mm_unpacklo_epi32(_mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1));
}

/* The lowest byte of each. */
INLINE void vq_store_bytes(uint8_t *p, vq v)
{
    _mm_storel_epi64((__m128i *)(void *)p, vq_low_bytes(v));
}

INLINE void vq_store_bytes_part(uint8_t *p, size_t n, vq v)
{
    uint8_t all[VQ_LANES];
    vq_store_bytes(all, v);
    memcpy(p, all, n);
}

INLINE vq vq_add(vq a, vq b)
{
    return _mm256_add_epi32(a, b);
}

INLINE vq vq_sub(vq a, vq b)
{
    return _mm256_sub_epi32(a, b);
}

/* The lower 32 bits of the products. */
INLINE vq vq_mul(vq a, vq b)
{
    return _mm256_mullo_epi32(a, b);
}

INLINE vq vq_min(vq a, vq b)
{
    return _mm256_min_epi32(a, b);
}

INLINE vq vq_max(vq a, vq b)
{
    return _mm256_max_epi32(a, b);
}

INLINE vq vq_left(vq v, vq n)
{
    return _mm256_sllv_epi32(v, n);
}

INLINE vq vq_right(vq v, vq n)
{
    return _mm256_srav_epi32(v, n);
}

/* a where v < 0, else b */
INLINE vq vq_if_negative(vq v, vq a, vq b)
{
    return _mm256_blendv_epi8(b, a, _mm256_srai_epi32(v, 31));
}

INLINE vqf vq_float(vq v)
{
    return _mm256_cvtepi32_ps(v);
}

INLINE vqf vqf_mul(vqf a, vqf b)
{
    return _mm256_mul_ps(a, b);
}

INLINE vqf vqf_add(vqf a, vqf b)
{
    return _mm256_add_ps(a, b);
}

INLINE vqf vqf_muladd(vqf a, vqf b, vqf c)
{
    return _mm256_fmadd_ps(a, b, c);
}

INLINE vqf vqf_limit(vqf v, vqf low, vqf high)
{
    return _mm256_min_ps(_mm256_max_ps(v, low), high);
}

INLINE vq vqf_nearest(vqf v)
{
    return _mm256_cvtps_epi32(v);
}

INLINE vq vqf_down(vqf v)
{
    return _mm256_cvtps_epi32(_mm256_floor_ps(v));
}

/* a * b / 2^31, halves up: krn_mul_high for b >= 0. */
INLINE vq vq_mul_high(vq a, vq b)
{
    const __m256i half = _mm256_set1_epi64x(1 << 30);
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(a, b), half);
    const __m256i odd = _mm256_add_epi64(
        _mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32)), half);
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
}

/* v + 1 where a > b */
INLINE vq vq_count_more(vq v, vq a, vq b)
{
    return _mm256_sub_epi32(v, _mm256_cmpgt_epi32(a, b));
}

INLINE vq vq_xor(vq a, vq b)
{
    return _mm256_xor_si256(a, b);
}

INLINE vq vq_and(vq a, vq b)
{
    return _mm256_and_si256(a, b);
}

/* Of all lanes. */
INLINE int32_t vq_sum(vq v)
{
    const __m128i half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    const __m128i two = _mm_add_epi32(half, _mm_unpackhi_epi64(half, half));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 1)));
}

/* 1 where v < 0, else 0 */
INLINE vq vq_sign(vq v)
{
    return _mm256_srli_epi32(v, 31);
}

#endif /* KRN_VQ_AVX2_H */
