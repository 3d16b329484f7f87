/* fmt_onnx_math.c - ONNX: operators on numbers. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx.h"

#include <math.h>

/* Operators without parameters: all inputs of one type, and the result of it or BOOL. */
static const struct {
    const char *name;
    ir_op op;
    bool to_bool;
} plain[] = {
    {"Abs", IR_ABS, false},
    {"Acos", IR_ACOS, false},
    {"Acosh", IR_ACOSH, false},
    {"Add", IR_ADD, false},
    {"And", IR_LOGICAL_AND, false},
    {"Asin", IR_ASIN, false},
    {"Asinh", IR_ASINH, false},
    {"Atan", IR_ATAN, false},
    {"Atanh", IR_ATANH, false},
    {"BitwiseAnd", IR_BITWISE_AND, false},
    {"BitwiseNot", IR_BITWISE_NOT, false},
    {"BitwiseOr", IR_BITWISE_OR, false},
    {"BitwiseXor", IR_BITWISE_XOR, false},
    {"Ceil", IR_CEIL, false},
    {"Cos", IR_COS, false},
    {"Cosh", IR_COSH, false},
    {"Div", IR_DIV, false},
    {"Equal", IR_EQUAL, true},
    {"Erf", IR_ERF, false},
    {"Exp", IR_EXP, false},
    {"Floor", IR_FLOOR, false},
    {"Greater", IR_GREATER, true},
    {"GreaterOrEqual", IR_GREATER_EQUAL, true},
    {"HardSwish", IR_HARD_SWISH, false},
    {"IsNaN", IR_IS_NAN, true},
    {"Less", IR_LESS, true},
    {"LessOrEqual", IR_LESS_EQUAL, true},
    {"Log", IR_LOG, false},
    {"Mish", IR_MISH, false},
    {"Mul", IR_MUL, false},
    {"Neg", IR_NEG, false},
    {"Not", IR_LOGICAL_NOT, false},
    {"Or", IR_LOGICAL_OR, false},
    {"PRelu", IR_PRELU, false},
    {"Reciprocal", IR_RECIPROCAL, false},
    {"Round", IR_ROUND, false},
    {"Sigmoid", IR_LOGISTIC, false},
    {"Sign", IR_SIGN, false},
    {"Sin", IR_SIN, false},
    {"Sinh", IR_SINH, false},
    {"Softplus", IR_SOFTPLUS, false},
    {"Softsign", IR_SOFTSIGN, false},
    {"Sqrt", IR_SQRT, false},
    {"Sub", IR_SUB, false},
    {"Tan", IR_TAN, false},
    {"Tanh", IR_TANH, false},
    {"Xor", IR_LOGICAL_XOR, false},
};

static eng_dtype type_of(const fmt_onnx_ctx *o, int32_t tensor)
{
    return o->g->tensors[tensor].dtype;
}

/* Before opset 7 the dimensions of the second operand may begin at an axis of the first: then those
 * behind them are 1. */
static nf_status old_axis(int32_t in[2], fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const ir_tensor *a = &o->g->tensors[in[0]], *b = &o->g->tensors[in[1]];
    const int32_t from = in[1];
    ir_attr attr = {.reshape = {.rank = b->rank, .zero = true}};
    int64_t axis;
    nf_status st;
    if ((st = fmt_onnx_int(&axis, o, n, "axis", a->rank - b->rank))) return st;
    axis += axis < 0 ? a->rank : 0;
    if (a->rank < 0 || b->rank < 0 || axis == a->rank - b->rank) return NF_OK;
    if (axis < 0 || axis > a->rank - b->rank)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%d dimensions at axis %lld of %d", b->rank,
                       (long long)axis, a->rank);
    for (int i = 0; i < b->rank; i++) {
        attr.reshape.dim[i] = b->dim[i];
        if (b->dim[i] < 0)
            return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "an open dimension at an axis");
    }
    while (axis + attr.reshape.rank < a->rank)
        attr.reshape.dim[attr.reshape.rank++] = 1;
    if ((st = fmt_onnx_temp(&in[1], o, n, ":axis", b->dtype))) return st;
    return fmt_onnx_emit(o, IR_RESHAPE, &from, 1, in[1], &attr);
}

