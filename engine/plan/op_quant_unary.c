/* op_quant_unary.c - operators of one quantized operand: tables of 256 results, or value by value
 * on 16 bits. Layer: plan. Thread rule: run functions touch only their step's memory. */
#include "engine/plan/quant.h"

#include "engine/base/mem.h"

#include <float.h>

typedef struct unary {
    krn_q_unary p;
    int32_t table[256];         /* 8-bit operand */
    uint8_t bytes[256];         /* the same where the result has 8 bits too */
    int16_t table16[KRN_LUT16]; /* INT16 operand of KRN_Q_TABLE16 */
    uint16_t points[256];
} unary;

nf_status plan_q_type(krn_type *out, const ir_tensor *t, nf_error *err)
{
    int32_t low, high;
    if (plan_krn_type(out, t->dtype) && *out != KRN_I32 && krn_q_range(&low, &high, *out) &&
        t->quant.n == 1)
        return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, t->name, "%s with %zu scales where one is needed",
                   eng_dtype_oip(t->dtype), t->quant.n);
}

static int32_t limit(float real, const ir_quant *q, int32_t low, int32_t high)
{
    const double v = (double)roundf(real / q->scale[0]) + q->zero[0];
    return v < low ? low : v > high ? high : (int32_t)v;
}

void plan_q_limits(int32_t *low, int32_t *high, const ir_tensor *y, ir_clamp clamp)
{
    krn_type type;
    plan_krn_type(&type, y->dtype);
    krn_q_range(low, high, type);
    if (clamp.low > -INFINITY) *low = limit(clamp.low, &y->quant, *low, *high);
    if (clamp.high < INFINITY) *high = limit(clamp.high, &y->quant, *low, *high);
}

static float by_tanh(float x, const float *with)
{
    (void)with;
    return tanhf(x);
}

static float by_logistic(float x, const float *with)
{
    (void)with;
    return 1.0f / (1.0f + expf(-x));
}

static float by_elu(float x, const float *with)
{
    (void)with;
    return x < 0 ? expm1f(x) : x;
}

static float by_exp(float x, const float *with)
{
    (void)with;
    return expf(x);
}

/* with: the least result, for x that has no logarithm */
static float by_log(float x, const float *with)
{
    return x > 0 ? logf(x) : with[0];
}

/* with: the largest result */
static float by_rsqrt(float x, const float *with)
{
    return x > 0 ? 1 / sqrtf(x) : with[1];
}

static float by_gelu(float x, const float *with)
{
    (void)with;
    return 0.5f * x * (1 + erff(x * 0.70710678f));
}

static float by_gelu_tanh(float x, const float *with)
{
    (void)with;
    return 0.5f * x * (1 + tanhf(0.79788456f * (x + 0.044715f * x * x * x)));
}

typedef float (*real_fn)(float x, const float *with);

static real_fn real_of(const ir_node *n)
{
    static const real_fn reals[IR_OP_COUNT] = {
        [IR_TANH] = by_tanh, [IR_LOGISTIC] = by_logistic, [IR_ELU] = by_elu,    [IR_EXP] = by_exp,
        [IR_LOG] = by_log,   [IR_GELU] = by_gelu,         [IR_RSQRT] = by_rsqrt};
    return n->op == IR_GELU && n->attr.misc.flag ? by_gelu_tanh : reals[n->op];
}

/* factor: x's scale over y's, in float as the reference takes it. */
static nf_status scaled(krn_factor *f, double real, const ir_tensor *y, nf_error *err)
{
    *f = krn_factor_of(real);
    if (real < 1e4 && real > -1e4) return NF_OK;
    return nf_fail(err, NF_EFORMAT, y->name, "its scale is %g times too small", real);
}

/* XNNPACK's factors: whole 256ths, from 2^-8 to 2^7. */
static void coarse(unary *u, float positive, float negative)
{
    krn_q_unary *p = &u->p;
    if (p->from != p->to || p->from == KRN_I16) return;
    if (positive < 0x1p-8f || positive > 0x1p7f || negative < 0x1p-8f || negative > 0x1p7f) return;
    p->way = KRN_Q_COARSE;
    p->factor.m = (int32_t)lrintf(256 * positive);
    p->factor2.m = (int32_t)lrintf(256 * negative);
}

static nf_status leaky(unary *u, const plan_layer *l, const ir_tensor *y, nf_error *err)
{
    krn_q_unary *p = &u->p;
    const float alpha = l->node->attr.scalar.alpha;
    const double negative = (double)(p->scale_x * alpha / p->scale);
    nf_status st;
    if (!(alpha >= 0))
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "LEAKY_RELU with slope %g", (double)alpha);
    if ((st = scaled(&p->factor2, negative, y, err))) return st;
    p->way = KRN_Q_LEAKY;
    if (plan_q_fast(l)) coarse(u, p->scale_x / p->scale, p->scale_x / p->scale * alpha);
    return NF_OK;
}

static nf_status hard_swish(unary *u, const ir_tensor *y, nf_error *err)
{
    krn_q_unary *p = &u->p;
    const float fine = 1.0f / 128 * p->scale_x;
    p->way = KRN_Q_HARD_SWISH;
    p->factor = krn_factor_of((double)(fine / p->scale));
    p->factor2 = krn_factor_of((double)(fine / (3.0f / 32768)));
    if (p->factor.shift <= 0 && p->from != KRN_I16) return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "HARD_SWISH of these scales");
}

