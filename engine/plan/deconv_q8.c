/* deconv_q8.c - TRANSPOSE_CONV in 8 bits on the tiles of convolutions. Layer: plan.
 * Thread rule: run functions touch only their step's memory.
 *
 * Along an axis of stride s, results s * j + p are sums over a few pixels about j, and each phase
 * p = 0 .. s - 1 meets the same pixels with taps of its own. So a convolution of stride 1 whose
 * channels are those of all phases, one behind the other, gives s neighbouring results at once. */
#include "engine/plan/q8.h"
#include "engine/plan/quant.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_move.h"

#include <string.h>

#define MOST_PLACES ((size_t)1 << 24) /* of taps in all phases */

typedef struct axis {
    ptrdiff_t stride, before; /* of the transposed convolution */
    size_t kernel;
    ptrdiff_t first, last; /* pixels met, from a result's own one */
} axis;

/* The pixel, seen from a result's own, that tap k brings to phase p; false: none. */
static bool meets(ptrdiff_t *pixel, const axis *a, size_t p, size_t k)
{
    const ptrdiff_t at = (ptrdiff_t)p + a->before - (ptrdiff_t)k;
    *pixel = at / a->stride;
    return at % a->stride == 0;
}

/* False where results are no whole number of phases. The first pixel is met by phase 0 or a later
 * one through the last tap, the last pixel through tap 0. */
static bool make_axis(axis *a, const ir_nd *nd, int i, size_t out)
{
    const ptrdiff_t behind = (ptrdiff_t)a->kernel - 1 - a->before;
    if (nd->dilation[i] != 1 || out % (size_t)a->stride != 0 || a->before < 0 || behind < 0)
        return false;
    a->first = -(behind / a->stride);
    a->last = (a->before + a->stride - 1) / a->stride;
    return true;
}

static size_t taps_of(const axis *a)
{
    return (size_t)(a->last - a->first + 1);
}

/* What the convolution is packed from; the arrays live as long as packing. */
typedef struct phases {
    axis axis[2];
    size_t count, out_c; /* phases of a pixel; channels of each */
    krn_window window;
    int8_t *w;
    krn_requant requant;
    float *scale;
    double *real;
    krn_factor *factor;
    int32_t *bias;
} phases;

static bool shape(phases *f, const plan_layer *l, const ir_graph *g, const ptrdiff_t before[2])
{
    const ir_nd *nd = &l->node->attr.nd;
    const ir_tensor *x = plan_in(l, g, 0), *w = plan_in(l, g, 1), *y = plan_out(l, g, 0);
    for (int i = 0; i < 2; i++) {
        axis *a = &f->axis[i];
        *a = (axis){nd->stride[i], before[i], (size_t)w->dim[i + 1], 0, 0};
        if (x->dim[i + 1] < 1 || y->dim[i + 1] < 1 || !make_axis(a, nd, i, (size_t)y->dim[i + 1]))
            return false;
    }
    const size_t in[] = {(size_t)x->dim[1], (size_t)x->dim[2], (size_t)x->dim[3]};
    const size_t tall = (size_t)nd->stride[0], wide = (size_t)nd->stride[1];
    f->count = tall * wide;
    f->out_c = (size_t)w->dim[0];
    f->window = (krn_window){.in_h = in[0],
                             .in_w = in[1],
                             .in_c = in[2],
                             .out_h = (size_t)y->dim[1] / tall,
                             .out_w = (size_t)y->dim[2] / wide,
                             .out_c = f->count * f->out_c,
                             .kernel_h = taps_of(&f->axis[0]),
                             .kernel_w = taps_of(&f->axis[1]),
                             .stride_h = 1,
                             .stride_w = 1,
                             .dilation_h = 1,
                             .dilation_w = 1,
                             .top = -f->axis[0].first,
                             .left = -f->axis[1].first};
    return true;
}

/* False where windows would be mostly zeros, or packing takes long. */
static bool is_dense(const phases *f)
{
    const axis *v = &f->axis[0], *h = &f->axis[1];
    const size_t taps = v->kernel * h->kernel, most = 4 * taps + 16;
    if (!f->out_c || (size_t)v->stride > most || (size_t)h->stride > most) return false;
    return f->count * f->window.kernel_h * f->window.kernel_w <= most &&
           f->count * taps <= MOST_PLACES / f->out_c;
}

/* Weights [out_c, kernel_h, kernel_w, in_c] to those of every phase, zeros where no tap stands. */
static void spread_weights(phases *f, const int8_t *from)
{
    const axis *v = &f->axis[0], *h = &f->axis[1];
    const krn_window *w = &f->window;
    const size_t taps = v->kernel * h->kernel;
    for (size_t c = 0; c < w->out_c; c++)
        for (size_t t = 0; t < taps; t++) {
            const size_t phase = c / f->out_c, wide = (size_t)h->stride;
            ptrdiff_t row, column;
            if (!meets(&row, v, phase / wide, t / h->kernel) ||
                !meets(&column, h, phase % wide, t % h->kernel))
                continue;
            const size_t at = (size_t)(row - v->first) * w->kernel_w + (size_t)(column - h->first);
            memcpy(f->w + (c * w->kernel_h * w->kernel_w + at) * w->in_c,
                   from + (c % f->out_c * taps + t) * w->in_c, w->in_c);
        }
}

