/* fmt_onnx_emit.c - from ONNX values to tensors and nodes of the graph. Layer: format.
 * Thread rule: one owner. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/mem.h"

#define NAME_MOST 256 /* bytes of a name that are kept */

fmt_onnx_value *fmt_onnx_value_of(const fmt_onnx_ctx *o, int32_t value)
{
    if (value == IR_NONE) return NULL;
    fmt_onnx_value *v = &o->values[value];
    return v->kind == FMT_ONNX_ALIAS ? &o->values[v->source] : v; /* an alias never names another */
}

int32_t fmt_onnx_in(const fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i)
{
    return i < n->n_in ? o->refs[n->first + i].value : IR_NONE;
}

fmt_onnx_value *fmt_onnx_result(const fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const fmt_onnx_ref *outs = o->refs + n->first + n->n_in;
    for (size_t i = 0; i < n->n_out; i++)
        if (outs[i].value != IR_NONE) return &o->values[outs[i].value];
    return NULL;
}

static nf_status add_tensor(int32_t *tensor, fmt_onnx_ctx *o, nf_span name, const char *suffix,
                            eng_dtype dtype)
{
    char text[NAME_MOST + 32];
    const size_t n = name.len < NAME_MOST ? name.len : NAME_MOST, more = strlen(suffix);
    nf_status st;
    if ((st = fmt_onnx_spend(o, n + more))) return st;
    if (n) memcpy(text, name.s, n);
    memcpy(text + n, suffix, more + 1);
    return ir_add_tensor(tensor, o->g, text, n + more, dtype, o->err);
}

nf_status fmt_onnx_out_at(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i,
                          eng_dtype dtype)
{
    const int32_t value = i < n->n_out ? o->refs[n->first + n->n_in + i].value : IR_NONE;
    *tensor = IR_NONE;
    if (value == IR_NONE) return NF_OK;
    const nf_status st = add_tensor(&o->values[value].tensor, o, o->values[value].name, "", dtype);
    *tensor = o->values[value].tensor;
    return st;
}

nf_status fmt_onnx_out(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, eng_dtype dtype)
{
    return fmt_onnx_out_at(tensor, o, n, 0, dtype);
}

nf_status fmt_onnx_temp(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                        const char *suffix, eng_dtype dtype)
{
    nf_span name = {"", 0};
    for (size_t i = 0; i < n->n_out && !name.len; i++)
        name = o->refs[n->first + n->n_in + i].name;
    return add_tensor(tensor, o, name, suffix, dtype);
}

/* Ops that move bytes keep the meaning of the bytes. */
static nf_status keep_quant(fmt_onnx_ctx *o, ir_op op, const ir_tensor *x, ir_tensor *y)
{
    const bool moves = ir_is_move(op) || op == IR_IDENTITY || op == IR_MAX_POOL_2D;
    if (!moves || x->quant.n != 1 || x->dtype != y->dtype) return NF_OK;
    return ir_set_quant(y, 1, x->quant.scale, x->quant.zero, 0, o->err);
}

static nf_status take_shapes(fmt_onnx_ctx *o, const ir_node *node, ir_shape *shapes)
{
    nf_status st;
    if ((st = ir_infer_shapes(shapes, o->g, o->g->tensors, node, o->err))) return st;
    for (int32_t i = 0; i < node->n_out; i++) {
        if (node->out[i] == IR_NONE) continue;
        ir_tensor *t = &o->g->tensors[node->out[i]];
        t->rank = shapes[i].rank;
        memcpy(t->dim, shapes[i].dim, sizeof(t->dim));
    }
    return NF_OK;
}

