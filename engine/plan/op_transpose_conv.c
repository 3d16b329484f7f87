/* op_transpose_conv.c - TRANSPOSE_CONV: a product of pixels and weights, whose columns are added up
 * where their windows overlap. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/gemm.h"
#include "engine/plan/nn.h"
#include "engine/plan/space.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_move.h"

#include <math.h>
#include <string.h>

typedef struct deconv {
    krn_space s; /* the convolution from y to x */
    size_t batch, groups, in_c, out_c;
    size_t n, k;    /* columns (taps and outputs) and inputs of a group */
    size_t weights; /* floats of packed weights in the scratch */
} deconv;

/* Weights [out, taps, in] of each group to [in, taps, out]. */
static void pack(float *to, const float *w, size_t groups, size_t taps, const size_t io[2])
{
    const size_t in = io[0] / groups, out = io[1];
    for (size_t o = 0; o < out; o++)
        for (size_t t = 0; t < taps; t++)
            for (size_t i = 0; i < io[0]; i++)
                to[((i / in * in + i % in) * taps + t) * out + o] = w[(o * taps + t) * io[0] + i];
}

static size_t taps_of(const ir_tensor *w)
{
    size_t taps = 1;
    for (int i = 1; i < w->rank - 1; i++)
        taps *= (size_t)w->dim[i];
    return taps;
}

PLAN_PREPARE(plan_transpose_conv)
{
    const ir_tensor *x = plan_in(l, g, 0), *w = plan_in(l, g, 1), *b = plan_in(l, g, 2);
    const ir_tensor *y = plan_out(l, g, 0);
    (void)env;
    if (x->dtype != ENG_F32 || w->dtype != ENG_F32 || y->dtype != ENG_F32 ||
        (b && b->dtype != ENG_F32))
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "TRANSPOSE_CONV of %s with weights of %s",
                       eng_dtype_oip(x->dtype), eng_dtype_oip(w->dtype));
    if (!w->data) return NF_OK;
    float *packed = nf_alloc(w->bytes + 1, NF_MEM_WEIGHTS);
    if (!packed) return nf_fail(err, NF_ENOMEM, w->name, "no memory to pack weights");
    pack(packed, (const float *)(const void *)w->data, (size_t)l->node->attr.nd.groups, taps_of(w),
         (size_t[]){(size_t)w->dim[w->rank - 1], (size_t)w->dim[0]});
    l->own = packed;
    l->weight_bytes = w->bytes;
    return NF_OK;
}

static void bind_space(krn_space *s, const ir_nd *a, const plan_shape *x, const plan_shape *y,
                       const plan_shape *w)
{
    int32_t kernel[IR_SPACE];
    for (int i = 0; i < a->n; i++)
        kernel[i] = (int32_t)w->dim[i + 1];
    plan_space_bind(s, a, y, x, kernel);
    for (int i = 0, skip = IR_SPACE - a->n; i < a->n; i++) {
        const ir_axis pad =
            ir_nd_transposed(a, i, (int64_t)x->dim[i + 1], kernel[i], (int64_t)y->dim[i + 1]);
        const ir_axis free = ir_nd_transposed(a, i, (int64_t)x->dim[i + 1], kernel[i], 0);
        const bool asked = a->size[i] || free.out != (int64_t)y->dim[i + 1];
        s->before[skip + i] = asked ? pad.before : free.before;
    }
}

/* Scratch: columns of one group [pixels, taps * outputs], and weights that are not packed yet. */
PLAN_BIND(plan_bind_transpose_conv)
{
    const plan_layer *l = s->layer;
    const ir_nd *a = &l->node->attr.nd;
    const bool has_bias = l->node->n_in > 2 && l->node->in[2] >= 0;
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(deconv), err))) return st;
    deconv *d = s->bound;
    bind_space(&d->s, a, &in[0], out, &in[1]);
    d->batch = in[0].dim[0];
    d->groups = (size_t)a->groups;
    d->in_c = in[0].dim[a->n + 1];
    d->out_c = out->dim[a->n + 1];
    d->k = d->in_c / d->groups;
    d->n = krn_space_taps(&d->s) * (d->out_c / d->groups);
    d->weights = l->own ? 0 : in[1].elems;
    if (has_bias && in[2].elems != d->out_c)
        return nf_fail(err, NF_EFORMAT, "conv", "a bias of %zu values for %zu channels",
                       in[2].elems, d->out_c);
    const size_t pixels = krn_space_out(&d->s);
    s->scratch_bytes = (pixels * (d->n + (d->groups > 1 ? d->k : 0)) + d->weights) * sizeof(float);
    s->macs = (uint64_t)d->batch * pixels * d->groups * d->n * d->k;
    return NF_OK;
}

/* The channels of one group, pixel by pixel. */
static void gather(float *to, const float *x, size_t pixels, size_t k, size_t ld)
{
    for (size_t p = 0; p < pixels; p++)
        memcpy(to + p * k, x + p * ld, k * sizeof(*to));
}

static void one_image(float *y, const float *x, const plan_step *s, const float *w)
{
    const deconv *d = s->bound;
    const size_t pixels = krn_space_out(&d->s), og = d->out_c / d->groups;
    float *cols = (float *)s->scratch + d->weights, *own = cols + pixels * d->n;
    for (size_t g = 0; g < d->groups; g++) {
        const float *from = x;
        if (d->groups > 1) {
            gather(own, x + g * d->k, pixels, d->k, d->in_c);
            from = own;
        }
        plan_gemm_f32(s->layer, pixels, d->n, d->k)(cols, from, w + g * d->k * d->n, pixels, d->n,
                                                    d->k);
        krn_f32_col2im_ref(y + g * og, cols, &d->s, og, d->out_c);
    }
}

PLAN_RUN(plan_run_transpose_conv)
{
    const plan_layer *l = s->layer;
    const deconv *d = s->bound;
    const size_t image_in = krn_space_out(&d->s) * d->in_c, pixels = krn_space_in(&d->s);
    const float *w = l->own, *bias = l->node->n_in > 2 ? s->in[2] : NULL;
    const bool limited = l->clamp_low > -INFINITY || l->clamp_high < INFINITY;
    if (!w) {
        pack(s->scratch, s->b, d->groups, krn_space_taps(&d->s),
             (size_t[]){d->in_c, d->out_c / d->groups});
        w = s->scratch;
    }
    for (size_t i = 0; i < d->batch; i++) {
        float *y = (float *)s->y + i * pixels * d->out_c;
        if (bias)
            krn_fill_ref(y, bias, d->out_c * sizeof(*y), pixels);
        else
            memset(y, 0, pixels * d->out_c * sizeof(*y));
        one_image(y, (const float *)s->a + i * image_in, s, w);
        if (limited) l->f32.clamp(y, y, pixels * d->out_c, l->clamp_low, l->clamp_high);
    }
}
