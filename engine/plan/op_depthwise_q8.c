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

static void run_lines(const plan_step *s)
{
    const krn_qs8_depth *d = &s->layer->q8->depth;
    for (size_t b = 0; b < s->u.window.batch; b++)
        krn_qs8_depth_run((uint8_t *)s->y + b * image_out(&d->window),
                          (const uint8_t *)s->a + b * image_in(&d->window), d, s->scratch);
}

PLAN_BIND(plan_bind_depthwise_q8)
{
    (void)err;
    const struct plan_q8 *q = s->layer->q8;
    plan_window_bind(s, in, out, in[1].dim[1], in[1].dim[2]);
    s->scratch_bytes = s->u.window.w.out_c * sizeof(int32_t);
    if (!q) return NF_OK;
    s->run = q->is_depth ? run_lines : plan_run_conv_tiles;
    s->scratch_bytes = q->is_depth
                           ? krn_qs8_depth_scratch(&q->depth)
                           : krn_qs8_conv_scratch(&q->conv, out->elems / s->u.window.w.out_c);
    return NF_OK;
}

/* The plain kernel. */
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
