/* fmt_onnx_fused.c - operators of com.microsoft that are several of the graph's in a row.
 * Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx_nn.h"

/* A row of nodes: each takes what the one before gave. */
typedef struct chain {
    fmt_onnx_ctx *o;
    const fmt_onnx_node *n;
    int32_t x;
} chain;

/* x = op(x, other); other IR_NONE: of x alone. */
static nf_status then(chain *c, ir_op op, int32_t other, const ir_attr *attr, eng_dtype dtype)
{
    const int32_t in[2] = {c->x, other};
    const nf_status st = fmt_onnx_temp(&c->x, c->o, c->n, ":part", dtype);
    return st ? st : fmt_onnx_emit(c->o, op, in, other == IR_NONE ? 1 : 2, c->x, attr);
}

/* The same with input i of the node, when it is there. */
static nf_status then_input(chain *c, ir_op op, size_t i)
{
    const ir_attr plain = {.binary = {.clamp = ir_no_clamp()}};
    int32_t other;
    nf_status st;
    if (fmt_onnx_in(c->o, c->n, i) == IR_NONE) return NF_OK;
    if ((st = fmt_onnx_use(&other, c->o, fmt_onnx_in(c->o, c->n, i)))) return st;
    return then(c, op, other, &plain, ENG_F32);
}

/* The node's result. */
static nf_status finish(const chain *c)
{
    int32_t y;
    const nf_status st = fmt_onnx_out(&y, c->o, c->n, c->o->g->tensors[c->x].dtype);
    return st ? st : fmt_onnx_emit(c->o, IR_IDENTITY, &c->x, 1, y, NULL);
}

/* Optional input i as a tensor. */
static nf_status take(int32_t *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i)
{
    *out = IR_NONE;
    return fmt_onnx_in(o, n, i) == IR_NONE ? NF_OK : fmt_onnx_use(out, o, fmt_onnx_in(o, n, i));
}

/* a, b, scales of a and b, zero points of a? and b?, bias? */
nf_status fmt_onnx_matmul_integer_to_float(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    chain c = {o, n, IR_NONE};
    int32_t in[4];
    nf_status st;
    for (size_t i = 0; i < 4; i++)
        if ((st = take(&in[i], o, n, i < 2 ? i : i + 2))) return st;
    if ((st = fmt_onnx_temp(&c.x, o, n, ":sums", ENG_I32))) return st;
    if ((st = fmt_onnx_emit(o, IR_MATMUL_INTEGER, in, 4, c.x, NULL))) return st;
    if ((st = then(&c, IR_CAST, IR_NONE, NULL, ENG_F32))) return st;
    for (size_t i = 2; i < 4; i++)
        if ((st = then_input(&c, IR_MUL, i))) return st;
    if ((st = then_input(&c, IR_ADD, 6))) return st;
    return finish(&c);
}

/* a in floats, b, its scale, its zero point?, bias? */
nf_status fmt_onnx_dynamic_matmul(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const eng_dtype types[] = {ENG_U8, ENG_F32, ENG_U8};
    const ir_attr plain = {.binary = {.clamp = ir_no_clamp()}};
    chain c = {o, n, IR_NONE};
    int32_t x, a[3], in[4];
    nf_status st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    for (size_t i = 0; i < 3; i++)
        if ((st = fmt_onnx_temp(&a[i], o, n, ":dynamic", types[i]))) return st;
    if ((st = fmt_onnx_emit_ends(o, IR_DYNAMIC_QUANTIZE, &(ir_ends){&x, a, 1, 3}, NULL))) return st;
    in[0] = a[0];
    in[2] = a[2];
    if ((st = take(&in[1], o, n, 1)) || (st = take(&in[3], o, n, 3))) return st;
    if ((st = fmt_onnx_temp(&c.x, o, n, ":sums", ENG_I32))) return st;
    if ((st = fmt_onnx_emit(o, IR_MATMUL_INTEGER, in, 4, c.x, NULL))) return st;
    if ((st = then(&c, IR_CAST, IR_NONE, NULL, ENG_F32))) return st;
    if ((st = then(&c, IR_MUL, a[1], &plain, ENG_F32))) return st;
    if ((st = then_input(&c, IR_MUL, 2)) || (st = then_input(&c, IR_ADD, 4))) return st;
    return finish(&c);
}

