/* qs8_gemm_avx2.c - 8-bit matrix product, AVX2: pairs of inputs by pmaddwd, exact. Layer: kernels.
 * Four rows and sixteen channels at a time: eight accumulators, one widening of weights for four
 * rows. */
#include "engine/kernels/krn_qs8.h"

#include <immintrin.h>
#include <string.h>

#define ROWS 4

static inline __m256i pair_of(const int16_t *a)
{
    int32_t both;
    memcpy(&both, a, sizeof(both));
    return _mm256_set1_epi32(both);
}

static inline __m256i widen(const int8_t *w)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)w));
}

static inline void store(int32_t *to, __m256i v)
{
    _mm256_storeu_si256((__m256i *)(void *)to, v);
}

static void block4(int32_t *acc, const int16_t *a, const int8_t *w, size_t n_pad, size_t k_pad)
{
    __m256i s[ROWS][2];
    for (int r = 0; r < ROWS; r++)
        s[r][0] = s[r][1] = _mm256_setzero_si256();
    for (size_t k = 0; k < k_pad; k += 2, w += 32) {
        const __m256i w0 = widen(w), w1 = widen(w + 16);
        for (int r = 0; r < ROWS; r++) {
            const __m256i x = pair_of(a + (size_t)r * k_pad + k);
            s[r][0] = _mm256_add_epi32(s[r][0], _mm256_madd_epi16(x, w0));
            s[r][1] = _mm256_add_epi32(s[r][1], _mm256_madd_epi16(x, w1));
        }
    }
    for (int r = 0; r < ROWS; r++) {
        store(acc + (size_t)r * n_pad, s[r][0]);
        store(acc + (size_t)r * n_pad + 8, s[r][1]);
    }
}

/* One row: two pairs of accumulators hide the latency of the adds. */
static void block1(int32_t *acc, const int16_t *a, const int8_t *w, size_t k_pad)
{
    __m256i s0 = _mm256_setzero_si256(), s1 = s0, t0 = s0, t1 = s0;
    size_t k = 0;
    for (; k + 4 <= k_pad; k += 4, w += 64) {
        const __m256i x = pair_of(a + k), y = pair_of(a + k + 2);
        s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(x, widen(w)));
        s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(x, widen(w + 16)));
        t0 = _mm256_add_epi32(t0, _mm256_madd_epi16(y, widen(w + 32)));
        t1 = _mm256_add_epi32(t1, _mm256_madd_epi16(y, widen(w + 48)));
    }
    if (k < k_pad) {
        const __m256i x = pair_of(a + k);
        s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(x, widen(w)));
        s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(x, widen(w + 16)));
    }
    store(acc, _mm256_add_epi32(s0, t0));
    store(acc + 8, _mm256_add_epi32(s1, t1));
}

KRN_DECL_QS8_GEMM(krn_qs8_gemm_avx2)
{
    for (size_t c = 0; c < n_pad; c += KRN_QS8_N) {
        const int8_t *block = w + c * k_pad;
        size_t row = 0;
        for (; row + ROWS <= m; row += ROWS)
            block4(acc + row * n_pad + c, a + row * k_pad, block, n_pad, k_pad);
        for (; row < m; row++)
            block1(acc + row * n_pad + c, a + row * k_pad, block, k_pad);
    }
}
