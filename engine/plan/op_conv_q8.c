/* op_conv_q8.c - CONV_2D in 8 bits, and of floats on 8-bit weights. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/q8.h"
#include "engine/plan/window.h"

#define TILE_BYTES 32768 /* of gathered windows: stays in the first-level cache */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Where the pieces of an 8-bit convolution's scratch begin. */
typedef struct scratch_q8 {
    int16_t *image, *gathered;
    int32_t *acc;
    size_t bytes;
} scratch_q8;

static scratch_q8 split_q8(const plan_step *s)
{
    const plan_product *p = &s->layer->product;
    const krn_window *w = &s->u.window.w;
    const size_t image = krn_round_up(w->in_h * w->in_w * w->in_c * sizeof(int16_t), 64);
    const size_t gathered = krn_round_up(s->u.window.tile * p->k_pad * sizeof(int16_t), 64);
    char *base = s->scratch;
    return (scratch_q8){(int16_t *)(void *)base, (int16_t *)(void *)(base + image),
                        (int32_t *)(void *)(base + image + gathered),
                        image + gathered + s->u.window.tile * p->n_pad * sizeof(int32_t)};
}

PLAN_RUN(plan_run_conv_tiles)
{
    const plan_layer *l = s->layer;
    const krn_qs8_conv *c = &l->q8->conv;
    const krn_window *w = &c->window;
    const size_t pixels = w->out_h * w->out_w;
    if (c->flat) {
        krn_qs8_conv_run(s->y, s->a, c, s->u.window.batch * pixels, s->scratch);
        return;
    }
    for (size_t b = 0; b < s->u.window.batch; b++)
        krn_qs8_conv_run((uint8_t *)s->y + b * pixels * w->out_c,
                         (const uint8_t *)s->a + b * w->in_h * w->in_w * w->in_c, c, 1, s->scratch);
}

PLAN_BIND(plan_bind_conv_q8)
{
    (void)err;
    const plan_product *p = &s->layer->product;
    static char nowhere; /* only the sizes are asked for here */
    plan_window_bind(s, in, out, in[1].dim[1], in[1].dim[2]);
    if (s->layer->q8 && s->layer->kernel->kind == PLAN_HYBRID) {
        plan_bind_hybrid_images(s, false);
        return NF_OK;
    }
    if (s->layer->q8) {
        s->run = plan_run_conv_tiles;
        s->scratch_bytes = krn_qs8_conv_scratch(&s->layer->q8->conv,
                                                s->u.window.batch * out->dim[1] * out->dim[2]);
        return NF_OK;
    }
    const size_t tile = TILE_BYTES / (p->k_pad * sizeof(int16_t));
    s->u.window.tile = least(tile < 4 ? 4 : tile, s->u.window.w.out_h * s->u.window.w.out_w);
    s->scratch = &nowhere;
    s->scratch_bytes = split_q8(s).bytes;
    return NF_OK;
}

static void conv_tile_q8(void *y, const plan_step *s, const scratch_q8 *to, krn_slice *at,
                         float image_scale, size_t group)
{
    const plan_layer *l = s->layer;
    const plan_product *p = &l->product;
    const krn_window *w = &s->u.window.w;
    const size_t place = at->first * w->out_c + group * p->n;
    at->c0 = group * at->c;
    krn_s16_im2col_ref(to->gathered, to->image, w, at, p->k_pad);
    l->qs8.gemm(to->acc, to->gathered, p->w_q8 + group * p->n_pad * p->k_pad, at->count, p->n_pad,
                p->k_pad);
    if (l->kernel->kind == PLAN_Q8) {
        krn_requant r = p->requant;
        r.scale += group * p->n;
        r.real += group * p->n;
        r.factor += group * p->n;
        r.bias += group * p->n;
        l->qs8.requant((uint8_t *)y + place, to->acc, &r, at->count, p->n, p->n_pad, w->out_c);
        return;
    }
    for (size_t i = 0; i < at->count; i++) {
        float *row = (float *)y + place + i * w->out_c;
        krn_qs8_hybrid_ref(row, to->acc + i * p->n_pad, p->scale + group * p->n,
                           p->bias_f32 + group * p->n, image_scale, p->n);
        krn_f32_tail_ref(row, NULL, 1, p->n, l->clamp_low, l->clamp_high);
    }
}

PLAN_RUN(plan_run_conv_q8)
{
    const plan_layer *l = s->layer;
    const plan_product *p = &l->product;
    const krn_window *w = &s->u.window.w;
    const scratch_q8 to = split_q8(s);
    const size_t pixels = w->out_h * w->out_w, elems = w->in_h * w->in_w * w->in_c;
    const bool hybrid = l->kernel->kind == PLAN_HYBRID;
    const size_t size_in = hybrid ? sizeof(float) : 1, size_out = size_in;
    for (size_t b = 0; b < s->u.window.batch; b++) {
        const void *x = (const char *)s->a + b * elems * size_in;
        char *y = (char *)s->y + b * pixels * w->out_c * size_out;
        float image_scale = 1;
        if (hybrid)
            krn_qs8_dynamic_ref(to.image, &image_scale, x, elems, elems, p->dynamic);
        else
            krn_qs8_widen_ref(to.image, x, l->zero, l->is_unsigned, 1, elems, elems);
        for (size_t first = 0; first < pixels; first += s->u.window.tile) {
            krn_slice at = {0, w->in_c / p->groups, first, least(s->u.window.tile, pixels - first)};
            for (size_t g = 0; g < p->groups; g++)
                conv_tile_q8(y, s, &to, &at, image_scale, g);
        }
    }
}