/* The tensors of inputs 0 and 1, which have one type. */
static nf_status use_pair(int32_t in[2], fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    nf_status st;
    for (size_t i = 0; i < 2; i++)
        if ((st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i)))) return st;
    if (type_of(o, in[0]) == type_of(o, in[1])) return o->opset < 7 ? old_axis(in, o, n) : NF_OK;
    return nf_fail(o->err, NF_EFORMAT, o->where, "inputs of %s and %s",
                   eng_dtype_oip(type_of(o, in[0])), eng_dtype_oip(type_of(o, in[1])));
}

/* A node of one or two inputs of one type, and its result of that type. */
static nf_status emit_same(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, const ir_attr *attr)
{
    const int32_t n_in = n->n_in > 1 ? 2 : 1;
    int32_t in[2], y;
    nf_status st;
    st = n_in == 2 ? use_pair(in, o, n) : fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0));
    if (st || (st = fmt_onnx_out(&y, o, n, type_of(o, in[0])))) return st;
    return fmt_onnx_emit(o, op, in, n_in, y, attr);
}

static nf_status emit_bool(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, const ir_attr *attr)
{
    const int32_t n_in = n->n_in > 1 ? 2 : 1;
    int32_t in[2], y;
    nf_status st;
    st = n_in == 2 ? use_pair(in, o, n) : fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0));
    if (st || (st = fmt_onnx_out(&y, o, n, ENG_BOOL))) return st;
    return fmt_onnx_emit(o, op, in, n_in, y, attr);
}

static nf_status read_plain(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    size_t i = 0;
    while (!nf_span_is(n->op, plain[i].name))
        i++; /* the rows below ask for what is there */
    return (plain[i].to_bool ? emit_bool : emit_same)(o, n, plain[i].op, NULL);
}

/* Operators with one or two numbers, and what these are when the file does not say. */
static const struct {
    const char *name;
    ir_op op;
    const char *alpha, *beta; /* attributes; NULL = none */
    float alpha_absent, beta_absent;
} scalars[] = {
    {"Celu", IR_CELU, "alpha", NULL, 1, 0},
    {"Elu", IR_ELU, "alpha", NULL, 1, 0},
    {"HardSigmoid", IR_HARD_SIGMOID, "alpha", "beta", 0.2f, 0.5f},
    {"LeakyRelu", IR_LEAKY_RELU, "alpha", NULL, 0.01f, 0},
    {"Selu", IR_SELU, "alpha", "gamma", 1.67326319f, 1.05070102f},
    {"Shrink", IR_SHRINK, "bias", "lambd", 0, 0.5f},
    {"Swish", IR_SILU, "alpha", NULL, 1, 0},
    {"ThresholdedRelu", IR_THRESHOLDED_RELU, "alpha", NULL, 1, 0},
};

static nf_status read_scalars(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.scalar = {0, 0}};
    float *p[2] = {&attr.scalar.alpha, &attr.scalar.beta};
    size_t i = 0;
    nf_status st;
    while (!nf_span_is(n->op, scalars[i].name))
        i++;
    if ((st = fmt_onnx_float(p[0], o, n, scalars[i].alpha, scalars[i].alpha_absent))) return st;
    if (scalars[i].beta &&
        (st = fmt_onnx_float(p[1], o, n, scalars[i].beta, scalars[i].beta_absent)))
        return st;
    return emit_same(o, n, scalars[i].op, &attr);
}

static nf_status read_gelu(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.misc = {.flag = false}};
    nf_span how;
    nf_status st;
    if ((st = fmt_onnx_text(&how, o, n, "approximate"))) return st;
    attr.misc.flag = how.s && nf_span_is(how, "tanh");
    if (how.s && !attr.misc.flag && !nf_span_is(how, "none"))
        return nf_fail(o->err, NF_EFORMAT, o->where, "approximate is neither none nor tanh");
    return emit_same(o, n, IR_GELU, &attr);
}

static nf_status read_is_inf(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t plus, minus;
    nf_status st;
    if ((st = fmt_onnx_int(&plus, o, n, "detect_positive", 1))) return st;
    if ((st = fmt_onnx_int(&minus, o, n, "detect_negative", 1))) return st;
    const ir_attr attr = {.misc = {.flag = plus == 0, .flag2 = minus == 0}};
    return emit_bool(o, n, IR_IS_INF, &attr);
}

