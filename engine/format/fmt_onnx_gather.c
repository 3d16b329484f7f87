/* fmt_onnx_gather.c - ONNX: operators that pick, scatter, sort and count values. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_onnx_move.h"

nf_status fmt_onnx_gather(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    const nf_status st = fmt_onnx_axis(&attr.axis.axis, o, n, "axis", 0);
    return st ? st : fmt_onnx_moves(o, n, IR_GATHER, 2, &attr);
}

nf_status fmt_onnx_gather_elements(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    const nf_status st = fmt_onnx_axis(&attr.axis.axis, o, n, "axis", 0);
    return st ? st : fmt_onnx_moves(o, n, IR_GATHER_ELEMENTS, 2, &attr);
}

nf_status fmt_onnx_gather_nd(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    const nf_status st = fmt_onnx_axis(&attr.axis.batch_dims, o, n, "batch_dims", 0);
    return st ? st : fmt_onnx_moves(o, n, IR_GATHER_ND, 2, &attr);
}

static nf_status read_scatter(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op)
{
    static const char *const modes[] = {
        [IR_SCATTER_SET] = "none", [IR_SCATTER_ADD] = "add", [IR_SCATTER_MUL] = "mul",
        [IR_SCATTER_MAX] = "max",  [IR_SCATTER_MIN] = "min", NULL};
    ir_attr attr = {.misc = {.mode = 0}};
    int axis = 0;
    nf_status st;
    if ((st = fmt_onnx_choice(&attr.misc.mode, o, n, "reduction", modes))) return st;
    if (op == IR_SCATTER_ELEMENTS && (st = fmt_onnx_axis(&axis, o, n, "axis", 0))) return st;
    attr.misc.size[0] = axis;
    return fmt_onnx_moves(o, n, op, 3, &attr);
}

nf_status fmt_onnx_scatter_elements(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return read_scatter(o, n, IR_SCATTER_ELEMENTS);
}

nf_status fmt_onnx_scatter_nd(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return read_scatter(o, n, IR_SCATTER_ND);
}

/* *tensor as INT64, if it is not an index already. */
static nf_status as_index(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                          const char *suffix)
{
    const eng_dtype dtype = o->g->tensors[*tensor].dtype;
    const int32_t from = *tensor;
    nf_status st;
    if (dtype == ENG_I64 || dtype == ENG_I32) return NF_OK;
    if ((st = fmt_onnx_temp(tensor, o, n, suffix, ENG_I64))) return st;
    return fmt_onnx_emit(o, IR_CAST, &from, 1, *tensor, NULL);
}

/* Number i of a list, as a scalar. */
static nf_status pick(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t list,
                      int64_t i)
{
    const ir_attr attr = {.axis = {.axis = 0}};
    int32_t in[2] = {list};
    nf_status st;
    if ((st = fmt_onnx_new_ints(&in[1], o, &i, 1, 0))) return st;
    if ((st = fmt_onnx_temp(tensor, o, n, i ? ":on" : ":off", o->g->tensors[list].dtype)))
        return st;
    return fmt_onnx_emit(o, IR_GATHER, in, 2, *tensor, &attr);
}

nf_status fmt_onnx_one_hot(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.flag = true}};
    int32_t in[4], values, y;
    nf_status st;
    if ((st = fmt_onnx_axis(&attr.axis.axis, o, n, "axis", -1))) return st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_use(&in[1], o, fmt_onnx_in(o, n, 1)))) return st;
    if ((st = fmt_onnx_use(&values, o, fmt_onnx_in(o, n, 2)))) return st;
    if ((st = as_index(&in[0], o, n, ":indices")) || (st = as_index(&in[1], o, n, ":depth")))
        return st;
    if ((st = pick(&in[2], o, n, values, 1)) || (st = pick(&in[3], o, n, values, 0))) return st;
    if ((st = fmt_onnx_out(&y, o, n, o->g->tensors[values].dtype))) return st;
    return fmt_onnx_emit(o, IR_ONE_HOT, in, 4, y, &attr);
}

nf_status fmt_onnx_range(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return fmt_onnx_moves(o, n, IR_RANGE, 3, NULL);
}

nf_status fmt_onnx_eye_like(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    eng_dtype dtype;
    int64_t type;
    int32_t x, y;
    nf_status st;
    if ((st = fmt_onnx_int(&attr.axis.number, o, n, "k", 0))) return st;
    if ((st = fmt_onnx_int(&type, o, n, "dtype", 0))) return st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    dtype = o->g->tensors[x].dtype;
    if (type < 0 || type > 1000) type = 1000; /* none of those there are */
    if (type && (st = fmt_onnx_dtype(&dtype, o, (int32_t)type, (nf_span){"dtype", 5}))) return st;
    if (fmt_onnx_is_real(dtype)) dtype = ENG_F32;
    if ((st = fmt_onnx_out(&y, o, n, dtype))) return st;
    return fmt_onnx_emit(o, IR_EYE_LIKE, &x, 1, y, &attr);
}

