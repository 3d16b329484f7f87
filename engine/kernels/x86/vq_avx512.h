/* vq_avx512.h - sixteen 32-bit numbers, for the kernels on quantized values (quant_*_body.h):
 * AVX-512. Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_VQ_AVX512_H
#define KRN_VQ_AVX512_H

#include "engine/kernels/x86/vq_bytes.h"

#include <immintrin.h>
#include <stddef.h>

#define VQ_LANES    16
#define VQ_NAME(fn) fn##_avx512

typedef __m512i vq;
typedef __m512 vqf;

INLINE vq vq_all(int32_t v)
{
    return _mm512_set1_epi32(v);
}

INLINE vq vq_load(const int32_t *p)
{
    return _mm512_loadu_si512(p);
}

INLINE void vq_store(int32_t *p, vq v)
{
    _mm512_storeu_si512(p, v);
}

INLINE vqf vqf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

INLINE vqf vqf_all(float v)
{
    return _mm512_set1_ps(v);
}

/* Sixteen bytes with `flip` (0 or 0x80) in all bits of a byte that it has, from 0 to 255. */
INLINE vq vq_bytes(const uint8_t *p, vq flip)
{
    const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    return _mm512_xor_si512(_mm512_cvtepu8_epi32(v), flip);
}

INLINE __mmask16 vq_first(size_t n)
{
    return (__mmask16)((1u << n) - 1);
}

INLINE vq vq_bytes_part(const uint8_t *p, size_t n, vq flip)
{
    const __m128i v = _mm_maskz_loadu_epi8(vq_first(n), p);
    return _mm512_xor_si512(_mm512_cvtepu8_epi32(v), flip);
}

/* The lowest byte of each. */
INLINE void vq_store_bytes(uint8_t *p, vq v)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtepi32_epi8(v));
}

INLINE void vq_store_bytes_part(uint8_t *p, size_t n, vq v)
{
    _mm_mask_storeu_epi8(p, vq_first(n), _mm512_cvtepi32_epi8(v));
}

INLINE vq vq_add(vq a, vq b)
{
    return _mm512_add_epi32(a, b);
}

INLINE vq vq_sub(vq a, vq b)
{
    return _mm512_sub_epi32(a, b);
}

/* The lower 32 bits of the products. */
INLINE vq vq_mul(vq a, vq b)
{
    return _mm512_mullo_epi32(a, b);
}

INLINE vq vq_min(vq a, vq b)
{
    return _mm512_min_epi32(a, b);
}

INLINE vq vq_max(vq a, vq b)
{
    return _mm512_max_epi32(a, b);
}

INLINE vq vq_left(vq v, vq n)
{
    return _mm512_sllv_epi32(v, n);
}

INLINE vq vq_right(vq v, vq n)
{
    return _mm512_srav_epi32(v, n);
}

/* a where v < 0, else b */
INLINE vq vq_if_negative(vq v, vq a, vq b)
{
    return _mm512_mask_blend_epi32(_mm512_movepi32_mask(v), b, a);
}

INLINE vqf vq_float(vq v)
{
    return _mm512_cvtepi32_ps(v);
}

INLINE vqf vqf_mul(vqf a, vqf b)
{
    return _mm512_mul_ps(a, b);
}

INLINE vqf vqf_add(vqf a, vqf b)
{
    return _mm512_add_ps(a, b);
}

INLINE vqf vqf_muladd(vqf a, vqf b, vqf c)
{
    return _mm512_fmadd_ps(a, b, c);
}

INLINE vqf vqf_limit(vqf v, vqf low, vqf high)
{
    return _mm512_min_ps(_mm512_max_ps(v, low), high);
}

INLINE vq vqf_nearest(vqf v)
{
    return _mm512_cvtps_epi32(v);
}

INLINE vq vqf_down(vqf v)
{
    return _mm512_cvt_roundps_epi32(v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}

/* a * b / 2^31, halves up: krn_mul_high for b >= 0. */
INLINE vq vq_mul_high(vq a, vq b)
{
    const __m512i half = _mm512_set1_epi64(1 << 30);
    const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(a, b), half);
    const __m512i odd = _mm512_add_epi64(
        _mm512_mul_epi32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32)), half);
    return _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
}

/* v + 1 where a > b */
INLINE vq vq_count_more(vq v, vq a, vq b)
{
    return _mm512_mask_add_epi32(v, _mm512_cmpgt_epi32_mask(a, b), v, vq_all(1));
}

INLINE vq vq_xor(vq a, vq b)
{
    return _mm512_xor_si512(a, b);
}

INLINE vq vq_and(vq a, vq b)
{
    return _mm512_and_si512(a, b);
}

/* Of all lanes. */
INLINE int32_t vq_sum(vq v)
{
    return _mm512_reduce_add_epi32(v);
}

/* 1 where v < 0, else 0 */
INLINE vq vq_sign(vq v)
{
    return _mm512_srli_epi32(v, 31);
}

#endif /* KRN_VQ_AVX512_H */
