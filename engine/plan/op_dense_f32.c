/* op_dense_f32.c - FULLY_CONNECTED in float. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/layer.h"

static krn_f32_gemm_fn gemm_f32(const plan_layer *l, size_t m)
{
    const plan_product *p = &l->product;
    return l->blas && m * p->n * p->k >= KRN_BLAS_LEAST_MACS ? krn_f32_gemm_blas : krn_f32_gemm_ref;
}

PLAN_BIND(plan_bind_dense_f32)
{
    (void)out, (void)err;
    const plan_product *p = &s->layer->product;
    const size_t most = KRN_BLAS_MOST_MACS / (p->n * p->k);
    s->u.dense.rows = in[0].elems / p->k;
    s->u.dense.tile = most < 1 ? 1 : most;
    return NF_OK;
}

static void run_blas(const plan_step *s)
{
    const plan_layer *l = s->layer;
    const plan_product *p = &l->product;
    const float *x = s->a;
    float *y = s->y;
    for (size_t at = 0; at < s->u.dense.rows; at += s->u.dense.tile) {
        const size_t left = s->u.dense.rows - at;
        const size_t m = left < s->u.dense.tile ? left : s->u.dense.tile;
        gemm_f32(l, m)(y + at * p->n, x + at * p->k, p->w_f32, m, p->n, p->k);
        krn_f32_tail_ref(y + at * p->n, p->bias_f32, m, p->n, l->clamp_low, l->clamp_high);
    }
}

PLAN_RUN(plan_run_dense_f32)
{
    const plan_layer *l = s->layer;
    const plan_product *p = &l->product;
    if (p->way == PLAN_WAY_BLAS) {
        run_blas(s);
        return;
    }
    const krn_f32_rows rows = {
        .x = s->a, .line = s->u.dense.rows, .step = p->k, .runs = 1, .run = p->k};
    const krn_f32_packed w = {p->w_f32,
                              p->bias_pad,
                              p->n,
                              p->k,
                              l->clamp_low,
                              l->clamp_high,
                              krn_f32_in_pairs(&l->f32.layout, p->n, p->k)};
    l->f32.product(s->y, p->n, &rows, s->u.dense.rows, &w);
}