nf_status fmt_onnx_reverse_sequence(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    nf_status st;
    if ((st = fmt_onnx_axis(&attr.axis.axis, o, n, "time_axis", 0))) return st;
    if ((st = fmt_onnx_axis(&attr.axis.batch_dims, o, n, "batch_axis", 1))) return st;
    return fmt_onnx_moves(o, n, IR_REVERSE_SEQUENCE, 2, &attr);
}

static nf_status add_index(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, const ir_attr *attr)
{
    int32_t x, y;
    nf_status st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_out(&y, o, n, ENG_I64))) return st;
    return fmt_onnx_emit(o, op, &x, 1, y, attr);
}

nf_status fmt_onnx_non_zero(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return add_index(o, n, IR_NON_ZERO, NULL);
}

nf_status fmt_onnx_size_of(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return add_index(o, n, IR_SIZE, NULL);
}

/* An axis that may be left out: then all elements are meant. */
static nf_status axis_or_all(ir_attr *attr, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t axis;
    const nf_status st = fmt_onnx_int(&axis, o, n, "axis", INT64_MIN);
    attr->axis.flag = axis == INT64_MIN;
    if (st || attr->axis.flag) return st;
    return fmt_onnx_axis(&attr->axis.axis, o, n, "axis", 0);
}

nf_status fmt_onnx_compress(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    const nf_status st = axis_or_all(&attr, o, n);
    return st ? st : fmt_onnx_moves(o, n, IR_COMPRESS, 2, &attr);
}

nf_status fmt_onnx_trilu(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    int64_t upper;
    const nf_status st = fmt_onnx_int(&upper, o, n, "upper", 1);
    attr.axis.flag = upper != 0;
    return st ? st : fmt_onnx_moves(o, n, IR_TRILU, 2, &attr);
}

/* Results i > 0 that someone wants. */
static nf_status more_outs(int32_t *out, int32_t *n_out, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                           int32_t most)
{
    nf_status st;
    *n_out = 1;
    for (int32_t i = 1; i < most; i++) {
        if ((st = fmt_onnx_out_at(&out[i], o, n, (size_t)i, ENG_I64))) return st;
        if (out[i] != IR_NONE) *n_out = i + 1;
    }
    return NF_OK;
}

/* The first result, also when only a later one is wanted. */
static nf_status first_out(int32_t *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, eng_dtype dtype)
{
    const nf_status st = fmt_onnx_out(out, o, n, dtype);
    if (st || *out != IR_NONE) return st;
    return ir_add_tensor(out, o->g, "", 0, dtype, o->err);
}

nf_status fmt_onnx_top_k(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    int64_t largest, k;
    int32_t in[2], out[2];
    ir_ends ends = {in, out, 2, 1};
    nf_status st;
    if ((st = fmt_onnx_axis(&attr.axis.axis, o, n, "axis", -1))) return st;
    if ((st = fmt_onnx_int(&largest, o, n, "largest", 1))) return st;
    if ((st = fmt_onnx_int(&k, o, n, "k", 0))) return st;
    attr.axis.flag = !largest;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    st = o->opset < 10 ? fmt_onnx_new_ints(&in[1], o, &k, 1, 0)
                       : fmt_onnx_use(&in[1], o, fmt_onnx_in(o, n, 1));
    if (st || (st = first_out(&out[0], o, n, o->g->tensors[in[0]].dtype)) ||
        (st = more_outs(out, &ends.n_out, o, n, 2)))
        return st;
    return fmt_onnx_emit_ends(o, IR_TOP_K, &ends, &attr);
}

nf_status fmt_onnx_unique(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    int64_t sorted;
    int32_t x, out[4];
    ir_ends ends = {&x, out, 1, 1};
    nf_status st;
    if ((st = axis_or_all(&attr, o, n))) return st;
    if ((st = fmt_onnx_int(&sorted, o, n, "sorted", 1))) return st;
    attr.axis.flag2 = !sorted;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = first_out(&out[0], o, n, o->g->tensors[x].dtype)) ||
        (st = more_outs(out, &ends.n_out, o, n, 4)))
        return st;
    return fmt_onnx_emit_ends(o, IR_UNIQUE, &ends, &attr);
}
