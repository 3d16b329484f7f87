/* op_resize.c - RESIZE: axis by axis, each by a table of taps that is made once a program.
 * Layer: plan. Thread rule: run functions touch only their step's memory.
 * Source of the formulas: the ONNX operator specification, and TensorFlow Lite's kernels for
 * IR_PLACE_HALF_PIXEL_NN. */
#include "engine/plan/nn.h"

#include "engine/ir/resize.h"
#include "engine/kernels/krn_resize.h"

#include <math.h>
#include <string.h>

/* One axis that changes. Input pixels for each output pixel: num / den. */
typedef struct line {
    krn_taps t;
    size_t outer, inner;
    double num, den;
    float start, end; /* of a crop, in parts of the axis */
    bool *outside;    /* [out] of a crop */
    int axis;
} line;

typedef struct resize {
    int n;
    line lines[ENG_MAX_RANK];
    size_t most;  /* elements of the largest step between */
    size_t elems; /* of the result */
    size_t dim[ENG_MAX_RANK];
    int rank;
} resize;

PLAN_PREPARE(plan_resize)
{
    const ir_tensor *x = plan_in(l, g, 0);
    const bool moves = l->node->attr.resize.mode == IR_NEAREST;
    (void)env;
    if (x->dtype == ENG_F32 || (moves && x->dtype != ENG_STR))
        return x->quant.n ? plan_same_quant(l, g, env, err) : NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, plan_out(l, g, 0)->name, "RESIZE of %s",
                   eng_dtype_oip(x->dtype));
}

/* In single precision like the formulas' sources: where a place falls between two pixels, its last
 * bit decides. */
static float place_of(const ir_resize *r, const line *k, size_t o)
{
    const float in = (float)k->t.in, at = (float)o, scale = (float)(k->den / k->num);
    const float out = in * scale; /* a scale may ask for parts of a pixel */
    const float half = (at + 0.5f) / scale - 0.5f;
    switch (r->place) {
    case IR_PLACE_HALF_PIXEL:
        return half;
    case IR_PLACE_PYTORCH_HALF_PIXEL:
        return k->t.out > 1 ? half : 0;
    case IR_PLACE_ALIGN_CORNERS:
        return k->t.out > 1 ? at * (in - 1) / (out - 1) : 0;
    case IR_PLACE_ASYMMETRIC:
        return k->num > 1 ? at * (float)(k->num / k->den) : at / scale;
    case IR_PLACE_HALF_PIXEL_SYMMETRIC:
        return in / 2 * (1 - (float)k->t.out / out) + (at + 0.5f) / scale - 0.5f;
    case IR_PLACE_CROP:
        return k->t.out > 1 ? k->start * (in - 1) + at * (k->end - k->start) * (in - 1) / (out - 1)
                            : 0.5f * (k->start + k->end) * (in - 1);
    case IR_PLACE_HALF_PIXEL_NN:
        return (at + 0.5f) * (float)(k->num / k->den);
    }
    return 0;
}

static float nearest_of(ir_nearest n, float v)
{
    return n == IR_ROUND_PREFER_FLOOR  ? ceilf(v - 0.5f)
           : n == IR_ROUND_PREFER_CEIL ? floorf(v + 0.5f)
           : n == IR_ROUND_FLOOR       ? floorf(v)
                                       : ceilf(v);
}

/* Weight of a tap at distance v, for v within the reach of the mode. */
static double weight_of(const ir_resize *r, double v)
{
    const double a = (double)r->cubic, d = fabs(v);
    if (r->mode == IR_LINEAR) return d < 1 ? 1 - d : 0;
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0;
}

/* Taps reach from floor(place) + first to floor(place) + 1 - first; when a picture shrinks without
 * aliasing they lie closer. */
static ptrdiff_t first_tap(const ir_resize *r, double closer)
{
    const double reach = r->mode == IR_LINEAR ? 1 : 2;
    return (ptrdiff_t)floor(-reach / closer) + 1;
}

static int32_t inside(ptrdiff_t i, size_t in)
{
    return i < 0 ? 0 : i >= (ptrdiff_t)in ? (int32_t)in - 1 : (int32_t)i;
}