static nf_status read_mod(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t as_c;
    const nf_status st = fmt_onnx_int(&as_c, o, n, "fmod", 0);
    return st ? st : emit_same(o, n, as_c ? IR_MOD : IR_FLOOR_MOD, NULL);
}

static nf_status read_bit_shift(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.misc = {.flag = false}};
    nf_span way;
    nf_status st;
    if ((st = fmt_onnx_text(&way, o, n, "direction"))) return st;
    attr.misc.flag = way.s && nf_span_is(way, "RIGHT");
    if (!attr.misc.flag && !(way.s && nf_span_is(way, "LEFT")))
        return nf_fail(o->err, NF_EFORMAT, o->where, "direction is neither LEFT nor RIGHT");
    return emit_same(o, n, IR_BIT_SHIFT, &attr);
}

/* *tensor becomes the same of another type. */
static nf_status cast_to(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, eng_dtype to)
{
    const int32_t from = *tensor;
    nf_status st;
    if (type_of(o, from) == to) return NF_OK;
    if ((st = fmt_onnx_temp(tensor, o, n, ":cast", to))) return st;
    return fmt_onnx_emit(o, IR_CAST, &from, 1, *tensor, NULL);
}

/* The types of base and exponent may differ, the result has the base's: it is computed as FP32 when
 * one of them is real. */
static nf_status read_pow(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int32_t in[2], y, power;
    nf_status st;
    for (size_t i = 0; i < 2; i++)
        if ((st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i)))) return st;
    const eng_dtype base = type_of(o, in[0]);
    const bool real = base == ENG_F32 || type_of(o, in[1]) == ENG_F32;
    const eng_dtype with = real ? ENG_F32 : base;
    for (size_t i = 0; i < 2; i++)
        if ((st = cast_to(&in[i], o, n, with))) return st;
    if ((st = fmt_onnx_out(&y, o, n, base))) return st;
    if (with == base) return fmt_onnx_emit(o, IR_POW, in, 2, y, NULL);
    if ((st = fmt_onnx_temp(&power, o, n, ":power", with))) return st;
    if ((st = fmt_onnx_emit(o, IR_POW, in, 2, power, NULL))) return st;
    return fmt_onnx_emit(o, IR_CAST, &power, 1, y, NULL);
}

static nf_status read_where(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int32_t in[3], y;
    nf_status st;
    for (size_t i = 0; i < 3; i++)
        if ((st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i)))) return st;
    if ((st = fmt_onnx_out(&y, o, n, type_of(o, in[1])))) return st;
    return fmt_onnx_emit(o, IR_SELECT, in, 3, y, NULL);
}

/* op of the first inputs, one more at a time, into `y` or a new tensor. */
static nf_status chain(int32_t *y, fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, bool last)
{
    int32_t in[2];
    nf_status st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    *y = in[0];
    for (size_t i = 1; i < n->n_in; i++, in[0] = *y) {
        if ((st = fmt_onnx_use(&in[1], o, fmt_onnx_in(o, n, i)))) return st;
        st = last && i + 1 == n->n_in ? fmt_onnx_out(y, o, n, type_of(o, in[0]))
                                      : fmt_onnx_temp(y, o, n, ":part", type_of(o, in[0]));
        if (st || (st = fmt_onnx_emit(o, op, in, 2, *y, NULL))) return st;
    }
    if (!last || n->n_in > 1) return NF_OK;
    if ((st = fmt_onnx_out(y, o, n, type_of(o, in[0])))) return st;
    return fmt_onnx_emit(o, IR_IDENTITY, in, 1, *y, NULL);
}

static nf_status read_max(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return chain(&(int32_t){0}, o, n, IR_MAXIMUM, true);
}

static nf_status read_min(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return chain(&(int32_t){0}, o, n, IR_MINIMUM, true);
}

static nf_status read_sum(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    return chain(&(int32_t){0}, o, n, IR_ADD, true);
}

