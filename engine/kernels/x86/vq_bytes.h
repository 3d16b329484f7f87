/* vq_bytes.h - what vq_avx2.h and vq_avx512.h share: work on bytes as they are, sixteen at a time.
 * Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_VQ_BYTES_H
#define KRN_VQ_BYTES_H

#include "engine/kernels/quant_vec.h"

#include <immintrin.h>
#include <string.h>

typedef __m128i vq_turn; /* flips the highest bits of bytes, or none */

INLINE vq_turn vq_turn_of(int flip)
{
    return _mm_set1_epi8((char)flip);
}

INLINE __m128i vq_sixteen(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* The sum of n bytes, each turned; n < 2^24. */
INLINE int32_t vq_sum_bytes(const uint8_t *p, size_t n, vq_turn turn)
{
    const __m128i none = _mm_setzero_si128();
    __m128i sum = none;
    for (; n >= 16; n -= 16, p += 16)
        sum = _mm_add_epi32(sum, _mm_sad_epu8(_mm_xor_si128(vq_sixteen(p), turn), none));
    if (n) {
        uint8_t rest[16]; /* what is not there becomes 0 */
        _mm_storeu_si128((__m128i *)(void *)rest, turn);
        memcpy(rest, p, n);
        sum = _mm_add_epi32(sum, _mm_sad_epu8(_mm_xor_si128(vq_sixteen(rest), turn), none));
    }
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_unpackhi_epi64(sum, sum)));
}

/* The largest of n >= 16 bytes, each turned. */
INLINE uint8_t vq_most_byte(const uint8_t *p, size_t n, vq_turn turn)
{
    __m128i most = _mm_xor_si128(vq_sixteen(p + n - 16), turn);
    for (size_t i = 0; i + 16 < n; i += 16)
        most = _mm_max_epu8(most, _mm_xor_si128(vq_sixteen(p + i), turn));
    most = _mm_max_epu8(most, _mm_srli_si128(most, 8));
    most = _mm_max_epu8(most, _mm_srli_si128(most, 4));
    most = _mm_max_epu8(most, _mm_srli_si128(most, 2));
    most = _mm_max_epu8(most, _mm_srli_si128(most, 1));
    return (uint8_t)_mm_cvtsi128_si32(most);
}

/* Eight bytes of most - p[i], each of p turned. */
INLINE uint64_t vq_eight_below(const uint8_t *p, uint8_t most, vq_turn turn)
{
    const __m128i v = _mm_xor_si128(_mm_loadl_epi64((const __m128i *)(const void *)p), turn);
    return (uint64_t)_mm_cvtsi128_si64(_mm_sub_epi8(_mm_set1_epi8((char)most), v));
}

#endif /* KRN_VQ_BYTES_H */
