/* vec_avx2.h - vectors of eight sums for the bodies of 8-bit kernels: AVX2. Pairs of int16 by
 * pmaddwd: exact, where the byte product of this instruction set saturates. Layer: kernels.
 * Thread rule: pure functions. */
#ifndef KRN_VEC_AVX2_H
#define KRN_VEC_AVX2_H

#include "engine/kernels/x86/vec_256.h"

#define ELEM   2 /* staged: q as int16 */
#define PLANES 1
#define UNIT   16

typedef struct taps { /* weights of rows 0 and 1, of rows 2 and 3 */
    __m256i first, second;
} taps;
typedef taps column; /* of a strip: what taps are for */

INLINE weights w_load_four(const uint8_t *w)
{
    const __m128i two = _mm_loadl_epi64((const __m128i *)(const void *)w);
    const __m128i both = _mm_unpacklo_epi64(two, _mm_srli_epi16(two, 4));
    return _mm256_sub_epi16(_mm256_cvtepu8_epi16(_mm_and_si128(both, _mm_set1_epi8(15))),
                            _mm256_set1_epi16(8));
}

INLINE vec v_dot(vec sum, vec x, weights w)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(x, w));
}

INLINE taps t_load(const uint8_t *w)
{
    return (taps){v_load(w), v_load(w + 32)};
}

/* Sixteen registers are too few to insist. */
INLINE taps t_in_register(taps w)
{
    return w;
}

INLINE column c_load(const uint8_t *strip, size_t plane)
{
    return (column){v_load(strip), v_load(strip + plane)};
}

INLINE vec v_taps(vec sum, column c, taps w)
{
    const __m256i a = _mm256_madd_epi16(c.first, w.first);
    const __m256i b = _mm256_madd_epi16(c.second, w.second);
    return _mm256_add_epi32(sum, _mm256_add_epi32(a, b));
}

/* Wide strips have eight channels of a and b in each half, then eight of c and d. */
INLINE bytes b_order_wide(bytes v)
{
    return _mm256_permute4x64_epi64(v, 0xd8);
}

#endif /* KRN_VEC_AVX2_H */
