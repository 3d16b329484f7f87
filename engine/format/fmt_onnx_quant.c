/* fmt_onnx_quant.c - QuantizeLinear and DequantizeLinear. Layer: format. Thread rule: no shared
 * state. real = (q - zero) * scale; without a zero point it is 0. */
#include "engine/format/fmt_onnx_nn.h"

#include "engine/base/mem.h"

static nf_status check_zero_type(fmt_onnx_ctx *o, int32_t zero, eng_dtype want)
{
    const fmt_onnx_const *c;
    eng_dtype dtype;
    size_t n;
    nf_status st;
    if ((st = fmt_onnx_content(&c, &n, o, zero))) return st;
    if ((st = fmt_onnx_const_type(&dtype, o, c, (nf_span){o->where, strlen(o->where)}))) return st;
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

/* Axis and block of attr.linear; the axis still from -rank. */
static nf_status read_linear(int64_t *axis, int64_t *block, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    nf_status st;
    if ((st = fmt_onnx_int(axis, o, n, "axis", 1))) return st;
    if ((st = fmt_onnx_int(block, o, n, "block_size", 0))) return st;
    if (*block < 0 || *block > INT32_MAX)
        return nf_fail(o->err, NF_EFORMAT, o->where, "blocks of %lld", (long long)*block);
    return NF_OK;
}

/* Scale and zero point that stand in the file: one number each, or one an index. */
static bool is_fixed(const fmt_onnx_ctx *o, int32_t scale, int32_t zero, bool single)
{
    const fmt_onnx_value *s = fmt_onnx_value_of(o, scale), *z = fmt_onnx_value_of(o, zero);
    if (!s || s->kind != FMT_ONNX_CONST || (z && z->kind != FMT_ONNX_CONST)) return false;
    const bool one = s->c.rank == 0 || (s->c.rank == 1 && s->c.dim[0] == 1);
    return one || (!single && s->c.rank == 1);
}

nf_status fmt_onnx_linear_node(fmt_onnx_ctx *o, ir_op op, const fmt_onnx_linear *p, int32_t x,
                               int32_t y)
{
    ir_attr attr = {.linear = {.axis = (int)p->axis, .block = (int32_t)p->block}};
    int32_t in[3] = {x, IR_NONE, IR_NONE};
    const int rank = o->g->tensors[x].rank;
    nf_status st;
    if (p->axis < 0) attr.linear.axis += rank;
    if (rank == 1 && p->axis == 1) attr.linear.axis = 0; /* the default, of a list */
    if ((st = fmt_onnx_use(&in[1], o, p->scale))) return st;
    if (p->zero != IR_NONE && (st = fmt_onnx_use(&in[2], o, p->zero))) return st;
    return fmt_onnx_emit(o, op, in, in[2] == IR_NONE ? 2 : 3, y, &attr);
}

/* Type of the result: that of the zero point, or an attribute, or UINT8. */
nf_status fmt_onnx_zero_type(eng_dtype *out, fmt_onnx_ctx *o, int32_t zero)
{
    const nf_span where = {o->where, strlen(o->where)};
    const fmt_onnx_const *c = fmt_onnx_stored_head(o, zero);
    int32_t z;
    nf_status st;
    *out = ENG_U8;
    if (zero == IR_NONE) return NF_OK;
    if (c) return fmt_onnx_dtype(out, o, c->type, where);
    if ((st = fmt_onnx_use(&z, o, zero))) return st;
    *out = o->g->tensors[z].dtype;
    return NF_OK;
}

static nf_status result_type(eng_dtype *out, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const int32_t zero = fmt_onnx_in(o, n, 2);
    const nf_span where = {o->where, strlen(o->where)};
    int64_t type;
    nf_status st;
    *out = ENG_U8;
    if (zero != IR_NONE) return fmt_onnx_zero_type(out, o, zero);
    if ((st = fmt_onnx_int(&type, o, n, "output_dtype", 0)) || type == 0) return st;
    return fmt_onnx_dtype(out, o, type > 0 && type < 1000 ? (int32_t)type : 1000, where);
}

/* Whole numbers are quantized as the floats that they are. */
static nf_status as_real(int32_t *x, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const int32_t from = *x;
    nf_status st;
    if (o->g->tensors[from].dtype == ENG_F32) return NF_OK;
    if ((st = fmt_onnx_temp(x, o, n, ":fp32", ENG_F32))) return st;
    return fmt_onnx_emit(o, IR_CAST, &from, 1, *x, NULL);
}

nf_status fmt_onnx_quantize_to(fmt_onnx_ctx *o, const fmt_onnx_linear *p, int32_t x, int32_t y)
{
    const eng_dtype dtype = o->g->tensors[y].dtype;
    const bool byte = dtype == ENG_I8 || dtype == ENG_U8 || dtype == ENG_I16;
    nf_status st;
    if (!byte || p->block || !is_fixed(o, p->scale, p->zero, true))
        return fmt_onnx_linear_node(o, IR_QUANTIZE_LINEAR, p, x, y);
    if ((st = fmt_onnx_emit(o, IR_QUANTIZE, &x, 1, y, NULL))) return st;
    return fmt_onnx_set_quant(o, &o->g->tensors[y], p->scale, p->zero, 0);
}

nf_status fmt_onnx_quantize(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    fmt_onnx_linear p = {.scale = fmt_onnx_in(o, n, 1), .zero = fmt_onnx_in(o, n, 2)};
    eng_dtype dtype;
    int32_t x, y;
    nf_status st;
    if ((st = read_linear(&p.axis, &p.block, o, n))) return st;
    if ((st = result_type(&dtype, o, n))) return st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = as_real(&x, o, n))) return st;
    if ((st = fmt_onnx_out(&y, o, n, dtype))) return st;
    return fmt_onnx_quantize_to(o, &p, x, y);
}

