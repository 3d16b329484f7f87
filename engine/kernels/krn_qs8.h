/* krn_qs8.h - 8-bit kernels and their table. Layer: kernels. Thread rule: pure functions.
 *
 * Matrix products take activations that are already widened and freed of their zero point:
 * a = q - zero, int16 in -255..255, so one kernel serves int8 and uint8, and padding is 0.
 * Weights are int8 with zero point 0, packed by krn_qs8_pack. */
#ifndef KRN_QS8_H
#define KRN_QS8_H

#include "engine/kernels/fixed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KRN_QS8_N 16 /* output channels a block of packed weights */
#define KRN_QS8_K 2  /* inputs a step */

/* The largest K for which no sum can leave int32: 255 * 128 * K < 2^31. */
#define KRN_QS8_MAX_K 65793

/* acc[m * n_pad + n] = sum_k a[m * k_pad + k] * w(n, k); a: int16 [m, k_pad], zero beyond K;
 * acc: int32 [m, n_pad]; n_pad and k_pad are multiples of KRN_QS8_N and KRN_QS8_K.
 * w: packed [n_pad/16][k_pad/2][16][2]. Exact: every version equals ref. */
#define KRN_DECL_QS8_GEMM(name)                                                                    \
    void name(int32_t *acc, const int16_t *a, const int8_t *w, size_t m, size_t n_pad, size_t k_pad)
typedef KRN_DECL_QS8_GEMM((*krn_qs8_gemm_fn));
KRN_DECL_QS8_GEMM(krn_qs8_gemm_ref);
KRN_DECL_QS8_GEMM(krn_qs8_gemm_avx2);

static inline size_t krn_round_up(size_t v, size_t to)
{
    return (v + to - 1) / to * to;
}

/** Packs w [n, k] row-major into dst [krn_round_up(n) * krn_round_up(k)], zeros in the rest. */
void krn_qs8_pack(int8_t *dst, const int8_t *w, size_t n, size_t k);

typedef enum krn_round {
    KRN_ROUND_FLOAT, /* acc * scale in float, nearest even: litert and onnx */
    KRN_ROUND_FIXED, /* integer factor, two roundings: reference */
    KRN_ROUND_AWAY   /* acc * scale in double, halves away from zero: FULLY_CONNECTED of the
                        reference */
} krn_round;

/* How sums become outputs: q = clamp(round((acc + bias) * scale) + zero). */
typedef struct krn_requant {
    krn_round round;
    const float *scale;       /* [n]; KRN_ROUND_FLOAT */
    const double *real;       /* [n]; KRN_ROUND_AWAY */
    const krn_factor *factor; /* [n]; KRN_ROUND_FIXED */
    const int32_t *bias;      /* [n] */
    int32_t zero, low, high;  /* of the output; low..high within its 8-bit range */
} krn_requant;

/* out[m * ld_out + c] from acc[m * ld + c], c < n; the low 8 bits serve int8 and uint8. Exact:
 * every version equals ref. */
#define KRN_DECL_QS8_REQUANT(name)                                                                 \
    void name(uint8_t *out, const int32_t *acc, const krn_requant *r, size_t m, size_t n,          \
              size_t ld, size_t ld_out)
typedef KRN_DECL_QS8_REQUANT((*krn_qs8_requant_fn));
KRN_DECL_QS8_REQUANT(krn_qs8_requant_ref);
KRN_DECL_QS8_REQUANT(krn_qs8_requant_avx2);

/* a[m * k_pad + k] = q[m * k + k] - zero, zeros beyond k; q is int8, or uint8 if is_unsigned. */
void krn_qs8_widen_ref(int16_t *a, const uint8_t *q, int32_t zero, bool is_unsigned, size_t m,
                       size_t k, size_t k_pad);

/* How a row of floats becomes 8 bits. */
typedef enum krn_dynamic {
    KRN_DYNAMIC_WHOLE, /* -128..127 over the row's range with 0 in it */
    KRN_DYNAMIC_EVEN,  /* -127..127 about 0 */
    KRN_DYNAMIC_XNN    /* as the first, in float alone, halves to even: XNNPACK */
} krn_dynamic;

/* One row of floats to a[k] with a scale and zero point of its own, returned in *scale; the zero
 * point is already taken off a. Source: dynamic range quantization of TensorFlow Lite. */
void krn_qs8_dynamic_ref(int16_t *a, float *scale, const float *x, size_t k, size_t k_pad,
                         krn_dynamic way);

