/* shorts_256.h - vectors of sixteen int16 for the bodies of 8-bit kernels, in 256 bits; included
 * behind vec_*.h. Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_SHORTS_256_H
#define KRN_SHORTS_256_H

#include <immintrin.h>

#define SHORTS 16

typedef __m256i shorts;

INLINE shorts s_load(const int16_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

INLINE void s_store(int16_t *p, shorts v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, v);
}

INLINE shorts s_all(int16_t v)
{
    return _mm256_set1_epi16(v);
}

INLINE shorts s_and(shorts a, shorts b)
{
    return _mm256_and_si256(a, b);
}

INLINE shorts s_xor(shorts a, shorts b)
{
    return _mm256_xor_si256(a, b);
}

INLINE shorts s_add(shorts a, shorts b)
{
    return _mm256_add_epi16(a, b);
}

INLINE shorts s_add_limited(shorts a, shorts b)
{
    return _mm256_adds_epi16(a, b);
}

INLINE shorts s_sub(shorts a, shorts b)
{
    return _mm256_sub_epi16(a, b);
}

/* a * b / 2^15, rounded to nearest, halves up */
INLINE shorts s_mul(shorts a, shorts b)
{
    return _mm256_mulhrs_epi16(a, b);
}

INLINE shorts s_left(shorts v, int n)
{
    return _mm256_sll_epi16(v, _mm_cvtsi32_si128(n));
}

/* (a + b + 1) / 2, a and b not negative */
INLINE shorts s_average(shorts a, shorts b)
{
    return _mm256_avg_epu16(a, b);
}

INLINE shorts s_less(shorts a, shorts b)
{
    return _mm256_cmpgt_epi16(b, a);
}

INLINE shorts s_zeros(shorts v)
{
    return _mm256_cmpeq_epi16(v, _mm256_setzero_si256());
}

/* a where the bits of `which` are set, else b */
INLINE shorts s_pick(shorts which, shorts a, shorts b)
{
    return _mm256_blendv_epi8(b, a, which);
}

/* -1 where v < 0 */
INLINE shorts s_signs(shorts v)
{
    return _mm256_srai_epi16(v, 15);
}

INLINE shorts s_minus_abs(shorts v)
{
    return _mm256_sub_epi16(_mm256_setzero_si256(), _mm256_abs_epi16(v));
}

/* v, 0 or -v where s is above, at or below 0 */
INLINE shorts s_with_sign(shorts v, shorts s)
{
    return _mm256_sign_epi16(v, s);
}

INLINE shorts s_between(shorts v, int16_t low, int16_t high)
{
    return _mm256_min_epi16(_mm256_max_epi16(v, s_all(low)), s_all(high));
}

/* Values of 8 bits as bytes. */
INLINE void s_store_bytes(void *p, shorts v)
{
    const __m256i b = _mm256_permute4x64_epi64(_mm256_packs_epi16(v, v), 0x08);
    _mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(b));
}

#endif /* KRN_SHORTS_256_H */
