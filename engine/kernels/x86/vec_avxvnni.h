/* vec_avxvnni.h - vectors of eight sums for the bodies of 8-bit kernels: AVX-VNNI.
 * Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_VEC_AVXVNNI_H
#define KRN_VEC_AVXVNNI_H

#include "engine/kernels/x86/vec_256.h"

#define ELEM   1 /* staged: q + 128 for int8, q for uint8 */
#define PLANES 1
#define UNIT   32

typedef __m256i taps; /* weights of four rows */

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

INLINE vec v_taps(vec sum, const uint8_t *strip, size_t plane, taps w)
{
    (void)plane;
    return _mm256_dpbusd_avx_epi32(sum, v_load(strip), w);
}

INLINE bytes b_order_wide(bytes v)
{
    return v;
}

#endif /* KRN_VEC_AVXVNNI_H */
