/* krn_f32.h - float kernels and their table. Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_F32_H
#define KRN_F32_H

#include <stdbool.h>
#include <stddef.h>

/* Sums of fewer products are taken in the order of the inputs, as ONNX Runtime does: where large
 * terms cancel, as in the distances of k-means, a bit more or less is a large part of the result.
 */
#define KRN_F32_FEW 16

/* y[m, n] = a[m, k] * w[k, n], all row-major. Other sums may be taken in any order. */
#define KRN_DECL_F32_GEMM(name)                                                                    \
    void name(float *y, const float *a, const float *w, size_t m, size_t n, size_t k)
typedef KRN_DECL_F32_GEMM((*krn_f32_gemm_fn));
KRN_DECL_F32_GEMM(krn_f32_gemm_ref);
KRN_DECL_F32_GEMM(krn_f32_gemm_avx2);
KRN_DECL_F32_GEMM(krn_f32_gemm_avx512);
KRN_DECL_F32_GEMM(krn_f32_gemm_blas); /* only after krn_blas_open() said yes */

/** Loads OpenBLAS once, told which core it runs on and to start no threads; false when it is not
 * installed. core: its name for a CPU ("SkylakeX"), NULL = from the CPU bits; an OPENBLAS_CORETYPE
 * that is already set wins. Thread rule: any thread. */
bool krn_blas_open(const char *core, unsigned cpu);

/** The core that the library says it uses; "none" while it is not loaded. */
const char *krn_blas_core(void);

/* Products smaller than this cost less than a call into the library. */
#define KRN_BLAS_LEAST_MACS 2048

/* Weights from which on it is tried against our vector kernels. */
#define KRN_BLAS_LARGE_WEIGHTS ((size_t)1 << 20)

/* Above M * N * K = 1,000,000 OpenBLAS leaves its small-matrix path (SkylakeX core). */
#define KRN_BLAS_MOST_MACS 1000000

/* y[r, c] = clamp(y[r, c] + bias[c]); bias may be NULL. */
void krn_f32_tail_ref(float *y, const float *bias, size_t rows, size_t n, float low, float high);

typedef enum krn_f32_op {
    KRN_F32_ADD,
    KRN_F32_SUB,
    KRN_F32_MUL,
    KRN_F32_DIV,
    KRN_F32_SQUARED_DIFFERENCE,
    KRN_F32_PRELU, /* a < 0: a * b, else a */
    KRN_F32_OPS
} krn_f32_op;

typedef struct krn_f32_operands {
    const float *a, *b;
    size_t step_a, step_b; /* 0 repeats one element of that side */
    float low, high;       /* limits of the result */
    size_t next_a, next_b; /* elements from one line to the next; 0 repeats the line */
} krn_f32_operands;

/* y[r * n + i] = clamp(a[r * next_a + i * step_a] op b[r * next_b + i * step_b]), i < n. */
#define KRN_DECL_F32_BINARY(name)                                                                  \
    void name(float *y, const krn_f32_operands *o, size_t lines, size_t n, krn_f32_op op)
typedef KRN_DECL_F32_BINARY((*krn_f32_binary_fn));
KRN_DECL_F32_BINARY(krn_f32_binary_ref);
KRN_DECL_F32_BINARY(krn_f32_binary_avx2);
KRN_DECL_F32_BINARY(krn_f32_binary_avx512);

/* y[i] = clamp(x[i]); y may be x. */
#define KRN_DECL_F32_CLAMP(name)                                                                   \
    void name(float *y, const float *x, size_t n, float low, float high)
typedef KRN_DECL_F32_CLAMP((*krn_f32_clamp_fn));
KRN_DECL_F32_CLAMP(krn_f32_clamp_ref);
KRN_DECL_F32_CLAMP(krn_f32_clamp_avx2);
KRN_DECL_F32_CLAMP(krn_f32_clamp_avx512);

typedef enum krn_f32_curve { KRN_F32_EXP, KRN_F32_TANH, KRN_F32_SIGMOID } krn_f32_curve;

