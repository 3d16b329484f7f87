/* fmt_onnx_quant.c - QuantizeLinear and DequantizeLinear. Layer: format. Thread rule: no shared
 * state. real = (q - zero) * scale; without a zero point it is 0. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/mem.h"

static nf_status check_zero_type(fmt_onnx_ctx *o, int32_t zero, eng_dtype want)
{
    const fmt_onnx_const *c;
    eng_dtype dtype;
    size_t n;
    nf_status st;
    if ((st = fmt_onnx_content(&c, &n, o, zero))) return st;
    if ((st = fmt_onnx_dtype(&dtype, o, c->type, (nf_span){o->where, strlen(o->where)}))) return st;
    if (dtype != want)
        return nf_fail(o->err, NF_EFORMAT, o->where, "the zero point is %s, the values are %s",
                       eng_dtype_oip(dtype), eng_dtype_oip(want));
    return NF_OK;
}

static nf_status read_zeros(int32_t *out, size_t n, fmt_onnx_ctx *o, int32_t zero, eng_dtype dtype)
{
    size_t count = 0;
    nf_status st;
    if (zero == IR_NONE) return NF_OK;
    if ((st = check_zero_type(o, zero, dtype))) return st;
    if ((st = fmt_onnx_spend(o, n * sizeof(int64_t)))) return st;
    int64_t *wide = nf_alloc_array(n, sizeof(*wide), NF_MEM_GRAPH);
    if (!wide) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu zero points", n);
    st = fmt_onnx_numbers(wide, &count, n, o, zero);
    if (!st && count != n)
        st = nf_fail(o->err, NF_EFORMAT, o->where, "%zu zero points for %zu scales", count, n);
    for (size_t i = 0; !st && i < n; i++)
        out[i] = (int32_t)wide[i]; /* 32 bits at most, by type */
    nf_free(wide);
    return st;
}

static nf_status check_scale_shape(fmt_onnx_ctx *o, int32_t scale)
{
    const fmt_onnx_const *c;
    size_t n;
    nf_status st;
    if ((st = fmt_onnx_content(&c, &n, o, scale))) return st;
    if (c->rank > 1 && n > 1)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "quantization in blocks");
    return NF_OK;
}

nf_status fmt_onnx_set_quant(fmt_onnx_ctx *o, ir_tensor *t, int32_t scale, int32_t zero,
                             int64_t axis)
{
    const float *s;
    size_t n;
    nf_status st;
    const bool integer =
        t->dtype == ENG_I8 || t->dtype == ENG_U8 || t->dtype == ENG_I16 || t->dtype == ENG_I32;
    if (!integer)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%s cannot be quantized values",
                       eng_dtype_oip(t->dtype));
    if ((st = check_scale_shape(o, scale))) return st;
    if ((st = fmt_onnx_floats(&s, &n, o, scale))) return st;
    if (n > 1 && (axis < 0 || axis >= t->rank || t->dim[axis] != (int64_t)n))
        return nf_fail(o->err, NF_EFORMAT, o->where, "%zu scales along axis %lld of %d", n,
                       (long long)axis, t->rank);
    if ((st = fmt_onnx_spend(o, n * sizeof(int32_t)))) return st;
    int32_t *zeros = nf_alloc_array(n, sizeof(*zeros), NF_MEM_GRAPH);
    if (!zeros) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu zero points", n);
    st = read_zeros(zeros, n, o, zero, t->dtype);
    if (!st) st = ir_set_quant(t, n, s, zeros, n > 1 ? (int)axis : 0, o->err);
    nf_free(zeros);
    return st;
}

/* axis, and that there are no blocks. */
static nf_status read_axis(int64_t *axis, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t block;
    nf_status st;
    if ((st = fmt_onnx_int(axis, o, n, "axis", 1))) return st;
    if ((st = fmt_onnx_int(&block, o, n, "block_size", 0))) return st;
    return block ? nf_fail(o->err, NF_EUNSUPPORTED, o->where, "quantization in blocks") : NF_OK;
}