/* out[c] = acc[c] * (row_scale * scale[c]) + bias[c] */
void krn_qs8_hybrid_ref(float *out, const int32_t *acc, const float *scale, const float *bias,
                        float row_scale, size_t n);

#define KRN_QS8_ADD_SHIFT 20 /* head room that the reference gives both operands of a sum */

typedef struct krn_qs8_binary { /* y = a + b, per tensor */
    krn_round round;
    bool is_unsigned;
    int32_t zero_a, zero_b, zero, low, high;
    krn_factor factor_a, factor_b; /* KRN_ROUND_FIXED; add: to the common scale */
    krn_factor factor;             /* KRN_ROUND_FIXED; back to the output's scale */
    int32_t mul_a, mul_b, shift;   /* KRN_ROUND_FLOAT: 2^shift fixed point */
    /* add, where krn_qs8_add_prove() said yes: floor(a * quick_a + b * quick_b + quick_c) on
     * unsigned bytes, each + and * pair a fused one, is the same for every a and b */
    float quick_a, quick_b, quick_c;
} krn_qs8_binary;

/* n elements side by side, by the quick form. */
#define KRN_DECL_QS8_ADD(name)                                                                     \
    void name(uint8_t *y, const uint8_t *a, const uint8_t *b, size_t n, const krn_qs8_binary *p)
typedef KRN_DECL_QS8_ADD((*krn_qs8_add_fn));
KRN_DECL_QS8_ADD(krn_qs8_add_avx2);
KRN_DECL_QS8_ADD(krn_qs8_add_avx512);

/* n elements; step 0 repeats one element of that side. */
void krn_qs8_add_ref(uint8_t *y, const uint8_t *a, size_t step_a, const uint8_t *b, size_t step_b,
                     size_t n, const krn_qs8_binary *p);

/* y[i] = table[x[i]], i < n; y may be x. */
#define KRN_DECL_QS8_LOOKUP(name)                                                                  \
    void name(uint8_t *y, const uint8_t *x, const uint8_t table[256], size_t n)
typedef KRN_DECL_QS8_LOOKUP((*krn_qs8_lookup_fn));
KRN_DECL_QS8_LOOKUP(krn_qs8_lookup_ref);
KRN_DECL_QS8_LOOKUP(krn_qs8_lookup_avx2);
KRN_DECL_QS8_LOOKUP(krn_qs8_lookup_avx512vbmi);
KRN_DECL_QS8_LOOKUP(krn_qs8_lookup_neon);

typedef struct krn_qs8_softmax {
    krn_round round;
    bool is_unsigned;
    krn_factor beta;    /* KRN_ROUND_FIXED: differences to Q5.26 */
    int32_t diff_min;   /* KRN_ROUND_FIXED: below it the result is 0 */
    int32_t fixed[256]; /* KRN_ROUND_FIXED: exp(-beta * scale * i) as Q0.31 */
    float table[256];   /* KRN_ROUND_FLOAT: exp(-beta * scale * i) */
    float out_scale;    /* KRN_ROUND_FLOAT */
    int32_t out_zero;
} krn_qs8_softmax;

/** Fills p->fixed from p->beta and p->diff_min. */
void krn_qs8_softmax_fixed(krn_qs8_softmax *p);

/** Fills the tables for an input scale and beta. */
void krn_qs8_softmax_init(krn_qs8_softmax *p, float in_scale, float beta);

/* y[r * n + c] over rows of n. Exact: every version equals ref. */
#define KRN_DECL_QS8_SOFTMAX(name)                                                                 \
    void name(uint8_t *y, const uint8_t *x, size_t rows, size_t n, const krn_qs8_softmax *p)
typedef KRN_DECL_QS8_SOFTMAX((*krn_qs8_softmax_fn));
KRN_DECL_QS8_SOFTMAX(krn_qs8_softmax_ref);
KRN_DECL_QS8_SOFTMAX(krn_qs8_softmax_avx2);
KRN_DECL_QS8_SOFTMAX(krn_qs8_softmax_avx512);
KRN_DECL_QS8_SOFTMAX(krn_qs8_softmax_neon);

void krn_qs8_clamp_ref(uint8_t *y, const uint8_t *x, size_t n, int32_t low, int32_t high,
                       bool is_unsigned);

struct krn_window; /* krn_window.h says what pooling does */
struct krn_qs8_mean;
#define KRN_DECL_QS8_MEAN(name)                                                                    \
    void name(uint8_t *y, const uint8_t *x, const struct krn_window *w,                            \
              const struct krn_qs8_mean *m, int32_t *acc)
