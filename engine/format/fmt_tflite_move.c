/* fmt_tflite_move.c - TensorFlow Lite's operators that move values. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_tflite_move.h"

#include "engine/base/mem.h"

nf_status fmt_tfl_end(int32_t *out, fmt_tfl *t, const fmt_tfl_op *op, size_t i)
{
    return fmt_tfl_tensor(out, t, fmt_vec_i32(op->in, i));
}

nf_status fmt_tfl_axis(int *out, fmt_tfl *t, const fmt_tfl_op *op, size_t i)
{
    int64_t axis[1] = {0};
    size_t n;
    nf_status st;
    if ((st = fmt_tfl_ints(axis, &n, 1, t, fmt_vec_i32(op->in, i)))) return st;
    if (n != 1 || axis[0] < -ENG_MAX_RANK || axis[0] >= ENG_MAX_RANK)
        return nf_fail(t->err, NF_EFORMAT, "tflite", "%s along axis %lld",
                       fmt_tfl_name(op->row->code), (long long)axis[0]);
    *out = (int)axis[0];
    return NF_OK;
}

nf_status fmt_tfl_temp_like(int32_t *out, fmt_tfl *t, int32_t like, const char *suffix)
{
    nf_status st;
    if ((st = fmt_tfl_temp(out, t, suffix, t->g->tensors[like].dtype))) return st;
    const ir_quant q = t->g->tensors[like].quant;
    if (q.n != 1) return NF_OK;
    return ir_set_quant(&t->g->tensors[*out], 1, q.scale, q.zero, 0, t->err);
}

nf_status fmt_tfl_node(ir_node **node, fmt_tfl *t, ir_op kind, const int32_t *in, int32_t n_in,
                       int32_t out)
{
    return ir_add_node(node, t->g, kind, in, n_in, out, t->err);
}

nf_status fmt_tfl_new_zero(int32_t *out, fmt_tfl *t, eng_dtype dtype)
{
    static const uint8_t zero[8] = {0};
    nf_status st;
    if (eng_dtype_size(dtype) > sizeof(zero))
        return nf_fail(t->err, NF_EUNSUPPORTED, "tflite", "zeros of %s", eng_dtype_oip(dtype));
    if ((st = fmt_tfl_temp(out, t, ":zero", dtype))) return st;
    return ir_set_data(&t->g->tensors[*out], (nf_bytes){zero, eng_dtype_size(dtype)}, t->err);
}

static nf_status add_plain(fmt_tfl *t, const fmt_tfl_op *op, ir_op kind, const ir_attr *attr)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, kind, (int32_t)op->in.n);
    if (!st && attr) node->attr = *attr;
    return st;
}

/* One scale for all: what has another one is quantized anew. */
static nf_status requantize(fmt_tfl *t, int32_t *tensor, int32_t like)
{
    const ir_quant *p = &t->g->tensors[*tensor].quant, *q = &t->g->tensors[like].quant;
    const int32_t from = *tensor;
    ir_node *node;
    nf_status st;
    if (p->n != 1 || q->n != 1 || t->g->tensors[from].dtype != t->g->tensors[like].dtype)
        return NF_OK;
    if (p->scale[0] == q->scale[0] && p->zero[0] == q->zero[0]) return NF_OK;
    if ((st = fmt_tfl_temp_like(tensor, t, like, ":requantized"))) return st;
    return fmt_tfl_node(&node, t, IR_QUANTIZE, &from, 1, *tensor);
}

/* CONCATENATION of the operator's inputs; with `unsqueeze` (a list of one axis) PACK. */
static nf_status join(fmt_tfl *t, const fmt_tfl_op *op, int32_t *in, int32_t unsqueeze, int axis)
{
    int32_t y;
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_tensor(&y, t, fmt_vec_i32(op->out, 0)))) return st;
    for (size_t i = 0; i < op->in.n; i++) {
        if ((st = fmt_tfl_end(&in[i], t, op, i)) || (st = requantize(t, &in[i], y))) return st;
        if (unsqueeze == IR_NONE) continue;
        const int32_t pair[2] = {in[i], unsqueeze};
        if ((st = fmt_tfl_temp_like(&in[i], t, pair[0], ":unsqueezed"))) return st;
        if ((st = fmt_tfl_node(&node, t, IR_UNSQUEEZE, pair, 2, in[i]))) return st;
    }
    if ((st = fmt_tfl_node(&node, t, IR_CONCATENATION, in, (int32_t)op->in.n, y))) return st;
    node->attr.axis.axis = axis;
    return NF_OK;
}

static nf_status read_joined(fmt_tfl *t, const fmt_tfl_op *op, int32_t unsqueeze, int axis)
{
    int32_t *in = nf_alloc_array(op->in.n, sizeof(*in), NF_MEM_GRAPH);
    if (!in) return nf_fail(t->err, NF_ENOMEM, "tflite", "no memory for %zu inputs", op->in.n);
    const nf_status st = join(t, op, in, unsqueeze, axis);
    nf_free(in);
    return st;
}

