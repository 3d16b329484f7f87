/* qs8_requant_avx2.c - sums to 8-bit outputs by a float scale, eight at a time, without branches
 * that depend on data. Layer: kernels. Other roundings go to the plain version. */
#include "engine/kernels/krn_qs8.h"

#include <immintrin.h>

/* Eight of requant_float in qs8_tail_ref.c, in the same order of operations. */
static inline __m256i eight(const int32_t *acc, const krn_requant *r, size_t c, __m256 low,
                            __m256 high)
{
    const __m256i bias = _mm256_loadu_si256((const __m256i *)(const void *)(r->bias + c));
    const __m256i sum =
        _mm256_add_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(acc + c)), bias);
    __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(r->scale + c));
    v = _mm256_min_ps(_mm256_max_ps(v, low), high);
    return _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(r->zero));
}

/* The low byte of each of eight: pack would saturate, and uint8 shares this path. */
static inline void store_bytes(uint8_t *out, __m256i v)
{
    const __m256i first =
        _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12,
                         -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m256i b = _mm256_shuffle_epi8(v, first);
    const __m128i both =
        _mm_unpacklo_epi32(_mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1));
    _mm_storel_epi64((__m128i *)(void *)out, both);
}

KRN_DECL_QS8_REQUANT(krn_qs8_requant_avx2)
{
    if (r->round != KRN_ROUND_FLOAT) {
        krn_qs8_requant_ref(out, acc, r, m, n, ld, ld_out);
        return;
    }
    const __m256 low = _mm256_set1_ps((float)(r->low - r->zero));
    const __m256 high = _mm256_set1_ps((float)(r->high - r->zero));
    const size_t whole = n / 8 * 8;
    for (size_t row = 0; row < m; row++, acc += ld, out += ld_out)
        for (size_t c = 0; c < whole; c += 8)
            store_bytes(out + c, eight(acc, r, c, low, high));
    if (whole == n) return;
    krn_requant rest = *r; /* the last channels of every row */
    rest.scale += whole;
    rest.bias += whole;
    krn_qs8_requant_ref(out - m * ld_out + whole, acc - m * ld + whole, &rest, m, n - whole, ld,
                        ld_out);
}
