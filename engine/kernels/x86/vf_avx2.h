/* vf_avx2.h - the eight-lane vector that the float kernels in kernels/simd are written for.
 * Layer: kernels. Thread rule: pure functions. */
#ifndef VF_AVX2_H
#define VF_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VF_LANES    8
#define VF_NAME(fn) fn##_avx2
/* Rows of a product's block by the units across, within 16 registers. */
#define VF_ROWS_1 12
#define VF_ROWS_2 6
#define VF_ROWS_3 4
#define VF_ROWS_4 2
#define VF_UNITS  2
/* Inputs whose weights a single row fetches ahead. */
#define VF_AHEAD 16
/* Neighbouring results of a depthwise strip that is two lines high. */
#define VF_STRIP 6

typedef __m256 vf;
typedef __m256i vi;
typedef __m256i vf_mask;

static inline vf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

static inline void vf_store(float *p, vf v)
{
    _mm256_storeu_ps(p, v);
}

/* The first n lanes, n <= 8. */
static inline vf_mask vf_first(size_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane);
}

/* The second half of the lanes. */
static inline vf_mask vf_second_half(void)
{
    return _mm256_setr_epi32(0, 0, 0, 0, -1, -1, -1, -1);
}

static inline vf vf_load_part(const float *p, vf_mask m)
{
    return _mm256_maskload_ps(p, m);
}

static inline void vf_store_part(float *p, vf v, vf_mask m)
{
    _mm256_maskstore_ps(p, m, v);
}

static inline vf vf_set(float v)
{
    return _mm256_set1_ps(v);
}

/* p[0] in even lanes, p[1] in odd ones. */
static inline vf vf_set_pair(const float *p)
{
    return _mm256_castsi256_ps(_mm256_broadcastq_epi64(_mm_loadl_epi64((const void *)p)));
}

/* v in even lanes, 0 in odd ones. */
static inline vf vf_set_even(float v)
{
    return _mm256_blend_ps(_mm256_setzero_ps(), _mm256_set1_ps(v), 0x55);
}

/* Sums of lanes 2i and 2i + 1: those of a in the first half, of b in the second. */
static inline vf vf_sum_pairs(vf a, vf b)
{
    const __m256 even = _mm256_shuffle_ps(a, b, 0x88), odd = _mm256_shuffle_ps(a, b, 0xdd);
    const __m256d sum = _mm256_castps_pd(_mm256_add_ps(even, odd));
    return _mm256_castpd_ps(_mm256_permute4x64_pd(sum, 0xd8));
}

/* The first half of p in both halves. */
static inline vf vf_load_twice(const float *p)
{
    return _mm256_broadcast_ps((const __m128 *)(const void *)p);
}

static inline vf vf_swap(vf v)
{
    return _mm256_permute2f128_ps(v, v, 1);
}

static inline vf vf_add(vf a, vf b)
{
    return _mm256_add_ps(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return _mm256_sub_ps(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return _mm256_mul_ps(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return _mm256_div_ps(a, b);
}

/* a * b + c */
static inline vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}

/* c - a * b */
static inline vf vf_fnma(vf a, vf b, vf c)
{
    return _mm256_fnmadd_ps(a, b, c);
}

/* The second operand where either is NaN. */
static inline vf vf_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}

static inline vf vf_min(vf a, vf b)
{
    return _mm256_min_ps(a, b);
}

static inline float vf_sum(vf v)
{
    const __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static inline float vf_most(vf v)
{
    const __m128 half = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_max_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/* Lanes of a where m, of b elsewhere. */
static inline vf vf_pick(vf_mask m, vf a, vf b)
{
    return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(m));
}

static inline vf_mask vf_less(vf a, vf b)
{
    return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_LT_OQ));
}

/* v * 2^n, n a whole number in float lanes from -252 to 252: in two steps, so that neither power
 * leaves the range of normal numbers. */
static inline vf vf_scale2(vf v, vf n)
{
    const __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    const __m256i rest = _mm256_sub_epi32(whole, half), one = _mm256_set1_epi32(127);
    const __m256i a = _mm256_slli_epi32(_mm256_add_epi32(half, one), 23);
    const __m256i b = _mm256_slli_epi32(_mm256_add_epi32(rest, one), 23);
    return _mm256_mul_ps(_mm256_mul_ps(v, _mm256_castsi256_ps(a)), _mm256_castsi256_ps(b));
}

/* To the nearest whole number, halves to even. */
static inline vf vf_round(vf v)
{
    return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

#endif /* VF_AVX2_H */
