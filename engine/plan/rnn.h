/* rnn.h - recurrent operators: their packed weights and what a run works on. Layer: plan (inside).
 */
#ifndef PLAN_RNN_H
#define PLAN_RNN_H

#include "engine/plan/layer.h"

#include "engine/kernels/krn_rnn.h"

/* Sizes that the weights have. */
typedef struct rnn_size {
    size_t d, gates, in, h,
        out; /* directions, gates, inputs, cells, outputs (after a projection) */
} rnn_size;

/* Weights in the order that products want, one block of floats; of direction 0, those of direction
 * 1 stand `step` floats behind. */
typedef struct rnn_pack {
    float *block;
    size_t step;
    float *w;        /* [in, gates * h] */
    float *r;        /* [out, gates * h]; GRU: [out, 2 * h], then [out, h] of the candidate */
    float *b;        /* [gates * h] */
    float *rb;       /* [h]: GRU, recurrent bias of the candidate when it comes before the reset */
    float *proj;     /* [h, out] */
    float *proj_b;   /* [out] */
    float *peephole; /* [3, h] */
    float *norm;     /* [4, h] */
    bool has_proj, has_peephole, has_norm;
} rnn_pack;

/** Sizes of a node's weights, from their shapes. */
rnn_size plan_rnn_size(const ir_node *n, const plan_shape *w, const plan_shape *r);

/** Floats that the pack of these sizes takes. */
size_t plan_rnn_floats(const rnn_size *z);

/** Places the parts of a pack in a block. */
void plan_rnn_place(rnn_pack *k, const rnn_size *z, float *block);

/** Packs the weights of LSTM, GRU or RNN; in: w, r, b and peepholes (NULL: left out). */
void plan_rnn_pack(rnn_pack *k, const ir_node *n, const rnn_size *z, const float *const in[4],
                   size_t bias_elems);

#endif /* PLAN_RNN_H */
