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
