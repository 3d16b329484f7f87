/* op_binary.c - ADD, SUB, MUL, DIV, SQUARED_DIFFERENCE, PRELU with broadcasting. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/math.h"

/* Axes that both operands walk alike are one, so that most operators are one line or two loops. */
PLAN_BIND(plan_bind_binary)
{
    plan_spread w;
    (void)err;
    plan_spread_of(&w, in, 2, out);
    s->u.loop.rank = w.rank;
    for (int i = 0; i < w.rank; i++) {
        s->u.loop.dim[i] = w.dim[i];
        s->u.loop.step_a[i] = w.step[0][i];
        s->u.loop.step_b[i] = w.step[1][i];
    }
    return NF_OK;
}

/* Lines of the last axis; the kernel takes those of the axis before it in one call. */
static void plane_f32(const plan_step *s, size_t at, size_t a, size_t b)
{
    static const krn_f32_op ops[IR_OP_COUNT] = {[IR_ADD] = KRN_F32_ADD,
                                                [IR_SUB] = KRN_F32_SUB,
                                                [IR_MUL] = KRN_F32_MUL,
                                                [IR_DIV] = KRN_F32_DIV,
                                                [IR_SQUARED_DIFFERENCE] =
                                                    KRN_F32_SQUARED_DIFFERENCE,
                                                [IR_PRELU] = KRN_F32_PRELU};
    const int last = s->u.loop.rank - 1, next = last > 0 ? last - 1 : 0;
    const krn_f32_operands o = {.a = (const float *)s->a + a,
                                .b = (const float *)s->b + b,
                                .step_a = s->u.loop.step_a[last],
                                .step_b = s->u.loop.step_b[last],
                                .low = s->layer->clamp_low,
                                .high = s->layer->clamp_high,
                                .next_a = s->u.loop.step_a[next],
                                .next_b = s->u.loop.step_b[next]};
    s->layer->f32.binary((float *)s->y + at, &o, last > 0 ? s->u.loop.dim[next] : 1,
                         s->u.loop.dim[last], ops[s->layer->node->op]);
}

/* From `axis` on; at, a, b: elements of the result and of its operands. */
static void each_plane(const plan_step *s, int axis, size_t at, size_t a, size_t b)
{
    if (axis + 2 >= s->u.loop.rank) {
        plane_f32(s, at, a, b);
        return;
    }
    size_t block = 1;
    for (int i = axis + 1; i < s->u.loop.rank; i++)
        block *= s->u.loop.dim[i];
    for (size_t i = 0; i < s->u.loop.dim[axis]; i++)
        each_plane(s, axis + 1, at + i * block, a + i * s->u.loop.step_a[axis],
                   b + i * s->u.loop.step_b[axis]);
}

PLAN_RUN(plan_run_binary_f32)
{
    each_plane(s, 0, 0, 0, 0);
}