/* False where a bias needs more than 32 bits. */
static bool repeat_tails(phases *f, const plan_q_product *p)
{
    for (size_t c = 0; c < f->window.out_c; c++) {
        const size_t from = c % f->out_c;
        const int64_t bias = p->bias ? p->bias[from] : 0;
        if (bias < INT32_MIN || bias > INT32_MAX) return false;
        f->scale[c] = p->scale[from];
        f->real[c] = p->real[from];
        f->factor[c] = p->factor[from];
        f->bias[c] = (int32_t)bias;
    }
    f->requant =
        (krn_requant){.round = p->tail.way == KRN_TAIL_FLOAT ? KRN_ROUND_FLOAT : KRN_ROUND_FIXED,
                      .scale = f->scale,
                      .real = f->real,
                      .factor = f->factor,
                      .bias = f->bias,
                      .zero = p->tail.zero,
                      .low = p->tail.low,
                      .high = p->tail.high};
    return true;
}

static bool make_room(phases *f)
{
    const krn_window *w = &f->window;
    const size_t n = w->out_c, taps = w->kernel_h * w->kernel_w * w->in_c;
    f->w = nf_alloc_array(n, taps, NF_MEM_WEIGHTS);
    f->scale = nf_alloc_array(n, sizeof(*f->scale), NF_MEM_WEIGHTS);
    f->real = nf_alloc_array(n, sizeof(*f->real), NF_MEM_WEIGHTS);
    f->factor = nf_alloc_array(n, sizeof(*f->factor), NF_MEM_WEIGHTS);
    f->bias = nf_alloc_array(n, sizeof(*f->bias), NF_MEM_WEIGHTS);
    return f->w && f->scale && f->real && f->factor && f->bias;
}

static void free_room(phases *f)
{
    void *const all[] = {f->w, f->scale, f->real, f->factor, f->bias};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        nf_free(all[i]);
}

static bool is_plain(const ir_tensor *w, const plan_q_product *p)
{
    bool zeros = true;
    for (size_t i = 0; i < w->quant.n; i++)
        zeros = zeros && w->quant.zero[i] == 0;
    return zeros && w->dtype == ENG_I8 &&
           (p->tail.way == KRN_TAIL_FLOAT || p->tail.way == KRN_TAIL_FIXED);
}

nf_status plan_deconv_pack(plan_layer *l, const ir_graph *g, const ptrdiff_t before[2],
                           nf_error *err)
{
    const ir_tensor *w = plan_in(l, g, 1), *y = plan_out(l, g, 0);
    plan_q_product *p = l->own;
    phases f = {0};
    nf_status st = NF_OK;
    if (!l->qs8.tier || p->type == KRN_I16 || !is_plain(w, p) || !shape(&f, l, g, before) ||
        !is_dense(&f))
        return NF_OK;
    if (!make_room(&f)) {
        st = nf_fail(err, NF_ENOMEM, w->name, "no memory to pack weights");
        goto done;
    }
    if (!repeat_tails(&f, p)) goto done;
    spread_weights(&f, (const int8_t *)w->data);
    const krn_qs8_source s = {.w = f.w,
                              .requant = &f.requant,
                              .window = f.window,
                              .groups = 1,
                              .zero = p->zero,
                              .is_unsigned = l->is_unsigned,
                              .out_unsigned = y->dtype == ENG_U8};
    st = plan_pack_tiles(l, g, &s, err);
    if (!l->q8) goto done;
    nf_free(p->w); /* only the plain kernel reads them */
    p->w = NULL;
done:
    free_room(&f);
    return st;
}

/* Bytes of an image before its lines are put in order; 0: they are. */
static size_t image_bytes(const plan_step *s)
{
    const krn_window *w = &s->u.window.w;
    return w->stride_h == 1 ? 0 : krn_round_up(w->out_h * w->out_w * w->out_c, 64);
}

size_t plan_deconv_scratch(const plan_step *s)
{
    const krn_qs8_conv *c = &s->layer->q8->conv;
    return image_bytes(s) + krn_qs8_conv_scratch(c, c->window.out_h * c->window.out_w);
}

PLAN_RUN(plan_run_deconv_tiles)
{
    const krn_qs8_conv *c = &s->layer->q8->conv;
    const krn_window *w = &s->u.window.w;
    const size_t in = w->in_h * w->in_w * w->in_c, out = w->out_h * w->out_w * w->out_c;
    const size_t lines = w->stride_h, pixels = c->window.out_w, run = c->window.out_c / lines;
    const ptrdiff_t line = (ptrdiff_t)(pixels * run), piece = (ptrdiff_t)run;
    const krn_box order = {4,
                           {c->window.out_h, lines, pixels, run},
                           {(ptrdiff_t)lines * line, line, piece, 1},
                           {(ptrdiff_t)lines * line, piece, (ptrdiff_t)lines * piece, 1}};
    uint8_t *image = s->scratch, *work = image + image_bytes(s);
    for (size_t b = 0; b < s->u.window.batch; b++) {
        uint8_t *y = (uint8_t *)s->y + b * out;
        krn_qs8_conv_run(lines == 1 ? y : image, (const uint8_t *)s->a + b * in, c,
                         c->window.out_h * pixels, work);
        if (lines > 1) krn_box_ref(y, image, 1, &order);
    }
}
