/* fmt_tflite_rnn.c - TensorFlow Lite's operators of recurrent networks. Layer: format.
 * Thread rule: no shared state.
 *
 * Their states are variables: a node reads the old ones and gives the new ones, an ASSIGN keeps
 * them. */
#include "engine/format/fmt_tflite.h"

#include <math.h>

#define LSTM_INPUTS 24

static nf_status read_gate(uint8_t *out, fmt_tfl *t, uint8_t activation)
{
    static const ir_gate gates[] = {IR_GATE_NONE, IR_GATE_RELU, IR_GATES, IR_GATE_RELU6,
                                    IR_GATE_TANH};
    if (activation >= NF_COUNT(gates) || gates[activation] == IR_GATES)
        return nf_fail(t->err, NF_EUNSUPPORTED, "tflite", "fused activation %u", activation);
    *out = (uint8_t)gates[activation];
    return NF_OK;
}

/* Input i of the operator; IR_NONE when it is left out or not listed. */
static nf_status take(int32_t *out, fmt_tfl *t, const fmt_tfl_op *op, size_t i)
{
    const int32_t index = i < op->in.n ? fmt_vec_i32(op->in, i) : -1;
    *out = IR_NONE;
    return index == -1 ? NF_OK : fmt_tfl_tensor(out, t, index);
}

/* variable = value, which gets the variable's shape. */
static nf_status keep(fmt_tfl *t, int32_t variable, int32_t value)
{
    const ir_tensor *v = &t->g->tensors[variable];
    const eng_dtype dtype = v->dtype;
    int32_t flat, copy;
    ir_node *node;
    nf_status st;
    if (!v->variable) return NF_OK;
    if ((st = fmt_tfl_temp(&flat, t, ":state", dtype))) return st;
    if ((st = ir_add_node(&node, t->g, IR_RESHAPE, &value, 1, flat, t->err))) return st;
    v = &t->g->tensors[variable];
    node->attr.reshape.rank = v->rank;
    memcpy(node->attr.reshape.dim, v->dim, sizeof(v->dim));
    if ((st = fmt_tfl_temp(&copy, t, ":kept", dtype))) return st;
    return ir_add_node(&node, t->g, IR_ASSIGN, (int32_t[]){variable, flat}, 2, copy, t->err);
}

static nf_status need_states(fmt_tfl *t, const int32_t *state, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (state[i] == IR_NONE)
            return nf_fail(t->err, NF_EFORMAT, "tflite", "a recurrent operator without a state");
    return NF_OK;
}

/* An LSTM from its 24 operands, and what keeps its states. */
static nf_status add_lstm(fmt_tfl *t, const int32_t in[LSTM_INPUTS], int32_t y, const ir_rnn *p)
{
    int32_t out[3] = {y}, n_in = LSTM_INPUTS;
    ir_node *node;
    nf_status st;
    if ((st = need_states(t, in + 18, 2))) return st;
    while (n_in > 20 && in[n_in - 1] == IR_NONE)
        n_in--;
    for (size_t i = 1; i < 3; i++) {
        const eng_dtype dtype = t->g->tensors[in[17 + i]].dtype;
        if ((st = fmt_tfl_temp(&out[i], t, ":next", dtype))) return st;
    }
    st = ir_add_node_ends(&node, t->g, IR_UNIDIRECTIONAL_SEQUENCE_LSTM,
                          &(ir_ends){in, out, n_in, 3}, t->err);
    if (st) return st;
    node->attr.rnn = *p;
    if (in[1] == IR_NONE) node->attr.rnn.couple = IR_COUPLE_INPUT;
    if ((st = keep(t, in[18], out[1]))) return st;
    return keep(t, in[19], out[2]);
}

/* Activation, and the limits of cell and projection, which lie in slots 0 to 2. */
static nf_status read_lstm_options(ir_rnn *p, fmt_tfl *t, const fmt_tfl_op *op)
{
    *p = (ir_rnn){.directions = 1, .act = {IR_GATE_SIGMOID}};
    p->cell_clip = fmt_fb_f32(&t->fb, op->options, 1, 0);
    p->proj_clip = fmt_fb_f32(&t->fb, op->options, 2, 0);
    const nf_status st = read_gate(&p->act[1], t, fmt_fb_u8(&t->fb, op->options, 0, 0));
    p->act[2] = p->act[1];
    return st;
}