static nf_status read_mean(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const float count = (float)n->n_in;
    int32_t in[2], y;
    nf_status st;
    if ((st = chain(&in[0], o, n, IR_ADD, false))) return st;
    if ((st = fmt_onnx_new_floats(&in[1], o, &count, NULL, 0))) return st;
    if ((st = fmt_onnx_out(&y, o, n, ENG_F32))) return st;
    return fmt_onnx_emit(o, IR_DIV, in, 2, y, NULL);
}

/* A limit of a Clip that is one FP32 number of the file, or left out. */
static bool fixed_limit(float *out, fmt_onnx_ctx *o, int32_t value)
{
    const fmt_onnx_value *v = fmt_onnx_value_of(o, value);
    const float *p;
    size_t count;
    nf_error unused = {0}, *err = o->err;
    if (!v) return true;
    if (v->kind != FMT_ONNX_CONST) return false;
    o->err = &unused;
    const bool fixed = fmt_onnx_floats(&p, &count, o, value) == NF_OK && count == 1;
    o->err = err;
    if (fixed) *out = *p;
    return fixed;
}

/* Input i as a limit: one number. */
static nf_status use_limit(int32_t *t, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i)
{
    size_t elems;
    nf_status st;
    if ((st = fmt_onnx_use(t, o, fmt_onnx_in(o, n, i)))) return st;
    const ir_tensor *x = &o->g->tensors[*t];
    if (!ir_shape_known(x) || (ir_elems(&elems, x, 1) && elems == 1)) return NF_OK;
    return nf_fail(o->err, NF_EFORMAT, o->where, "limit %zu is not one number", i);
}

/* The upper limit wins over the lower one, as in the specification. */
static nf_status clip_computed(fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t x)
{
    const bool upper = fmt_onnx_in(o, n, 2) != IR_NONE, lower = fmt_onnx_in(o, n, 1) != IR_NONE;
    const eng_dtype dtype = type_of(o, x);
    int32_t in[2] = {x, IR_NONE}, y;
    nf_status st;
    if (lower) {
        if ((st = use_limit(&in[1], o, n, 1))) return st;
        st = upper ? fmt_onnx_temp(&y, o, n, ":lower", dtype) : fmt_onnx_out(&y, o, n, dtype);
        if (st || (st = fmt_onnx_emit(o, IR_MAXIMUM, in, 2, y, NULL)) || !upper) return st;
        in[0] = y;
    }
    if (upper && (st = use_limit(&in[1], o, n, 2))) return st;
    if ((st = fmt_onnx_out(&y, o, n, dtype))) return st;
    return fmt_onnx_emit(o, upper ? IR_MINIMUM : IR_IDENTITY, in, upper ? 2 : 1, y, NULL);
}

/* Limits are attributes in old files, optional inputs in new ones. */
static nf_status read_clip(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.clamp = {.clamp = ir_no_clamp()}};
    ir_clamp *c = &attr.clamp.clamp;
    int32_t x, y;
    nf_status st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    if (o->opset < 11) {
        if ((st = fmt_onnx_float(&c->low, o, n, "min", c->low))) return st;
        if ((st = fmt_onnx_float(&c->high, o, n, "max", c->high))) return st;
    } else if (type_of(o, x) != ENG_F32 || !fixed_limit(&c->low, o, fmt_onnx_in(o, n, 1)) ||
               !fixed_limit(&c->high, o, fmt_onnx_in(o, n, 2))) {
        return clip_computed(o, n, x);
    }
    if (c->low > c->high) c->low = c->high;
    if ((st = fmt_onnx_out(&y, o, n, type_of(o, x)))) return st;
    return fmt_onnx_emit(o, IR_CLAMP, &x, 1, y, &attr);
}

static nf_status emit_cast(fmt_onnx_ctx *o, const fmt_onnx_node *n, eng_dtype to)
{
    int32_t x, y;
    nf_status st;
    if (fmt_onnx_is_real(to)) to = ENG_F32;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_out(&y, o, n, to))) return st;
    return fmt_onnx_emit(o, type_of(o, x) == to ? IR_IDENTITY : IR_CAST, &x, 1, y, NULL);
}

static nf_status type_attribute(int32_t *code, eng_dtype *to, fmt_onnx_ctx *o,
                                const fmt_onnx_node *n)
{
    int64_t type;
    nf_status st;
    if ((st = fmt_onnx_int(&type, o, n, "to", 0))) return st;
    *code = type < 0 || type > 1000 ? 1000 : (int32_t)type;
    return fmt_onnx_dtype(to, o, *code, fmt_onnx_result(o, n)->name);
}

