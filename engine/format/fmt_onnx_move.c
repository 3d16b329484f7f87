/* fmt_onnx_move.c - ONNX: operators that move values. Layer: format. Thread rule: no shared state.
 */
#include "engine/format/fmt_onnx_move.h"

#include "engine/base/mem.h"

nf_status fmt_onnx_moves(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, int32_t n_in,
                         const ir_attr *attr)
{
    int32_t in[FMT_ONNX_MOST_IN], kept = 0, y;
    nf_status st;
    for (int32_t i = 0; i < n_in; i++) {
        in[i] = IR_NONE;
        const int32_t value = fmt_onnx_in(o, n, (size_t)i);
        if (i && value == IR_NONE) continue;
        if ((st = fmt_onnx_use(&in[i], o, value))) return st;
        kept = i + 1;
    }
    if ((st = fmt_onnx_out(&y, o, n, o->g->tensors[in[0]].dtype))) return st;
    return fmt_onnx_emit(o, op, in, kept, y, attr);
}

nf_status fmt_onnx_axis(int *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                        int64_t absent)
{
    int64_t axis;
    const nf_status st = fmt_onnx_int(&axis, o, n, name, absent);
    if (st) return st;
    if (axis < -ENG_MAX_RANK || axis >= ENG_MAX_RANK)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%s is %lld", name, (long long)axis);
    *out = (int)axis;
    return NF_OK;
}

nf_status fmt_onnx_choice(int *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                          const char *const *choices)
{
    nf_span text;
    const nf_status st = fmt_onnx_text(&text, o, n, name);
    *out = 0;
    if (st || !text.s) return st;
    while (choices[*out] && !nf_span_is(text, choices[*out]))
        (*out)++;
    if (choices[*out]) return NF_OK;
    return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "%s is none of those that we know", name);
}

static nf_status concat_ends(int32_t *in, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                             const ir_attr *attr)
{
    int32_t y;
    nf_status st;
    for (size_t i = 0; i < n->n_in; i++)
        if ((st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i)))) return st;
    if ((st = fmt_onnx_out(&y, o, n, o->g->tensors[in[0]].dtype))) return st;
    return fmt_onnx_emit(o, IR_CONCATENATION, in, (int32_t)n->n_in, y, attr);
}

static nf_status read_concat(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    nf_status st;
    if ((st = fmt_onnx_axis(&attr.axis.axis, o, n, "axis", 1))) return st;
    int32_t *in = nf_alloc_array(n->n_in, sizeof(*in), NF_MEM_GRAPH);
    if (!in) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu inputs", n->n_in);
    st = concat_ends(in, o, n, &attr);
    nf_free(in);
    return st;
}

/* Sizes of the parts: an attribute in old files, an input in new ones; IR_NONE for equal parts. */
static nf_status split_sizes(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    nf_status st;
    *tensor = IR_NONE;
    if (fmt_onnx_in(o, n, 1) != IR_NONE) return fmt_onnx_use(tensor, o, fmt_onnx_in(o, n, 1));
    if (o->opset >= 13) return NF_OK;
    int64_t *list = nf_alloc_array(n->n_out, sizeof(*list), NF_MEM_GRAPH);
    size_t count;
    if (!list) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu parts", n->n_out);
    st = fmt_onnx_ints(list, &count, n->n_out, o, n, "split");
    if (!st && count) st = fmt_onnx_new_ints(tensor, o, list, count, 1);
    nf_free(list);
    return st;
}

static nf_status split_outs(int32_t *out, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                            const int32_t in[2], const ir_attr *attr)
{
    const eng_dtype dtype = o->g->tensors[in[0]].dtype;
    nf_status st;
    for (size_t i = 0; i < n->n_out; i++) {
        if ((st = fmt_onnx_out_at(&out[i], o, n, i, dtype))) return st;
        if (i == 0 && out[0] == IR_NONE && (st = fmt_onnx_temp(&out[0], o, n, ":0", dtype)))
            return st;
    }
    const ir_ends ends = {in, out, in[1] == IR_NONE ? 1 : 2, (int32_t)n->n_out};
    if ((st = fmt_onnx_emit_ends(o, IR_SPLIT, &ends, attr))) return st;
    const ir_quant q = o->g->tensors[in[0]].quant; /* the first result has it */
    for (size_t i = 1; q.n == 1 && i < n->n_out; i++)
        if (out[i] >= 0 &&
            (st = ir_set_quant(&o->g->tensors[out[i]], 1, q.scale, q.zero, 0, o->err)))
            return st;
    return NF_OK;
}

static nf_status read_split(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    int64_t parts;
    int32_t in[2];
    nf_status st;
    if ((st = fmt_onnx_axis(&attr.axis.axis, o, n, "axis", 0))) return st;
    if ((st = fmt_onnx_int(&parts, o, n, "num_outputs", (int64_t)n->n_out))) return st;
    if (parts != (int64_t)n->n_out || n->n_out == 0)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%lld parts, %zu outputs", (long long)parts,
                       n->n_out);
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = split_sizes(&in[1], o, n))) return st;
    int32_t *out = nf_alloc_array(n->n_out, sizeof(*out), NF_MEM_GRAPH);
    if (!out) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu parts", n->n_out);
    st = split_outs(out, o, n, in, &attr);
    nf_free(out);
    return st;
}

