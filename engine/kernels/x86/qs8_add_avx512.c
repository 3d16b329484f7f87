/* qs8_add_avx512.c - sums of 8-bit tensors by the quick form, 64 at a time. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_qs8.h"

#include <immintrin.h>
#include <string.h>

typedef struct constants {
    __m512 a, b, c;
    __m512i low, high, flip;
} constants;

static inline __m512 widened(const uint8_t *p, __m128i flip)
{
    const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_xor_si128(v, flip)));
}

static inline __m512i sixteen(const uint8_t *a, const uint8_t *b, const constants *k)
{
    const __m128i flip = _mm512_castsi512_si128(k->flip);
    const __m512 right = _mm512_fmadd_ps(widened(b, flip), k->b, k->c);
    const __m512 sum = _mm512_fmadd_ps(widened(a, flip), k->a, right);
    return _mm512_cvt_roundps_epi32(sum, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}

static inline void sixty_four(uint8_t *y, const uint8_t *a, const uint8_t *b, const constants *k)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i low = _mm512_packs_epi32(sixteen(a, b, k), sixteen(a + 16, b + 16, k));
    const __m512i high = _mm512_packs_epi32(sixteen(a + 32, b + 32, k), sixteen(a + 48, b + 48, k));
    __m512i v = _mm512_max_epu8(_mm512_packus_epi16(low, high), k->low);
    v = _mm512_permutexvar_epi32(order, _mm512_min_epu8(v, k->high));
    _mm512_storeu_si512(y, _mm512_xor_si512(v, k->flip));
}

KRN_DECL_QS8_ADD(krn_qs8_add_avx512)
{
    const int up = p->is_unsigned ? 0 : 128;
    const constants k = {_mm512_set1_ps(p->quick_a),
                         _mm512_set1_ps(p->quick_b),
                         _mm512_set1_ps(p->quick_c),
                         _mm512_set1_epi8((char)(p->low + up)),
                         _mm512_set1_epi8((char)(p->high + up)),
                         _mm512_set1_epi8((char)up)};
    size_t i = 0;
    for (; i + 64 <= n; i += 64)
        sixty_four(y + i, a + i, b + i, &k);
    if (i == n) return;
    uint8_t rest[3][64] = {{0}};
    memcpy(rest[0], a + i, n - i);
    memcpy(rest[1], b + i, n - i);
    sixty_four(rest[2], rest[0], rest[1], &k);
    memcpy(y + i, rest[2], n - i);
}