static nf_status new_byte(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, eng_dtype dtype,
                          int8_t value)
{
    const nf_status st = fmt_onnx_temp(tensor, o, n, ":const", dtype);
    return st ? st : ir_set_data(&o->g->tensors[*tensor], (nf_bytes){(uint8_t *)&value, 1}, o->err);
}

/* The low 4 bits of bytes: as they are, or signed by ((x + 8) & 15) - 8. */
static nf_status emit_cast_half_byte(fmt_onnx_ctx *o, const fmt_onnx_node *n, eng_dtype to)
{
    static const ir_op ops[] = {IR_ADD, IR_BITWISE_AND, IR_SUB};
    static const int8_t with[] = {8, 15, 8};
    const bool is_signed = to == ENG_I8;
    const size_t first = is_signed ? 0 : 1, last = is_signed ? 2 : 1;
    const ir_attr none = {.binary = {.clamp = ir_no_clamp()}};
    int32_t in[2], x;
    nf_status st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    if ((st = fmt_onnx_temp(&in[0], o, n, ":byte", ENG_I8))) return st;
    if ((st = fmt_onnx_emit(o, IR_CAST, &x, 1, in[0], NULL))) return st;
    for (size_t i = first; i <= last; i++) {
        int32_t y;
        if ((st = new_byte(&in[1], o, n, ENG_I8, with[i]))) return st;
        if ((st = fmt_onnx_temp(&y, o, n, ":bits", ENG_I8))) return st;
        if ((st = fmt_onnx_emit(o, ops[i], in, 2, y, &none))) return st;
        in[0] = y;
    }
    if ((st = fmt_onnx_out(&x, o, n, to))) return st;
    return fmt_onnx_emit(o, IR_CAST, in, 1, x, NULL);
}

static nf_status read_cast(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int32_t code;
    eng_dtype to;
    const nf_status st = type_attribute(&code, &to, o, n);
    if (st) return st;
    return fmt_onnx_is_half_byte(code) ? emit_cast_half_byte(o, n, to) : emit_cast(o, n, to);
}

/* Of half and double precision only an input of the model still has its own bytes. */
static nf_status read_bit_cast(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const fmt_onnx_value *v = fmt_onnx_value_of(o, fmt_onnx_in(o, n, 0));
    int32_t x, y, bits;
    eng_dtype to;
    nf_status st;
    if ((st = type_attribute(&(int32_t){0}, &to, o, n))) return st;
    if ((st = fmt_onnx_use(&x, o, fmt_onnx_in(o, n, 0)))) return st;
    if (v && v->given != IR_NONE) x = v->given;
    const eng_dtype shown = fmt_onnx_is_real(to) ? ENG_F32 : to;
    if ((st = fmt_onnx_out(&y, o, n, shown))) return st;
    if (shown == to) return fmt_onnx_emit(o, IR_BITCAST, &x, 1, y, NULL);
    if ((st = fmt_onnx_temp(&bits, o, n, ":bits", to))) return st;
    if ((st = fmt_onnx_emit(o, IR_BITCAST, &x, 1, bits, NULL))) return st;
    return fmt_onnx_emit(o, IR_CAST, &bits, 1, y, NULL);
}

static nf_status read_cast_like(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int32_t like;
    const nf_status st = fmt_onnx_use(&like, o, fmt_onnx_in(o, n, 1));
    return st ? st : emit_cast(o, n, type_of(o, like));
}

