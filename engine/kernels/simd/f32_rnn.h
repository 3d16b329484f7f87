/* f32_rnn.h - steps of LSTM and GRU in floats behind their products, for any vector: included once
 * by a file of each instruction set. Layer: kernels. Thread rule: pure functions. */
#ifndef F32_RNN_H
#define F32_RNN_H

#include "engine/kernels/krn_rnn.h"
#include "engine/kernels/simd/f32_math.h"

/* A vector of cells: `full`, or the lanes that there are. */
typedef struct rnn_lanes {
    size_t at;
    vf_mask last;
} rnn_lanes;

INLINE vf rnn_load(const float *p, const rnn_lanes *v, const bool full)
{
    return full ? vf_load(p + v->at) : vf_load_part(p + v->at, v->last);
}

INLINE void rnn_store(float *p, vf x, const rnn_lanes *v, const bool full)
{
    if (full)
        vf_store(p + v->at, x);
    else
        vf_store_part(p + v->at, x, v->last);
}

/* Gate g of what x and the bias give. */
INLINE vf rnn_given(const float *sums, const krn_cells *p, size_t g, const rnn_lanes *v,
                    const bool full)
{
    return vf_add(rnn_load(sums + g * p->n, v, full), rnn_load(p->b + g * p->n, v, full));
}

/* The sum of gate g. */
INLINE vf rnn_gate(const float *sums, const float *own, const krn_cells *p, size_t g,
                   const rnn_lanes *v, const bool full)
{
    return vf_add(rnn_given(sums, p, g, v, full), rnn_load(own + g * p->n, v, full));
}

INLINE void lstm_cells(float *y, float *c, const float *sums, const float *own, const krn_cells *p,
                       const rnn_lanes *v, const bool full)
{
    const vf in = vf_sigmoid(rnn_gate(sums, own, p, 0, v, full));
    const vf out = vf_sigmoid(rnn_gate(sums, own, p, 1, v, full));
    const vf forget = vf_sigmoid(rnn_gate(sums, own, p, 2, v, full));
    const vf candidate = vf_tanh(rnn_gate(sums, own, p, 3, v, full));
    const vf all = vf_fma(forget, rnn_load(c, v, full), vf_mul(in, candidate));
    const vf cell = vf_min(vf_set(p->clip), vf_max(vf_set(-p->clip), all));
    rnn_store(c, cell, v, full);
    rnn_store(y, vf_mul(out, vf_tanh(cell)), v, full);
}

KRN_DECL_F32_LSTM_CELLS(VF_NAME(krn_f32_lstm_cells))
{
    rnn_lanes v = {0, vf_first(p->n % VF_LANES)};
    for (; v.at + VF_LANES <= p->n; v.at += VF_LANES)
        lstm_cells(y, c, sums, own, p, &v, true);
    if (v.at < p->n) lstm_cells(y, c, sums, own, p, &v, false);
}

INLINE void gru_reset(float *reset, float *sums, const float *own, const float *h,
                      const krn_cells *p, const rnn_lanes *v, const bool full)
{
    const vf z = vf_sigmoid(rnn_gate(sums, own, p, 0, v, full));
    const vf r = vf_sigmoid(rnn_gate(sums, own, p, 1, v, full));
    rnn_store(sums, z, v, full);
    rnn_store(reset, p->rb ? r : vf_mul(r, rnn_load(h, v, full)), v, full);
}

KRN_DECL_F32_GRU_RESET(VF_NAME(krn_f32_gru_reset))
{
    rnn_lanes v = {0, vf_first(p->n % VF_LANES)};
    for (; v.at + VF_LANES <= p->n; v.at += VF_LANES)
        gru_reset(reset, sums, own, h, p, &v, true);
    if (v.at < p->n) gru_reset(reset, sums, own, h, p, &v, false);
}

INLINE void gru_cells(float *h, const float *sums, const float *reset, const float *own,
                      const krn_cells *p, const rnn_lanes *v, const bool full)
{
    const vf z = rnn_load(sums, v, full), old = rnn_load(h, v, full);
    vf part = rnn_load(own, v, full);
    if (p->rb) part = vf_mul(rnn_load(reset, v, full), vf_add(part, rnn_load(p->rb, v, full)));
    const vf new = vf_tanh(vf_add(rnn_given(sums, p, 2, v, full), part));
    rnn_store(h, vf_fma(z, old, vf_mul(vf_sub(vf_set(1), z), new)), v, full);
}

KRN_DECL_F32_GRU_CELLS(VF_NAME(krn_f32_gru_cells))
{
    rnn_lanes v = {0, vf_first(p->n % VF_LANES)};
    for (; v.at + VF_LANES <= p->n; v.at += VF_LANES)
        gru_cells(h, sums, reset, own, p, &v, true);
    if (v.at < p->n) gru_cells(h, sums, reset, own, p, &v, false);
}

#endif /* F32_RNN_H */
