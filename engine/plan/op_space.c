/* op_space.c - convolution over 1 or 3 axes, of whole numbers, or with weights that the model
 * computes. Layer: plan. Thread rule: run functions touch only their step's memory.
 */
#include "engine/plan/gemm.h"
#include "engine/plan/nn.h"
#include "engine/plan/q8.h"
#include "engine/plan/space.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_nn.h"

#include <string.h>

#define TILE_BYTES 32768 /* of gathered windows: stays in the first-level cache */

typedef struct conv {
    krn_space s;
    krn_filter f;
    size_t batch, image_in, image_out; /* elements */
    size_t weights;
    krn_type x, w;
    size_t tile; /* pixels whose windows are gathered at once */
} conv;

void plan_space_bind(krn_space *s, const ir_nd *a, const plan_shape *image, const plan_shape *out,
                     const int32_t *kernel)
{
    for (int i = 0, skip = IR_SPACE - a->n; i < IR_SPACE; i++) {
        const bool there = i >= skip;
        const int axis = there ? i - skip : 0;
        s->in[i] = there ? image->dim[axis + 1] : 1;
        s->out[i] = there ? out->dim[axis + 1] : 1;
        s->kernel[i] = there ? (size_t)kernel[axis] : 1;
        s->stride[i] = there ? (size_t)a->stride[axis] : 1;
        s->dilation[i] = there ? (size_t)a->dilation[axis] : 1;
        s->before[i] = s->after[i] = 0;
        if (!there) continue;
        const ir_axis pad = ir_nd_axis(a, axis, (int64_t)s->in[i], kernel[axis]);
        s->before[i] = pad.before;
        s->after[i] = pad.after;
    }
}

/* The window of CONV_2D and DEPTHWISE_CONV_2D as one over two axes. */
static ir_nd nd_of(const ir_node *n)
{
    const ir_window *w = &n->attr.window;
    if (n->op != IR_CONV_2D && n->op != IR_DEPTHWISE_CONV_2D) return n->attr.nd;
    return (ir_nd){.pad = w->pad,
                   .n = 2,
                   .stride = {w->stride_h, w->stride_w},
                   .dilation = {w->dilation_h, w->dilation_w},
                   .before = {w->top, w->left},
                   .after = {w->bottom, w->right},
                   .groups = w->groups};
}

PLAN_PREPARE(plan_conv_any)
{
    const ir_tensor *x = plan_in(l, g, 0), *w = plan_in(l, g, 1), *b = plan_in(l, g, 2);
    const ir_tensor *y = plan_out(l, g, 0);
    (void)env;
    if (x->dtype == ENG_F32 && w->dtype == ENG_F32 && y->dtype == ENG_F32 &&
        (!b || b->dtype == ENG_F32))
        return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s of %s with weights of %s",
                   ir_op_name(l->node->op), eng_dtype_oip(x->dtype), eng_dtype_oip(w->dtype));
}

/* Constant weights of one group are packed for the product of gathered windows. */
PLAN_PREPARE(plan_conv_nd)
{
    const ir_tensor *w = plan_in(l, g, 1), *b = plan_in(l, g, 2);
    const ir_nd *a = &l->node->attr.nd;
    plan_product *p = &l->product;
    nf_status st;
    if ((st = plan_conv_any(l, g, env, err))) return st;
    if (!w->data || (b && !b->data) || a->groups != 1 || w->dim[0] < 1) return NF_OK;
    p->n = (size_t)w->dim[0];
    p->k = w->bytes / sizeof(float) / p->n;
    if (p->k == 0 || (b && b->bytes != p->n * sizeof(float))) return NF_OK;
    const krn_f32_weights from = {(const float *)(const void *)w->data, p->n, p->k, p->k, p->k, 1};
    const size_t size = krn_f32_packed_size(&l->f32.layout, &from);
    p->w_f32 = nf_alloc_array(size, sizeof(float), NF_MEM_WEIGHTS);
    p->bias_pad =
        nf_alloc_array(krn_round_up(p->n, l->f32.layout.lanes), sizeof(float), NF_MEM_WEIGHTS);
    if (!p->w_f32 || !p->bias_pad)
        return nf_fail(err, NF_ENOMEM, w->name, "no memory to pack weights");
    krn_f32_pack(p->w_f32, &l->f32.layout, &from);
    if (b) memcpy(p->bias_pad, b->data, b->bytes);
    l->weight_bytes = size * sizeof(float) + w->bytes / p->k;
    l->kernel_name = l->f32.product_name;
    return NF_OK;
}

