/* vec_avx512vnni.h - vectors of sixteen sums for the bodies of 8-bit kernels: AVX-512 with VNNI.
 * Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_VEC_AVX512VNNI_H
#define KRN_VEC_AVX512VNNI_H

#include "engine/kernels/krn_qs8_tile.h"

#include <immintrin.h>
#include <string.h>

#define LANES  16
#define ELEM   1 /* staged: q + 128 for int8, q for uint8 */
#define PLANES 1
#define UNIT   64
#define INLINE static inline __attribute__((always_inline))

typedef __m512i vec;
typedef __m512 vecf;
typedef __m512i weights;
typedef __m512i bytes;  /* of four vectors */
typedef __m512i taps;   /* weights of four rows */
typedef __m512i column; /* of a strip: what taps are for */

INLINE vec v_load(const void *p)
{
    return _mm512_loadu_si512(p);
}

INLINE vec v_four(const uint8_t *p)
{
    int32_t four;
    memcpy(&four, p, sizeof(four));
    return _mm512_set1_epi32(four);
}

INLINE vec v_add(vec a, vec b)
{
    return _mm512_add_epi32(a, b);
}

INLINE vec v_zero(void)
{
    return _mm512_setzero_si512();
}

INLINE vec v_all(int32_t v)
{
    return _mm512_set1_epi32(v);
}

/* -most .. most - 1 */
INLINE vec v_limited(vec v, int32_t most)
{
    return _mm512_min_epi32(_mm512_max_epi32(v, v_all(-most)), v_all(most - 1));
}

INLINE vec v_left(vec v, int n)
{
    return _mm512_sll_epi32(v, _mm_cvtsi32_si128(n));
}

/* krn_mul_high, b >= 0 */
INLINE vec v_mul_high(vec a, vec b)
{
    const __m512i half = _mm512_set1_epi64(1 << 30);
    const __m512i even = _mm512_mul_epi32(a, b);
    const __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(a, 32), b);
    return _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(_mm512_add_epi64(even, half), 31),
                                   _mm512_slli_epi64(_mm512_add_epi64(odd, half), 1));
}

/* krn_shift_right; mask: of the bits that go; half: half of it */
INLINE vec v_right(vec v, int n, vec mask, vec half)
{
    const __m512i limit = _mm512_sub_epi32(half, _mm512_srai_epi32(v, 31));
    const __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(v, mask), limit);
    const __m512i down = _mm512_sra_epi32(v, _mm_cvtsi32_si128(n));
    return _mm512_mask_add_epi32(down, up, down, v_all(1));
}

/* krn_shift_right for |v| <= 2^30 and n from 1 to 30 */
INLINE vec v_right_small(vec v, int n)
{
    const __m512i up = _mm512_add_epi32(v_all(1 << (n - 1)), _mm512_srai_epi32(v, 31));
    return _mm512_sra_epi32(_mm512_add_epi32(v, up), _mm_cvtsi32_si128(n));
}

/* Sixteen int16 times sixteen: products of pairs with zeros. */
INLINE void s_product(vec p[1], __m256i a, __m256i b)
{
    p[0] = _mm512_madd_epi16(_mm512_cvtepu16_epi32(a), _mm512_cvtepu16_epi32(b));
}

/* Saturated to int16. */
INLINE __m256i s_join(const vec p[1])
{
    return _mm512_cvtsepi32_epi16(p[0]);
}

INLINE weights w_load(const uint8_t *w)
{
    return _mm512_loadu_si512(w);
}

INLINE weights w_load_four(const uint8_t *w)
{
    const __m256i two = _mm256_loadu_si256((const __m256i *)(const void *)w);
    const __m512i both =
        _mm512_inserti64x4(_mm512_castsi256_si512(two), _mm256_srli_epi16(two, 4), 1);
    return _mm512_sub_epi8(_mm512_and_si512(both, _mm512_set1_epi8(15)), _mm512_set1_epi8(8));
}

INLINE vec v_dot(vec sum, vec x, weights w)
{
    return _mm512_dpbusd_epi32(sum, x, w);
}

INLINE taps t_load(const uint8_t *w)
{
    return _mm512_loadu_si512(w);
}

/* Compilers would rather read it again for each use: loads are what such loops wait for. */
INLINE taps t_in_register(taps w)
{
    __asm__("" : "+v"(w));
    return w;
}