const fmt_onnx_row fmt_onnx_math_rows[] = {
    /* operator, inputs, reader */
    {"Abs", 1, 1, read_plain},
    {"Acos", 1, 1, read_plain},
    {"Acosh", 1, 1, read_plain},
    {"Add", 2, 2, read_plain},
    {"And", 2, 2, read_plain},
    {"ArgMax", 1, 1, fmt_onnx_arg},
    {"ArgMin", 1, 1, fmt_onnx_arg},
    {"Asin", 1, 1, read_plain},
    {"Asinh", 1, 1, read_plain},
    {"Atan", 1, 1, read_plain},
    {"Atanh", 1, 1, read_plain},
    {"BitCast", 1, 1, read_bit_cast},
    {"BitShift", 2, 2, read_bit_shift},
    {"BitwiseAnd", 2, 2, read_plain},
    {"BitwiseNot", 1, 1, read_plain},
    {"BitwiseOr", 2, 2, read_plain},
    {"BitwiseXor", 2, 2, read_plain},
    {"Cast", 1, 1, read_cast},
    {"CastLike", 2, 2, read_cast_like},
    {"Ceil", 1, 1, read_plain},
    {"Celu", 1, 1, read_scalars},
    {"Clip", 1, 3, read_clip},
    {"Cos", 1, 1, read_plain},
    {"Cosh", 1, 1, read_plain},
    {"CumProd", 2, 2, fmt_onnx_cumulate},
    {"CumSum", 2, 2, fmt_onnx_cumulate},
    {"Div", 2, 2, read_plain},
    {"Elu", 1, 1, read_scalars},
    {"Equal", 2, 2, read_plain},
    {"Erf", 1, 1, read_plain},
    {"Exp", 1, 1, read_plain},
    {"Floor", 1, 1, read_plain},
    {"Gelu", 1, 1, read_gelu},
    {"GlobalMaxPool", 1, 1, fmt_onnx_global_max},
    {"Greater", 2, 2, read_plain},
    {"GreaterOrEqual", 2, 2, read_plain},
    {"HardSigmoid", 1, 1, read_scalars},
    {"HardSwish", 1, 1, read_plain},
    {"Hardmax", 1, 1, fmt_onnx_hardmax},
    {"IsInf", 1, 1, read_is_inf},
    {"IsNaN", 1, 1, read_plain},
    {"LeakyRelu", 1, 1, read_scalars},
    {"Less", 2, 2, read_plain},
    {"LessOrEqual", 2, 2, read_plain},
    {"Log", 1, 1, read_plain},
    {"LogSoftmax", 1, 1, fmt_onnx_log_softmax},
    {"Max", 1, 0, read_max},
    {"Mean", 1, 0, read_mean},
    {"Min", 1, 0, read_min},
    {"Mish", 1, 1, read_plain},
    {"Mod", 2, 2, read_mod},
    {"Mul", 2, 2, read_plain},
    {"Neg", 1, 1, read_plain},
    {"Not", 1, 1, read_plain},
    {"Or", 2, 2, read_plain},
    {"PRelu", 2, 2, read_plain},
    {"Pow", 2, 2, read_pow},
    {"Reciprocal", 1, 1, read_plain},
    {"ReduceL1", 1, 2, fmt_onnx_reduce},
    {"ReduceL2", 1, 2, fmt_onnx_reduce},
    {"ReduceLogSum", 1, 2, fmt_onnx_reduce},
    {"ReduceLogSumExp", 1, 2, fmt_onnx_reduce},
    {"ReduceMax", 1, 2, fmt_onnx_reduce},
    {"ReduceMean", 1, 2, fmt_onnx_reduce},
    {"ReduceMin", 1, 2, fmt_onnx_reduce},
    {"ReduceProd", 1, 2, fmt_onnx_reduce},
    {"ReduceSum", 1, 2, fmt_onnx_reduce},
    {"ReduceSumSquare", 1, 2, fmt_onnx_reduce},
    {"Round", 1, 1, read_plain},
    {"Selu", 1, 1, read_scalars},
    {"Shrink", 1, 1, read_scalars},
    {"Sigmoid", 1, 1, read_plain},
    {"Sign", 1, 1, read_plain},
    {"Sin", 1, 1, read_plain},
    {"Sinh", 1, 1, read_plain},
    {"Softplus", 1, 1, read_plain},
    {"Softsign", 1, 1, read_plain},
    {"Sqrt", 1, 1, read_plain},
    {"Sub", 2, 2, read_plain},
    {"Sum", 1, 0, read_sum},
    {"Swish", 1, 1, read_scalars},
    {"Tan", 1, 1, read_plain},
    {"Tanh", 1, 1, read_plain},
    {"ThresholdedRelu", 1, 1, read_scalars},
    {"Where", 3, 3, read_where},
    {"Xor", 2, 2, read_plain},
    {.op = NULL},
};
