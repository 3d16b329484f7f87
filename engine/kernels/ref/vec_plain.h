/* vec_plain.h - a vector of one float: makes the bodies in kernels/simd plain C. Layer: kernels. */
#ifndef VEC_PLAIN_H
#define VEC_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

#define VF_LANES    1
#define VF_NAME(fn) fn##_ref

typedef float vf;
typedef bool vf_mask;

static inline vf vf_load(const float *p)
{
    return *p;
}

static inline void vf_store(float *p, vf v)
{
    *p = v;
}

static inline vf_mask vf_first(size_t n)
{
    return n > 0;
}

static inline vf vf_load_part(const float *p, vf_mask m)
{
    return m ? *p : 0;
}

static inline void vf_store_part(float *p, vf v, vf_mask m)
{
    if (m) *p = v;
}

static inline vf vf_set(float v)
{
    return v;
}

static inline vf vf_add(vf a, vf b)
{
    return a + b;
}

static inline vf vf_sub(vf a, vf b)
{
    return a - b;
}

static inline vf vf_mul(vf a, vf b)
{
    return a * b;
}

static inline vf vf_fma(vf a, vf b, vf c)
{
    return a * b + c;
}

static inline vf vf_fnma(vf a, vf b, vf c)
{
    return c - a * b;
}

static inline vf vf_max(vf a, vf b)
{
    return a > b ? a : b;
}

static inline vf vf_min(vf a, vf b)
{
    return a < b ? a : b;
}

#endif /* VEC_PLAIN_H */
