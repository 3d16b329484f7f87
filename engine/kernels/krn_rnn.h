/* krn_rnn.h - steps of recurrent operators in float. Layer: kernels. Thread rule: pure functions.
 * A step takes the sums of its products and gives the next state; the products themselves are
 * krn_f32_gemm's, those of x for all steps at once. */
#ifndef KRN_RNN_H
#define KRN_RNN_H

#include "engine/kernels/krn_f32.h"

#include <stdbool.h>
#include <stddef.h>

/* y = f(x) in place; in the order of ir_gate. Source: the ONNX operator specification. */
typedef enum krn_gate_kind {
    KRN_GATE_NONE,
    KRN_GATE_SIGMOID,
    KRN_GATE_TANH,
    KRN_GATE_RELU,
    KRN_GATE_RELU6,
    KRN_GATE_AFFINE,
    KRN_GATE_LEAKY_RELU,
    KRN_GATE_THRESHOLDED_RELU,
    KRN_GATE_SCALED_TANH,
    KRN_GATE_HARD_SIGMOID,
    KRN_GATE_ELU,
    KRN_GATE_SOFTSIGN,
    KRN_GATE_SOFTPLUS,
    KRN_GATE_KINDS
} krn_gate_kind;

typedef struct krn_gate {
    krn_gate_kind kind;
    float alpha, beta;
    krn_f32_curve_fn curve; /* of SIGMOID and TANH; NULL = the plain one */
} krn_gate;

void krn_f32_gate_ref(float *x, size_t n, const krn_gate *g);

/* x = clamp(x, -clip, clip); clip 0: as it is. */
void krn_f32_clip_ref(float *x, size_t n, float clip);

typedef struct krn_lstm {
    size_t h;
    krn_gate gate, cell, out; /* of i o f; of the candidate; of the new cell state */
    const float *peephole;    /* [3, h]: i o f; NULL = none */
    const float *norm;        /* [4, h]: the sums of a gate are brought to mean 0 and variance 1 */
    const float *norm_bias;   /* [4, h]: and then norm * x + norm_bias; norm NULL = not */
    float clip, cell_clip;    /* of the sums before an activation; of the cell state */
    int couple;               /* 1: f = 1 - i; 2: i = 1 - f */
} krn_lstm;

/* One row: sums [4, h] of i o f c are used up; c [h] becomes the new cell state, y [h] the output.
 * i = gate(i + p_i * c), f likewise; c' = f * c + i * cell(sum); o = gate(o + p_o * c');
 * y = o * out(c'). */
void krn_f32_lstm_ref(float *y, float *c, float *sums, const krn_lstm *p);

typedef struct krn_gru {
    size_t h;
    krn_gate gate, candidate;
    float clip;
} krn_gru;

/* One row, sums [3, h] of z r and the candidate without its recurrent part. First half: z and r
 * through their gate, and with `reset` (the product of h is still to come) r * h into reset [h]. */
void krn_f32_gru_gates_ref(float *reset, float *sums, const float *h, const krn_gru *p);
/* Second half: part [h] is the candidate's recurrent sum; times_r: it is multiplied by r first.
 * h = (1 - z) * candidate(sum + part) + z * h. */
void krn_f32_gru_ref(float *h, float *sums, const float *part, bool times_r, const krn_gru *p);

/* One row behind its products for the usual curves - logistic gates, tanh for the rest - without
 * peepholes, norms, coupled gates and clips but the cell's. sums: of x, [4, n] of i o f c, [3, n]
 * of z r and the candidate; own: of the state. */
typedef struct krn_cells {
    size_t n;
    const float *b;  /* [gates, n] */
    const float *rb; /* GRU, [n]: the reset comes behind the candidate's product, to which this is
                        added; NULL: before */
    float clip;      /* LSTM: of the cell, or INFINITY */
} krn_cells;

/* y [n] becomes the output, c [n] goes on; own [4, n]. */
#define KRN_DECL_F32_LSTM_CELLS(name)                                                              \
    void name(float *y, float *c, const float *sums, const float *own, const krn_cells *p)
typedef KRN_DECL_F32_LSTM_CELLS((*krn_f32_lstm_cells_fn));
KRN_DECL_F32_LSTM_CELLS(krn_f32_lstm_cells_ref);
KRN_DECL_F32_LSTM_CELLS(krn_f32_lstm_cells_avx2);
KRN_DECL_F32_LSTM_CELLS(krn_f32_lstm_cells_avx512);

/* First half, own [2, n]: z takes the place of its sum; reset [n] becomes r with p->rb, else r * h,
 * of which the candidate's product is still to come. */
#define KRN_DECL_F32_GRU_RESET(name)                                                               \
    void name(float *reset, float *sums, const float *own, const float *h, const krn_cells *p)
typedef KRN_DECL_F32_GRU_RESET((*krn_f32_gru_reset_fn));
KRN_DECL_F32_GRU_RESET(krn_f32_gru_reset_ref);
KRN_DECL_F32_GRU_RESET(krn_f32_gru_reset_avx2);
KRN_DECL_F32_GRU_RESET(krn_f32_gru_reset_avx512);

/* Second half, own [n]: the new state takes the place of the old one. */
#define KRN_DECL_F32_GRU_CELLS(name)                                                               \
    void name(float *h, const float *sums, const float *reset, const float *own, const krn_cells *p)
typedef KRN_DECL_F32_GRU_CELLS((*krn_f32_gru_cells_fn));
KRN_DECL_F32_GRU_CELLS(krn_f32_gru_cells_ref);
KRN_DECL_F32_GRU_CELLS(krn_f32_gru_cells_avx2);
KRN_DECL_F32_GRU_CELLS(krn_f32_gru_cells_avx512);

/* One row of SVDF: state [filters, memory] moves by one step, its last column becomes
 * now [filters]; y[u] = bias[u] + sum over the unit's rank filters of state * time. */
typedef struct krn_svdf {
    size_t units, rank, memory;
    const float *time, *bias; /* [units * rank, memory]; bias NULL = 0 */
} krn_svdf;
void krn_f32_svdf_ref(float *y, float *state, const float *now, const krn_svdf *p);

#endif /* KRN_RNN_H */