/* Scales of an integer LSTM's inside: tensors without content. */
static nf_status read_inner(ir_rnn *p, fmt_tfl *t, const fmt_tfl_op *op)
{
    for (size_t i = 0; i < NF_COUNT(p->inner_scale) && i < op->inner.n; i++) {
        const int32_t index = fmt_vec_i32(op->inner, i);
        if (index < 0 || (size_t)index >= t->tensors.n)
            return nf_fail(t->err, NF_EFORMAT, "tflite", "tensor %d of %zu", index, t->tensors.n);
        const fmt_table table = fmt_fb_item(&t->fb, t->tensors, (size_t)index);
        const fmt_table q = fmt_fb_sub(&t->fb, table, 4);
        const fmt_vector scale = fmt_fb_vector(&t->fb, q, 2, 4),
                         zero = fmt_fb_vector(&t->fb, q, 3, 8);
        if (scale.n == 0) continue;
        p->inner_scale[i] = fmt_vec_f32(scale, 0);
        const int64_t z = zero.n ? fmt_vec_i64(zero, 0) : 0;
        if (!isfinite(p->inner_scale[i]) || p->inner_scale[i] <= 0 || z < INT8_MIN || z > INT8_MAX)
            return nf_fail(t->err, NF_EFORMAT, "tflite", "scale %g and zero point %lld in an LSTM",
                           (double)p->inner_scale[i], (long long)z);
        p->inner_zero = (int32_t)z;
    }
    return fmt_tfl_check(t);
}

static nf_status read_lstm(fmt_tfl *t, const fmt_tfl_op *op)
{
    int32_t in[LSTM_INPUTS], y;
    ir_rnn p;
    nf_status st;
    if ((st = read_lstm_options(&p, t, op)) || (st = read_inner(&p, t, op))) return st;
    p.batch_first = fmt_fb_u8(&t->fb, op->options, 3, 0) == 0;
    for (size_t i = 0; i < LSTM_INPUTS; i++)
        if ((st = take(&in[i], t, op, i))) return st;
    if ((st = fmt_tfl_tensor(&y, t, fmt_vec_i32(op->out, 0)))) return st;
    return add_lstm(t, in, y, &p);
}

/* One direction: operands `first` .. first + 16, and states `state` and state + 1. */
static nf_status add_direction(fmt_tfl *t, const fmt_tfl_op *op, size_t first, size_t state,
                               int32_t y, const ir_rnn *p)
{
    int32_t in[LSTM_INPUTS], other;
    nf_status st;
    if ((st = take(&in[0], t, op, 0)) || (st = take(&other, t, op, 39))) return st;
    if (p->reverse && other != IR_NONE) in[0] = other;
    for (size_t i = 0; i < LSTM_INPUTS - 1; i++) {
        const size_t from = i < 17 ? first + i : state + i - 17;
        in[i + 1] = IR_NONE;
        if (i < 19 && (st = take(&in[i + 1], t, op, from))) return st;
    }
    return add_lstm(t, in, y, p);
}

/* Both directions behind each other along the last axis. */
static nf_status add_merge(fmt_tfl *t, const int32_t parts[2], int32_t y)
{
    ir_node *node;
    const nf_status st = ir_add_node(&node, t->g, IR_CONCATENATION, parts, 2, y, t->err);
    if (!st) node->attr.axis.axis = 2;
    return st;
}

static nf_status read_bidirectional(fmt_tfl *t, const fmt_tfl_op *op)
{
    int32_t y[2], merged = IR_NONE, weights;
    ir_rnn p;
    nf_status st;
    if ((st = read_lstm_options(&p, t, op))) return st;
    const bool merge = fmt_fb_u8(&t->fb, op->options, 3, 0) != 0;
    p.batch_first = fmt_fb_u8(&t->fb, op->options, 4, 1) == 0;
    if ((st = take(&weights, t, op, 40))) return st;
    if (weights != IR_NONE || op->out.n != (merge ? 1 : 2))
        return nf_fail(t->err, NF_EUNSUPPORTED, "tflite",
                       "BIDIRECTIONAL_SEQUENCE_LSTM with auxiliary weights");
    if (merge && (st = fmt_tfl_tensor(&merged, t, fmt_vec_i32(op->out, 0)))) return st;
    for (size_t i = 0; i < 2; i++) {
        st = merge ? fmt_tfl_temp(&y[i], t, ":direction", ENG_F32)
                   : fmt_tfl_tensor(&y[i], t, fmt_vec_i32(op->out, i));
        if (st) return st;
    }
    if ((st = add_direction(t, op, 1, 35, y[0], &p))) return st;
    p.reverse = true;
    if ((st = add_direction(t, op, 18, 37, y[1], &p))) return st;
    return merge ? add_merge(t, y, merged) : NF_OK;
}

/* Bytes as the floats they stand for. */
static nf_status as_floats(int32_t *x, fmt_tfl *t)
{
    const int32_t from = *x;
    ir_node *node;
    nf_status st;
    if (from == IR_NONE || !t->g->tensors[from].quant.n) return NF_OK;
    if ((st = fmt_tfl_temp(x, t, ":fp32", ENG_F32))) return st;
    return ir_add_node(&node, t->g, IR_DEQUANTIZE, &from, 1, *x, t->err);
}

