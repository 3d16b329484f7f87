/* op_window.c - what operators with a window share. Layer: plan.
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

krn_window plan_window_as_row(krn_window w)
{
    if (w.in_w != 1 || w.out_w != 1 || w.kernel_w != 1 || w.left != 0) return w;
    return (krn_window){
        .in_h = 1,
        .in_w = w.in_h,
        .in_c = w.in_c,
        .out_h = 1,
        .out_w = w.out_h,
        .out_c = w.out_c,
        .kernel_h = 1,
        .kernel_w = w.kernel_h,
        .stride_h = w.stride_w,
        .stride_w = w.stride_h,
        .dilation_h = w.dilation_w,
        .dilation_w = w.dilation_h,
        .top = w.left,
        .left = w.top,
    };
}

void plan_window_bind(plan_step *s, const plan_shape *in, const plan_shape *out, size_t kernel_h,
                      size_t kernel_w)
{
    s->u.window.batch = out->elems ? in[0].dim[0] : 0;
    s->u.window.w = plan_window_of(&s->layer->node->attr.window, in[0].dim + 1, out->dim + 1,
                                   kernel_h, kernel_w);
}

PLAN_BIND(plan_bind_pool)
{
    (void)err;
    const ir_window *a = &s->layer->node->attr.window;
    plan_window_bind(s, in, out, (size_t)a->kernel_h, (size_t)a->kernel_w);
    s->scratch_bytes = s->u.window.w.in_c * sizeof(int32_t);
    return NF_OK;
}
