/* gemm.h - which float product a layer takes. Layer: plan. Thread rule: no shared state. */
#ifndef PLAN_GEMM_H
#define PLAN_GEMM_H

#include "engine/plan/layer.h"

/** The kernel for y[m, n] = a[m, k] * w[k, n]. */
static inline krn_f32_gemm_fn plan_gemm_f32(const plan_layer *l, size_t m, size_t n, size_t k)
{
    const size_t macs = m * n * k;
    return l->blas && macs >= KRN_BLAS_LEAST_MACS ? krn_f32_gemm_blas : krn_f32_gemm_ref;
}

#endif /* PLAN_GEMM_H */
