/* op_quant_binary.c - operators of two quantized operands, with broadcasting. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/math.h"
#include "engine/plan/quant.h"

#include "engine/base/mem.h"

#include <float.h>

static krn_q2_way way_of(ir_op op)
{
    static const krn_q2_way ways[IR_OP_COUNT] = {
        [IR_ADD] = KRN_Q2_ADD,
        [IR_SUB] = KRN_Q2_SUB,
        [IR_MUL] = KRN_Q2_MUL,
        [IR_DIV] = KRN_Q2_DIV,
        [IR_SQUARED_DIFFERENCE] = KRN_Q2_SQUARED_DIFFERENCE,
        [IR_MINIMUM] = KRN_Q2_MINIMUM,
        [IR_MAXIMUM] = KRN_Q2_MAXIMUM,
        [IR_PRELU] = KRN_Q2_PRELU,
        [IR_EQUAL] = KRN_Q2_EQUAL,
        [IR_NOT_EQUAL] = KRN_Q2_NOT_EQUAL,
        [IR_LESS] = KRN_Q2_LESS,
        [IR_LESS_EQUAL] = KRN_Q2_LESS_EQUAL,
        [IR_GREATER] = KRN_Q2_GREATER,
        [IR_GREATER_EQUAL] = KRN_Q2_GREATER_EQUAL,
    };
    return ways[op];
}

typedef struct scales {
    float a, b, y;
} scales;

static bool is_compare(krn_q2_way way)
{
    return way >= KRN_Q2_EQUAL;
}

/* Both sides to half of the larger scale, with room for sums. */
static double common(krn_q_binary *p, scales s, int left)
{
    const double twice = 2 * (double)fmaxf(s.a, s.b);
    p->left = left;
    p->factor_a = krn_factor_of((double)s.a / twice);
    p->factor_b = krn_factor_of((double)s.b / twice);
    return twice;
}

/* XNNPACK takes sums whose scales are 2^-10 .. 2^8 times the result's. */
static bool sum_fits(float ratio)
{
    return ratio >= 0x1p-10f && ratio < 0x1p8f;
}

/* Whole factors of 21 significant bits in the larger one. */
static void sum_real(krn_q_binary *p, scales s)
{
    const float ra = s.a / s.y, rb = s.b / s.y;
    p->real = sum_fits(ra) && sum_fits(rb);
    if (!p->real) return;
    p->left = 20 - ilogbf(fmaxf(ra, rb));
    p->mul_a = (int32_t)lrint(ldexp((double)ra, p->left));
    p->mul_b = (int32_t)lrint(ldexp((double)rb, p->left));
    if (p->way == KRN_Q2_SUB) p->mul_b = -p->mul_b;
}

static double set_sum(krn_q_binary *p, scales s)
{
    const double twice = common(p, s, p->type == KRN_I16 ? 15 : 20);
    return twice / ((double)(1 << p->left) * (double)s.y);
}

static double set_difference(krn_q_binary *p, scales s)
{
    const double twice = common(p, s, 7);
    return twice * twice / ((double)(1 << (2 * p->left)) * (double)s.y);
}

static double set_product(krn_q_binary *p, scales s)
{
    p->real_a = s.a * s.b / s.y;
    return (double)p->real_a;
}

static double set_quotient(krn_q_binary *p, scales s)
{
    (void)p;
    return (double)(s.a / (s.b * s.y));
}

static double set_choice(krn_q_binary *p, scales s)
{
    (void)s;
    p->zero_a = p->zero_b = p->zero = 0;
    return 1;
}

static double set_prelu(krn_q_binary *p, scales s)
{
    p->factor_a = krn_factor_of((double)(s.a / s.y));
    p->factor_b = krn_factor_of((double)(s.a * s.b / s.y));
    return (double)(s.a / s.y);
}

/* INT16 is compared as it is stored, whatever its scales. */
static double set_compare(krn_q_binary *p, scales s)
{
    if (p->type == KRN_I16) {
        p->factor_a = p->factor_b = krn_factor_of(1);
        return 1;
    }
    p->left = 8;
    p->factor_a = krn_factor_of((double)s.a);
    p->factor_b = krn_factor_of((double)s.b);
    return (double)fmaxf(s.a, s.b);
}

typedef double (*set_fn)(krn_q_binary *p, scales s);

static const set_fn setters[] = {
    [KRN_Q2_ADD] = set_sum,
    [KRN_Q2_SUB] = set_sum,
    [KRN_Q2_MUL] = set_product,
    [KRN_Q2_DIV] = set_quotient,
    [KRN_Q2_SQUARED_DIFFERENCE] = set_difference,
    [KRN_Q2_MINIMUM] = set_choice,
    [KRN_Q2_MAXIMUM] = set_choice,
    [KRN_Q2_PRELU] = set_prelu,
    [KRN_Q2_EQUAL] = set_compare,
    [KRN_Q2_NOT_EQUAL] = set_compare,
    [KRN_Q2_LESS] = set_compare,
    [KRN_Q2_LESS_EQUAL] = set_compare,
    [KRN_Q2_GREATER] = set_compare,
    [KRN_Q2_GREATER_EQUAL] = set_compare,
};

