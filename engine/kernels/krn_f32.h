/* krn_f32.h - float kernels and their table. Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_F32_H
#define KRN_F32_H

#include <stdbool.h>
#include <stddef.h>

/* y[m, n] = a[m, k] * w[k, n], all row-major. Sums may be taken in any order. */
#define KRN_DECL_F32_GEMM(name)                                                                    \
    void name(float *y, const float *a, const float *w, size_t m, size_t n, size_t k)
typedef KRN_DECL_F32_GEMM((*krn_f32_gemm_fn));
KRN_DECL_F32_GEMM(krn_f32_gemm_ref);
KRN_DECL_F32_GEMM(krn_f32_gemm_blas); /* only after krn_blas_open() said yes */

/** Loads OpenBLAS once, told which core it runs on and to start no threads; false when it is not
 * installed. core: its name for a CPU ("SkylakeX"), NULL = from the CPU bits; an OPENBLAS_CORETYPE
 * that is already set wins. Thread rule: any thread. */
bool krn_blas_open(const char *core, unsigned cpu);

/** The core that the library says it uses; "none" while it is not loaded. */
const char *krn_blas_core(void);

/* Products smaller than this cost less than a call into the library. */
#define KRN_BLAS_LEAST_MACS 2048

/* Above M * N * K = 1,000,000 OpenBLAS leaves its small-matrix path (SkylakeX core). */
#define KRN_BLAS_MOST_MACS 1000000

/* y[r, c] = clamp(y[r, c] + bias[c]); bias may be NULL. */
void krn_f32_tail_ref(float *y, const float *bias, size_t rows, size_t n, float low, float high);

typedef enum krn_f32_op { KRN_F32_ADD, KRN_F32_SUB, KRN_F32_MUL, KRN_F32_DIV } krn_f32_op;

/* y[i] = a[i * step_a] op b[i * step_b], i < n; step 0 repeats one element of that side. */
void krn_f32_binary_ref(float *y, const float *a, size_t step_a, const float *b, size_t step_b,
                        size_t n, krn_f32_op op);

/* Over axis n of [outer, n, inner]; y may be x. */
void krn_f32_softmax_ref(float *y, const float *x, size_t outer, size_t n, size_t inner,
                         float beta);

#endif /* KRN_F32_H */
