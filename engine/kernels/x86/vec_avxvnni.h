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

INLINE vec v_dot(vec sum, vec x, const uint8_t *w)
{
    return _mm256_dpbusd_avx_epi32(sum, x, v_load(w));
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