nf_status fmt_onnx_emit_ends(fmt_onnx_ctx *o, ir_op op, const ir_ends *ends, const ir_attr *attr)
{
    ir_node *node;
    nf_status st;
    if ((st = ir_add_node_ends(&node, o->g, op, ends, o->err))) return st;
    if (attr) node->attr = *attr;
    ir_shape *shapes = nf_alloc_array((size_t)ends->n_out, sizeof(*shapes), NF_MEM_GRAPH);
    if (!shapes) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for shapes");
    st = take_shapes(o, node, shapes);
    nf_free(shapes);
    if (st || ends->n_in == 0 || ends->in[0] == IR_NONE) return st;
    return keep_quant(o, op, &o->g->tensors[ends->in[0]], &o->g->tensors[ends->out[0]]);
}

nf_status fmt_onnx_emit(fmt_onnx_ctx *o, ir_op op, const int32_t *in, int32_t n_in, int32_t out,
                        const ir_attr *attr)
{
    return fmt_onnx_emit_ends(o, op, &(ir_ends){in, &out, n_in, 1}, attr);
}

nf_status fmt_onnx_new_ints(int32_t *tensor, fmt_onnx_ctx *o, const int64_t *v, size_t n, int rank)
{
    nf_status st;
    if ((st = add_tensor(tensor, o, (nf_span){"list", 4}, "", ENG_I64))) return st;
    ir_tensor *t = &o->g->tensors[*tensor];
    t->rank = rank;
    if (rank) t->dim[0] = (int64_t)n;
    return ir_set_data(t, (nf_bytes){(const uint8_t *)v, n * sizeof(*v)}, o->err);
}

nf_status fmt_onnx_real_input(fmt_onnx_ctx *o, fmt_onnx_value *v)
{
    const int32_t from = v->tensor;
    nf_status st;
    if ((st = add_tensor(&v->tensor, o, v->name, ":fp32", ENG_F32))) return st;
    return fmt_onnx_emit(o, IR_CAST, &from, 1, v->tensor, NULL);
}

static nf_status take_content(fmt_onnx_ctx *o, ir_tensor *t, uint8_t *take_data, size_t elems)
{
    if (t->dtype != ENG_STR)
        return ir_take_data(t, take_data, elems * eng_dtype_size(t->dtype), o->err);
    const nf_status st = ir_set_text(t, (const nf_span *)(const void *)take_data, elems, o->err);
    nf_free(take_data);
    return st;
}

/* Gives a constant tensor its content; c in its own order of axes. */
static nf_status add_const(int32_t *tensor, fmt_onnx_ctx *o, nf_span name, const char *suffix,
                           const fmt_onnx_const *c)
{
    eng_dtype dtype;
    size_t elems, bytes;
    nf_status st;
    if ((st = fmt_onnx_size(&elems, &bytes, o, c))) return st;
    if ((st = fmt_onnx_const_type(&dtype, o, c, name))) return st;
    dtype = fmt_onnx_stored_type(c);
    if ((st = fmt_onnx_spend(o, bytes + c->proto.len))) return st;
    if ((st = add_tensor(tensor, o, name, suffix, dtype))) return st;
    ir_tensor *t = &o->g->tensors[*tensor];
    t->rank = c->rank;
    memcpy(t->dim, c->dim, sizeof(t->dim));
    uint8_t *data = nf_alloc(bytes + 1, NF_MEM_GRAPH);
    if (!data) return nf_fail(o->err, NF_ENOMEM, t->name, "no memory for %zu bytes", bytes);
    if ((st = fmt_onnx_decode(data, bytes, o, c))) {
        nf_free(data);
        return st;
    }
    return take_content(o, t, data, elems);
}

nf_status fmt_onnx_new_const(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_const *c)
{
    return add_const(tensor, o, (nf_span){"value", 5}, "", c);
}

static nf_status add_permuted(int32_t *tensor, fmt_onnx_ctx *o, nf_span name,
                              const fmt_onnx_const *c, const int *perm)
{
    fmt_onnx_const moved;
    nf_status st;
    if (!perm) return add_const(tensor, o, name, "", c);
    if ((st = fmt_onnx_permute(&moved, o, c, perm))) return st;
    st = add_const(tensor, o, name, ":permuted", &moved);
    nf_free(moved.data);
    return st;
}

