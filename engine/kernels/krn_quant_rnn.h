/* krn_quant_rnn.h - recurrent operators on quantized values. Layer: kernels. Thread rule: pure
 * functions. Source: TensorFlow Lite's integer LSTM and SVDF. */
#ifndef KRN_QUANT_RNN_H
#define KRN_QUANT_RNN_H

#include "engine/kernels/krn_quant.h"

typedef struct krn_q_gate {
    const int8_t *w, *r;     /* [cells, in] and [cells, out] */
    const int64_t *bias;     /* [cells]; NULL = 0; with a norm it belongs to that */
    const int16_t *peephole; /* [cells] or NULL */
    const int16_t *norm;     /* [cells] or NULL */
    krn_factor w_factor, r_factor, peephole_factor, norm_factor; /* to Q3.12 */
    int32_t least_variance;                                      /* of a norm */
} krn_q_gate;

enum { KRN_GATE_INPUT, KRN_GATE_FORGET, KRN_GATE_CELL, KRN_GATE_OUTPUT, KRN_GATES };

typedef struct krn_q_lstm {
    size_t in, cells, out;
    krn_type type;        /* of x and y: INT8 or INT16 */
    int32_t zero_x, zero; /* of x; of y and its state */
    int32_t zero_hidden;  /* of what goes into the projection */
    bool coupled;         /* the input gate is 1 minus the forget gate */
    krn_q_gate gate[KRN_GATES];
    int power;             /* the cell is in units of 2^power */
    int32_t cell_clip;     /* 0 = none */
    int32_t proj_clip;     /* 0 = none */
    krn_factor hidden;     /* of output gate times tanh of the cell */
    const int8_t *proj;    /* [out, cells] or NULL */
    const int32_t *proj_b; /* [out] or NULL */
    krn_factor proj_factor;
    /* TensorFlow Lite Micro's way: curves by points, factors for the parts of the cell, and sums of
     * 64 bits where x is INT16. */
    const uint16_t *points; /* [256]; NULL = fixed point */
    krn_factor forget_factor, input_factor;
} krn_q_lstm;

/** int16 values that a step needs beside its state. */
size_t krn_q_lstm_scratch(const krn_q_lstm *p);

/* One step of one row: h [out] and cell [cells] are read and written, y [out] becomes h. */
void krn_q_lstm_step_ref(void *y, const void *x, void *h, int16_t *cell, const krn_q_lstm *p,
                         int16_t *scratch);

typedef struct krn_q_svdf {
    size_t in, filters, rank, memory; /* units: filters / rank */
    krn_type state_type;              /* INT16, or INT8 */
    int32_t zero_x, zero, low, high;
    const int8_t *feature; /* [filters, in] */
    const void *time;      /* [filters, memory] of state_type */
    const int32_t *bias;   /* [units] or NULL */
    krn_factor in_factor, out_factor;
} krn_q_svdf;

/* One step of one row; state [filters, memory], the newest value last. */
void krn_q_svdf_step_ref(int8_t *y, const int8_t *x, void *state, const krn_q_svdf *p);

/* The same from the sums [filters] of the features' products; state has moved up by one value
 * already, the last ones [filters] are written. Exact. */
#define KRN_DECL_Q_SVDF(name)                                                                      \
    void name(int8_t *y, void *state, const int32_t *sums, const krn_q_svdf *p)
typedef KRN_DECL_Q_SVDF((*krn_q_svdf_fn));
KRN_DECL_Q_SVDF(krn_q_svdf_lanes);
KRN_DECL_Q_SVDF(krn_q_svdf_avx2);

/** The best version for the CPU bits. */
krn_q_svdf_fn krn_q_svdf_choose(unsigned cpu);

#endif /* KRN_QUANT_RNN_H */
