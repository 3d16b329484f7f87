/* gemm.h - which float product a layer takes. Layer: plan. Thread rule: no shared state. */
#ifndef PLAN_GEMM_H
#define PLAN_GEMM_H

#include "engine/plan/layer.h"

/** The kernel for y[m, n] = a[m, k] * w[k, n]. */
static inline krn_f32_gemm_fn plan_gemm_f32(const plan_layer *l, size_t m, size_t n, size_t k)
{
    const bool plain = l->f32.gemm == krn_f32_gemm_ref;
    const bool large = plain ? m * n * k >= KRN_BLAS_LEAST_MACS : n * k >= KRN_BLAS_LARGE_WEIGHTS;
    return l->blas && large ? krn_f32_gemm_blas : l->f32.gemm;
}

#endif /* PLAN_GEMM_H */
