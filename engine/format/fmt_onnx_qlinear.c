/* fmt_onnx_qlinear.c - operators on quantized values: floats in the middle, which passes fold into
 * 8-bit kernels where the file says all that these need. Layer: format. Thread rule: no shared
 * state. */
#include "engine/format/fmt_onnx_nn.h"

#include "engine/base/mem.h"

static const int swap[] = {1, 0};

nf_status fmt_onnx_real(int32_t *y, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i, int64_t axis)
{
    const fmt_onnx_linear p = {fmt_onnx_in(o, n, i + 1), fmt_onnx_in(o, n, i + 2), axis, 0};
    int32_t x;
    nf_status st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, i)))) return st;
    if ((st = fmt_onnx_temp(y, o, n, ":fp32", ENG_F32))) return st;
    return fmt_onnx_dequantize_to(o, &p, x, *y);
}

nf_status fmt_onnx_real_out(fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i, int32_t real)
{
    const fmt_onnx_linear p = {fmt_onnx_in(o, n, i), fmt_onnx_in(o, n, i + 1), 0, 0};
    eng_dtype dtype;
    int32_t y;
    nf_status st;
    if ((st = fmt_onnx_zero_type(&dtype, o, p.zero))) return st;
    if ((st = fmt_onnx_out(&y, o, n, dtype))) return st;
    return fmt_onnx_quantize_to(o, &p, real, y);
}

/* The right side in input i, [k, n] or with `turned` [n, k], for FULLY_CONNECTED; *w IR_NONE when
 * it is not stored as a matrix. */
static nf_status stored_side(int32_t *w, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i,
                             bool turned)
{
    const fmt_onnx_value *v = fmt_onnx_value_of(o, fmt_onnx_in(o, n, i));
    const fmt_onnx_linear p = {fmt_onnx_in(o, n, i + 1), fmt_onnx_in(o, n, i + 2), 0, 0};
    int32_t bytes;
    nf_status st;
    *w = IR_NONE;
    if (!v || v->kind != FMT_ONNX_CONST || v->c.rank != 2 || v->c.dim[0] < 1 || v->c.dim[1] < 1)
        return NF_OK;
    if ((st = fmt_onnx_stored(&bytes, o, fmt_onnx_in(o, n, i), turned ? NULL : swap))) return st;
    if ((st = fmt_onnx_temp(w, o, n, ":weights", ENG_F32))) return st;
    return fmt_onnx_dequantize_to(o, &p, bytes, *w);
}

static int64_t rank_of(const fmt_onnx_ctx *o, int32_t value)
{
    const fmt_onnx_const *c = fmt_onnx_stored_head(o, value);
    const fmt_onnx_value *v = fmt_onnx_value_of(o, value);
    if (c) return c->rank;
    return v && v->tensor != IR_NONE ? o->g->tensors[v->tensor].rank : 0;
}

/* a and b, each with scale and zero point, then those of the result. */
nf_status fmt_onnx_qlinear_matmul(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const ir_attr dense = {.dense = {.clamp = ir_no_clamp(), .keep_dims = true}};
    const ir_attr plain = {.matmul = {.alpha = 1}};
    int32_t in[2], y;
    nf_status st;
    if ((st = fmt_onnx_real(&in[0], o, n, 0, rank_of(o, fmt_onnx_in(o, n, 0)) - 2))) return st;
    if ((st = stored_side(&in[1], o, n, 3, false))) return st;
    const bool stored = in[1] != IR_NONE;
    if (!stored && (st = fmt_onnx_real(&in[1], o, n, 3, rank_of(o, fmt_onnx_in(o, n, 3)) - 1)))
        return st;
    if ((st = fmt_onnx_temp(&y, o, n, ":product", ENG_F32))) return st;
    st = fmt_onnx_emit(o, stored ? IR_FULLY_CONNECTED : IR_BATCH_MATMUL, in, 2, y,
                       stored ? &dense : &plain);
    return st ? st : fmt_onnx_real_out(o, n, 6, y);
}

static nf_status add_unary(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, const ir_attr *attr)
{
    int32_t x, y;
    nf_status st;
    if ((st = fmt_onnx_real(&x, o, n, 0, 0))) return st;
    if ((st = fmt_onnx_temp(&y, o, n, ":value", ENG_F32))) return st;
    if ((st = fmt_onnx_emit(o, op, &x, 1, y, attr))) return st;
    return fmt_onnx_real_out(o, n, 3, y);
}

nf_status fmt_onnx_qlinear_sigmoid(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return add_unary(o, n, IR_LOGISTIC, NULL);
}

nf_status fmt_onnx_qlinear_leaky_relu(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.scalar = {.alpha = 0}};
    const nf_status st = fmt_onnx_float(&attr.scalar.alpha, o, n, "alpha", 0.01f);
    return st ? st : add_unary(o, n, IR_LEAKY_RELU, &attr);
}

/* Along one axis, or before opset 13 along all from it on; these are the same for the last. */
nf_status fmt_onnx_qlinear_softmax(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.softmax = {.beta = 1}};
    const int64_t rank = rank_of(o, fmt_onnx_in(o, n, 0));
    int64_t axis, opset;
    nf_status st;
    if ((st = fmt_onnx_int(&opset, o, n, "opset", 13))) return st;
    if ((st = fmt_onnx_int(&axis, o, n, "axis", opset < 13 ? 1 : -1))) return st;
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis >= rank || (opset < 13 && axis != rank - 1))
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "axis %lld of %lld", (long long)axis,
                       (long long)rank);
    attr.softmax.axis = (int)axis;
    return add_unary(o, n, IR_SOFTMAX, &attr);
}