static nf_status read_concat(fmt_tfl *t, const fmt_tfl_op *op)
{
    if (fmt_fb_u8(&t->fb, op->options, 1, 0))
        return nf_fail(t->err, NF_EUNSUPPORTED, "tflite", "CONCATENATION with an activation");
    return read_joined(t, op, IR_NONE, fmt_fb_i32(&t->fb, op->options, 0, 0));
}

static nf_status read_pack(fmt_tfl *t, const fmt_tfl_op *op)
{
    const int64_t axis = fmt_fb_i32(&t->fb, op->options, 1, 0);
    int32_t list;
    const nf_status st = fmt_tfl_new_ints(&list, t, &axis, 1);
    return st ? st : read_joined(t, op, list, (int)axis);
}

static nf_status read_split(fmt_tfl *t, const fmt_tfl_op *op)
{
    fmt_tfl_op rest = *op; /* the axis comes first */
    ir_attr attr = {.axis = {.axis = 0}};
    nf_status st;
    if ((st = fmt_tfl_axis(&attr.axis.axis, t, op, 0))) return st;
    if (op->out.n != (size_t)fmt_fb_i32(&t->fb, op->options, 0, 0))
        return nf_fail(t->err, NF_EFORMAT, "tflite", "SPLIT with %zu results", op->out.n);
    rest.in = (fmt_vector){op->in.items + sizeof(int32_t), 1};
    return add_plain(t, &rest, IR_SPLIT, &attr);
}

static nf_status read_split_v(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    int axis;
    nf_status st;
    if ((st = fmt_tfl_axis(&axis, t, op, 2))) return st;
    if ((st = fmt_tfl_add(&node, t, op, IR_SPLIT, 2))) return st;
    node->attr.axis.axis = axis;
    return NF_OK;
}

/* A SPLIT into parts of 1, each of which then loses the axis. */
static nf_status unpack(int32_t *part, fmt_tfl *t, const fmt_tfl_op *op, int64_t axis)
{
    const int32_t n = (int32_t)op->out.n;
    int32_t x, list;
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_end(&x, t, op, 0)) || (st = fmt_tfl_new_ints(&list, t, &axis, 1))) return st;
    for (int32_t i = 0; i < n; i++)
        if ((st = fmt_tfl_temp_like(&part[i], t, x, ":part"))) return st;
    const ir_ends ends = {&x, part, 1, n};
    if ((st = ir_add_node_ends(&node, t->g, IR_SPLIT, &ends, t->err))) return st;
    node->attr.axis.axis = (int)axis;
    for (int32_t i = 0; i < n; i++) {
        const int32_t pair[2] = {part[i], list};
        int32_t y;
        if ((st = fmt_tfl_tensor(&y, t, fmt_vec_i32(op->out, (size_t)i)))) return st;
        if ((st = fmt_tfl_node(&node, t, IR_SQUEEZE, pair, 2, y))) return st;
    }
    return NF_OK;
}

static nf_status read_unpack(fmt_tfl *t, const fmt_tfl_op *op)
{
    int32_t *part = nf_alloc_array(op->out.n, sizeof(*part), NF_MEM_GRAPH);
    if (!part) return nf_fail(t->err, NF_ENOMEM, "tflite", "no memory for %zu parts", op->out.n);
    const nf_status st = unpack(part, t, op, fmt_fb_i32(&t->fb, op->options, 1, 0));
    nf_free(part);
    return st;
}

static nf_status read_slice(fmt_tfl *t, const fmt_tfl_op *op)
{
    return add_plain(t, op, IR_SLICE, &(ir_attr){.axis = {.flag = true}});
}

static nf_status read_strided_slice(fmt_tfl *t, const fmt_tfl_op *op)
{
    uint32_t mask[5];
    for (unsigned i = 0; i < NF_COUNT(mask); i++)
        mask[i] = (uint32_t)fmt_fb_i32(&t->fb, op->options, i, 0);
    const ir_attr attr = {.strided = {.begin = mask[0],
                                      .end = mask[1],
                                      .ellipsis = mask[2],
                                      .new_axis = mask[3],
                                      .shrink = mask[4],
                                      .offset = fmt_fb_u8(&t->fb, op->options, 5, 0) != 0}};
    return add_plain(t, op, IR_STRIDED_SLICE, &attr);
}

static nf_status read_pad(fmt_tfl *t, const fmt_tfl_op *op)
{
    return add_plain(t, op, IR_PAD, &(ir_attr){.misc = {.mode = IR_PAD_VALUE, .flag = true}});
}

static nf_status read_mirror_pad(fmt_tfl *t, const fmt_tfl_op *op)
{
    const bool symmetric = fmt_fb_u8(&t->fb, op->options, 0, 0) == 1;
    const ir_attr attr = {
        .misc = {.mode = symmetric ? IR_PAD_SYMMETRIC : IR_PAD_REFLECT, .flag = true}};
    return add_plain(t, op, IR_PAD, &attr);
}