/* Type of the result: that of the zero point, or an attribute, or UINT8. */
static nf_status result_type(eng_dtype *out, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const fmt_onnx_const *c;
    const int32_t zero = fmt_onnx_in(o, n, 2);
    const nf_span where = {o->where, strlen(o->where)};
    int64_t type;
    size_t count;
    nf_status st;
    *out = ENG_U8;
    if (zero != IR_NONE) {
        if ((st = fmt_onnx_content(&c, &count, o, zero))) return st;
        return fmt_onnx_dtype(out, o, c->type, where);
    }
    if ((st = fmt_onnx_int(&type, o, n, "output_dtype", 0)) || type == 0) return st;
    return fmt_onnx_dtype(out, o, type > 0 && type < 1000 ? (int32_t)type : 1000, where);
}

nf_status fmt_onnx_quantize(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t axis;
    eng_dtype dtype;
    int32_t x, y;
    nf_status st;
    if ((st = read_axis(&axis, o, n))) return st;
    if ((st = result_type(&dtype, o, n))) return st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    if (o->g->tensors[x].dtype != ENG_F32)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "QuantizeLinear of %s",
                       eng_dtype_oip(o->g->tensors[x].dtype));
    if ((st = fmt_onnx_out(&y, o, n, dtype))) return st;
    if ((st = fmt_onnx_emit(o, IR_QUANTIZE, &x, 1, y, NULL))) return st;
    ir_tensor *t = &o->g->tensors[y];
    axis += axis < 0 ? t->rank : 0;
    return fmt_onnx_set_quant(o, t, fmt_onnx_in(o, n, 1), fmt_onnx_in(o, n, 2), axis);
}

static bool same_quant(const ir_quant *a, const ir_quant *b)
{
    return a->n == b->n && (a->n == 1 || a->axis == b->axis) &&
           memcmp(a->scale, b->scale, a->n * sizeof(*a->scale)) == 0 &&
           memcmp(a->zero, b->zero, a->n * sizeof(*a->zero)) == 0;
}

/* The input gets the meaning that this node gives it; it can have only one. */
static nf_status give_meaning(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_tensor *x, int64_t axis)
{
    const ir_quant own = x->quant;
    nf_status st;
    x->quant = (ir_quant){0};
    st = fmt_onnx_set_quant(o, x, fmt_onnx_in(o, n, 1), fmt_onnx_in(o, n, 2), axis);
    if (!st && own.n && !same_quant(&own, &x->quant))
        st = nf_fail(o->err, NF_EUNSUPPORTED, o->where,
                     "the values were quantized with another scale or zero point");
    nf_free(own.scale);
    nf_free(own.zero);
    return st;
}

nf_status fmt_onnx_dequantize(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const int32_t value = fmt_onnx_in(o, n, 0);
    const fmt_onnx_value *source = fmt_onnx_value_of(o, value);
    int64_t axis;
    int32_t x, y;
    nf_status st;
    if ((st = read_axis(&axis, o, n))) return st;
    if (source && source->kind == FMT_ONNX_CONST) {
        fmt_onnx_value *v = fmt_onnx_result(o, n);
        v->kind = FMT_ONNX_DQ;
        v->source = (int32_t)(source - o->values);
        v->scale = fmt_onnx_in(o, n, 1);
        v->zero = fmt_onnx_in(o, n, 2);
        v->axis = axis < -ENG_MAX_RANK || axis > ENG_MAX_RANK ? ENG_MAX_RANK : (int32_t)axis;
        return NF_OK;
    }
    if ((st = fmt_onnx_use(&x, o, value))) return st;
    ir_tensor *t = &o->g->tensors[x];
    axis += axis < 0 ? t->rank : 0;
    if ((st = give_meaning(o, n, t, axis))) return st;
    if ((st = fmt_onnx_out(&y, o, n, ENG_F32))) return st;
    return fmt_onnx_emit(o, IR_DEQUANTIZE, &x, 1, y, NULL);
}
