/* op_quant_deconv.c - TRANSPOSE_CONV on quantized values. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/q8.h"
#include "engine/plan/quant.h"

#include "engine/base/mem.h"

/* Padding before the result along axis i. */
static ptrdiff_t before(const ir_nd *a, int i, int64_t in, int64_t out, int64_t kernel)
{
    const ir_axis free = ir_nd_transposed(a, i, in, (int32_t)kernel, 0);
    if (!a->size[i] && free.out == out) return free.before;
    return ir_nd_transposed(a, i, in, (int32_t)kernel, out).before;
}

PLAN_PREPARE(plan_q_deconv)
{
    const ir_nd *a = &l->node->attr.nd;
    const ir_tensor *x = plan_in(l, g, 0), *w = plan_in(l, g, 1), *y = plan_out(l, g, 0);
    ptrdiff_t pad[2];
    if (a->n != 2 || a->groups != 1)
        return nf_fail(err, NF_EUNSUPPORTED, y->name,
                       "quantized TRANSPOSE_CONV over %d axes in %d groups", a->n, a->groups);
    const nf_status st = plan_q_product_prepare(l, g, env, err);
    if (st) return st;
    for (int i = 0; i < 2; i++)
        pad[i] = before(a, i, x->dim[i + 1], y->dim[i + 1], w->dim[i + 1]);
    return plan_deconv_pack(l, g, pad, err);
}

/* Scratch of the plain kernel: an image without its zero point. */
PLAN_BIND(plan_bind_q_deconv)
{
    const ir_nd *a = &s->layer->node->attr.nd;
    (void)err;
    s->u.window.batch = in[0].dim[0];
    s->u.window.w = (krn_window){
        .in_h = in[0].dim[1],
        .in_w = in[0].dim[2],
        .in_c = in[0].dim[3],
        .out_h = out->dim[1],
        .out_w = out->dim[2],
        .out_c = out->dim[3],
        .kernel_h = in[1].dim[1],
        .kernel_w = in[1].dim[2],
        .stride_h = (size_t)a->stride[0],
        .stride_w = (size_t)a->stride[1],
        .dilation_h = (size_t)a->dilation[0],
        .dilation_w = (size_t)a->dilation[1],
        .top = before(a, 0, (int64_t)in[0].dim[1], (int64_t)out->dim[1], (int64_t)in[1].dim[1]),
        .left = before(a, 1, (int64_t)in[0].dim[2], (int64_t)out->dim[2], (int64_t)in[1].dim[2])};
    const krn_window *w = &s->u.window.w;
    s->scratch_bytes = w->in_h * w->in_w * w->in_c * sizeof(int16_t);
    s->macs = (uint64_t)s->u.window.batch * w->in_h * w->in_w * in[1].elems;
    if (!s->layer->q8) return NF_OK;
    s->run = plan_run_deconv_tiles;
    s->scratch_bytes = plan_deconv_scratch(s);
    return NF_OK;
}

PLAN_RUN(plan_run_q_deconv)
{
    const plan_q_product *p = s->layer->own;
    const krn_window *w = &s->u.window.w;
    const size_t in = w->in_h * w->in_w * w->in_c, size = s->layer->elem_size;
    const size_t out = w->out_h * w->out_w * w->out_c * size;
    for (size_t b = 0; b < s->u.window.batch; b++) {
        krn_q_widen_ref(s->scratch, (const char *)s->a + b * in * size, p->type, p->zero, in);
        krn_q_transpose_conv_ref((char *)s->y + b * out, s->scratch, p->w, w, &p->tail);
    }
}
