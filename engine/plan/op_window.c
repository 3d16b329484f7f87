/* op_window.c - DEPTHWISE_CONV_2D and pooling. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/layer.h"
#include "engine/plan/window.h"

static size_t at_least_1(int32_t v)
{
    return v > 0 ? (size_t)v : 1;
}

krn_window plan_window_of(const ir_window *a, const size_t in[3], const size_t out[3],
                          size_t kernel_h, size_t kernel_w)
{
    return (krn_window){
        .in_h = in[0],
        .in_w = in[1],
        .in_c = in[2],
        .out_h = out[0],
        .out_w = out[1],
        .out_c = out[2],
        .kernel_h = kernel_h,
        .kernel_w = kernel_w,
        .stride_h = (size_t)a->stride_h,
        .stride_w = (size_t)a->stride_w,
        .dilation_h = at_least_1(a->dilation_h),
        .dilation_w = at_least_1(a->dilation_w),
        .top = ir_window_axis(a, true, (int64_t)in[0], (int32_t)kernel_h).before,
        .left = ir_window_axis(a, false, (int64_t)in[1], (int32_t)kernel_w).before,
    };
}

void plan_window_bind(plan_step *s, const plan_shape *in, const plan_shape *out, size_t kernel_h,
                      size_t kernel_w)
{
    s->u.window.batch = in[0].dim[0];
    s->u.window.w = plan_window_of(&s->layer->node->attr.window, in[0].dim + 1, out->dim + 1,
                                   kernel_h, kernel_w);
}

PLAN_BIND(plan_bind_depthwise)
{
    (void)err;
    plan_window_bind(s, in, out, in[1].dim[1], in[1].dim[2]);
    s->scratch_bytes = s->u.window.w.out_c * sizeof(int32_t);
    return NF_OK;
}

PLAN_BIND(plan_bind_pool)
{
    (void)err;
    const ir_window *a = &s->layer->node->attr.window;
    plan_window_bind(s, in, out, (size_t)a->kernel_h, (size_t)a->kernel_w);
    s->scratch_bytes = s->u.window.w.in_c * sizeof(int32_t);
    return NF_OK;
}

/* Elements of one image in and out. */
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
        krn_f32_depthwise_ref((float *)s->y + b * image_out(w),
                              (const float *)s->a + b * image_in(w), l->product.w_f32,
                              l->product.bias_f32, w, l->clamp_low, l->clamp_high);
}

PLAN_RUN(plan_run_pool_f32)
{
    const plan_layer *l = s->layer;
    const krn_window *w = &s->u.window.w;
    for (size_t b = 0; b < s->u.window.batch; b++) {
        const float *x = (const float *)s->a + b * image_in(w);
        float *y = (float *)s->y + b * image_out(w);
        if (l->node->op == IR_MAX_POOL_2D)
            krn_f32_max_pool_ref(y, x, w, l->clamp_low, l->clamp_high);
        else
            krn_f32_mean_pool_ref(y, x, w, l->node->attr.window.count_pad, l->clamp_low,
                                  l->clamp_high);
    }
}
