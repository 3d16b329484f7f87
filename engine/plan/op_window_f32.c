/* op_window_f32.c - DEPTHWISE_CONV_2D and pooling in float. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/window.h"

static size_t image_in(const krn_window *w)
{
    return w->in_h * w->in_w * w->in_c;
}

static size_t image_out(const krn_window *w)
{
    return w->out_h * w->out_w * w->out_c;
}

static void repeat(float *to, const float *x, size_t n, size_t times)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < times; k++)
            *to++ = x[i];
}

static PLAN_RUN(run_repeated)
{
    const plan_layer *l = s->layer;
    krn_window w = s->u.window.w;
    const size_t in = image_in(&w), times = w.out_c / w.in_c;
    w.in_c = w.out_c;
    for (size_t b = 0; b < s->u.window.batch; b++) {
        repeat(s->scratch, (const float *)s->a + b * in, in, times);
        l->f32.depthwise((float *)s->y + b * image_out(&w), s->scratch, l->product.w_f32,
                         l->product.bias_f32, &w, l->clamp_low, l->clamp_high);
    }
}

/* Scratch: an image whose channels are repeated, one for each filter: quick kernels take no more
 * filters than channels. */
PLAN_BIND(plan_bind_depthwise)
{
    (void)err;
    plan_window_bind(s, in, out, in[1].dim[1], in[1].dim[2]);
    s->u.window.w = plan_window_as_row(s->u.window.w);
    const krn_window *w = &s->u.window.w;
    if (w->out_c == w->in_c || s->layer->f32.depthwise == krn_f32_depthwise_ref) return NF_OK;
    s->scratch_bytes = w->in_h * w->in_w * w->out_c * sizeof(float);
    s->run = run_repeated;
    return NF_OK;
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
