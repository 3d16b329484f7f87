/* fmt_onnx_rnn.c - ONNX: recurrent operators. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx_nn.h"

#include "engine/format/missing.h"

static const struct {
    const char *name;
    ir_gate gate;
    float alpha, beta; /* when the node gives none */
} gates[] = {
    {"Sigmoid", IR_GATE_SIGMOID, 0, 0},
    {"Tanh", IR_GATE_TANH, 0, 0},
    {"Relu", IR_GATE_RELU, 0, 0},
    {"Affine", IR_GATE_AFFINE, 1, 0},
    {"LeakyRelu", IR_GATE_LEAKY_RELU, 0.01f, 0},
    {"ThresholdedRelu", IR_GATE_THRESHOLDED_RELU, 1, 0},
    {"ScaledTanh", IR_GATE_SCALED_TANH, 1, 1},
    {"HardSigmoid", IR_GATE_HARD_SIGMOID, 0.2f, 0.5f},
    {"Elu", IR_GATE_ELU, 1, 0},
    {"Softsign", IR_GATE_SOFTSIGN, 0, 0},
    {"Softplus", IR_GATE_SOFTPLUS, 0, 0},
};

/* What an activation takes from the lists of alphas and betas, which go on from one to the next. */
typedef struct numbers {
    float alpha[6], beta[6];
    size_t n_alpha, n_beta, at_alpha, at_beta;
} numbers;

static bool takes_alpha(ir_gate g)
{
    return g == IR_GATE_AFFINE || g == IR_GATE_LEAKY_RELU || g == IR_GATE_THRESHOLDED_RELU ||
           g == IR_GATE_SCALED_TANH || g == IR_GATE_HARD_SIGMOID || g == IR_GATE_ELU;
}

static bool takes_beta(ir_gate g)
{
    return g == IR_GATE_AFFINE || g == IR_GATE_SCALED_TANH || g == IR_GATE_HARD_SIGMOID;
}

static nf_status set_gate(ir_rnn *p, size_t i, nf_span name, numbers *list, fmt_onnx_ctx *o)
{
    char text[32];
    for (size_t k = 0; k < NF_COUNT(gates); k++) {
        if (!nf_span_is(name, gates[k].name)) continue;
        const ir_gate g = gates[k].gate;
        p->act[i] = (uint8_t)g;
        p->alpha[i] = gates[k].alpha;
        p->beta[i] = gates[k].beta;
        if (takes_alpha(g) && list->at_alpha < list->n_alpha)
            p->alpha[i] = list->alpha[list->at_alpha++];
        if (takes_beta(g) && list->at_beta < list->n_beta) p->beta[i] = list->beta[list->at_beta++];
        return NF_OK;
    }
    return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "activation %s",
                   fmt_printable(text, sizeof(text), name));
}

/* `each` activations for each direction; what the node does not name is the default. */
static nf_status read_gates(ir_rnn *p, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t each,
                            const char *const *absent)
{
    numbers list = {.at_alpha = 0};
    nf_status st;
    if ((st = fmt_onnx_reals(list.alpha, &list.n_alpha, 6, o, n, "activation_alpha"))) return st;
    if ((st = fmt_onnx_reals(list.beta, &list.n_beta, 6, o, n, "activation_beta"))) return st;
    for (size_t i = 0; i < each * (size_t)p->directions; i++) {
        nf_span name;
        if ((st = fmt_onnx_text_at(&name, o, n, "activations", i))) return st;
        if (!name.s) name = (nf_span){absent[i % each], strlen(absent[i % each])};
        if ((st = set_gate(p, i, name, &list, o))) return st;
    }
    return NF_OK;
}

static nf_status read_direction(ir_rnn *p, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    nf_span text;
    const nf_status st = fmt_onnx_text(&text, o, n, "direction");
    if (st) return st;
    p->directions = 1;
    if (!text.s || nf_span_is(text, "forward")) return NF_OK;
    if (nf_span_is(text, "bidirectional"))
        p->directions = 2;
    else if (nf_span_is(text, "reverse"))
        p->reverse = true;
    else
        return nf_fail(o->err, NF_EFORMAT, o->where, "unknown direction");
    return NF_OK;
}

/* Everything but the activations. */
static nf_status read_options(ir_rnn *p, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t layout, couple, linear;
    nf_status st;
    if ((st = read_direction(p, o, n))) return st;
    if ((st = fmt_onnx_float(&p->clip, o, n, "clip", 0))) return st;
    if ((st = fmt_onnx_int(&layout, o, n, "layout", 0))) return st;
    if ((st = fmt_onnx_int(&couple, o, n, "input_forget", 0))) return st;
    if ((st = fmt_onnx_int(&linear, o, n, "linear_before_reset", 0))) return st;
    p->batch_first = layout != 0;
    p->linear_before = linear != 0;
    p->couple = couple ? IR_COUPLE_FORGET : IR_COUPLE_NONE;
    return NF_OK;
}

