/* vec_avxvnni.h - vectors of eight sums for the bodies of 8-bit kernels: AVX-VNNI.
 * Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_VEC_AVXVNNI_H
#define KRN_VEC_AVXVNNI_H

#include "engine/kernels/x86/vec_256.h"

#define ELEM   1 /* staged: q + 128 for int8, q for uint8 */
#define PLANES 1
#define UNIT   32

typedef __m256i taps;   /* weights of four rows */
typedef __m256i column; /* of a strip: what taps are for */

INLINE weights w_load_four(const uint8_t *w)
{
    const __m128i two = _mm_loadu_si128((const __m128i *)(const void *)w);
    const __m256i both = _mm256_set_m128i(_mm_srli_epi16(two, 4), two);
    return _mm256_sub_epi8(_mm256_and_si256(both, _mm256_set1_epi8(15)), _mm256_set1_epi8(8));
}

INLINE vec v_dot(vec sum, vec x, weights w)
{
    return _mm256_dpbusd_avx_epi32(sum, x, w);
}

INLINE taps t_load(const uint8_t *w)
{
    return v_load(w);
}

/* Compilers would rather read it again for each use: loads are what such loops wait for. */
INLINE taps t_in_register(taps w)
{
    __asm__("" : "+x"(w));
    return w;
}

INLINE column c_load(const uint8_t *strip, size_t plane)
{
    (void)plane;
    return t_in_register(v_load(strip));
}

INLINE vec v_taps(vec sum, column c, taps w)
{
    return _mm256_dpbusd_avx_epi32(sum, c, w);
}

INLINE bytes b_order_wide(bytes v)
{
    return v;
}

#endif /* KRN_VEC_AVXVNNI_H */
