/* qs8_real_avx512.c - floats to 8 bits and back, AVX-512. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vf_avx512.h"

#include <stdbool.h>

/* Lanes that are no NaN. */
static inline vf_mask real_numbers(vf v)
{
    return _mm512_cmp_ps_mask(v, v, _CMP_ORD_Q);
}

static inline vf real_cut(vf v)
{
    return _mm512_roundscale_ps(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

/* a >= 0 with the sign of b */
static inline vf real_signed(vf a, vf b)
{
    return _mm512_or_ps(a, _mm512_and_ps(b, _mm512_set1_ps(-0.0f)));
}

/* The low bytes of whole numbers. */
static inline void real_store(uint8_t *q, vf v)
{
    _mm_storeu_si128((__m128i *)(void *)q, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
}

static inline vf real_load(const uint8_t *q, bool is_unsigned)
{
    const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)q);
    return _mm512_cvtepi32_ps(is_unsigned ? _mm512_cvtepu8_epi32(v) : _mm512_cvtepi8_epi32(v));
}

static inline vi real_integers(const void *p, vf_mask m)
{
    return _mm512_maskz_loadu_epi32(m, p);
}

/* The sums at p less zero * weights. */
static inline vf real_sums(const void *p, vf_mask m, int32_t zero, vi weights)
{
    const __m512i moved = _mm512_mullo_epi32(_mm512_set1_epi32(zero), weights);
    return _mm512_cvtepi32_ps(_mm512_sub_epi32(real_integers(p, m), moved));
}

#include "engine/kernels/simd/qs8_real.h"

const krn_qs8_real krn_qs8_real_avx512 = {"avx512", range, bytes, rows_of, floats, reals};
