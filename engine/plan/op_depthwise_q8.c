/* op_depthwise_q8.c - DEPTHWISE_CONV_2D in 8 bits. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/q8.h"
#include "engine/plan/window.h"

static size_t image_in(const krn_window *w)
{
    return w->in_h * w->in_w * w->in_c;
}

static size_t image_out(const krn_window *w)
{
    return w->out_h * w->out_w * w->out_c;
}

PLAN_RUN(plan_run_depthwise_q8)
{
    const plan_layer *l = s->layer;
    const krn_window *w = &s->u.window.w;
    const krn_qs8_depthwise d = {l->product.w_q8, l->zero, l->is_unsigned, &l->product.requant,
                                 l->qs8.requant};
    for (size_t b = 0; b < s->u.window.batch; b++)
        krn_qs8_depthwise_ref((uint8_t *)s->y + b * image_out(w),
                              (const uint8_t *)s->a + b * image_in(w), w, &d, s->scratch);
}
