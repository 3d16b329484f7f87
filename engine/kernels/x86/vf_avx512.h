/* vf_avx512.h - the sixteen-lane vector that the float kernels in kernels/simd are written for.
 * Layer: kernels. Thread rule: pure functions. */
#ifndef VF_AVX512_H
#define VF_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VF_LANES    16
#define VF_NAME(fn) fn##_avx512
/* Rows of a product's block by the units across: accumulators, weights and one input fill the 32
 * registers, row pointers the general ones. */
#define VF_ROWS_1 12
#define VF_ROWS_2 12
#define VF_ROWS_3 8
#define VF_ROWS_4 6
#define VF_UNITS  4
/* Inputs whose weights a single row fetches ahead: the processor does it well enough. */
#define VF_AHEAD 0
/* Neighbouring results of a depthwise strip that is two lines high. */
#define VF_STRIP 8

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vf_mask;

static inline vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline void vf_store(float *p, vf v)
{
    _mm512_storeu_ps(p, v);
}

/* The first n lanes, n <= 16. */
static inline vf_mask vf_first(size_t n)
{
    return (vf_mask)((1u << n) - 1);
}

/* The second half of the lanes. */
static inline vf_mask vf_second_half(void)
{
    return 0xff00;
}

static inline vf vf_load_part(const float *p, vf_mask m)
{
    return _mm512_maskz_loadu_ps(m, p);
}

static inline void vf_store_part(float *p, vf v, vf_mask m)
{
    _mm512_mask_storeu_ps(p, m, v);
}

static inline vf vf_set(float v)
{
    return _mm512_set1_ps(v);
}

/* p[0] in even lanes, p[1] in odd ones. */
static inline vf vf_set_pair(const float *p)
{
    return _mm512_castsi512_ps(_mm512_broadcastq_epi64(_mm_loadl_epi64((const void *)p)));
}

/* v in even lanes, 0 in odd ones. */
static inline vf vf_set_even(float v)
{
    return _mm512_maskz_mov_ps(0x5555, _mm512_set1_ps(v));
}

/* Sums of lanes 2i and 2i + 1: those of a in the first half, of b in the second. */
static inline vf vf_sum_pairs(vf a, vf b)
{
    const __m512 even = _mm512_shuffle_ps(a, b, 0x88), odd = _mm512_shuffle_ps(a, b, 0xdd);
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    return _mm512_castpd_ps(
        _mm512_permutexvar_pd(order, _mm512_castps_pd(_mm512_add_ps(even, odd))));
}

/* The first half of p in both halves. */
static inline vf vf_load_twice(const float *p)
{
    return _mm512_broadcast_f32x8(_mm256_loadu_ps(p));
}

static inline vf vf_swap(vf v)
{
    return _mm512_shuffle_f32x4(v, v, 0x4e);
}

static inline vf vf_add(vf a, vf b)
{
    return _mm512_add_ps(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return _mm512_div_ps(a, b);
}

/* a * b + c */
static inline vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* c - a * b */
static inline vf vf_fnma(vf a, vf b, vf c)
{
    return _mm512_fnmadd_ps(a, b, c);
}

/* The second operand where either is NaN. */
static inline vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}

static inline vf vf_min(vf a, vf b)
{
    return _mm512_min_ps(a, b);
}

static inline float vf_sum(vf v)
{
    return _mm512_reduce_add_ps(v);
}

static inline float vf_most(vf v)
{
    return _mm512_reduce_max_ps(v);
}

/* Lanes of a where m, of b elsewhere. */
static inline vf vf_pick(vf_mask m, vf a, vf b)
{
    return _mm512_mask_blend_ps(m, b, a);
}

static inline vf_mask vf_less(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}

/* v * 2^n, n a whole number in float lanes. */
static inline vf vf_scale2(vf v, vf n)
{
    return _mm512_scalef_ps(v, n);
}

/* To the nearest whole number, halves to even. */
static inline vf vf_round(vf v)
{
    return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

#endif /* VF_AVX512_H */