/* LOGISTIC and TANH of INT16: the scale of x must be 2^-12 / 3 after the factor. */
static void curve16(unary *u, ir_op op, bool fast)
{
    krn_q_unary *p = &u->p;
    int exponent;
    const bool power = frexpf(p->scale_x, &exponent) == 0.5f;
    const int left = 12 + exponent - 1;
    double m = (double)p->scale_x * 4096 * 3;
    p->way = op == IR_TANH ? KRN_Q_TANH16 : KRN_Q_LOGISTIC16;
    p->points = u->points;
    krn_logistic_points(u->points);
    if (power && (left == 0 || (left == 1 && op == IR_TANH))) {
        p->factor = (krn_factor){3 << left, fast ? left : 0};
        if (fast) p->way = op == IR_TANH ? KRN_Q_TANH_FIXED : KRN_Q_LOGISTIC_FIXED;
        return;
    }
    for (p->factor.shift = 0; m <= 32767.0 / 2 && p->factor.shift <= 30; p->factor.shift++)
        m *= 2;
    p->factor.m = (int32_t)m;
}

static void table16(unary *u)
{
    krn_q_unary *p = &u->p;
    p->way = KRN_Q_TABLE16;
    p->table = u->table16;
    const krn_lut16_range range = {p->scale_x * INT16_MIN, p->scale_x * INT16_MAX,
                                   p->scale * INT16_MIN, p->scale * INT16_MAX};
    krn_lut16_fill(u->table16, p->real, p->with, &range);
    p->zero_x = p->zero = 0;
}

static nf_status by_function(unary *u, const plan_layer *l, const ir_tensor *y, nf_error *err)
{
    krn_q_unary *p = &u->p;
    const ir_op op = l->node->op;
    p->with[0] = p->scale * (float)(p->low - p->zero);
    p->with[1] = p->scale * (float)(p->high - p->zero);
    p->way = plan_q_fast(l) && (op == IR_TANH || op == IR_LOGISTIC) ? KRN_Q_REAL_EVEN : KRN_Q_REAL;
    if (p->from != KRN_I16) return NF_OK;
    if (p->zero_x || p->zero)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "INT16 with a zero point");
    if (op == IR_TANH || op == IR_LOGISTIC)
        curve16(u, op, plan_q_fast(l));
    else
        table16(u);
    return NF_OK;
}

static nf_status choose_way(unary *u, const plan_layer *l, const ir_tensor *y, nf_error *err)
{
    krn_q_unary *p = &u->p;
    const ir_op op = l->node->op;
    nf_status st;
    p->real = real_of(l->node);
    if (op == IR_HARD_SWISH) return hard_swish(u, y, err);
    if (p->real && (op != IR_RSQRT || p->from == KRN_I16)) return by_function(u, l, y, err);
    double real = (double)(p->scale_x / p->scale);
    if (op == IR_QUANTIZE) real = (double)p->scale_x / (double)p->scale;
    if (op == IR_RSQRT) real = 1 / (double)(sqrtf(p->scale_x) * p->scale);
    if ((st = scaled(&p->factor, real, y, err))) return st;
    p->way = op == IR_RSQRT  ? KRN_Q_RSQRT
             : op == IR_ABS  ? KRN_Q_ABS
             : op == IR_SQRT ? KRN_Q_SQRT
                             : KRN_Q_SCALE;
    if (op == IR_QUANTIZE && plan_q_fast(l))
        coarse(u, p->scale_x / p->scale, p->scale_x / p->scale);
    return op == IR_LEAKY_RELU ? leaky(u, l, y, err) : NF_OK;
}

PLAN_PREPARE(plan_q_unary)
{
    const ir_tensor *x = plan_in(l, g, 0), *y = plan_out(l, g, 0);
    const bool wide = l->node->op == IR_QUANTIZE && y->dtype == ENG_I32 && y->quant.n == 1;
    krn_type from, to = KRN_I32;
    nf_status st;
    (void)env;
    if ((st = plan_q_type(&from, x, err)) || (!wide && (st = plan_q_type(&to, y, err)))) return st;
    unary *u = nf_alloc(sizeof(*u), NF_MEM_WEIGHTS);
    if (!u) return nf_fail(err, NF_ENOMEM, y->name, "no memory for a table");
    l->own = u;
    u->p = (krn_q_unary){.from = from,
                         .to = to,
                         .zero_x = x->quant.zero[0],
                         .zero = y->quant.zero[0],
                         .scale_x = x->quant.scale[0],
                         .scale = y->quant.scale[0]};
    plan_q_limits(&u->p.low, &u->p.high, y, (ir_clamp){l->clamp_low, l->clamp_high});
    if ((st = choose_way(u, l, y, err))) return st;
    if (from != KRN_I16) krn_q_tabulate(u->table, &u->p);
    for (int i = 0; i < 256; i++)
        u->bytes[i] = (uint8_t)u->table[i];
    l->weight_bytes = sizeof(*u);
    return NF_OK;
}

static PLAN_RUN(run_table)
{
    const unary *u = s->layer->own;
    krn_q_lookup_ref(s->y, u->p.to, s->a, u->table, s->u.elems);
}

static PLAN_RUN(run_bytes)
{
    const unary *u = s->layer->own;
    s->layer->qs8.lookup(s->y, s->a, u->bytes, s->u.elems);
}

static PLAN_RUN(run_values)
{
    const unary *u = s->layer->own;
    krn_q_unary_ref(s->y, s->a, s->u.elems, &u->p);
}

PLAN_BIND(plan_bind_q_unary)
{
    const unary *u = s->layer->own;
    (void)in, (void)err;
    s->u.elems = out->elems;
    const bool bytes = u->p.to == KRN_I8 || u->p.to == KRN_U8;
    s->run = u->p.from == KRN_I16 ? run_values : bytes ? run_bytes : run_table;
    return NF_OK;
}