static int64_t moved_axis(int64_t axis, const fmt_onnx_const *c, const int *perm)
{
    if (axis < 0) axis += c->rank;
    for (int i = 0; perm && i < c->rank; i++)
        if (perm[i] == axis) return i;
    return axis;
}

/* A quantized constant and the DEQUANTIZE behind it. */
static nf_status add_dequantized(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_value *v,
                                 const int *perm)
{
    const fmt_onnx_value *source = &o->values[v->source];
    int32_t stored;
    nf_status st;
    if ((st = add_permuted(&stored, o, source->name, &source->c, perm))) return st;
    const int64_t axis = moved_axis(v->axis, &source->c, perm);
    st = fmt_onnx_set_quant(o, &o->g->tensors[stored], v->scale, v->zero, axis);
    if (st) return st;
    if ((st = add_tensor(tensor, o, v->name, perm ? ":permuted" : "", ENG_F32))) return st;
    return fmt_onnx_emit(o, IR_DEQUANTIZE, &stored, 1, *tensor, NULL);
}

const fmt_onnx_const *fmt_onnx_stored_head(const fmt_onnx_ctx *o, int32_t value)
{
    const fmt_onnx_value *v = fmt_onnx_value_of(o, value);
    if (v && v->kind == FMT_ONNX_CONST) return &v->c;
    return v && v->kind == FMT_ONNX_DQ ? &o->values[v->source].c : NULL;
}

nf_status fmt_onnx_stored(int32_t *tensor, fmt_onnx_ctx *o, int32_t value, const int *perm)
{
    fmt_onnx_value *v = fmt_onnx_value_of(o, value);
    nf_status st;
    if (!fmt_onnx_stored_head(o, value))
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "weights that the model computes");
    int32_t *known = perm ? &v->permuted : &v->tensor;
    if (*known != IR_NONE && (!perm || v->perm == perm)) {
        *tensor = *known;
        return NF_OK;
    }
    st = v->kind == FMT_ONNX_DQ ? add_dequantized(tensor, o, v, perm)
                                : add_permuted(tensor, o, v->name, &v->c, perm);
    if (st) return st;
    *known = *tensor;
    if (perm) v->perm = perm;
    return NF_OK;
}

nf_status fmt_onnx_use(int32_t *tensor, fmt_onnx_ctx *o, int32_t value)
{
    const fmt_onnx_value *v = fmt_onnx_value_of(o, value);
    if (!v) return nf_fail(o->err, NF_EFORMAT, o->where, "an input is left out");
    if (v->kind == FMT_ONNX_LIST)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "a sequence in the place of a tensor");
    if (v->kind != FMT_ONNX_COMPUTED) return fmt_onnx_stored(tensor, o, value, NULL);
    if (v->tensor == IR_NONE)
        return nf_fail(o->err, NF_EFORMAT, o->where,
                       "an input is not computed (a result that we lack, or nodes out of order)");
    *tensor = v->tensor;
    return NF_OK;
}

nf_status fmt_onnx_new_floats(int32_t *tensor, fmt_onnx_ctx *o, const float *v, const int64_t *dim,
                              int rank)
{
    size_t n = 0;
    nf_status st;
    if ((st = add_tensor(tensor, o, (nf_span){"folded", 6}, "", ENG_F32))) return st;
    ir_tensor *t = &o->g->tensors[*tensor];
    t->rank = rank;
    if (rank) memcpy(t->dim, dim, (size_t)rank * sizeof(*dim));
    if (!ir_elems(&n, t, 1)) return nf_fail(o->err, NF_ETOOLARGE, o->where, "a constant");
    if ((st = fmt_onnx_spend(o, n * sizeof(*v)))) return st;
    return ir_set_data(t, (nf_bytes){(const uint8_t *)v, n * sizeof(*v)}, o->err);
}
