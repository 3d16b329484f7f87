/* fmt_tflite_gather.c - TensorFlow Lite's operators that pick, scatter, make and count values.
 * Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_tflite_move.h"

nf_status fmt_tfl_gather(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, IR_GATHER, 2);
    if (st) return st;
    node->attr.axis.axis = fmt_fb_i32(&t->fb, op->options, 0, 0);
    node->attr.axis.batch_dims = fmt_fb_i32(&t->fb, op->options, 1, 0);
    return NF_OK;
}

nf_status fmt_tfl_gather_nd(fmt_tfl *t, const fmt_tfl_op *op)
{
    return fmt_tfl_add(&(ir_node *){NULL}, t, op, IR_GATHER_ND, 2);
}

nf_status fmt_tfl_broadcast_to(fmt_tfl *t, const fmt_tfl_op *op)
{
    return fmt_tfl_add(&(ir_node *){NULL}, t, op, IR_BROADCAST_TO, 2);
}

nf_status fmt_tfl_broadcast_args(fmt_tfl *t, const fmt_tfl_op *op)
{
    return fmt_tfl_add(&(ir_node *){NULL}, t, op, IR_BROADCAST_ARGS, 2);
}

nf_status fmt_tfl_range(fmt_tfl *t, const fmt_tfl_op *op)
{
    return fmt_tfl_add(&(ir_node *){NULL}, t, op, IR_RANGE, 3);
}

nf_status fmt_tfl_zeros_like(fmt_tfl *t, const fmt_tfl_op *op)
{
    return fmt_tfl_add(&(ir_node *){NULL}, t, op, IR_ZEROS_LIKE, 1);
}

nf_status fmt_tfl_segment_sum(fmt_tfl *t, const fmt_tfl_op *op)
{
    return fmt_tfl_add(&(ir_node *){NULL}, t, op, IR_SEGMENT_SUM, 2);
}

nf_status fmt_tfl_one_hot(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, IR_ONE_HOT, 4);
    if (!st) node->attr.axis.axis = fmt_fb_i32(&t->fb, op->options, 0, 0);
    return st;
}

nf_status fmt_tfl_top_k(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, IR_TOP_K, 2);
    if (!st) node->attr.axis.axis = -1;
    return st;
}

nf_status fmt_tfl_where(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, IR_NON_ZERO, 1);
    if (!st) node->attr.axis.flag = true;
    return st;
}

/* Results: the values as they are met, and which one each element is. */
nf_status fmt_tfl_unique(fmt_tfl *t, const fmt_tfl_op *op)
{
    int32_t x, out[3] = {IR_NONE, IR_NONE, IR_NONE};
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_end(&x, t, op, 0))) return st;
    for (size_t i = 0; i < op->out.n; i++)
        if ((st = fmt_tfl_tensor(&out[2 * i], t, fmt_vec_i32(op->out, i)))) return st;
    const ir_ends ends = {&x, out, 1, op->out.n > 1 ? 3 : 1};
    if ((st = ir_add_node_ends(&node, t->g, IR_UNIQUE, &ends, t->err))) return st;
    node->attr.axis.flag = node->attr.axis.flag2 = true;
    return NF_OK;
}

nf_status fmt_tfl_shape(fmt_tfl *t, const fmt_tfl_op *op)
{
    const ir_tensor *x;
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_in(&x, t, op, 0))) return st;
    const int rank = x->rank;
    if (rank < 0) return nf_fail(t->err, NF_EUNSUPPORTED, x->name, "SHAPE of an open rank");
    if ((st = fmt_tfl_add(&node, t, op, IR_SHAPE, 1))) return st;
    node->attr.axis.number = rank;
    return NF_OK;
}

/* The number of dimensions is the size of the shape. */
nf_status fmt_tfl_rank(fmt_tfl *t, const fmt_tfl_op *op)
{
    int32_t x, list, y;
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_end(&x, t, op, 0))) return st;
    if ((st = fmt_tfl_tensor(&y, t, fmt_vec_i32(op->out, 0)))) return st;
    const int rank = t->g->tensors[x].rank;
    if ((st = fmt_tfl_temp(&list, t, ":shape", ENG_I64))) return st;
    if ((st = fmt_tfl_node(&node, t, IR_SHAPE, &x, 1, list))) return st;
    node->attr.axis.number = rank;
    return fmt_tfl_node(&node, t, IR_SIZE, &list, 1, y);
}

nf_status fmt_tfl_fill(fmt_tfl *t, const fmt_tfl_op *op)
{
    int32_t in[2], y;
    nf_status st;
    if ((st = fmt_tfl_end(&in[0], t, op, 1)) || (st = fmt_tfl_end(&in[1], t, op, 0))) return st;
    if ((st = fmt_tfl_tensor(&y, t, fmt_vec_i32(op->out, 0)))) return st;
    return fmt_tfl_node(&(ir_node *){NULL}, t, IR_BROADCAST_TO, in, 2, y);
}