/* What the ops ask of their operands beyond one scale each. */
static nf_status check(const krn_q_binary *p, const plan_layer *l, const ir_graph *g, nf_error *err)
{
    const ir_tensor *a = plan_in(l, g, 0), *b = plan_in(l, g, 1), *y = plan_out(l, g, 0);
    const bool choice = p->way == KRN_Q2_MINIMUM || p->way == KRN_Q2_MAXIMUM;
    if (a->dtype != b->dtype || (is_compare(p->way) ? y->dtype != ENG_BOOL : y->dtype != a->dtype))
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s of %s and %s to %s",
                       ir_op_name(l->node->op), eng_dtype_oip(a->dtype), eng_dtype_oip(b->dtype),
                       eng_dtype_oip(y->dtype));
    if (choice && (a->quant.scale[0] != b->quant.scale[0] || a->quant.zero[0] != b->quant.zero[0] ||
                   a->quant.scale[0] != y->quant.scale[0] || a->quant.zero[0] != y->quant.zero[0]))
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s of different scales",
                       ir_op_name(l->node->op));
    const bool wide = p->way == KRN_Q2_DIV || p->way == KRN_Q2_SQUARED_DIFFERENCE;
    if (wide && p->type == KRN_I16)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s of INT16", ir_op_name(l->node->op));
    if (p->type == KRN_I16 && (p->zero_a || p->zero_b || p->zero))
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "INT16 with a zero point");
    return NF_OK;
}

nf_status plan_q_pairs_new(plan_layer *l, const krn_q_binary *p, nf_error *err)
{
    plan_q_pairs *own = nf_alloc(sizeof(*own), NF_MEM_WEIGHTS);
    if (!own) return nf_fail(err, NF_ENOMEM, "layer", "no memory");
    l->own = own;
    own->p = *p;
    own->fn = krn_q_pairs_ref;
    if (!krn_q_pairs_fit(p) || l->qs8.pairs == krn_q_pairs_ref) return NF_OK;
    own->fn = l->qs8.pairs;
    l->kernel_name = l->qs8.pairs_name;
    return NF_OK;
}

/* The scale and limits of a result, which a comparison has none of. */
static nf_status set_result(krn_q_binary *p, float *scale, const plan_layer *l, const ir_tensor *y,
                            nf_error *err)
{
    krn_type type;
    nf_status st;
    p->high = 1;
    if (is_compare(p->way)) return NF_OK;
    if ((st = plan_q_type(&type, y, err))) return st;
    p->zero = y->quant.zero[0];
    *scale = y->quant.scale[0];
    plan_q_limits(&p->low, &p->high, y, (ir_clamp){l->clamp_low, l->clamp_high});
    return NF_OK;
}

PLAN_PREPARE(plan_q_binary)
{
    const ir_tensor *a = plan_in(l, g, 0), *b = plan_in(l, g, 1), *y = plan_out(l, g, 0);
    const krn_q2_way way = way_of(l->node->op);
    krn_type type, other;
    nf_status st;
    (void)env;
    if ((st = plan_q_type(&type, a, err)) || (st = plan_q_type(&other, b, err))) return st;
    krn_q_binary p = {.way = way,
                      .type = type,
                      .to = is_compare(way) ? KRN_U8 : type,
                      .zero_a = a->quant.zero[0],
                      .zero_b = b->quant.zero[0]};
    scales s = {a->quant.scale[0], b->quant.scale[0], 1};
    if ((st = set_result(&p, &s.y, l, y, err)) || (st = check(&p, l, g, err))) return st;
    const double real = setters[way](&p, s);
    p.factor = krn_factor_of(real);
    if (!(real < 1e4) || (way == KRN_Q2_PRELU && !((double)(s.b * s.a / s.y) < 1e4)))
        return nf_fail(err, NF_EFORMAT, y->name, "scales of %s do not fit",
                       ir_op_name(l->node->op));
    const bool sum = way == KRN_Q2_ADD || way == KRN_Q2_SUB;
    if (plan_q_fast(l) && type != KRN_I16 && sum) sum_real(&p, s);
    if (plan_q_fast(l) && type != KRN_I16 && way == KRN_Q2_MUL) p.real = true;
    return plan_q_pairs_new(l, &p, err);
}

/* How a step's operands meet: blocks of rows that the kernel takes at once. */
typedef struct blocks {
    krn_q_spread rows; /* the first, for run_one_block */
    size_t n;
    plan_spread all;
} blocks;

static PLAN_RUN(run_one_block)
{
    const plan_q_pairs *own = s->layer->own;
    own->fn(s->y, s->a, s->b, s->bound, &own->p);
}

PLAN_BIND(plan_bind_q_binary)
{
    const nf_status st = plan_bind_alloc(s, sizeof(blocks), err);
    if (st) return st;
    blocks *k = s->bound;
    plan_spread_of(&k->all, in, 2, out);
    const int last = k->all.rank - 1, row = last - 1;
    k->rows = (krn_q_spread){.rows = last ? k->all.dim[row] : 1,
                             .n = k->all.dim[last],
                             .row_a = last ? k->all.step[0][row] : 0,
                             .row_b = last ? k->all.step[1][row] : 0,
                             .step_a = k->all.step[0][last],
                             .step_b = k->all.step[1][last]};
    k->n = k->rows.rows ? k->all.lines / k->rows.rows : 0;
    if (k->n == 1) s->run = run_one_block;
    return NF_OK;
}

PLAN_RUN(plan_run_q_binary)
{
    const plan_q_pairs *own = s->layer->own;
    const blocks *k = s->bound;
    const size_t in = s->layer->elem_size, size = own->p.to == KRN_I16 ? 2 : 1;
    const size_t step = k->rows.rows * k->rows.n * size;
    for (size_t i = 0; i < k->n; i++) {
        size_t at[PLAN_SIDES];
        plan_spread_at(at, &k->all, i * k->rows.rows);
        own->fn((char *)s->y + i * step, (const char *)s->a + at[0] * in,
                (const char *)s->b + at[1] * in, &k->rows, &own->p);
    }
}