/* y[i] = curve(x[i]); y may be x. Vector versions are within 3 units in the last place of the exact
 * value where it is a normal number, 4 for the curves. */
#define KRN_DECL_F32_CURVE(name) void name(float *y, const float *x, size_t n, krn_f32_curve curve)
typedef KRN_DECL_F32_CURVE((*krn_f32_curve_fn));
KRN_DECL_F32_CURVE(krn_f32_curve_ref);
KRN_DECL_F32_CURVE(krn_f32_curve_avx2);
KRN_DECL_F32_CURVE(krn_f32_curve_avx512);

/* Over axis n of [outer, n, inner]; y may be x. */
#define KRN_DECL_F32_SOFTMAX(name)                                                                 \
    void name(float *y, const float *x, size_t outer, size_t n, size_t inner, float beta)
typedef KRN_DECL_F32_SOFTMAX((*krn_f32_softmax_fn));
KRN_DECL_F32_SOFTMAX(krn_f32_softmax_ref);
KRN_DECL_F32_SOFTMAX(krn_f32_softmax_avx2);
KRN_DECL_F32_SOFTMAX(krn_f32_softmax_avx512);

/* The left side of a product: row i of m begins at x + (i / line) * line_step + (i % line) * step
 * and is `runs` runs of `run` floats, `run_step` apart. A matrix is one line; a convolution has a
 * line of pixels for each line of its result, and a run for each line of its kernel. */
typedef struct krn_f32_rows {
    const float *x;
    size_t line, line_step, step;
    size_t out_step; /* floats of y from one line to the next, when there are several */
    size_t runs, run, run_step;
} krn_f32_rows;

/* How a tier wants its weights: panels of at most `units` units of `lanes` outputs, all inputs of a
 * panel one after the other. With `pairs`, n <= lanes / 2 outputs make one panel whose lane 2c + j
 * belongs to output c and to the inputs of parity j in their run. */
typedef struct krn_f32_layout {
    size_t lanes, units;
    bool pairs;
} krn_f32_layout;

typedef struct krn_f32_packed {
    const float *w;    /* krn_f32_packed_size floats */
    const float *bias; /* [n, rounded up to lanes]; NULL = zeros */
    size_t n, k;
    float low, high; /* limits of the result */
    bool pairs;
} krn_f32_packed;

/* Right side as it comes: output c of input i is w[c * step_n + i * step_k]; run: of the left side,
 * k = any number of runs. */
typedef struct krn_f32_weights {
    const float *w;
    size_t n, k, run, step_n, step_k;
} krn_f32_weights;

/** Floats that krn_f32_pack writes. */
size_t krn_f32_packed_size(const krn_f32_layout *l, const krn_f32_weights *w);
void krn_f32_pack(float *to, const krn_f32_layout *l, const krn_f32_weights *w);
bool krn_f32_in_pairs(const krn_f32_layout *l, size_t n, size_t k);

/** True when row-major [k, n] is packed as it is: a right side that is computed needs no copy. */
bool krn_f32_is_packed(const krn_f32_layout *l, size_t n);

/* Row i of the result is y[(i / line) * out_step + (i % line) * ld + c], c < n; m is a whole number
 * of lines. It is clamp(bias[c] + sum_k a[i, k] * w[c, k]). Sums may be taken in any order; NaN
 * stays NaN. Reads no float outside the rows, writes none outside the result. */
#define KRN_DECL_F32_PRODUCT(name)                                                                 \
    void name(float *y, size_t ld, const krn_f32_rows *a, size_t m, const krn_f32_packed *w)
typedef KRN_DECL_F32_PRODUCT((*krn_f32_product_fn));
#define KRN_F32_REF_LANES 8 /* of the plain version, which takes one unit a panel and no pairs */
KRN_DECL_F32_PRODUCT(krn_f32_product_ref);
KRN_DECL_F32_PRODUCT(krn_f32_product_avx2);
KRN_DECL_F32_PRODUCT(krn_f32_product_avx512);

#endif /* KRN_F32_H */
