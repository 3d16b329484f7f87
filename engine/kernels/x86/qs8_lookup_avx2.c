/* qs8_lookup_avx2.c - tables of 256 bytes, sixteen at a time. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_qs8.h"

#include <immintrin.h>

/* A shuffle gives 0 where an index has its top bit, which every index outside of the sixteen gets.
 */
static inline __m256i thirty_two(__m256i x, const uint8_t table[256])
{
    __m256i y = _mm256_setzero_si256();
    for (int i = 0; i < 16; i++) {
        const __m128i part = _mm_loadu_si128((const __m128i *)(const void *)(table + 16 * i));
        const __m256i from_here = _mm256_xor_si256(x, _mm256_set1_epi8((char)(16 * i)));
        const __m256i at = _mm256_adds_epu8(from_here, _mm256_set1_epi8(0x70));
        y = _mm256_or_si256(y, _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(part), at));
    }
    return y;
}

KRN_DECL_QS8_LOOKUP(krn_qs8_lookup_avx2)
{
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(x + i));
        _mm256_storeu_si256((__m256i *)(void *)(y + i), thirty_two(v, table));
    }
    krn_qs8_lookup_ref(y + i, x + i, table, n - i);
}