static void fill_taps(int32_t *index, float *weight, const ir_resize *r, const line *k,
                      double place)
{
    const double scale = k->den / k->num, closer = r->antialias && scale < 1 ? scale : 1;
    const ptrdiff_t base = (ptrdiff_t)floor(place), first = first_tap(r, closer);
    double sum = 0;
    for (size_t t = 0; t < k->t.taps; t++) {
        const ptrdiff_t at = base + first + (ptrdiff_t)t;
        const bool out = at < 0 || at >= (ptrdiff_t)k->t.in;
        const double w = weight_of(r, ((double)at - place) * closer);
        index[t] = inside(at, k->t.in);
        weight[t] = r->exclude && out ? 0 : (float)w;
        sum += (double)weight[t];
    }
    const bool whole = !r->exclude && !r->antialias;
    for (size_t t = 0; t < k->t.taps && !whole && sum != 0; t++)
        weight[t] = (float)((double)weight[t] / sum);
}

static size_t count_taps(const ir_resize *r, const line *k)
{
    const double scale = k->den / k->num;
    if (r->mode == IR_NEAREST) return 1;
    return (size_t)(2 - 2 * first_tap(r, r->antialias && scale < 1 ? scale : 1));
}

/* True when the axis stays as it is. */
static bool is_whole(const krn_taps *t)
{
    bool whole = t->in == t->out;
    for (size_t o = 0; whole && o < t->out; o++) {
        float own = 0;
        for (size_t k = o * t->taps; k < (o + 1) * t->taps; k++) {
            if (t->index[k] == (int32_t)o) own += t->weight[k];
            whole = whole && (t->index[k] == (int32_t)o || t->weight[k] == 0);
        }
        whole = whole && own == 1;
    }
    return whole;
}

static nf_status make_line(line *k, plan_step *s, nf_error *err)
{
    const ir_resize *r = &s->layer->node->attr.resize;
    k->t.taps = count_taps(r, k);
    if (k->t.taps > 2 * k->t.in + 64 || k->t.in > INT32_MAX)
        return nf_fail(err, NF_ETOOLARGE, "RESIZE", "%zu taps along an axis of %zu", k->t.taps,
                       k->t.in);
    const size_t n = k->t.out * k->t.taps;
    int32_t *index = plan_heap_alloc(s->heap, n * sizeof(*index) + 1);
    float *weight = plan_heap_alloc(s->heap, n * sizeof(*weight) + 1);
    k->outside = plan_heap_alloc(s->heap, k->t.out + 1);
    if (!index || !weight || !k->outside)
        return nf_fail(err, NF_ENOMEM, "RESIZE", "no memory for %zu taps", n);
    k->t.index = index;
    k->t.weight = weight;
    for (size_t o = 0; o < k->t.out; o++) {
        const float place = place_of(r, k, o), most = (float)k->t.in - 1;
        const float safe = place >= -1 - most && place <= 3 * most + 3 ? place : 0;
        k->outside[o] = r->place == IR_PLACE_CROP && !(place >= 0 && place <= most);
        if (r->mode == IR_NEAREST) {
            index[o] = inside((ptrdiff_t)nearest_of(r->nearest, safe), k->t.in);
            weight[o] = 1;
        } else {
            fill_taps(index + o * k->t.taps, weight + o * k->t.taps, r, k, (double)safe);
        }
    }
    return NF_OK;
}

/* Input pixels for each output pixel of every axis. */
static nf_status find_scales(double *num, double *den, const plan_step *s, const plan_shape *in,
                             const plan_shape *out, nf_error *err)
{
    const ir_node *n = s->layer->node;
    const ir_resize *r = &n->attr.resize;
    const bool by_size = n->n_in > 3 && n->in[3] >= 0;
    const void *list = s->in[by_size ? 3 : 2];
    ir_shape shape = {.rank = in[0].rank};
    int64_t size[ENG_MAX_RANK];
    const int32_t i = by_size ? 3 : 2;
    double scale[ENG_MAX_RANK];
    for (int k = 0; k < shape.rank; k++) {
        shape.dim[k] = (int64_t)in[0].dim[k];
        num[k] = (double)in[0].dim[k];
        den[k] = (double)out->dim[k];
    }
    if (by_size && r->aspect == IR_STRETCH) return NF_OK;
    if (!list || in[i].elems > ENG_MAX_RANK)
        return nf_fail(err, NF_EUNSUPPORTED, "RESIZE", "scales that are computed later");
    krn_type type;
    plan_krn_type(&type, plan_in(s->layer, s->layer->owner->g, i)->dtype);
    if (by_size) krn_cast_ref(size, KRN_I64, list, type, in[i].elems);
    if (!ir_resize_sizes(&shape, scale, r, by_size ? NULL : list, size, (int)in[i].elems))
        return nf_fail(err, NF_EFORMAT, "RESIZE", "scales that are out of range");
    for (int k = 0; k < shape.rank; k++) {
        num[k] = 1;
        den[k] = scale[k];
    }
    return NF_OK;
}

