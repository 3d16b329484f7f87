/* op_pool_q8.c - pooling in 8 bits. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/layer.h"
#include "engine/plan/window.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

PLAN_PREPARE(plan_mean_q8)
{
    const int64_t *image = g->tensors[l->node->in[0]].dim;
    const ir_window *w = &l->node->attr.window;
    const int64_t pixels = least(w->kernel_h, image[1]) * least(w->kernel_w, image[2]);
    if (pixels > KRN_QS8_MAX_MEAN)
        return nf_fail(err, NF_EUNSUPPORTED, g->tensors[l->node->out[0]].name,
                       "a mean of %lld pixels in 8 bits, the limit is %d", (long long)pixels,
                       KRN_QS8_MAX_MEAN);
    return plan_same_quant(l, g, env, err);
}

PLAN_RUN(plan_run_pool_q8)
{
    const plan_layer *l = s->layer;
    const krn_qs8_mean mean = {l->is_unsigned, l->low, l->high};
    const krn_window *w = &s->u.window.w;
    for (size_t b = 0; b < s->u.window.batch; b++) {
        const uint8_t *x = (const uint8_t *)s->a + b * w->in_h * w->in_w * w->in_c;
        uint8_t *y = (uint8_t *)s->y + b * w->out_h * w->out_w * w->out_c;
        if (l->node->op == IR_MAX_POOL_2D)
            l->qs8.max(y, x, w, l->is_unsigned, l->low, l->high);
        else
            l->qs8.mean(y, x, w, &mean, s->scratch);
    }
}