nf_status fmt_onnx_fused_matmul(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.matmul = {.alpha = 1}};
    int64_t trans_a, trans_b, batch_a, batch_b;
    int32_t in[2], y;
    nf_status st;
    if ((st = fmt_onnx_int(&trans_a, o, n, "transA", 0))) return st;
    if ((st = fmt_onnx_int(&trans_b, o, n, "transB", 0))) return st;
    if ((st = fmt_onnx_int(&batch_a, o, n, "transBatchA", 0))) return st;
    if ((st = fmt_onnx_int(&batch_b, o, n, "transBatchB", 0))) return st;
    if ((st = fmt_onnx_float(&attr.matmul.alpha, o, n, "alpha", 1))) return st;
    if (batch_a || batch_b)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "FusedMatMul that moves its batches");
    for (size_t i = 0; i < 2; i++)
        if ((st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i)))) return st;
    attr.matmul.adj_x = trans_a != 0;
    attr.matmul.adj_y = trans_b != 0;
    if ((st = fmt_onnx_out(&y, o, n, ENG_F32))) return st;
    return fmt_onnx_emit(o, IR_BATCH_MATMUL, in, 2, y, &attr);
}

/* op(x + bias); the bias may be left out. */
static nf_status add_activation(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op,
                                const ir_attr *attr)
{
    chain c = {o, n, IR_NONE};
    nf_status st;
    if ((st = fmt_onnx_use(&c.x, o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = then_input(&c, IR_ADD, 1))) return st;
    if ((st = then(&c, op, IR_NONE, attr, ENG_F32))) return st;
    return finish(&c);
}

nf_status fmt_onnx_bias_gelu(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const ir_attr exact = {.misc = {.flag = false}};
    return add_activation(o, n, IR_GELU, &exact);
}

nf_status fmt_onnx_fast_gelu(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const ir_attr by_tanh = {.misc = {.flag = true}};
    return add_activation(o, n, IR_GELU, &by_tanh);
}

nf_status fmt_onnx_quick_gelu(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.scalar = {.alpha = 0}};
    const nf_status st = fmt_onnx_float(&attr.scalar.alpha, o, n, "alpha", 1.702f);
    return st ? st : add_activation(o, n, IR_SILU, &attr);
}

/* Result i of the node is a copy of a tensor. */
static nf_status copy_out(fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i, int32_t from)
{
    int32_t y;
    const nf_status st = fmt_onnx_out_at(&y, o, n, i, ENG_F32);
    return st || y == IR_NONE ? st : fmt_onnx_emit(o, IR_IDENTITY, &from, 1, y, NULL);
}

/* LAYER_NORM of x + skip + bias. Results: y, mean?, 1 / deviation?, the sum? */
static nf_status add_skip_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n, bool rms, size_t bias)
{
    ir_attr attr = {.norm = {.rms = rms}};
    chain c = {o, n, IR_NONE};
    int32_t in[3], out[3];
    nf_status st;
    if ((st = fmt_onnx_float(&attr.norm.epsilon, o, n, "epsilon", 1e-12f))) return st;
    if ((st = fmt_onnx_use(&c.x, o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = then_input(&c, IR_ADD, 1)) || (st = then_input(&c, IR_ADD, bias))) return st;
    in[0] = c.x;
    if ((st = take(&in[1], o, n, 2)) || (st = take(&in[2], o, n, rms ? n->n_in : 3))) return st;
    attr.norm.axis = o->g->tensors[c.x].rank - 1;
    for (size_t i = 0; i < 3; i++)
        if ((st = fmt_onnx_out_at(&out[i], o, n, i, ENG_F32))) return st;
    if (out[0] == IR_NONE && (st = fmt_onnx_temp(&out[0], o, n, ":y", ENG_F32))) return st;
    st = fmt_onnx_emit_ends(o, IR_LAYER_NORM, &(ir_ends){in, out, 3, 3}, &attr);
    return st ? st : copy_out(o, n, 3, c.x);
}

nf_status fmt_onnx_skip_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return add_skip_norm(o, n, false, 4);
}

nf_status fmt_onnx_skip_rms_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return add_skip_norm(o, n, true, 3);
}
