/* op_conv.c - CONV_2D as products of gathered windows: float, 8 bits, and float on 8-bit weights.
 * Layer: plan. Thread rule: run functions touch only their step's memory. */
#include "engine/plan/layer.h"
#include "engine/plan/window.h"

#include <string.h>

#define TILE_BYTES 32768 /* of gathered windows: stays in the first-level cache */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* True when the matrix of windows is the image itself: a 1 x 1 kernel on every pixel. */
static bool is_pointwise(const krn_window *w, const plan_product *p)
{
    return p->groups == 1 && w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 &&
           w->stride_w == 1 && w->top == 0 && w->left == 0 && w->in_h == w->out_h &&
           w->in_w == w->out_w;
}

static void bind_window(plan_step *s, const plan_shape *in, const plan_shape *out)
{
    plan_window_bind(s, in, out, in[1].dim[1], in[1].dim[2]);
    s->u.window.pointwise = is_pointwise(&s->u.window.w, &s->layer->product);
}

/* Scratch: windows [tile, k], and with groups the outputs of one group [tile, n]. */
PLAN_BIND(plan_bind_conv_f32)
{
    (void)err;
    const plan_product *p = &s->layer->product;
    bind_window(s, in, out);
    const size_t pixels = s->u.window.w.out_h * s->u.window.w.out_w;
    size_t tile = least(TILE_BYTES / (p->k * sizeof(float)), KRN_BLAS_MOST_MACS / (p->n * p->k));
    if (s->u.window.pointwise) tile = KRN_BLAS_MOST_MACS / (p->n * p->k);
    s->u.window.tile = least(tile < 8 ? 8 : tile, pixels);
    const size_t gathered = s->u.window.pointwise ? 0 : s->u.window.tile * p->k;
    const size_t grouped = p->groups == 1 ? 0 : s->u.window.tile * p->n;
    s->scratch_bytes = (gathered + grouped) * sizeof(float);
    return NF_OK;
}

/* Copies rows of one group to where they stand among all channels. */
static void scatter(float *y, const float *from, size_t rows, size_t n, size_t channels)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * channels, from + r * n, n * sizeof(*y));
}

static void conv_tile_f32(float *y, const float *x, const plan_step *s, krn_slice *at, size_t group)
{
    const plan_layer *l = s->layer;
    const plan_product *p = &l->product;
    const krn_window *w = &s->u.window.w;
    float *gathered = s->scratch, *grouped = gathered + s->u.window.tile * p->k;
    float *to = p->groups == 1 ? y + at->first * w->out_c : grouped;
    const float *a = s->u.window.pointwise ? x + at->first * p->k : gathered;
    at->c0 = group * at->c;
    if (!s->u.window.pointwise) krn_f32_im2col_ref(gathered, x, w, at);
    const bool blas = l->blas && at->count * p->n * p->k >= KRN_BLAS_LEAST_MACS;
    (blas ? krn_f32_gemm_blas : krn_f32_gemm_ref)(to, a, p->w_f32 + group * p->n * p->k, at->count,
                                                  p->n, p->k);
    krn_f32_tail_ref(to, p->bias_f32 + group * p->n, at->count, p->n, l->clamp_low, l->clamp_high);
    if (p->groups > 1)
        scatter(y + at->first * w->out_c + group * p->n, grouped, at->count, p->n, w->out_c);
}

PLAN_RUN(plan_run_conv_f32)
{
    const plan_product *p = &s->layer->product;
    const krn_window *w = &s->u.window.w;
    const size_t pixels = w->out_h * w->out_w;
    const float *x = s->a;
    float *y = s->y;
    for (size_t b = 0; b < s->u.window.batch; b++) {
        for (size_t first = 0; first < pixels; first += s->u.window.tile) {
            krn_slice at = {0, w->in_c / p->groups, first, least(s->u.window.tile, pixels - first)};
            for (size_t g = 0; g < p->groups; g++)
                conv_tile_f32(y, x, s, &at, g);
        }
        x += w->in_h * w->in_w * w->in_c;
        y += pixels * w->out_c;
    }
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

PLAN_BIND(plan_bind_conv_q8)
{
    (void)err;
    const plan_product *p = &s->layer->product;
    static char nowhere; /* only the sizes are asked for here */
    bind_window(s, in, out);
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
            krn_qs8_dynamic_ref(to.image, &image_scale, x, elems, elems, p->symmetric);
        else
            krn_qs8_widen_ref(to.image, x, l->zero, l->is_unsigned, 1, elems, elems);
        for (size_t first = 0; first < pixels; first += s->u.window.tile) {
            krn_slice at = {0, w->in_c / p->groups, first, least(s->u.window.tile, pixels - first)};
            for (size_t g = 0; g < p->groups; g++)
                conv_tile_q8(y, s, &to, &at, image_scale, g);
        }
    }
}
