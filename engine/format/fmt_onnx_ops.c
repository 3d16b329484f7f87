/* fmt_onnx_ops.c - the table of ONNX operators, and those that need no more than a few lines.
 * Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx.h"

#include <math.h>

/* Input 0 as a tensor of the graph, and a tensor of the same type for the result. */
static nf_status unary(int32_t *x, int32_t *y, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    nf_status st;
    if ((st = fmt_onnx_use(x, o, fmt_onnx_in(o, n, 0)))) return st;
    return fmt_onnx_out(y, o, n, o->g->tensors[*x].dtype);
}

static nf_status read_relu(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const ir_attr attr = {.clamp = {.clamp = {0, INFINITY}}};
    int32_t x, y;
    nf_status st;
    if ((st = unary(&x, &y, o, n))) return st;
    return fmt_onnx_emit(o, IR_CLAMP, &x, 1, y, &attr);
}

/* Before opset 13: over all dimensions from `axis` on, as if they were one. */
static nf_status flat_softmax(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, int32_t x,
                              int axis)
{
    const ir_attr flat = {.reshape = {.flatten = true, .axis = axis}};
    const ir_attr softmax = {.softmax = {.beta = 1, .axis = 1}};
    ir_attr back = {.reshape = {.rank = o->g->tensors[x].rank}};
    int32_t rows, soft, y;
    nf_status st;
    const int64_t *dim = o->g->tensors[x].dim;
    for (int i = 0; i < back.reshape.rank; i++)
        back.reshape.dim[i] = dim[i] == IR_BATCH ? 1 : dim[i]; /* 1: the rows stay in front */
    if ((st = fmt_onnx_temp(&rows, o, n, ":rows", ENG_F32))) return st;
    if ((st = fmt_onnx_emit(o, IR_RESHAPE, &x, 1, rows, &flat))) return st;
    if ((st = fmt_onnx_temp(&soft, o, n, ":softmax", ENG_F32))) return st;
    if ((st = fmt_onnx_emit(o, op, &rows, 1, soft, &softmax))) return st;
    if ((st = fmt_onnx_out(&y, o, n, ENG_F32))) return st;
    return fmt_onnx_emit(o, IR_RESHAPE, &soft, 1, y, &back);
}

nf_status fmt_onnx_softmax(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op)
{
    int64_t axis;
    int32_t x, y;
    nf_status st;
    if ((st = fmt_onnx_int(&axis, o, n, "axis", o->opset < 13 ? 1 : -1))) return st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    const int rank = o->g->tensors[x].rank;
    if (axis < -rank || axis >= rank)
        return nf_fail(o->err, NF_EFORMAT, o->where, "axis %lld of %d", (long long)axis, rank);
    axis += axis < 0 ? rank : 0;
    if (o->g->tensors[x].dtype != ENG_F32)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "%s of %s", ir_op_name(op),
                       eng_dtype_oip(o->g->tensors[x].dtype));
    if (o->opset < 13 && axis != rank - 1) return flat_softmax(o, n, op, x, (int)axis);
    const ir_attr attr = {.softmax = {.beta = 1, .axis = (int)axis}};
    if ((st = fmt_onnx_out(&y, o, n, ENG_F32))) return st;
    return fmt_onnx_emit(o, op, &x, 1, y, &attr);
}

static nf_status read_softmax(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return fmt_onnx_softmax(o, n, IR_SOFTMAX);
}

/* Another name for the same values; an output of the model gets a tensor of its own. */
nf_status fmt_onnx_identity(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const fmt_onnx_value *x = fmt_onnx_value_of(o, fmt_onnx_in(o, n, 0));
    fmt_onnx_value *y = fmt_onnx_result(o, n);
    int32_t from, to;
    nf_status st;
    if (!x) return nf_fail(o->err, NF_EFORMAT, o->where, "the input is left out");
    if (x->kind == FMT_ONNX_COMPUTED && (st = fmt_onnx_use(&from, o, fmt_onnx_in(o, n, 0))))
        return st;
    if (!y->is_output) {
        y->kind = FMT_ONNX_ALIAS;
        y->source = (int32_t)(x - o->values);
        return NF_OK;
    }
    if ((st = unary(&from, &to, o, n))) return st;
    return fmt_onnx_emit(o, IR_IDENTITY, &from, 1, to, NULL);
}

