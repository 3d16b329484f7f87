/* op_dense_q8.c - FULLY_CONNECTED in 8 bits, and of floats on 8-bit weights. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/q8.h"

#define TILE_ROWS 16 /* rows whose widened inputs and sums are in the cache at once */

static void run_tiles(const plan_step *s)
{
    krn_qs8_conv_run(s->y, s->a, &s->layer->q8->conv, s->u.dense.rows, s->scratch);
}

/* Scratch: widened inputs [tile, k_pad], then sums [tile, n_pad]. */
PLAN_BIND(plan_bind_dense_q8)
{
    (void)out, (void)err;
    const plan_product *p = &s->layer->product;
    s->u.dense.rows = in[0].elems / p->k;
    if (s->layer->q8 && s->layer->kernel->kind == PLAN_HYBRID) {
        plan_bind_hybrid_rows(s);
        return NF_OK;
    }
    if (s->layer->q8) {
        s->run = run_tiles;
        s->scratch_bytes = krn_qs8_conv_scratch(&s->layer->q8->conv, s->u.dense.rows);
        return NF_OK;
    }
    s->u.dense.tile = s->u.dense.rows < TILE_ROWS ? s->u.dense.rows : TILE_ROWS;
    s->scratch_bytes = krn_round_up(s->u.dense.tile * p->k_pad * sizeof(int16_t), 64) +
                       s->u.dense.tile * p->n_pad * sizeof(int32_t);
    return NF_OK;
}

static int32_t *sums_behind(const plan_step *s)
{
    const size_t wide = s->u.dense.tile * s->layer->product.k_pad * sizeof(int16_t);
    return (int32_t *)(void *)((char *)s->scratch + krn_round_up(wide, 64));
}

PLAN_RUN(plan_run_dense_q8)
{
    const plan_layer *l = s->layer;
    const plan_product *p = &l->product;
    const uint8_t *x = s->a;
    uint8_t *y = s->y;
    int16_t *wide = s->scratch;
    int32_t *acc = sums_behind(s);
    for (size_t at = 0; at < s->u.dense.rows; at += s->u.dense.tile) {
        const size_t left = s->u.dense.rows - at;
        const size_t m = left < s->u.dense.tile ? left : s->u.dense.tile;
        krn_qs8_widen_ref(wide, x + at * p->k, l->zero, l->is_unsigned, m, p->k, p->k_pad);
        l->qs8.gemm(acc, wide, p->w_q8, m, p->n_pad, p->k_pad);
        l->qs8.requant(y + at * p->n, acc, &p->requant, m, p->n, p->n_pad, p->n);
    }
}

PLAN_RUN(plan_run_dense_hybrid)
{
    const plan_layer *l = s->layer;
    const plan_product *p = &l->product;
    const float *x = s->a;
    float *y = s->y;
    int16_t *wide = s->scratch;
    int32_t *acc = sums_behind(s);
    float scale;
    for (size_t row = 0; row < s->u.dense.rows; row++, x += p->k, y += p->n) {
        krn_qs8_dynamic_ref(wide, &scale, x, p->k, p->k_pad, p->dynamic);
        l->qs8.gemm(acc, wide, p->w_q8, 1, p->n_pad, p->k_pad);
        krn_qs8_hybrid_ref(y, acc, p->scale, p->bias_f32, scale, p->n);
        krn_f32_tail_ref(y, NULL, 1, p->n, l->clamp_low, l->clamp_high);
    }
}