/* Before opset 10 the lists are attributes. */
static nf_status read_old_slice(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const char *const names[] = {NULL, "starts", "ends", "axes"};
    int32_t in[4], y;
    nf_status st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    for (int i = 1; i < 4; i++) {
        int64_t list[ENG_MAX_RANK];
        size_t count;
        in[i] = IR_NONE;
        if ((st = fmt_onnx_ints(list, &count, ENG_MAX_RANK, o, n, names[i]))) return st;
        if ((count || i < 3) && (st = fmt_onnx_new_ints(&in[i], o, list, count, 1))) return st;
    }
    if ((st = fmt_onnx_out(&y, o, n, o->g->tensors[in[0]].dtype))) return st;
    return fmt_onnx_emit(o, IR_SLICE, in, in[3] == IR_NONE ? 3 : 4, y, NULL);
}

static nf_status read_slice(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    if (o->opset < 10) return read_old_slice(o, n);
    return fmt_onnx_moves(o, n, IR_SLICE, 5, NULL);
}

/* Before opset 11 pads and value are attributes. */
static nf_status read_old_pad(fmt_onnx_ctx *o, const fmt_onnx_node *n, const ir_attr *attr)
{
    int64_t list[2 * ENG_MAX_RANK];
    size_t count;
    int32_t in[3], y, n_in = 2;
    float value;
    nf_status st;
    if ((st = fmt_onnx_ints(list, &count, NF_COUNT(list), o, n, "pads"))) return st;
    if ((st = fmt_onnx_float(&value, o, n, "value", 0))) return st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_new_ints(&in[1], o, list, count, 1))) return st;
    const eng_dtype dtype = o->g->tensors[in[0]].dtype;
    if (value != 0 && dtype == ENG_F32) {
        if ((st = fmt_onnx_new_floats(&in[2], o, &value, NULL, 0))) return st;
        n_in = 3;
    }
    if ((st = fmt_onnx_out(&y, o, n, dtype))) return st;
    return fmt_onnx_emit(o, IR_PAD, in, n_in, y, attr);
}

static nf_status read_pad(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const char *const modes[] = {[IR_PAD_VALUE] = "constant",
                                        [IR_PAD_REFLECT] = "reflect",
                                        [IR_PAD_EDGE] = "edge",
                                        [IR_PAD_WRAP] = "wrap",
                                        [IR_PAD_SYMMETRIC] = NULL};
    ir_attr attr = {.misc = {.mode = 0}};
    nf_status st;
    if ((st = fmt_onnx_choice(&attr.misc.mode, o, n, "mode", modes))) return st;
    if (o->opset < 11) return read_old_pad(o, n, &attr);
    return fmt_onnx_moves(o, n, IR_PAD, 4, &attr);
}

static nf_status read_tile(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return fmt_onnx_moves(o, n, IR_TILE, 2, NULL);
}

static nf_status read_expand(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return fmt_onnx_moves(o, n, IR_BROADCAST_TO, 2, NULL);
}