static bool same_quant(const ir_quant *a, const ir_quant *b)
{
    return a->n == b->n && (a->n == 1 || a->axis == b->axis) &&
           memcmp(a->scale, b->scale, a->n * sizeof(*a->scale)) == 0 &&
           memcmp(a->zero, b->zero, a->n * sizeof(*a->zero)) == 0;
}

/* The input gets the meaning that this node gives it; it can have only one. False: it has another
 * one already. */
static nf_status give_meaning(bool *given, fmt_onnx_ctx *o, const fmt_onnx_linear *p, int32_t x)
{
    ir_tensor *t = &o->g->tensors[x];
    const ir_quant own = t->quant;
    nf_status st;
    t->quant = (ir_quant){0};
    st = fmt_onnx_set_quant(o, t, p->scale, p->zero, p->axis < 0 ? p->axis + t->rank : p->axis);
    *given = !st && (!own.n || same_quant(&own, &t->quant));
    const ir_quant drop = *given || !own.n ? own : t->quant;
    if (!*given && own.n) t->quant = own;
    nf_free(drop.scale);
    nf_free(drop.zero);
    return st;
}

nf_status fmt_onnx_dequantize_to(fmt_onnx_ctx *o, const fmt_onnx_linear *p, int32_t x, int32_t y)
{
    const eng_dtype dtype = o->g->tensors[x].dtype;
    const bool plain = dtype == ENG_I8 || dtype == ENG_U8 || dtype == ENG_I16 || dtype == ENG_I32;
    bool given = false;
    nf_status st;
    if (plain && !p->block && is_fixed(o, p->scale, p->zero, false) &&
        (st = give_meaning(&given, o, p, x)))
        return st;
    if (!given) return fmt_onnx_linear_node(o, IR_DEQUANTIZE_LINEAR, p, x, y);
    return fmt_onnx_emit(o, IR_DEQUANTIZE, &x, 1, y, NULL);
}

nf_status fmt_onnx_dequantize(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const int32_t value = fmt_onnx_in(o, n, 0);
    const fmt_onnx_value *source = fmt_onnx_value_of(o, value);
    fmt_onnx_linear p = {.scale = fmt_onnx_in(o, n, 1), .zero = fmt_onnx_in(o, n, 2)};
    int32_t x, y;
    nf_status st;
    if ((st = read_linear(&p.axis, &p.block, o, n))) return st;
    if (source && source->kind == FMT_ONNX_CONST && !p.block &&
        is_fixed(o, p.scale, p.zero, false)) {
        fmt_onnx_value *v = fmt_onnx_result(o, n);
        v->kind = FMT_ONNX_DQ;
        v->source = (int32_t)(source - o->values);
        v->scale = p.scale;
        v->zero = p.zero;
        v->axis = p.axis < -ENG_MAX_RANK || p.axis > ENG_MAX_RANK ? ENG_MAX_RANK : (int32_t)p.axis;
        return NF_OK;
    }
    if ((st = fmt_onnx_use(&x, o, value))) return st;
    if ((st = fmt_onnx_out(&y, o, n, ENG_F32))) return st;
    return fmt_onnx_dequantize_to(o, &p, x, y);
}

nf_status fmt_onnx_dynamic_quantize(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const eng_dtype types[] = {ENG_U8, ENG_F32, ENG_U8};
    int32_t x, out[3];
    nf_status st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    for (size_t i = 0; i < 3; i++)
        if ((st = fmt_onnx_out_at(&out[i], o, n, i, types[i]))) return st;
    if (out[0] == IR_NONE && (st = fmt_onnx_temp(&out[0], o, n, ":y", ENG_U8))) return st;
    return fmt_onnx_emit_ends(o, IR_DYNAMIC_QUANTIZE, &(ir_ends){&x, out, 1, 3}, NULL);
}
