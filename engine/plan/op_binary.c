/* op_binary.c - ADD, SUB, MUL, DIV with broadcasting. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/layer.h"

#include <float.h>
#include <math.h>

/* Common sums: the reference widens both operands by 2^20 first. */
static nf_status add_factors(krn_qs8_binary *p, float sa, float sb, float sy, nf_error *err)
{
    const double twice = 2.0 * (double)(sa > sb ? sa : sb);
    const float most = sa > sb ? sa / sy : sb / sy;
    p->factor_a = krn_factor_of((double)sa / twice);
    p->factor_b = krn_factor_of((double)sb / twice);
    p->factor = krn_factor_of(twice / ((double)(1 << 20) * (double)sy));
    /* litert: both factors in fixed point with 21 significant bits in the larger one */
    p->shift = most >= FLT_MIN && isfinite(most) ? 20 - ilogbf(most) : 0;
    if (p->shift < 1 || p->shift > 40)
        return nf_fail(err, NF_EUNSUPPORTED, "ADD", "input scale is %g times the output's",
                       (double)most);
    p->mul_a = (int32_t)lrint(ldexp((double)(sa / sy), p->shift));
    p->mul_b = (int32_t)lrint(ldexp((double)(sb / sy), p->shift));
    return NF_OK;
}

PLAN_PREPARE(plan_binary_q8)
{
    const ir_tensor *a = &g->tensors[l->node->in[0]], *b = &g->tensors[l->node->in[1]];
    const ir_tensor *y = &g->tensors[l->node->out[0]];
    krn_qs8_binary *p = &l->binary;
    (void)env;
    if (b->dtype != a->dtype || y->dtype != a->dtype || a->quant.n != 1 || b->quant.n != 1 ||
        y->quant.n != 1)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s needs both sides and result of one kind",
                       ir_op_name(l->node->op));
    const float sa = a->quant.scale[0], sb = b->quant.scale[0], sy = y->quant.scale[0];
    *p = (krn_qs8_binary){.round = l->round,
                          .is_unsigned = l->is_unsigned,
                          .zero_a = a->quant.zero[0],
                          .zero_b = b->quant.zero[0],
                          .zero = y->quant.zero[0],
                          .low = l->low,
                          .high = l->high};
    if (l->node->op == IR_ADD) return add_factors(p, sa, sb, sy, err);
    p->scale_a = sa * sb / sy;
    p->factor = krn_factor_of((double)p->scale_a);
    if (!(p->scale_a < 1e6f)) return nf_fail(err, NF_EFORMAT, y->name, "scales do not fit");
    return NF_OK;
}

/* Steps of an operand along the result's axes: 0 where it is repeated. */
static void steps_of(size_t *step, const plan_shape *x, const plan_shape *y)
{
    size_t elems = 1;
    for (int i = y->rank - 1, j = x->rank - 1; i >= 0; i--, j--) {
        const size_t dim = j >= 0 ? x->dim[j] : 1;
        step[i] = dim == 1 ? 0 : elems;
        elems *= dim;
    }
}

static bool same_shape(const plan_shape *a, const plan_shape *b)
{
    return a->elems == b->elems;
}

PLAN_BIND(plan_bind_binary)
{
    (void)err;
    s->u.loop.rank = out->rank;
    for (int i = 0; i < out->rank; i++)
        s->u.loop.dim[i] = out->dim[i];
    steps_of(s->u.loop.step_a, &in[0], out);
    steps_of(s->u.loop.step_b, &in[1], out);
    if (out->rank == 0 || (same_shape(&in[0], out) && same_shape(&in[1], out))) {
        s->u.loop.rank = 1; /* one straight run */
        s->u.loop.dim[0] = out->elems;
        s->u.loop.step_a[0] = s->u.loop.step_b[0] = 1;
    }
    return NF_OK;
}

/* Calls `line` for each run along the last axis, with the offsets of its operands. */
typedef void (*line_fn)(const plan_step *s, size_t at, size_t a, size_t b);

static void each_line(const plan_step *s, line_fn line, int axis, size_t at, size_t a, size_t b)
{
    if (axis == s->u.loop.rank - 1) {
        line(s, at, a, b);
        return;
    }
    size_t block = 1;
    for (int i = axis + 1; i < s->u.loop.rank; i++)
        block *= s->u.loop.dim[i];
    for (size_t i = 0; i < s->u.loop.dim[axis]; i++)
        each_line(s, line, axis + 1, at + i * block, a + i * s->u.loop.step_a[axis],
                  b + i * s->u.loop.step_b[axis]);
}

static void line_f32(const plan_step *s, size_t at, size_t a, size_t b)
{
    static const krn_f32_op ops[IR_OP_COUNT] = {[IR_ADD] = KRN_F32_ADD,
                                                [IR_SUB] = KRN_F32_SUB,
                                                [IR_MUL] = KRN_F32_MUL,
                                                [IR_DIV] = KRN_F32_DIV};
    const int last = s->u.loop.rank - 1;
    float *y = (float *)s->y + at;
    krn_f32_binary_ref(y, (const float *)s->a + a, s->u.loop.step_a[last], (const float *)s->b + b,
                       s->u.loop.step_b[last], s->u.loop.dim[last], ops[s->layer->node->op]);
    krn_f32_tail_ref(y, NULL, 1, s->u.loop.dim[last], s->layer->clamp_low, s->layer->clamp_high);
}

static void line_q8(const plan_step *s, size_t at, size_t a, size_t b)
{
    const int last = s->u.loop.rank - 1;
    (s->layer->node->op == IR_ADD ? krn_qs8_add_ref : krn_qs8_mul_ref)(
        (uint8_t *)s->y + at, (const uint8_t *)s->a + a, s->u.loop.step_a[last],
        (const uint8_t *)s->b + b, s->u.loop.step_b[last], s->u.loop.dim[last], &s->layer->binary);
}

PLAN_RUN(plan_run_binary_f32)
{
    each_line(s, line_f32, 0, 0, 0, 0);
}

PLAN_RUN(plan_run_binary_q8)
{
    each_line(s, line_q8, 0, 0, 0, 0);
}
