/* fmt_onnx_reduce.c - ONNX: operators along axes. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx.h"

static eng_dtype type_of(const fmt_onnx_ctx *o, int32_t tensor)
{
    return o->g->tensors[tensor].dtype;
}

static const struct {
    const char *name;
    ir_op op;
    int64_t axes_input; /* the opset since which the axes are an input */
} reductions[] = {
    {"ReduceL1", IR_REDUCE_L1, 18},          {"ReduceL2", IR_REDUCE_L2, 18},
    {"ReduceLogSum", IR_REDUCE_LOG_SUM, 18}, {"ReduceLogSumExp", IR_REDUCE_LOG_SUM_EXP, 18},
    {"ReduceMax", IR_REDUCE_MAX, 18},        {"ReduceMean", IR_MEAN, 18},
    {"ReduceMin", IR_REDUCE_MIN, 18},        {"ReduceProd", IR_REDUCE_PROD, 18},
    {"ReduceSum", IR_REDUCE_SUM, 13},        {"ReduceSumSquare", IR_REDUCE_SUM_SQUARE, 18},
};

/* The tensor of the axes, IR_NONE when the file names none. */
static nf_status read_axes(int32_t *axes, fmt_onnx_ctx *o, const fmt_onnx_node *n, bool input)
{
    int64_t list[ENG_MAX_RANK];
    size_t count;
    nf_status st;
    *axes = IR_NONE;
    if (input) {
        const int32_t value = fmt_onnx_in(o, n, 1);
        return value == IR_NONE ? NF_OK : fmt_onnx_use(axes, o, value);
    }
    if ((st = fmt_onnx_ints(list, &count, ENG_MAX_RANK, o, n, "axes"))) return st;
    return count ? fmt_onnx_new_ints(axes, o, list, count, 1) : NF_OK;
}

nf_status fmt_onnx_reduce(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t keep, noop;
    int32_t in[2], y;
    size_t i = 0;
    nf_status st;
    while (!nf_span_is(n->op, reductions[i].name))
        i++;
    if ((st = fmt_onnx_int(&keep, o, n, "keepdims", 1))) return st;
    if ((st = fmt_onnx_int(&noop, o, n, "noop_with_empty_axes", 0))) return st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = read_axes(&in[1], o, n, o->opset >= reductions[i].axes_input))) return st;
    if ((st = fmt_onnx_out(&y, o, n, type_of(o, in[0])))) return st;
    const ir_attr attr = {.reduce = {.keep_dims = keep != 0, .all = noop == 0}};
    return fmt_onnx_emit(o, reductions[i].op, in, in[1] == IR_NONE ? 1 : 2, y, &attr);
}

nf_status fmt_onnx_arg(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const ir_op op = nf_span_is(n->op, "ArgMax") ? IR_ARG_MAX : IR_ARG_MIN;
    int64_t axis, keep, last;
    int32_t in[2], y;
    nf_status st;
    if ((st = fmt_onnx_int(&axis, o, n, "axis", 0))) return st;
    if ((st = fmt_onnx_int(&keep, o, n, "keepdims", 1))) return st;
    if ((st = fmt_onnx_int(&last, o, n, "select_last_index", 0))) return st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_new_ints(&in[1], o, &axis, 1, 0))) return st;
    if ((st = fmt_onnx_out(&y, o, n, ENG_I64))) return st;
    const ir_attr attr = {.reduce = {.keep_dims = keep != 0, .last = last != 0}};
    return fmt_onnx_emit(o, op, in, 2, y, &attr);
}

nf_status fmt_onnx_cumulate(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const ir_op op = nf_span_is(n->op, "CumSum") ? IR_CUMSUM : IR_CUM_PROD;
    int64_t exclusive, reverse;
    int32_t in[2], y;
    nf_status st;
    if ((st = fmt_onnx_int(&exclusive, o, n, "exclusive", 0))) return st;
    if ((st = fmt_onnx_int(&reverse, o, n, "reverse", 0))) return st;
    for (size_t i = 0; i < 2; i++)
        if ((st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i)))) return st;
    if ((st = fmt_onnx_out(&y, o, n, type_of(o, in[0])))) return st;
    const ir_attr attr = {.reduce = {.exclusive = exclusive != 0, .reverse = reverse != 0}};
    return fmt_onnx_emit(o, op, in, 2, y, &attr);
}

/* Over the axes behind rows and channels, whatever their number. */
nf_status fmt_onnx_global_max(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const ir_attr attr = {.reduce = {.keep_dims = true}};
    int64_t axes[ENG_MAX_RANK];
    int32_t in[2], y;
    size_t count = 0;
    nf_status st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    for (int i = 2; i < o->g->tensors[in[0]].rank; i++)
        axes[count++] = i;
    if ((st = fmt_onnx_new_ints(&in[1], o, axes, count, 1))) return st;
    if ((st = fmt_onnx_out(&y, o, n, type_of(o, in[0])))) return st;
    return fmt_onnx_emit(o, IR_REDUCE_MAX, in, 2, y, &attr);
}

nf_status fmt_onnx_log_softmax(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return fmt_onnx_softmax(o, n, IR_LOG_SOFTMAX);
}

nf_status fmt_onnx_hardmax(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return fmt_onnx_softmax(o, n, IR_HARDMAX);
}
