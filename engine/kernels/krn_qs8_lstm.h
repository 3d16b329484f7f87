/* krn_qs8_lstm.h - the integer LSTM on vectors: no peepholes, norms, projection or coupled gates.
 * Layer: kernels. Thread rule: packed weights are read-only; runs touch only their scratch.
 *
 * A block is as many cells as there are int16 in a vector. Its four gates are computed together:
 * x and the state are staged as the tier's dot product wants them (krn_qs8_tile.h), and for each
 * four staged bytes there is a vector of weights for each gate and `lanes` cells of the block. */
#ifndef KRN_QS8_LSTM_H
#define KRN_QS8_LSTM_H

#include "engine/kernels/krn_qs8.h"
#include "engine/kernels/krn_quant_rnn.h"

/* A krn_factor as vectors want it. */
typedef struct krn_qs8_lstm_steps {
    int32_t m, left, right;
    int32_t mask, half; /* of the bits that the right shift drops; half: what rounds up, less one */
} krn_qs8_lstm_steps;

typedef struct krn_qs8_lstm {
    const struct krn_qs8_lstm_tier *tier;
    size_t in, cells, blocks;
    size_t x_groups, h_groups; /* of four staged bytes */
    const uint8_t *w;          /* [blocks][x_groups, then h_groups][gates][block / lanes][vector] */
    const int32_t *bias;       /* [blocks][x, then state][gates][block]; zero points folded in */
    krn_qs8_lstm_steps x_steps[KRN_GATES], h_steps[KRN_GATES], hidden;
    int16_t zero;  /* of y */
    int16_t clip;  /* the cell is limited to -clip .. clip, or not at all below 0 */
    int shift;     /* of input * candidate */
    int cell_bits; /* whole bits of the cell's value */
} krn_qs8_lstm;

/* One sequence. Steps are bytes from one point of time to the next, negative when it runs back. */
typedef struct krn_qs8_lstm_row {
    int8_t *y;
    const int8_t *x;
    ptrdiff_t y_step, x_step;
    size_t steps;
} krn_qs8_lstm_row;

/* h [cells] and cell [cells] are read and written. Exact: equals krn_q_lstm_step_ref. */
#define KRN_DECL_QS8_LSTM(name)                                                                    \
    void name(const krn_qs8_lstm_row *r, int8_t *h, int16_t *cell, const krn_qs8_lstm *l,          \
              void *scratch)
typedef KRN_DECL_QS8_LSTM((*krn_qs8_lstm_fn));

typedef struct krn_qs8_lstm_tier {
    const char *name;
    size_t lanes, block; /* sums a vector; cells */
    size_t side;         /* staged values that stand side by side in a lane of weights */
    size_t elem;         /* bytes of a staged value */
    int32_t origin;      /* staged = q - origin */
    krn_qs8_lstm_fn run;
} krn_qs8_lstm_tier;

extern const krn_qs8_lstm_tier krn_qs8_lstm_avx2, krn_qs8_lstm_avxvnni, krn_qs8_lstm_avx512vnni;
extern const krn_qs8_lstm_tier krn_qs8_lstm_neon, krn_qs8_lstm_dotprod;

/** The best tier for the CPU bits; NULL: there is none. */
const krn_qs8_lstm_tier *krn_qs8_lstm_choose(unsigned cpu);

/** True when vectors can do what p says. */
bool krn_qs8_lstm_fits(const krn_q_lstm *p);

/** Bytes that krn_qs8_lstm_pack needs. */
size_t krn_qs8_lstm_bytes(const krn_qs8_lstm_tier *t, const krn_q_lstm *p);
void krn_qs8_lstm_pack(krn_qs8_lstm *l, const krn_qs8_lstm_tier *t, const krn_q_lstm *p,
                       void *memory);
size_t krn_qs8_lstm_scratch(const krn_qs8_lstm *l);

#endif /* KRN_QS8_LSTM_H */