/* Rows of a table; one that is kept in 8 bits is made real first. */
nf_status fmt_tfl_embedding(fmt_tfl *t, const fmt_tfl_op *op)
{
    int32_t in[2], y;
    nf_status st;
    if ((st = fmt_tfl_end(&in[0], t, op, 1)) || (st = fmt_tfl_end(&in[1], t, op, 0))) return st;
    if ((st = fmt_tfl_tensor(&y, t, fmt_vec_i32(op->out, 0)))) return st;
    const ir_tensor *table = &t->g->tensors[in[0]];
    if (table->quant.n && t->g->tensors[y].dtype == ENG_F32) {
        const int32_t from = in[0];
        if ((st = fmt_tfl_temp(&in[0], t, ":table", ENG_F32))) return st;
        if ((st = fmt_tfl_node(&(ir_node *){NULL}, t, IR_DEQUANTIZE, &from, 1, in[0]))) return st;
    }
    return fmt_tfl_node(&(ir_node *){NULL}, t, IR_GATHER, in, 2, y);
}

/* Scatters onto a tensor of one value. */
static nf_status scatter_onto(fmt_tfl *t, int32_t value, int32_t shape, const int32_t places[2],
                              int32_t y, int mode)
{
    const int32_t pair[2] = {value, shape};
    int32_t in[3] = {IR_NONE, places[0], places[1]};
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_temp_like(&in[0], t, value, ":filled"))) return st;
    if ((st = fmt_tfl_node(&node, t, IR_BROADCAST_TO, pair, 2, in[0]))) return st;
    if ((st = fmt_tfl_node(&node, t, IR_SCATTER_ND, in, 3, y))) return st;
    node->attr.misc.mode = mode;
    return NF_OK;
}

/* indices, updates, shape: updates of one place are summed. */
nf_status fmt_tfl_scatter_nd(fmt_tfl *t, const fmt_tfl_op *op)
{
    int32_t in[3], y, zero;
    nf_status st;
    for (size_t i = 0; i < 3; i++)
        if ((st = fmt_tfl_end(&in[i], t, op, i))) return st;
    if ((st = fmt_tfl_tensor(&y, t, fmt_vec_i32(op->out, 0)))) return st;
    const eng_dtype dtype = t->g->tensors[in[1]].dtype;
    const int mode = dtype == ENG_BOOL ? IR_SCATTER_SET : IR_SCATTER_ADD;
    if ((st = fmt_tfl_new_zero(&zero, t, dtype))) return st;
    return scatter_onto(t, zero, in[2], in, y, mode);
}

/* Another node in front: *tensor becomes op(tensor, list). */
static nf_status put_before(int32_t *tensor, fmt_tfl *t, ir_op kind, const int64_t *v, size_t n)
{
    int32_t in[2] = {*tensor};
    nf_status st;
    if ((st = fmt_tfl_new_ints(&in[1], t, v, n))) return st;
    if ((st = fmt_tfl_temp_like(tensor, t, in[0], ":spread"))) return st;
    return fmt_tfl_node(&(ir_node *){NULL}, t, kind, in, 2, *tensor);
}

/* indices [n, k], [n] or one number, shape, values, default: each index becomes a row. */
nf_status fmt_tfl_sparse_to_dense(fmt_tfl *t, const fmt_tfl_op *op)
{
    static const int64_t axes[2] = {0, 1};
    int32_t in[4], y;
    nf_status st;
    for (size_t i = 0; i < 4; i++)
        if ((st = fmt_tfl_end(&in[i], t, op, i))) return st;
    if ((st = fmt_tfl_tensor(&y, t, fmt_vec_i32(op->out, 0)))) return st;
    const ir_tensor *at = &t->g->tensors[in[0]];
    const int rank = at->rank;
    const int64_t n = rank ? at->dim[0] : 1;
    if (rank > 2 || rank < 0 || n < 0)
        return nf_fail(t->err, NF_EUNSUPPORTED, at->name, "SPARSE_TO_DENSE of %d dimensions", rank);
    const bool one = t->g->tensors[in[2]].rank == 0;
    if (rank < 2 && (st = put_before(&in[0], t, IR_UNSQUEEZE, axes + rank, (size_t)(2 - rank))))
        return st;
    if (one && (st = put_before(&in[2], t, IR_BROADCAST_TO, &n, 1))) return st;
    return scatter_onto(t, in[3], in[1], (int32_t[]){in[0], in[2]}, y, IR_SCATTER_SET);
}