INLINE column c_load(const uint8_t *strip, size_t plane)
{
    (void)plane;
    return t_in_register(_mm512_loadu_si512(strip));
}

INLINE vec v_taps(vec sum, column c, taps w)
{
    return _mm512_dpbusd_epi32(sum, c, w);
}

INLINE vecf v_float(vec v)
{
    return _mm512_cvtepi32_ps(v);
}

INLINE vecf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

INLINE vecf vf_all(float v)
{
    return _mm512_set1_ps(v);
}

INLINE vecf vf_add(vecf a, vecf b)
{
    return _mm512_add_ps(a, b);
}

INLINE vecf vf_mul(vecf a, vecf b)
{
    return _mm512_mul_ps(a, b);
}

INLINE vecf vf_least(vecf a, vecf b)
{
    return _mm512_min_ps(a, b);
}

INLINE vecf vf_muladd(vecf a, vecf b, vecf c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* a >= 0 with the sign of b */
INLINE vecf vf_sign(vecf a, vecf b)
{
    const __m512i sign = _mm512_set1_epi32(INT32_MIN);
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b), sign, 0xf8));
}

INLINE vec vf_nearest(vecf v)
{
    return _mm512_cvtps_epi32(v);
}

INLINE vec vf_down(vecf v)
{
    return _mm512_cvt_roundps_epi32(v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}

/* 64 results of 16 bits as bytes, limited. */
INLINE bytes b_limited(__m512i x, __m512i y, const krn_qs8_limits *k)
{
    const __m512i v = _mm512_packs_epi16(x, y);
    if (__builtin_expect(k->full, 1)) return v;
    return _mm512_xor_si512(_mm512_min_epi8(_mm512_max_epi8(v, v_load(k->low)), v_load(k->high)),
                            v_load(k->flip));
}

/* Saturated to 16 bits, the zero point added, limited. */
INLINE bytes v_pack(vec a, vec b, vec c, vec d, const krn_qs8_limits *k)
{
    const __m512i zero = v_load(k->zero);
    return b_limited(_mm512_adds_epi16(_mm512_packs_epi32(a, b), zero),
                     _mm512_adds_epi16(_mm512_packs_epi32(c, d), zero), k);
}

/* The upper halves, limited: a and b by turns, c and d by turns, then in the order of packing. */
INLINE bytes v_pack_high(vec a, vec b, vec c, vec d, const krn_qs8_limits *k)
{
    const __m512i turns =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15));
    const __m512i ab = _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(a, 16), b);
    const __m512i cd = _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(c, 16), d);
    return _mm512_shuffle_epi8(b_limited(ab, cd, k), turns);
}

/* True when a lower half has none of the doubtful bits; the least of two has none when either. */
INLINE bool v_doubt(vec a, vec b, vec c, vec d, const krn_qs8_limits *k)
{
    const __m512i least = _mm512_min_epu16(_mm512_min_epu16(a, b), _mm512_min_epu16(c, d));
    const __mmask16 doubt = _mm512_testn_epi32_mask(least, v_load(k->doubtful));
    return !_mm512_kortestz(doubt, doubt);
}

/* Packing works within quarters: four sums of a, of b, of c, of d in each. This is a, b, c, d. */
INLINE bytes b_order(bytes v)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, v);
}

INLINE bytes b_order_wide(bytes v)
{
    return v;
}

INLINE bytes b_load(const uint8_t *p)
{
    return _mm512_loadu_si512(p);
}

INLINE void b_store(uint8_t *p, bytes v)
{
    _mm512_storeu_si512(p, v);
}

INLINE void b_store_half(uint8_t *p, bytes v, int i)
{
    _mm256_storeu_si256((__m256i *)(void *)p,
                        i ? _mm512_extracti64x4_epi64(v, 1) : _mm512_castsi512_si256(v));
}

INLINE void b_store_quarter(uint8_t *p, bytes v, int i)
{
    const __m128i q = i == 0   ? _mm512_castsi512_si128(v)
                      : i == 1 ? _mm512_extracti32x4_epi32(v, 1)
                      : i == 2 ? _mm512_extracti32x4_epi32(v, 2)
                               : _mm512_extracti32x4_epi32(v, 3);
    _mm_storeu_si128((__m128i *)(void *)p, q);
}

INLINE void v_store(int32_t *p, vec v)
{
    _mm512_storeu_si512(p, v);
}

#endif /* KRN_VEC_AVX512VNNI_H */
