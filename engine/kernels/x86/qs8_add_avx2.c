/* qs8_add_avx2.c - sums of 8-bit tensors by the quick form, 32 at a time. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_qs8.h"

#include <immintrin.h>
#include <string.h>

typedef struct constants {
    __m256 a, b, c;
    __m256i low, high, flip;
} constants;

static inline __m256 widened(const uint8_t *p, __m128i flip)
{
    const __m128i v = _mm_loadl_epi64((const __m128i *)(const void *)p);
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_xor_si128(v, flip)));
}

static inline __m256i eight(const uint8_t *a, const uint8_t *b, const constants *k)
{
    const __m128i flip = _mm256_castsi256_si128(k->flip);
    const __m256 right = _mm256_fmadd_ps(widened(b, flip), k->b, k->c);
    const __m256 sum = _mm256_fmadd_ps(widened(a, flip), k->a, right);
    return _mm256_cvtps_epi32(_mm256_floor_ps(sum));
}

static inline void thirty_two(uint8_t *y, const uint8_t *a, const uint8_t *b, const constants *k)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i low = _mm256_packs_epi32(eight(a, b, k), eight(a + 8, b + 8, k));
    const __m256i high = _mm256_packs_epi32(eight(a + 16, b + 16, k), eight(a + 24, b + 24, k));
    __m256i v = _mm256_max_epu8(_mm256_packus_epi16(low, high), k->low);
    v = _mm256_permutevar8x32_epi32(_mm256_min_epu8(v, k->high), order);
    _mm256_storeu_si256((__m256i *)(void *)y, _mm256_xor_si256(v, k->flip));
}

KRN_DECL_QS8_ADD(krn_qs8_add_avx2)
{
    const int up = p->is_unsigned ? 0 : 128;
    const constants k = {_mm256_set1_ps(p->quick_a),
                         _mm256_set1_ps(p->quick_b),
                         _mm256_set1_ps(p->quick_c),
                         _mm256_set1_epi8((char)(p->low + up)),
                         _mm256_set1_epi8((char)(p->high + up)),
                         _mm256_set1_epi8((char)up)};
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
        thirty_two(y + i, a + i, b + i, &k);
    if (i == n) return;
    uint8_t rest[3][32] = {{0}};
    memcpy(rest[0], a + i, n - i);
    memcpy(rest[1], b + i, n - i);
    thirty_two(rest[2], rest[0], rest[1], &k);
    memcpy(y + i, rest[2], n - i);
}