static nf_status bind_conv(plan_step *s, const plan_shape *in, const plan_shape *out, nf_error *err)
{
    const plan_layer *l = s->layer;
    const ir_nd a = nd_of(l->node);
    const bool depthwise = l->node->op == IR_DEPTHWISE_CONV_2D;
    int32_t kernel[IR_SPACE];
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(conv), err))) return st;
    conv *c = s->bound;
    for (int i = 0; i < a.n; i++)
        kernel[i] = (int32_t)in[1].dim[i + 1];
    plan_space_bind(&c->s, &a, &in[0], out, kernel);
    const size_t in_c = in[0].dim[a.n + 1], out_c = out->dim[a.n + 1];
    const size_t k = in[1].dim[a.n + 1], taps = krn_space_taps(&c->s);
    c->f = (krn_filter){in_c,
                        out_c,
                        depthwise ? in_c : (size_t)a.groups,
                        depthwise ? 1 : taps * k,
                        k,
                        l->clamp_low,
                        l->clamp_high};
    c->batch = in[0].dim[0];
    c->image_in = krn_space_in(&c->s) * in_c;
    c->image_out = krn_space_out(&c->s) * out_c;
    c->weights = in[1].elems;
    s->macs = (uint64_t)out->elems * taps * (in_c / c->f.groups);
    return NF_OK;
}

PLAN_BIND(plan_bind_conv_any)
{
    size_t bias = out->dim[out->rank - 1];
    if (s->layer->node->n_in > 2 && s->layer->node->in[2] >= 0) bias = in[2].elems;
    if (bias != out->dim[out->rank - 1])
        return nf_fail(err, NF_EFORMAT, "conv", "a bias of %zu values for %zu channels", bias,
                       out->dim[out->rank - 1]);
    return bind_conv(s, in, out, err);
}

static PLAN_RUN(run_products)
{
    const plan_layer *l = s->layer;
    const plan_product *p = &l->product;
    const conv *c = s->bound;
    const size_t pixels = krn_space_out(&c->s);
    const krn_f32_packed w = {p->w_f32,
                              p->bias_pad,
                              p->n,
                              p->k,
                              l->clamp_low,
                              l->clamp_high,
                              krn_f32_in_pairs(&l->f32.layout, p->n, p->k)};
    for (size_t i = 0; i < c->batch; i++) {
        const float *x = (const float *)s->a + i * c->image_in;
        float *y = (float *)s->y + i * c->image_out;
        for (size_t at = 0; at < pixels; at += c->tile) {
            const size_t count = pixels - at < c->tile ? pixels - at : c->tile;
            const krn_f32_rows rows = {
                .x = s->scratch, .line = count, .step = p->k, .runs = 1, .run = p->k};
            krn_f32_gather_ref(s->scratch, x, &c->s, c->f.in_c, at, count);
            l->f32.product(y + at * p->n, p->n, &rows, count, &w);
        }
    }
}

/* Scratch: the windows of some pixels. */
PLAN_BIND(plan_bind_conv_nd)
{
    const plan_product *p = &s->layer->product;
    const nf_status st = plan_bind_conv_any(s, in, out, err);
    if (st || !p->w_f32) return st;
    conv *c = s->bound;
    const size_t most = TILE_BYTES / (p->k * sizeof(float)), pixels = krn_space_out(&c->s);
    c->tile = most < 16 ? 16 : most;
    if (c->tile > pixels) c->tile = pixels;
    s->scratch_bytes = c->tile * p->k * sizeof(float);
    s->run = run_products;
    return NF_OK;
}

PLAN_RUN(plan_run_conv_any)
{
    const conv *c = s->bound;
    const float *bias = s->layer->node->n_in > 2 ? s->in[2] : NULL;
    for (size_t i = 0; i < c->batch; i++)
        krn_f32_conv_ref((float *)s->y + i * c->image_out, (const float *)s->a + i * c->image_in,
                         s->b, bias, &c->s, &c->f);
}

static bool is_byte(const ir_tensor *t)
{
    return t->dtype == ENG_I8 || t->dtype == ENG_U8;
}

