/* op_binary.c - ADD, SUB, MUL, DIV with broadcasting. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/lines.h"
#include "engine/plan/math.h"

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
    plan_spread_steps(s->u.loop.step_a, &in[0], out);
    plan_spread_steps(s->u.loop.step_b, &in[1], out);
    if (out->rank == 0 || (same_shape(&in[0], out) && same_shape(&in[1], out))) {
        s->u.loop.rank = 1; /* one straight run */
        s->u.loop.dim[0] = out->elems;
        s->u.loop.step_a[0] = s->u.loop.step_b[0] = 1;
    }
    return NF_OK;
}

static void each_line(const plan_step *s, plan_line_fn line, int axis, size_t at, size_t a,
                      size_t b)
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
    const krn_f32_operands o = {(const float *)s->a + a, (const float *)s->b + b,
                                s->u.loop.step_a[last],  s->u.loop.step_b[last],
                                s->layer->clamp_low,     s->layer->clamp_high};
    s->layer->f32.binary((float *)s->y + at, &o, s->u.loop.dim[last], ops[s->layer->node->op]);
}

void plan_each_line(const plan_step *s, plan_line_fn line)
{
    each_line(s, line, 0, 0, 0, 0);
}

PLAN_RUN(plan_run_binary_f32)
{
    plan_each_line(s, line_f32);
}