/* One value, FP32 0 when none is given, in a shape that may be computed. */
static nf_status read_constant_of_shape(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const float zero = 0;
    fmt_onnx_const c;
    int32_t in[2], y;
    size_t elems, bytes;
    nf_bytes proto;
    nf_span name;
    nf_status st;
    if ((st = fmt_onnx_proto(&proto, o, n, "value"))) return st;
    if (!proto.data) {
        st = fmt_onnx_new_floats(&in[0], o, &zero, NULL, 0);
    } else {
        if ((st = fmt_onnx_head(&c, &name, o, proto))) return st;
        if ((st = fmt_onnx_size(&elems, &bytes, o, &c))) return st;
        if (elems != 1)
            return nf_fail(o->err, NF_EFORMAT, o->where, "%zu values, expected 1", elems);
        c.rank = 0;
        st = fmt_onnx_new_const(&in[0], o, &c);
    }
    if (st || (st = fmt_onnx_use(&in[1], o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_out(&y, o, n, o->g->tensors[in[0]].dtype))) return st;
    return fmt_onnx_emit(o, IR_BROADCAST_TO, in, 2, y, NULL);
}

static nf_status read_blocks(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op)
{
    static const char *const modes[] = {"DCR", "CRD", NULL};
    ir_attr attr = {.misc = {.flag = true}};
    int64_t block;
    int crd = 0;
    nf_status st;
    if ((st = fmt_onnx_int(&block, o, n, "blocksize", 0))) return st;
    if (op == IR_DEPTH_TO_SPACE && (st = fmt_onnx_choice(&crd, o, n, "mode", modes))) return st;
    if (block < 1 || block > 32768)
        return nf_fail(o->err, NF_EFORMAT, o->where, "blocks of %lld", (long long)block);
    attr.misc.size[0] = (int32_t)block;
    attr.misc.flag2 = crd != 0;
    return fmt_onnx_moves(o, n, op, 1, &attr);
}

static nf_status read_space_to_depth(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return read_blocks(o, n, IR_SPACE_TO_DEPTH);
}

static nf_status read_depth_to_space(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return read_blocks(o, n, IR_DEPTH_TO_SPACE);
}

/* The sizes that are wanted, along all axes or those listed. */
static nf_status read_center_crop_pad(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t size[ENG_MAX_RANK], axes[ENG_MAX_RANK], pads[2 * ENG_MAX_RANK];
    size_t count, listed;
    int32_t in[4] = {IR_NONE, IR_NONE, IR_NONE, IR_NONE}, y;
    nf_status st;
    if ((st = fmt_onnx_numbers(size, &count, ENG_MAX_RANK, o, fmt_onnx_in(o, n, 1)))) return st;
    if ((st = fmt_onnx_ints(axes, &listed, ENG_MAX_RANK, o, n, "axes"))) return st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    const ir_tensor *x = &o->g->tensors[in[0]];
    const eng_dtype dtype = x->dtype;
    for (size_t i = 0; i < count; i++) {
        const int64_t axis = !listed ? (int64_t)i : axes[i] < 0 ? axes[i] + x->rank : axes[i];
        if ((listed && listed != count) || axis < 0 || axis >= x->rank || x->dim[axis] < 0 ||
            size[i] < 0)
            return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "size %lld of axis %lld",
                           (long long)size[i], (long long)axis);
        const int64_t more = size[i] - x->dim[axis]; /* the smaller half in front */
        pads[i] = more / 2;
        pads[count + i] = more - more / 2;
        axes[i] = axis;
    }
    if ((st = fmt_onnx_new_ints(&in[1], o, pads, 2 * count, 1))) return st;
    if ((st = fmt_onnx_new_ints(&in[3], o, axes, count, 1))) return st;
    if ((st = fmt_onnx_out(&y, o, n, dtype))) return st;
    return fmt_onnx_emit(o, IR_PAD, in, 4, y, NULL);
}

static nf_status read_shape(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    int64_t from, to;
    int32_t x, y;
    nf_status st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    const int rank = o->g->tensors[x].rank;
    if (rank < 0) return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "of an open rank");
    if ((st = fmt_onnx_int(&from, o, n, "start", 0))) return st;
    if ((st = fmt_onnx_int(&to, o, n, "end", rank))) return st;
    from = from < -rank ? 0 : from > rank ? rank : from < 0 ? from + rank : from;
    to = to < -rank ? 0 : to > rank ? rank : to < 0 ? to + rank : to;
    attr.axis.axis = (int)from;
    attr.axis.number = to < from ? from : to;
    if ((st = fmt_onnx_out(&y, o, n, ENG_I64))) return st;
    return fmt_onnx_emit(o, IR_SHAPE, &x, 1, y, &attr);
}

const fmt_onnx_row fmt_onnx_move_rows[] = {
    /* operator, inputs, reader */
    {"CenterCropPad", 2, 2, read_center_crop_pad},
    {"Compress", 2, 2, fmt_onnx_compress},
    {"Concat", 1, 0, read_concat},
    {"ConstantOfShape", 1, 1, read_constant_of_shape},
    {"DepthToSpace", 1, 1, read_depth_to_space},
    {"Expand", 2, 2, read_expand},
    {"EyeLike", 1, 1, fmt_onnx_eye_like},
    {"Gather", 2, 2, fmt_onnx_gather},
    {"GatherElements", 2, 2, fmt_onnx_gather_elements},
    {"GatherND", 2, 2, fmt_onnx_gather_nd},
    {"NonZero", 1, 1, fmt_onnx_non_zero},
    {"OneHot", 3, 3, fmt_onnx_one_hot},
    {"Pad", 1, 4, read_pad},
    {"Range", 3, 3, fmt_onnx_range},
    {"ReverseSequence", 2, 2, fmt_onnx_reverse_sequence},
    {"Scatter", 3, 3, fmt_onnx_scatter_elements},
    {"ScatterElements", 3, 3, fmt_onnx_scatter_elements},
    {"ScatterND", 3, 3, fmt_onnx_scatter_nd},
    {"Shape", 1, 1, read_shape},
    {"Size", 1, 1, fmt_onnx_size_of},
    {"Slice", 1, 5, read_slice},
    {"SpaceToDepth", 1, 1, read_space_to_depth},
    {"Split", 1, 2, read_split},
    {"Tile", 2, 2, read_tile},
    {"TopK", 1, 2, fmt_onnx_top_k},
    {"Trilu", 1, 2, fmt_onnx_trilu},
    {"Unique", 1, 1, fmt_onnx_unique},
    {.op = NULL},
};