static nf_status read_tile(fmt_tfl *t, const fmt_tfl_op *op)
{
    return add_plain(t, op, IR_TILE, NULL);
}

static nf_status read_reverse(fmt_tfl *t, const fmt_tfl_op *op)
{
    return add_plain(t, op, IR_REVERSE_V2, NULL);
}

static nf_status read_reverse_sequence(fmt_tfl *t, const fmt_tfl_op *op)
{
    const ir_attr attr = {.axis = {.axis = fmt_fb_i32(&t->fb, op->options, 0, 0),
                                   .batch_dims = fmt_fb_i32(&t->fb, op->options, 1, 0)}};
    return add_plain(t, op, IR_REVERSE_SEQUENCE, &attr);
}

static nf_status read_space_to_depth(fmt_tfl *t, const fmt_tfl_op *op)
{
    const ir_attr attr = {.misc = {.size = {fmt_fb_i32(&t->fb, op->options, 0, 0)}}};
    return add_plain(t, op, IR_SPACE_TO_DEPTH, &attr);
}

static nf_status read_depth_to_space(fmt_tfl *t, const fmt_tfl_op *op)
{
    const ir_attr attr = {.misc = {.size = {fmt_fb_i32(&t->fb, op->options, 0, 0)}}};
    return add_plain(t, op, IR_DEPTH_TO_SPACE, &attr);
}

static nf_status read_space_to_batch(fmt_tfl *t, const fmt_tfl_op *op)
{
    return add_plain(t, op, IR_SPACE_TO_BATCH_ND, NULL);
}

static nf_status read_batch_to_space(fmt_tfl *t, const fmt_tfl_op *op)
{
    return add_plain(t, op, IR_BATCH_TO_SPACE_ND, NULL);
}

static nf_status read_update_slice(fmt_tfl *t, const fmt_tfl_op *op)
{
    return add_plain(t, op, IR_DYNAMIC_UPDATE_SLICE, NULL);
}

static nf_status read_diag(fmt_tfl *t, const fmt_tfl_op *op)
{
    return add_plain(t, op, IR_MATRIX_DIAG, NULL);
}

static nf_status read_set_diag(fmt_tfl *t, const fmt_tfl_op *op)
{
    return add_plain(t, op, IR_MATRIX_SET_DIAG, NULL);
}

const fmt_tfl_row fmt_tfl_move_rows[] = {
    /* code, options, inputs, results, reader */
    {2, 10, 1, 0, 1, read_concat},
    {5, 94, 1, 1, 1, read_depth_to_space},
    {7, 0, 2, 2, 1, fmt_tfl_embedding},
    {26, 19, 1, 1, 1, read_space_to_depth},
    {34, 0, 2, 2, 1, read_pad},
    {36, 23, 2, 2, 1, fmt_tfl_gather},
    {37, 0, 3, 3, 1, read_batch_to_space},
    {38, 0, 3, 3, 1, read_space_to_batch},
    {45, 32, 4, 4, 1, read_strided_slice},
    {48, 0, 2, 2, 2, fmt_tfl_top_k},
    {49, 35, 2, 2, 0, read_split},
    {60, 0, 3, 3, 1, read_pad},
    {65, 0, 3, 3, 1, read_slice},
    {68, 0, 4, 4, 1, fmt_tfl_sparse_to_dense},
    {69, 0, 2, 2, 1, read_tile},
    {77, 0, 1, 1, 1, fmt_tfl_shape},
    {83, 59, 1, 0, 1, read_pack},
    {85, 61, 4, 4, 1, fmt_tfl_one_hot},
    {88, 64, 1, 1, 0, read_unpack},
    {93, 0, 1, 1, 1, fmt_tfl_zeros_like},
    {94, 0, 2, 2, 1, fmt_tfl_fill},
    {96, 0, 3, 3, 1, fmt_tfl_range},
    {100, 77, 2, 2, 1, read_mirror_pad},
    {102, 0, 3, 3, 0, read_split_v},
    {103, 0, 1, 1, 2, fmt_tfl_unique},
    {105, 0, 2, 2, 1, read_reverse},
    {107, 0, 2, 2, 1, fmt_tfl_gather_nd},
    {109, 0, 1, 1, 1, fmt_tfl_where},
    {110, 0, 1, 1, 1, fmt_tfl_rank},
    {112, 87, 2, 2, 1, read_reverse_sequence},
    {113, 0, 1, 1, 1, read_diag},
    {115, 0, 2, 2, 1, read_set_diag},
    {122, 0, 3, 3, 1, fmt_tfl_scatter_nd},
    {125, 0, 2, 2, 1, fmt_tfl_segment_sum},
    {130, 0, 2, 2, 1, fmt_tfl_broadcast_to},
    {145, 0, 2, 2, 1, fmt_tfl_broadcast_args},
    {151, 0, 3, 3, 1, read_update_slice},
    {.read = NULL},
};