PLAN_PREPARE(plan_conv_integer)
{
    const ir_tensor *x = plan_in(l, g, 0), *w = plan_in(l, g, 1), *y = plan_out(l, g, 0);
    const ir_tensor *zx = plan_in(l, g, 2), *zw = plan_in(l, g, 3);
    (void)env;
    if (is_byte(x) && is_byte(w) && y->dtype == ENG_I32 && (!zx || zx->dtype == x->dtype) &&
        (!zw || zw->dtype == w->dtype))
        return plan_pack_integer(l, g, err);
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "CONV_INTEGER takes 8-bit values to INT32");
}

static bool zeros_fit(const plan_layer *l, int32_t i, const plan_shape *in, size_t outputs)
{
    const bool there = i < l->node->n_in && l->node->in[i] >= 0;
    return !there || in[i].elems == 1 || (i == 3 && in[i].elems == outputs);
}

/* Scratch: an image, the weights and their zero points in INT32. */
PLAN_BIND(plan_bind_conv_integer)
{
    const plan_layer *l = s->layer;
    nf_status st;
    if ((st = bind_conv(s, in, out, err))) return st;
    conv *c = s->bound;
    if (!zeros_fit(l, 2, in, c->f.out_c) || !zeros_fit(l, 3, in, c->f.out_c))
        return nf_fail(err, NF_EFORMAT, "conv", "zero points that do not fit the channels");
    plan_krn_type(&c->x, plan_in(l, l->owner->g, 0)->dtype);
    plan_krn_type(&c->w, plan_in(l, l->owner->g, 1)->dtype);
    s->scratch_bytes = (c->image_in + c->weights + c->f.out_c) * sizeof(int32_t);
    if (l->q8) plan_bind_integer(s, c->batch, true);
    return NF_OK;
}

PLAN_RUN(plan_run_conv_integer)
{
    const conv *c = s->bound;
    const plan_layer *l = s->layer;
    const ir_tensor *zw = plan_in(l, l->owner->g, 3);
    const bool has_zx = plan_in(l, l->owner->g, 2);
    int32_t *x = s->scratch, *w = x + c->image_in, *zero = w + c->weights, zero_x = 0;
    size_t n = 1;
    zero[0] = 0;
    if (zw) ir_elems(&n, zw, 1);
    n = n == c->f.out_c ? n : 1;
    if (zw) krn_cast_ref(zero, KRN_I32, s->in[3], c->w, n);
    if (has_zx) krn_cast_ref(&zero_x, KRN_I32, s->in[2], c->x, 1);
    krn_widen_i32_ref(w, s->b, c->w, c->f.out_c, c->weights / c->f.out_c,
                      &(krn_zeros){zero, n > 1, 0});
    for (size_t i = 0; i < c->batch; i++) {
        krn_widen_i32_ref(x, (const uint8_t *)s->a + i * c->image_in, c->x, 1, c->image_in,
                          &(krn_zeros){&zero_x, 0, 0});
        krn_i32_conv_ref((int32_t *)s->y + i * c->image_out, x, w, NULL, &c->s, &c->f);
    }
}

/* FULLY_CONNECTED with weights that the model computes: scratch holds them as [in, out]. */
PLAN_BIND(plan_bind_dense_any)
{
    const size_t n = in[1].dim[0], k = in[1].dim[1];
    const bool has_bias = s->layer->node->n_in > 2 && s->layer->node->in[2] >= 0;
    if (has_bias && in[2].elems != n)
        return nf_fail(err, NF_EFORMAT, "dense", "a bias of %zu values for %zu outputs",
                       in[2].elems, n);
    s->u.softmax.outer = n ? out->elems / n : 0;
    s->u.softmax.n = n;
    s->u.softmax.inner = k;
    s->scratch_bytes = n * k * sizeof(float);
    s->macs = (uint64_t)out->elems * k;
    return NF_OK;
}

PLAN_RUN(plan_run_dense_any)
{
    const plan_layer *l = s->layer;
    const size_t m = s->u.softmax.outer, n = s->u.softmax.n, k = s->u.softmax.inner;
    krn_swap_ref(s->scratch, s->b, sizeof(float), n, k);
    plan_gemm_f32(l, m, n, k)(s->y, s->a, s->scratch, m, n, k);
    krn_f32_tail_ref(s->y, l->node->n_in > 2 ? s->in[2] : NULL, m, n, l->clamp_low, l->clamp_high);
}