/* y [.., .., h] of an RNN whose own has a dimension of directions. */
static nf_status flatten(fmt_tfl *t, int32_t from, int32_t to, bool batch_first, int64_t h)
{
    ir_node *node;
    const nf_status st = ir_add_node(&node, t->g, IR_RESHAPE, &from, 1, to, t->err);
    if (st) return st;
    node->attr.reshape.rank = 3;
    node->attr.reshape.dim[1] = batch_first ? 0 : -1;
    node->attr.reshape.dim[2] = h;
    return NF_OK;
}

/* One direction of a plain RNN; in: x, weights, recurrent weights, bias, state. */
static nf_status add_rnn(fmt_tfl *t, int32_t in[5], int32_t y, const ir_rnn *p)
{
    int32_t out[2];
    ir_node *node;
    nf_status st;
    if ((st = need_states(t, in, 5))) return st;
    if (t->g->tensors[in[2]].rank != 2)
        return nf_fail(t->err, NF_EFORMAT, "tflite", "recurrent weights that are no matrix");
    const int64_t h = t->g->tensors[in[2]].dim[1];
    for (size_t i = 1; i < 3; i++)
        if ((st = as_floats(&in[i], t))) return st;
    for (size_t i = 0; i < 2; i++)
        if ((st = fmt_tfl_temp(&out[i], t, ":rnn", ENG_F32))) return st;
    const int32_t all[] = {in[0], in[1], in[2], in[3], IR_NONE, in[4]};
    st = ir_add_node_ends(&node, t->g, IR_RNN, &(ir_ends){all, out, 6, 2}, t->err);
    if (st) return st;
    node->attr.rnn = *p;
    if ((st = flatten(t, out[0], y, p->batch_first, h))) return st;
    return keep(t, in[4], out[1]);
}

static nf_status read_sequence_rnn(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_rnn p = {.directions = 1};
    int32_t in[5], y;
    nf_status st;
    p.batch_first = fmt_fb_u8(&t->fb, op->options, 0, 0) == 0;
    if ((st = read_gate(&p.act[0], t, fmt_fb_u8(&t->fb, op->options, 1, 0)))) return st;
    for (size_t i = 0; i < 5; i++)
        if ((st = take(&in[i], t, op, i))) return st;
    if ((st = fmt_tfl_tensor(&y, t, fmt_vec_i32(op->out, 0)))) return st;
    return add_rnn(t, in, y, &p);
}

/* A fused activation of what the op gives. */
static nf_status add_clamp(fmt_tfl *t, uint8_t activation, int32_t x, int32_t y)
{
    ir_clamp clamp;
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_clamp(&clamp, t, activation))) return st;
    if ((st = ir_add_node(&node, t->g, IR_CLAMP, &x, 1, y, t->err))) return st;
    node->attr.clamp.clamp = clamp;
    return NF_OK;
}

static nf_status read_svdf(fmt_tfl *t, const fmt_tfl_op *op)
{
    uint8_t activation = fmt_fb_u8(&t->fb, op->options, 1, 0);
    int32_t in[5], out[2], y;
    ir_node *node;
    nf_status st;
    for (size_t i = 0; i < 5; i++)
        if ((st = take(&in[i], t, op, i))) return st;
    /* TensorFlow Lite wants a RELU on 8 bits, and then leaves it out */
    if (in[0] != IR_NONE && t->g->tensors[in[0]].dtype == ENG_I8) activation = 0;
    if ((st = need_states(t, in, 3)) || (st = need_states(t, in + 4, 1))) return st;
    if ((st = fmt_tfl_tensor(&y, t, fmt_vec_i32(op->out, 0)))) return st;
    out[0] = y;
    if (activation && (st = fmt_tfl_temp(&out[0], t, ":svdf", ENG_F32))) return st;
    if ((st = fmt_tfl_temp(&out[1], t, ":next", t->g->tensors[in[4]].dtype))) return st;
    st = ir_add_node_ends(&node, t->g, IR_SVDF, &(ir_ends){in, out, 5, 2}, t->err);
    if (st) return st;
    node->attr.axis.number = fmt_fb_i32(&t->fb, op->options, 0, 0);
    if (activation && (st = add_clamp(t, activation, out[0], y))) return st;
    return keep(t, in[4], out[1]);
}

const fmt_tfl_row fmt_tfl_rnn_rows[] = {
    /* code, options, inputs, results, reader */
    {27, 6, 5, 5, 1, read_svdf},             /* SVDF */
    {35, 31, 5, 5, 1, read_sequence_rnn},    /* UNIDIRECTIONAL_SEQUENCE_RNN */
    {44, 71, 20, LSTM_INPUTS, 1, read_lstm}, /* UNIDIRECTIONAL_SEQUENCE_LSTM */
    {52, 69, 39, 48, 2, read_bidirectional}, /* BIDIRECTIONAL_SEQUENCE_LSTM */
    {.read = NULL},
};
