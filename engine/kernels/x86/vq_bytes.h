/* vq_bytes.h - what vq_avx2.h and vq_avx512.h share: work on bytes as they are, sixteen at a time.
 * Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_VQ_BYTES_H
#define KRN_VQ_BYTES_H

#include "engine/kernels/fixed.h"

#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

INLINE __m128i vq_sixteen(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* The sum of n bytes, each with `flip` (0 or 0x80) turned, n < 2^24. */
INLINE int32_t vq_sum_bytes(const uint8_t *p, size_t n, int flip)
{
    const __m128i turn = _mm_set1_epi8((char)flip), none = _mm_setzero_si128();
    __m128i sum = none;
    for (; n >= 16; n -= 16, p += 16)
        sum = _mm_add_epi32(sum, _mm_sad_epu8(_mm_xor_si128(vq_sixteen(p), turn), none));
    if (n) {
        uint8_t rest[16];
        memset(rest, flip, sizeof(rest));
        memcpy(rest, p, n);
        sum = _mm_add_epi32(sum, _mm_sad_epu8(_mm_xor_si128(vq_sixteen(rest), turn), none));
    }
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_unpackhi_epi64(sum, sum)));
}

#endif /* KRN_VQ_BYTES_H */