/* Operands of a node that has the first n_in of the format's. */
static nf_status read_operands(int32_t *in, size_t n_in, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    nf_status st;
    for (size_t i = 0; i < n_in; i++) {
        in[i] = IR_NONE;
        if ((i < 3 || fmt_onnx_in(o, n, i) != IR_NONE) &&
            (st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i))))
            return st;
    }
    return NF_OK;
}

static nf_status add_rnn(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, const int32_t *in,
                         size_t n_in, const ir_attr *attr)
{
    const size_t results = op == IR_LSTM ? 3 : 2;
    int32_t out[3];
    nf_status st;
    for (size_t i = 0; i < results; i++)
        if ((st = fmt_onnx_out_at(&out[i], o, n, i, ENG_F32))) return st;
    if (out[0] == IR_NONE && (st = fmt_onnx_temp(&out[0], o, n, ":y", ENG_F32))) return st;
    return fmt_onnx_emit_ends(o, op, &(ir_ends){in, out, (int32_t)n_in, (int32_t)results}, attr);
}

static nf_status read_rnn(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, size_t each,
                          const char *const *absent)
{
    ir_attr attr = {.rnn = {.directions = 1}};
    int32_t in[8];
    nf_status st;
    if ((st = read_options(&attr.rnn, o, n))) return st;
    if ((st = read_gates(&attr.rnn, o, n, each, absent))) return st;
    if ((st = read_operands(in, n->n_in, o, n))) return st;
    return add_rnn(o, n, op, in, n->n_in, &attr);
}

/* Scales or zero points [d] or [d, 4 * h] as one for each column of [d, in, 4 * h]. */
static nf_status spread(int32_t *x, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const int32_t from = *x;
    const ir_attr attr = {.reshape = {.rank = 3, .dim = {0, 1, -1}}};
    nf_status st;
    if (o->g->tensors[from].rank != 2) return NF_OK;
    if ((st = fmt_onnx_temp(x, o, n, ":columns", o->g->tensors[from].dtype))) return st;
    return fmt_onnx_emit(o, IR_RESHAPE, &from, 1, *x, &attr);
}

/* Bytes [d, in, 4 * h] with scales in input `at` and zero points behind it, as floats
 * [d, 4 * h, in]. */
static nf_status real_weights(int32_t *w, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t at)
{
    const ir_attr turn = {.transpose = {.rank = 3, .perm = {0, 2, 1}}};
    ir_attr attr = {.linear = {.axis = 0}};
    int32_t in[3] = {*w}, real;
    nf_status st;
    for (size_t i = 0; i < 2; i++) {
        if ((st = fmt_onnx_use(&in[i + 1], o, fmt_onnx_in(o, n, at + i)))) return st;
        if ((st = spread(&in[i + 1], o, n))) return st;
    }
    const ir_tensor *t = &o->g->tensors[*w];
    if (t->rank != 3 || t->dim[1] < 1 || t->dim[1] > INT32_MAX)
        return nf_fail(o->err, NF_EFORMAT, o->where, "weights of %d dimensions", t->rank);
    if (o->g->tensors[in[1]].rank == 3)
        attr.linear.block = (int32_t)t->dim[1]; /* all of a column */
    attr.linear.axis = attr.linear.block ? 1 : 0;
    if ((st = fmt_onnx_temp(&real, o, n, ":fp32", ENG_F32))) return st;
    if ((st = fmt_onnx_emit(o, IR_DEQUANTIZE_LINEAR, in, 3, real, &attr))) return st;
    if ((st = fmt_onnx_temp(w, o, n, ":weights", ENG_F32))) return st;
    return fmt_onnx_emit(o, IR_TRANSPOSE, &real, 1, *w, &turn);
}

/* An LSTM on bytes: its weights become floats, and so x need not become bytes. */
nf_status fmt_onnx_dynamic_lstm(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const char *const absent[] = {"Sigmoid", "Tanh", "Tanh"};
    ir_attr attr = {.rnn = {.directions = 1}};
    int32_t in[8];
    nf_status st;
    if ((st = read_options(&attr.rnn, o, n))) return st;
    if ((st = read_gates(&attr.rnn, o, n, 3, absent))) return st;
    if ((st = read_operands(in, 8, o, n))) return st;
    if ((st = real_weights(&in[1], o, n, 8)) || (st = real_weights(&in[2], o, n, 10))) return st;
    return add_rnn(o, n, IR_LSTM, in, 8, &attr);
}

static nf_status read_lstm(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const char *const absent[] = {"Sigmoid", "Tanh", "Tanh"};
    return read_rnn(o, n, IR_LSTM, 3, absent);
}

static nf_status read_gru(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const char *const absent[] = {"Sigmoid", "Tanh"};
    return read_rnn(o, n, IR_GRU, 2, absent);
}

static nf_status read_plain(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const char *const absent[] = {"Tanh"};
    return read_rnn(o, n, IR_RNN, 1, absent);
}

const fmt_onnx_row fmt_onnx_rnn_rows[] = {
    /* operator, inputs, reader */
    {"GRU", 3, 6, read_gru},
    {"LSTM", 3, 8, read_lstm},
    {"RNN", 3, 6, read_plain},
    {.op = NULL},
};