/* The mask of what is kept: all of it. */
static nf_status add_mask(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const int64_t one = 1;
    ir_attr whole = {.axis = {.axis = 0}};
    int32_t x, mask, in[2], number;
    nf_status st;
    if ((st = fmt_onnx_out_at(&mask, o, n, 1, ENG_BOOL)) || mask == IR_NONE) return st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_new_ints(&number, o, &one, 1, 0))) return st;
    if ((st = fmt_onnx_temp(&in[0], o, n, ":true", ENG_BOOL))) return st;
    if ((st = fmt_onnx_emit(o, IR_CAST, &number, 1, in[0], NULL))) return st;
    if ((st = fmt_onnx_temp(&in[1], o, n, ":shape", ENG_I64))) return st;
    whole.axis.number = o->g->tensors[x].rank;
    if ((st = fmt_onnx_emit(o, IR_SHAPE, &x, 1, in[1], &whole))) return st;
    return fmt_onnx_emit(o, IR_BROADCAST_TO, in, 2, mask, NULL);
}

static nf_status read_dropout(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t training = 0;
    size_t count;
    nf_status st;
    if (fmt_onnx_in(o, n, 2) != IR_NONE &&
        (st = fmt_onnx_numbers(&training, &count, 1, o, fmt_onnx_in(o, n, 2))))
        return st;
    if (training) return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "Dropout in training mode");
    if (n->n_out > 1 && (st = add_mask(o, n))) return st;
    return fmt_onnx_identity(o, n);
}

static nf_status read_constant(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    fmt_onnx_value *v = fmt_onnx_result(o, n);
    nf_bytes proto;
    nf_span name;
    nf_status st;
    if ((st = fmt_onnx_proto(&proto, o, n, "value"))) return st;
    if (!proto.data) return fmt_onnx_plain_constant(v, o, n);
    v->kind = FMT_ONNX_CONST;
    return fmt_onnx_head(&v->c, &name, o, proto);
}

const fmt_onnx_row fmt_onnx_core_rows[] = {
    {"AveragePool", 1, 1, fmt_onnx_average_pool},
    {"BatchNormalization", 5, 5, fmt_onnx_batch_norm},
    {"Constant", 0, 0, read_constant},
    {"Conv", 2, 3, fmt_onnx_conv},
    {"DequantizeLinear", 2, 3, fmt_onnx_dequantize},
    {"Dropout", 1, 3, read_dropout},
    {"Flatten", 1, 1, fmt_onnx_flatten},
    {"Gemm", 2, 3, fmt_onnx_gemm},
    {"GlobalAveragePool", 1, 1, fmt_onnx_global_pool},
    {"Identity", 1, 1, fmt_onnx_identity},
    {"MatMul", 2, 2, fmt_onnx_matmul},
    {"MaxPool", 1, 1, fmt_onnx_max_pool},
    {"QuantizeLinear", 2, 3, fmt_onnx_quantize},
    {"Relu", 1, 1, read_relu},
    {"Reshape", 2, 2, fmt_onnx_reshape},
    {"Softmax", 1, 1, read_softmax},
    {"Squeeze", 1, 2, fmt_onnx_squeeze},
    {"StringNormalizer", 1, 1, fmt_onnx_string_normalizer},
    {"Transpose", 1, 1, fmt_onnx_transpose},
    {"Unsqueeze", 1, 2, fmt_onnx_unsqueeze},
    {.op = NULL},
};

static const struct {
    const char *domain;
    const fmt_onnx_row *rows;
} tables[] = {
    {"ai.onnx", fmt_onnx_core_rows},     {"ai.onnx", fmt_onnx_math_rows},
    {"ai.onnx", fmt_onnx_move_rows},     {"ai.onnx", fmt_onnx_nn_rows},
    {"ai.onnx", fmt_onnx_rnn_rows},      {"ai.onnx", fmt_onnx_sequence_rows},
    {"ai.onnx", fmt_onnx_flow_rows},     {"ai.onnx.ml", fmt_onnx_ml_rows},
    {"com.microsoft", fmt_onnx_ms_rows},
};

const fmt_onnx_row *fmt_onnx_op(const fmt_onnx_node *n)
{
    const nf_span domain = n->domain.len ? n->domain : (nf_span){"ai.onnx", 7};
    for (size_t t = 0; t < NF_COUNT(tables); t++) {
        if (!nf_span_is(domain, tables[t].domain)) continue;
        for (const fmt_onnx_row *r = tables[t].rows; r->op; r++)
            if (nf_span_is(n->op, r->op)) return r;
    }
    return NULL;
}
