/* vec_256.h - vectors of eight sums for the bodies of 8-bit kernels: what AVX2 and AVX-VNNI share.
 * Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_VEC_256_H
#define KRN_VEC_256_H

#include "engine/kernels/krn_qs8_tile.h"

#include <immintrin.h>
#include <string.h>

#define LANES  8
#define INLINE static inline __attribute__((always_inline))

typedef __m256i vec;
typedef __m256 vecf;
typedef __m256i weights;
typedef __m256i bytes; /* of four vectors */

INLINE vec v_load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

INLINE weights w_load(const uint8_t *w)
{
    return v_load(w);
}

INLINE void v_store(int32_t *p, vec v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, v);
}

INLINE vec v_four(const uint8_t *p)
{
    int32_t four;
    memcpy(&four, p, sizeof(four));
    return _mm256_set1_epi32(four);
}

INLINE vec v_add(vec a, vec b)
{
    return _mm256_add_epi32(a, b);
}

INLINE vec v_zero(void)
{
    return _mm256_setzero_si256();
}

INLINE vec v_all(int32_t v)
{
    return _mm256_set1_epi32(v);
}

/* -most .. most - 1 */
INLINE vec v_limited(vec v, int32_t most)
{
    return _mm256_min_epi32(_mm256_max_epi32(v, v_all(-most)), v_all(most - 1));
}

INLINE vec v_left(vec v, int n)
{
    return _mm256_sll_epi32(v, _mm_cvtsi32_si128(n));
}

/* krn_mul_high, b >= 0 */
INLINE vec v_mul_high(vec a, vec b)
{
    const __m256i half = _mm256_set1_epi64x(1 << 30);
    const __m256i even = _mm256_mul_epi32(a, b);
    const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(a, 32), b);
    return _mm256_blend_epi32(_mm256_srli_epi64(_mm256_add_epi64(even, half), 31),
                              _mm256_slli_epi64(_mm256_add_epi64(odd, half), 1), 0xaa);
}

/* krn_shift_right; mask: of the bits that go; half: half of it */
INLINE vec v_right(vec v, int n, vec mask, vec half)
{
    const __m256i limit = _mm256_sub_epi32(half, _mm256_srai_epi32(v, 31));
    const __m256i up = _mm256_cmpgt_epi32(_mm256_and_si256(v, mask), limit);
    return _mm256_sub_epi32(_mm256_sra_epi32(v, _mm_cvtsi32_si128(n)), up);
}

/* krn_shift_right for |v| <= 2^30 and n from 1 to 30 */
INLINE vec v_right_small(vec v, int n)
{
    const __m256i up = _mm256_add_epi32(v_all(1 << (n - 1)), _mm256_srai_epi32(v, 31));
    return _mm256_sra_epi32(_mm256_add_epi32(v, up), _mm_cvtsi32_si128(n));
}

/* Sixteen int16 times sixteen, in the order that s_join turns back. */
INLINE void s_product(vec p[2], __m256i a, __m256i b)
{
    const __m256i low = _mm256_mullo_epi16(a, b), high = _mm256_mulhi_epi16(a, b);
    p[0] = _mm256_unpacklo_epi16(low, high);
    p[1] = _mm256_unpackhi_epi16(low, high);
}

/* Saturated to int16, within halves. */
INLINE __m256i s_join(const vec p[2])
{
    return _mm256_packs_epi32(p[0], p[1]);
}

INLINE vecf v_float(vec v)
{
    return _mm256_cvtepi32_ps(v);
}

INLINE vecf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

INLINE vecf vf_all(float v)
{
    return _mm256_set1_ps(v);
}

INLINE vecf vf_add(vecf a, vecf b)
{
    return _mm256_add_ps(a, b);
}

INLINE vecf vf_mul(vecf a, vecf b)
{
    return _mm256_mul_ps(a, b);
}

INLINE vecf vf_least(vecf a, vecf b)
{
    return _mm256_min_ps(a, b);
}

INLINE vecf vf_muladd(vecf a, vecf b, vecf c)
{
    return _mm256_fmadd_ps(a, b, c);
}

/* a >= 0 with the sign of b */
INLINE vecf vf_sign(vecf a, vecf b)
{
    return _mm256_or_ps(a, _mm256_and_ps(b, _mm256_set1_ps(-0.0f)));
}

INLINE vec vf_nearest(vecf v)
{
    return _mm256_cvtps_epi32(v);
}

INLINE vec vf_down(vecf v)
{
    return _mm256_cvtps_epi32(_mm256_floor_ps(v));
}

/* 32 results of 16 bits as bytes, limited. */
INLINE bytes b_limited(__m256i x, __m256i y, const krn_qs8_limits *k)
{
    const __m256i v = _mm256_packs_epi16(x, y);
    if (__builtin_expect(k->full, 1)) return v;
    return _mm256_xor_si256(_mm256_min_epi8(_mm256_max_epi8(v, v_load(k->low)), v_load(k->high)),
                            v_load(k->flip));
}

/* Saturated to 16 bits, the zero point added, limited. */
INLINE bytes v_pack(vec a, vec b, vec c, vec d, const krn_qs8_limits *k)
{
    const __m256i zero = v_load(k->zero);
    return b_limited(_mm256_adds_epi16(_mm256_packs_epi32(a, b), zero),
                     _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero), k);
}

/* The upper halves, limited: a and b by turns, c and d by turns, then in the order of packing. */
INLINE bytes v_pack_high(vec a, vec b, vec c, vec d, const krn_qs8_limits *k)
{
    const __m256i turns = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15));
    const __m256i ab = _mm256_blend_epi16(_mm256_srli_epi32(a, 16), b, 0xaa);
    const __m256i cd = _mm256_blend_epi16(_mm256_srli_epi32(c, 16), d, 0xaa);
    return _mm256_shuffle_epi8(b_limited(ab, cd, k), turns);
}

/* True when a lower half has none of the doubtful bits; the least of two has none when either. */
INLINE bool v_doubt(vec a, vec b, vec c, vec d, const krn_qs8_limits *k)
{
    const __m256i least = _mm256_min_epu16(_mm256_min_epu16(a, b), _mm256_min_epu16(c, d));
    const __m256i bits = _mm256_and_si256(least, v_load(k->doubtful));
    return _mm256_movemask_epi8(_mm256_cmpeq_epi32(bits, _mm256_setzero_si256())) != 0;
}

/* Packing works within halves: four sums of a, of b, of c, of d in each. This is a, b, c, d. */
INLINE bytes b_order(bytes v)
{
    return _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

INLINE bytes b_load(const uint8_t *p)
{
    return v_load(p);
}

INLINE void b_store(uint8_t *p, bytes v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, v);
}

INLINE void b_store_half(uint8_t *p, bytes v, int i)
{
    _mm_storeu_si128((__m128i *)(void *)p,
                     i ? _mm256_extracti128_si256(v, 1) : _mm256_castsi256_si128(v));
}

INLINE void b_store_quarter(uint8_t *p, bytes v, int i)
{
    const __m128i half = i < 2 ? _mm256_castsi256_si128(v) : _mm256_extracti128_si256(v, 1);
    if (i % 2)
        _mm_storeh_pi((__m64 *)(void *)p, _mm_castsi128_ps(half));
    else
        _mm_storel_epi64((__m128i *)(void *)p, half);
}

INLINE __m128i b_eight(const uint8_t *p)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)p);
}

#endif /* KRN_VEC_256_H */