static nf_status add_binary(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op)
{
    const ir_attr attr = {.binary = {.clamp = ir_no_clamp()}};
    int32_t in[2], y;
    nf_status st;
    if ((st = fmt_onnx_real(&in[0], o, n, 0, 0))) return st;
    if ((st = fmt_onnx_real(&in[1], o, n, 3, 0))) return st;
    if ((st = fmt_onnx_temp(&y, o, n, ":value", ENG_F32))) return st;
    if ((st = fmt_onnx_emit(o, op, in, 2, y, &attr))) return st;
    return fmt_onnx_real_out(o, n, 6, y);
}

nf_status fmt_onnx_qlinear_add(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return add_binary(o, n, IR_ADD);
}

nf_status fmt_onnx_qlinear_mul(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return add_binary(o, n, IR_MUL);
}

static nf_status add_mean(fmt_onnx_ctx *o, const fmt_onnx_node *n, bool whole)
{
    int64_t last;
    int32_t x, y;
    nf_status st;
    if ((st = fmt_onnx_int(&last, o, n, "channels_last", 0))) return st;
    if (last) return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "channels_last");
    if ((st = fmt_onnx_real(&x, o, n, 0, 0))) return st;
    if ((st = fmt_onnx_mean_of(&y, o, n, x, whole))) return st;
    return fmt_onnx_real_out(o, n, 3, y);
}

nf_status fmt_onnx_qlinear_mean(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return add_mean(o, n, false);
}

nf_status fmt_onnx_qlinear_global_mean(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return add_mean(o, n, true);
}

/* Scale and zero point of the result, then x, scale and zero point of each input. */
nf_status fmt_onnx_qlinear_concat(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    int32_t in[64], y;
    const size_t count = (n->n_in - 2) / 3;
    const int64_t rank = rank_of(o, fmt_onnx_in(o, n, 2));
    int64_t axis;
    nf_status st;
    if ((st = fmt_onnx_int(&axis, o, n, "axis", 0))) return st;
    axis += axis < 0 ? rank : 0;
    if (count < 1 || count > NF_COUNT(in) || count * 3 + 2 != n->n_in || axis < 0 || axis >= rank)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "%zu inputs along axis %lld", n->n_in,
                       (long long)axis);
    for (size_t i = 0; i < count; i++)
        if ((st = fmt_onnx_real(&in[i], o, n, 2 + 3 * i, 0))) return st;
    attr.axis.axis = (int)axis;
    if ((st = fmt_onnx_temp(&y, o, n, ":value", ENG_F32))) return st;
    if ((st = fmt_onnx_emit(o, IR_CONCATENATION, in, (int32_t)count, y, &attr))) return st;
    return fmt_onnx_real_out(o, n, 0, y);
}

/* C in units of the product of both scales, as floats. */
static nf_status real_bias(int32_t *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, float alpha)
{
    const fmt_onnx_const *c;
    const float *x, *w;
    size_t count, n_x, n_w;
    nf_status st;
    if ((st = fmt_onnx_floats(&x, &n_x, o, fmt_onnx_in(o, n, 1)))) return st;
    if ((st = fmt_onnx_floats(&w, &n_w, o, fmt_onnx_in(o, n, 4)))) return st;
    if ((st = fmt_onnx_content(&c, &count, o, fmt_onnx_in(o, n, 6)))) return st;
    const int64_t width = c->rank ? c->dim[c->rank - 1] : 1;
    if (c->type != 6 || n_x != 1 || (n_w != 1 && (int64_t)n_w != width) ||
        (int64_t)count != width) /* INT32, one row */
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "C of %zu values", count);
    if ((st = fmt_onnx_spend(o, count * sizeof(float)))) return st;
    float *b = nf_alloc_array(count + 1, sizeof(*b), NF_MEM_GRAPH);
    if (!b) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for a bias");
    for (size_t i = 0; i < count; i++)
        b[i] = (float)((const int32_t *)(const void *)c->data)[i] *
               (alpha * x[0] * w[n_w == 1 ? 0 : i]);
    st = fmt_onnx_new_floats(out, o, b, &width, 1);
    nf_free(b);
    return st;
}

/* a, b, each with scale and zero point, C?, scale and zero point of the result? (else floats) */
nf_status fmt_onnx_qgemm(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const ir_attr dense = {.dense = {.clamp = ir_no_clamp(), .keep_dims = true}};
    const bool quantized = fmt_onnx_in(o, n, 7) != IR_NONE;
    const bool has_bias = fmt_onnx_in(o, n, 6) != IR_NONE;
    int64_t trans_a, trans_b;
    float alpha;
    int32_t in[3], y;
    nf_status st;
    if ((st = fmt_onnx_float(&alpha, o, n, "alpha", 1))) return st;
    if ((st = fmt_onnx_int(&trans_a, o, n, "transA", 0))) return st;
    if ((st = fmt_onnx_int(&trans_b, o, n, "transB", 0))) return st;
    if ((st = fmt_onnx_real(&in[0], o, n, 0, 0))) return st;
    if ((st = stored_side(&in[1], o, n, 3, trans_b != 0))) return st;
    if (trans_a || alpha != 1 || in[1] == IR_NONE)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where,
                       "QGemm with transA, alpha %g or a computed right side", (double)alpha);
    if (has_bias && (st = real_bias(&in[2], o, n, alpha))) return st;
    st = quantized ? fmt_onnx_temp(&y, o, n, ":product", ENG_F32) : fmt_onnx_out(&y, o, n, ENG_F32);
    if (st) return st;
    if ((st = fmt_onnx_emit(o, IR_FULLY_CONNECTED, in, has_bias ? 3 : 2, y, &dense))) return st;
    return quantized ? fmt_onnx_real_out(o, n, 7, y) : NF_OK;
}