static nf_status find_crop(line *lines, const plan_step *s, const plan_shape *in, nf_error *err)
{
    const ir_resize *r = &s->layer->node->attr.resize;
    const float *region = s->layer->node->n_in > 1 && s->layer->node->in[1] >= 0 ? s->in[1] : NULL;
    const size_t n = r->n_axes ? (size_t)r->n_axes : (size_t)in[0].rank;
    for (int i = 0; i < in[0].rank; i++) {
        lines[i].start = 0;
        lines[i].end = 1;
    }
    if (r->place != IR_PLACE_CROP) return NF_OK;
    if (!region || in[1].elems != 2 * n ||
        plan_in(s->layer, s->layer->owner->g, 1)->dtype != ENG_F32)
        return nf_fail(err, NF_EUNSUPPORTED, "RESIZE", "a region that is not known, or not FP32");
    for (size_t i = 0; i < n; i++) {
        const int axis = r->n_axes ? r->axes[i] : (int)i;
        lines[axis].start = region[i];
        lines[axis].end = region[n + i];
    }
    return NF_OK;
}

/* Scratch: two steps between, of the largest size. */
PLAN_BIND(plan_bind_resize)
{
    double num[ENG_MAX_RANK], den[ENG_MAX_RANK];
    line lines[ENG_MAX_RANK];
    size_t dim[ENG_MAX_RANK], now = in[0].elems;
    nf_status st;
    memset(lines, 0, sizeof(lines));
    if ((st = plan_bind_alloc(s, sizeof(resize), err))) return st;
    resize *r = s->bound;
    *r = (resize){.elems = out->elems, .rank = out->rank};
    memcpy(dim, in[0].dim, sizeof(dim));
    memcpy(r->dim, out->dim, sizeof(r->dim));
    if (out->elems == 0 || now == 0) return NF_OK;
    if ((st = find_scales(num, den, s, in, out, err))) return st;
    if ((st = find_crop(lines, s, in, err))) return st;
    for (int i = 0; i < out->rank; i++) {
        line *k = &r->lines[r->n];
        *k = lines[i];
        k->t = (krn_taps){.in = in[0].dim[i], .out = out->dim[i]};
        k->num = num[i];
        k->den = den[i];
        k->axis = i;
        if ((st = make_line(k, s, err))) return st;
        if (is_whole(&k->t)) continue;
        k->outer = k->inner = 1;
        for (int d = 0; d < out->rank; d++)
            if (d != i) *(d < i ? &k->outer : &k->inner) *= dim[d];
        dim[i] = out->dim[i];
        now = k->outer * k->inner * k->t.out;
        if (now > r->most) r->most = now;
        r->n++;
    }
    s->scratch_bytes = (r->n > 1 ? 2 * r->most : 0) * s->layer->elem_size;
    return NF_OK;
}

static void fill_outside(const plan_step *s)
{
    const resize *r = s->bound;
    float *y = s->y;
    for (size_t i = 0; i < r->elems; i++)
        for (int k = 0; k < r->n; k++) {
            const line *l = &r->lines[k];
            size_t inner = 1;
            for (int d = l->axis + 1; d < r->rank; d++)
                inner *= r->dim[d];
            if (l->outside[i / inner % l->t.out]) y[i] = s->layer->node->attr.resize.outside;
        }
}

PLAN_RUN(plan_run_resize)
{
    const resize *r = s->bound;
    const size_t size = s->layer->elem_size;
    const bool real = plan_in(s->layer, s->layer->owner->g, 0)->dtype == ENG_F32;
    const void *from = s->a;
    if (r->n == 0 && r->elems) memcpy(s->y, s->a, r->elems * size);
    for (int i = 0; i < r->n; i++) {
        const line *k = &r->lines[i];
        char *between = (char *)s->scratch + (i & 1 ? r->most * size : 0);
        void *to = i == r->n - 1 ? s->y : between;
        if (real && k->t.taps > 1)
            krn_f32_resize_ref(to, from, k->outer, k->inner, &k->t);
        else
            krn_move_resize_ref(to, from, size, k->outer, k->inner, &k->t);
        from = to;
    }
    if (s->layer->node->attr.resize.place == IR_PLACE_CROP && real) fill_outside(s);
}
