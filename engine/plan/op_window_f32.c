/* op_window_f32.c - DEPTHWISE_CONV_2D and pooling in float. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/window.h"

PLAN_BIND(plan_bind_depthwise)
{
    (void)err;
    plan_window_bind(s, in, out, in[1].dim[1], in[1].dim[2]);
    s->u.window.w = plan_window_as_row(s->u.window.w);
    return NF_OK;
}

static size_t image_in(const krn_window *w)
{
    return w->in_h * w->in_w * w->in_c;
}

static size_t image_out(const krn_window *w)
{
    return w->out_h * w->out_w * w->out_c;
}

PLAN_RUN(plan_run_depthwise_f32)
{
    const plan_layer *l = s->layer;
    const krn_window *w = &s->u.window.w;
    for (size_t b = 0; b < s->u.window.batch; b++)
        l->f32.depthwise((float *)s->y + b * image_out(w), (const float *)s->a + b * image_in(w),
                         l->product.w_f32, l->product.bias_f32, w, l->clamp_low, l->clamp_high);
}

PLAN_RUN(plan_run_pool_f32)
{
    const plan_layer *l = s->layer;
    const krn_window *w = &s->u.window.w;
    for (size_t b = 0; b < s->u.window.batch; b++) {
        const float *x = (const float *)s->a + b * image_in(w);
        float *y = (float *)s->y + b * image_out(w);
        if (l->node->op == IR_MAX_POOL_2D)
            l->f32.max_pool(y, x, w, l->clamp_low, l->clamp_high);
        else
            l->f32.mean_pool(y, x, w, l->node->attr.window.count_pad, l->clamp_low, l->clamp_high);
    }
}