#define KRN_DECL_QS8_MAX(name)                                                                     \
    void name(uint8_t *y, const uint8_t *x, const struct krn_window *w, bool is_unsigned,          \
              int32_t low, int32_t high)
typedef KRN_DECL_QS8_MEAN((*krn_qs8_mean_fn));
typedef KRN_DECL_QS8_MAX((*krn_qs8_max_fn));
KRN_DECL_QS8_MEAN(krn_qs8_mean_pool_ref);
KRN_DECL_QS8_MEAN(krn_qs8_mean_pool_avx2);
KRN_DECL_QS8_MAX(krn_qs8_max_pool_ref);
KRN_DECL_QS8_MAX(krn_qs8_max_pool_avx2);

struct krn_q_spread; /* krn_quant.h says what these do */
struct krn_q_binary;

/* All rows of an operator of two operands. ref takes everything; the others, which are exact, what
 * krn_q_pairs_fit() says. y is neither a nor b: the last vector of a row is computed twice. */
#define KRN_DECL_Q_PAIRS(name)                                                                     \
    void name(void *y, const void *a, const void *b, const struct krn_q_spread *s,                 \
              const struct krn_q_binary *p)
typedef KRN_DECL_Q_PAIRS((*krn_q_pairs_fn));
KRN_DECL_Q_PAIRS(krn_q_pairs_ref);
KRN_DECL_Q_PAIRS(krn_q_pairs_avx2);
KRN_DECL_Q_PAIRS(krn_q_pairs_avx512);
KRN_DECL_Q_PAIRS(krn_q_pairs_neon);

struct krn_q_axis; /* krn_quant_reduce.h says what these do */
struct krn_q_reduce;

/* Sums and means, as krn_q_reduce_ref: every version equals it. acc: [outer * inner], and
 * KRN_Q_SUMS_SLACK bytes. */
#define KRN_DECL_Q_SUMS(name)                                                                      \
    void name(uint8_t *y, const uint8_t *x, const struct krn_q_axis *a,                            \
              const struct krn_q_reduce *p, int32_t *acc)
typedef KRN_DECL_Q_SUMS((*krn_q_sums_fn));
KRN_DECL_Q_SUMS(krn_q_sums_avx2);
KRN_DECL_Q_SUMS(krn_q_sums_avx512);
KRN_DECL_Q_SUMS(krn_q_sums_neon);

struct krn_qs8_tier; /* krn_qs8_tile.h */
struct krn_qs8_real; /* krn_qs8_real.h */

typedef struct krn_qs8 {
    const struct krn_qs8_tier *tier; /* tiles of products; NULL: this CPU has none */
    const struct krn_qs8_real *real; /* from floats and to them */
    krn_qs8_gemm_fn gemm;
    krn_qs8_requant_fn requant;
    krn_qs8_add_fn add; /* or NULL */
    krn_qs8_mean_fn mean;
    krn_qs8_max_fn max;
    krn_q_pairs_fn pairs;
    krn_q_sums_fn sums; /* or NULL */
    krn_qs8_softmax_fn softmax;
    krn_qs8_lookup_fn lookup;
    const char *gemm_name, *requant_name, *add_name, *mean_name, *max_name, *pairs_name, *sums_name,
        *softmax_name, *lookup_name;
} krn_qs8;

/** The same sum as the kernels of all operators of two operands want it. */
struct krn_q_binary krn_qs8_as_pair(const krn_qs8_binary *p);

/** Looks for the quick form of a sum and tries k->add with it on all 65,536 pairs; false: there is
 * none. */
bool krn_qs8_add_prove(krn_qs8_binary *p, const krn_qs8 *k);

/** Chooses the best version of each kernel for the CPU bits (engine/kernels/cpu.h). */
void krn_qs8_init(krn_qs8 *k, unsigned cpu);

static inline int32_t krn_q8(uint8_t q, bool is_unsigned)
{
    return is_unsigned ? (int32_t)q : (int32_t)(int8_t)q;
}

static inline int32_t krn_clamp(int64_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : (int32_t)v;
}

/* v to the nearest whole number, halves away from zero; what an 8-bit value cannot be is cut, NaN
 * is 0. */
static inline int32_t krn_round_float(float v)
{
    if (!(v > -1024.0f)) return v < 0 ? -1024 : 0;
    return v < 1024.0f ? (int32_t)(v < 0 ? v - 0.5f : v + 0.5f) : 1024;
}

#endif /* KRN_QS8_H */
