/* qs8_real_avx2.c - floats to 8 bits and back, AVX2. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vf_avx2.h"

#include <stdbool.h>

/* Lanes that are no NaN. */
static inline vf_mask real_numbers(vf v)
{
    return _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_ORD_Q));
}

static inline vf real_cut(vf v)
{
    return _mm256_round_ps(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

/* a >= 0 with the sign of b */
static inline vf real_signed(vf a, vf b)
{
    return _mm256_or_ps(a, _mm256_and_ps(b, _mm256_set1_ps(-0.0f)));
}

/* The low bytes of whole numbers. */
static inline void real_store(uint8_t *q, vf v)
{
    const __m256i first = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
    const __m256i b = _mm256_shuffle_epi8(_mm256_cvtps_epi32(v), first);
    const __m128i both =
        _mm_unpacklo_epi32(_mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1));
    _mm_storel_epi64((__m128i *)(void *)q, both);
}

static inline vf real_load(const uint8_t *q, bool is_unsigned)
{
    const __m128i v = _mm_loadl_epi64((const __m128i *)(const void *)q);
    return _mm256_cvtepi32_ps(is_unsigned ? _mm256_cvtepu8_epi32(v) : _mm256_cvtepi8_epi32(v));
}

static inline vi real_integers(const void *p, vf_mask m)
{
    return _mm256_maskload_epi32(p, m);
}

/* The sums at p less zero * weights. */
static inline vf real_sums(const void *p, vf_mask m, int32_t zero, vi weights)
{
    const __m256i moved = _mm256_mullo_epi32(_mm256_set1_epi32(zero), weights);
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(real_integers(p, m), moved));
}

#include "engine/kernels/simd/qs8_real.h"

const krn_qs8_real krn_qs8_real_avx2 = {"avx2", range, bytes, rows_of, floats, reals};
