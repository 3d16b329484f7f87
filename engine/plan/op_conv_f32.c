/* op_conv_f32.c - CONV_2D in float, in each of the ways it may have been packed for. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/pack.h"
#include "engine/plan/window.h"

#include <math.h>
#include <string.h>

#define TILE_BYTES     32768  /* of gathered windows: stays in the first-level cache */
#define STRIP_BYTES    24576  /* of padded input lines */
#define WINOGRAD_BYTES 327680 /* of a group of tiles, before and after their products */
#define LONG_LINE      12     /* outputs that fill blocks of rows */
#define LEAST_TILES    12     /* below this, products are too flat */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* True when the matrix of windows is the image itself: a 1 x 1 kernel on every pixel. */
static bool is_pointwise(const krn_window *w, const plan_product *p)
{
    return p->groups == 1 && w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 &&
           w->stride_w == 1 && w->top == 0 && w->left == 0 && w->in_h == w->out_h &&
           w->in_w == w->out_w;
}

/* A part of the result: lines top .. bottom - 1, columns left .. right - 1. */
typedef struct region {
    size_t top, bottom, left, right;
} region;

/* Lines or columns of input, with padding, that `n` of the result are made of. */
static size_t span(size_t n, size_t stride, size_t kernel)
{
    return (n - 1) * stride + kernel;
}

/* Along one axis: results first .. end - 1 see no padding. */
static void inside(size_t *first, size_t *end, const size_t out_in_kernel_stride[4], ptrdiff_t pad)
{
    const ptrdiff_t out = (ptrdiff_t)out_in_kernel_stride[0],
                    in = (ptrdiff_t)out_in_kernel_stride[1];
    const ptrdiff_t kernel = (ptrdiff_t)out_in_kernel_stride[2];
    const ptrdiff_t stride = (ptrdiff_t)out_in_kernel_stride[3];
    const ptrdiff_t from = pad > 0 ? (pad + stride - 1) / stride : 0;
    const ptrdiff_t to = in + pad >= kernel ? (in + pad - kernel) / stride + 1 : 0;
    *first = (size_t)(from < out ? from : out);
    *end = (size_t)(to < out ? to : out);
    if (*end < *first) *end = *first;
}

/* The part of the result whose windows lie in the image. */
static region middle_of(const krn_window *w)
{
    const size_t high[4] = {w->out_h, w->in_h, w->kernel_h, w->stride_h};
    const size_t wide[4] = {w->out_w, w->in_w, w->kernel_w, w->stride_w};
    region r;
    inside(&r.top, &r.bottom, high, w->top);
    inside(&r.left, &r.right, wide, w->left);
    return r;
}

static bool is_all(const region *r, const krn_window *w)
{
    return !r->top && !r->left && r->bottom == w->out_h && r->right == w->out_w;
}

/* Scratch: a strip of padded lines, when there is padding at all. */
static void bind_runs(plan_step *s)
{
    const krn_window *w = &s->u.window.w;
    const region r = middle_of(w);
    const size_t column_bytes = span(w->out_w, w->stride_w, w->kernel_w) * w->in_c * sizeof(float);
    if (is_all(&r, w)) return;
    const size_t room = STRIP_BYTES / column_bytes;
    const size_t lines = room > w->kernel_h ? (room - w->kernel_h) / w->stride_h + 1 : 1;
    const size_t enough = ceil_div(48, w->out_w); /* pixels that make use of the weights */
    const size_t strips = ceil_div(w->out_h, lines > enough ? lines : enough);
    s->scratch_bytes = span(ceil_div(w->out_h, strips), w->stride_h, w->kernel_h) * column_bytes;
}

/* Scratch: windows [tile, k], and for OpenBLAS with groups the outputs of one group [tile, n]. */
static void bind_gathered(plan_step *s)
{
    const plan_product *p = &s->layer->product;
    const size_t pixels = s->u.window.w.out_h * s->u.window.w.out_w;
    const bool blas = p->way == PLAN_WAY_BLAS;
    size_t tile = TILE_BYTES / (p->k * sizeof(float));
    if (blas && s->u.window.pointwise) tile = pixels;
    if (blas) tile = least(tile, KRN_BLAS_MOST_MACS / (p->n * p->k));
    s->u.window.tile = least(tile < 12 ? 12 : tile, pixels);
    const size_t gathered = s->u.window.pointwise ? 0 : s->u.window.tile * p->k;
    const size_t grouped = p->groups == 1 ? 0 : s->u.window.tile * p->n;
    s->scratch_bytes = (gathered + grouped) * sizeof(float);
}

/* How a group of tiles lies in the scratch: transformed inputs, then sums. */
typedef struct wino_plan {
    size_t m, tiles, in_apart, out_apart; /* floats from one position to the next */
    size_t in_row, out_row;
} wino_plan;

static wino_plan plan_winograd(const plan_step *s)
{
    const krn_window *w = &s->u.window.w;
    const size_t lanes = s->layer->f32.layout.lanes, tiles = s->u.window.tile;
    wino_plan q = {.m = s->layer->product.way == PLAN_WAY_WINOGRAD_2 ? 2 : 4, .tiles = tiles};
    q.in_row = krn_round_up(w->in_c, lanes);
    q.out_row = krn_round_up(w->out_c, lanes);
    /* one line of the cache more: positions a power of two apart would fall into one set */
    q.in_apart = tiles * q.in_row + 16;
    q.out_apart = tiles * q.out_row + 16;
    return q;
}

static void bind_winograd(plan_step *s)
{
    const krn_window *w = &s->u.window.w;
    s->u.window.tile = 1;
    wino_plan q = plan_winograd(s);
    const size_t positions = (q.m + 2) * (q.m + 2);
    const size_t all = ceil_div(w->out_h, q.m) * ceil_div(w->out_w, q.m);
    const size_t fit = WINOGRAD_BYTES / (positions * (q.in_row + q.out_row) * sizeof(float));
    s->u.window.tile = ceil_div(all, ceil_div(all, fit < LEAST_TILES ? LEAST_TILES : fit));
    q = plan_winograd(s);
    s->scratch_bytes = positions * (q.in_apart + q.out_apart) * sizeof(float);
}

PLAN_BIND(plan_bind_conv_f32)
{
    const plan_product *p = &s->layer->product;
    const ir_window *a = &s->layer->node->attr.window;
    (void)err;
    plan_window_bind(s, in, out, in[1].dim[1], in[1].dim[2]);
    s->u.window.pointwise = is_pointwise(&s->u.window.w, p);
    if (!s->u.window.batch) return NF_OK; /* an empty result */
    const krn_window *w = &s->u.window.w;
    const bool dilated =
        (a->dilation_h > 1 && w->kernel_h > 1) || (a->dilation_w > 1 && w->kernel_w > 1);
    s->u.window.gathered = p->way == PLAN_WAY_BLAS || p->groups > 1 || dilated || w->left < 0;
    if (p->way == PLAN_WAY_WINOGRAD_2 || p->way == PLAN_WAY_WINOGRAD_4)
        bind_winograd(s);
    else if (s->u.window.gathered)
        bind_gathered(s);
    else
        bind_runs(s);
    return NF_OK;
}

static krn_f32_packed packed(const plan_layer *l, size_t group)
{
    const plan_product *p = &l->product;
    return (krn_f32_packed){.w = p->w_f32 + group * p->w_step,
                            .bias = p->bias_pad + group * p->n_pad,
                            .n = p->n,
                            .k = p->k,
                            .low = l->clamp_low,
                            .high = l->clamp_high,
                            .pairs = krn_f32_in_pairs(&l->f32.layout, p->n, p->k)};
}

/* Copies `columns` pixels of a line from column `left` on, which may lie outside the image. */
static void fill_line(float *to, const float *line, const krn_window *w, ptrdiff_t left,
                      size_t columns)
{
    const size_t c = w->in_c, before = least(left < 0 ? (size_t)-left : 0, columns);
    const size_t first = left < 0 ? 0 : (size_t)left;
    const size_t copied = least(w->in_w - least(first, w->in_w), columns - before);
    memset(to, 0, before * c * sizeof(*to));
    memcpy(to + before * c, line + first * c, copied * c * sizeof(*to));
    memset(to + (before + copied) * c, 0, (columns - before - copied) * c * sizeof(*to));
}

/* The inputs of a region, with their padding. */
static void fill_strip(float *to, const float *x, const krn_window *w, const region *r)
{
    const ptrdiff_t top = (ptrdiff_t)(r->top * w->stride_h) - w->top;
    const ptrdiff_t left = (ptrdiff_t)(r->left * w->stride_w) - w->left;
    const size_t lines = span(r->bottom - r->top, w->stride_h, w->kernel_h);
    const size_t columns = span(r->right - r->left, w->stride_w, w->kernel_w);
    for (size_t i = 0; i < lines; i++, to += columns * w->in_c) {
        const ptrdiff_t h = top + (ptrdiff_t)i;
        if (h < 0 || h >= (ptrdiff_t)w->in_h)
            memset(to, 0, columns * w->in_c * sizeof(*to));
        else
            fill_line(to, x + (size_t)h * w->in_w * w->in_c, w, left, columns);
    }
}

/* x: the first input of the region, `columns` pixels a line. */
static void run_region(const plan_step *s, const float *x, float *y, const region *r,
                       size_t columns)
{
    const krn_window *w = &s->u.window.w;
    const krn_f32_packed weights = packed(s->layer, 0);
    const size_t high = r->bottom - r->top, wide = r->right - r->left;
    krn_f32_rows rows = {.x = x,
                         .line = wide,
                         .line_step = w->stride_h * columns * w->in_c,
                         .out_step = w->out_w * w->out_c,
                         .step = w->stride_w * w->in_c,
                         .runs = w->kernel_h,
                         .run = w->kernel_w * w->in_c,
                         .run_step = columns * w->in_c};
    float *to = y + (r->top * w->out_w + r->left) * w->out_c;
    if (wide > 1) {
        s->layer->f32.product(to, w->out_c, &rows, high * wide, &weights);
        return;
    }
    rows.step = rows.line_step; /* a column is a line that goes down */
    rows.line = high;
    s->layer->f32.product(to, w->out_w * w->out_c, &rows, high, &weights);
}

/* Strip by strip, each as many lines as the scratch holds. */
static void run_strips(const plan_step *s, const float *x, float *y, const region *all)
{
    const krn_window *w = &s->u.window.w;
    const size_t columns = span(all->right - all->left, w->stride_w, w->kernel_w);
    const size_t room = s->scratch_bytes / (columns * w->in_c * sizeof(float));
    const size_t lines = (room - w->kernel_h) / w->stride_h + 1;
    if (all->left == all->right) return;
    for (region r = *all; r.top < all->bottom; r.top = r.bottom) {
        r.bottom = r.top + least(lines, all->bottom - r.top);
        fill_strip(s->scratch, x, w, &r);
        run_region(s, s->scratch, y, &r, columns);
    }
}

/* Where lines are long, only what touches the padding is copied: whole lines above and below,
 * single columns at the sides. */
static void run_lines(const plan_step *s, const float *x, float *y)
{
    const krn_window *w = &s->u.window.w;
    const region whole = {0, w->out_h, 0, w->out_w}, r = middle_of(w);
    if (!is_all(&r, w) && r.right - r.left < LONG_LINE) {
        run_strips(s, x, y, &whole);
        return;
    }
    const region above = {0, r.top, 0, w->out_w}, below = {r.bottom, w->out_h, 0, w->out_w};
    run_strips(s, x, y, &above);
    run_strips(s, x, y, &below);
    for (size_t i = 0; i < w->out_w; i = i + 1 == r.left ? r.right : i + 1) {
        const region column = {r.top, r.bottom, i, i + 1};
        if (i < r.left || i >= r.right) run_strips(s, x, y, &column);
    }
    const size_t top = r.top * w->stride_h - (size_t)w->top;
    const size_t left = r.left * w->stride_w - (size_t)w->left;
    run_region(s, x + (top * w->in_w + left) * w->in_c, y, &r, w->in_w);
}

/* Copies rows of one group to where they stand among all channels. */
static void scatter(float *y, const float *from, size_t rows, size_t n, size_t channels)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * channels, from + r * n, n * sizeof(*y));
}

static void blas_tile(float *y, const float *a, const plan_step *s, size_t count, size_t group)
{
    const plan_layer *l = s->layer;
    const plan_product *p = &l->product;
    const size_t out_c = s->u.window.w.out_c;
    float *grouped = (float *)s->scratch + (s->u.window.pointwise ? 0 : s->u.window.tile * p->k);
    float *to = p->groups == 1 ? y : grouped;
    const bool blas = l->blas && count * p->n * p->k >= KRN_BLAS_LEAST_MACS;
    (blas ? krn_f32_gemm_blas : krn_f32_gemm_ref)(to, a, p->w_f32 + group * p->w_step, count, p->n,
                                                  p->k);
    krn_f32_tail_ref(to, p->bias_f32 + group * p->n, count, p->n, l->clamp_low, l->clamp_high);
    if (p->groups > 1) scatter(y + group * p->n, grouped, count, p->n, out_c);
}

static void gathered_tile(const plan_step *s, const float *x, float *y, krn_slice *at, size_t group)
{
    const plan_product *p = &s->layer->product;
    const krn_window *w = &s->u.window.w;
    const float *a = s->u.window.pointwise ? x + at->first * p->k : s->scratch;
    at->c0 = group * at->c;
    if (!s->u.window.pointwise) krn_f32_im2col_ref(s->scratch, x, w, at);
    if (p->way == PLAN_WAY_BLAS) {
        blas_tile(y + at->first * w->out_c, a, s, at->count, group);
        return;
    }
    const krn_f32_packed weights = packed(s->layer, group);
    const krn_f32_rows rows = {.x = a, .line = at->count, .step = p->k, .runs = 1, .run = p->k};
    s->layer->f32.product(y + at->first * w->out_c + group * p->n, w->out_c, &rows, at->count,
                          &weights);
}

static void run_gathered(const plan_step *s, const float *x, float *y)
{
    const plan_product *p = &s->layer->product;
    const krn_window *w = &s->u.window.w;
    const size_t pixels = w->out_h * w->out_w;
    for (size_t first = 0; first < pixels; first += s->u.window.tile) {
        krn_slice at = {0, w->in_c / p->groups, first, least(s->u.window.tile, pixels - first)};
        for (size_t g = 0; g < p->groups; g++)
            gathered_tile(s, x, y, &at, g);
    }
}

/* The products of all positions, for one group of tiles. */
static void winograd_products(const plan_step *s, const wino_plan *q, size_t count)
{
    const plan_layer *l = s->layer;
    const plan_product *p = &l->product;
    const size_t positions = (q->m + 2) * (q->m + 2), channels = s->u.window.w.in_c;
    const float *v = s->scratch;
    float *sums = (float *)s->scratch + positions * q->in_apart;
    for (size_t t = 0; t < positions; t++) {
        const krn_f32_rows rows = {
            .x = v + t * q->in_apart, .line = count, .step = q->in_row, .runs = 1, .run = channels};
        const krn_f32_packed w = {.w = p->w_f32 + t * p->w_step,
                                  .bias = NULL,
                                  .n = p->n,
                                  .k = channels,
                                  .low = -INFINITY,
                                  .high = INFINITY,
                                  .pairs = krn_f32_in_pairs(&l->f32.layout, p->n, channels)};
        l->f32.product(sums + t * q->out_apart, q->out_row, &rows, count, &w);
    }
}

static void run_winograd(const plan_step *s, const float *x, float *y)
{
    const plan_layer *l = s->layer;
    const krn_window *w = &s->u.window.w;
    const wino_plan q = plan_winograd(s);
    const size_t all = ceil_div(w->out_h, q.m) * ceil_div(w->out_w, q.m);
    const krn_winograd_end end = {
        .bias = l->product.bias_f32, .low = l->clamp_low, .high = l->clamp_high};
    float *v = s->scratch, *sums = v + (q.m + 2) * (q.m + 2) * q.in_apart;
    for (size_t first = 0; first < all; first += q.tiles) {
        const size_t count = least(q.tiles, all - first);
        const krn_tiles in = {q.m, first, count, q.in_row, q.in_apart};
        const krn_tiles out = {q.m, first, count, q.out_row, q.out_apart};
        l->f32.winograd_in(v, x, w, &in);
        winograd_products(s, &q, count);
        l->f32.winograd_out(y, sums, w, &out, &end);
    }
}

PLAN_RUN(plan_run_conv_f32)
{
    const krn_window *w = &s->u.window.w;
    const plan_way way = s->layer->product.way;
    const bool winograd = way == PLAN_WAY_WINOGRAD_2 || way == PLAN_WAY_WINOGRAD_4;
    const float *x = s->a;
    float *y = s->y;
    for (size_t b = 0; b < s->u.window.batch; b++) {
        if (winograd)
            run_winograd(s, x, y);
        else if (s->u.window.gathered)
            run_gathered(s, x, y);
        else
            run_lines(s, x, y);
        x += w->in_h * w->in_w * w->in_c;
        y += w->out_h * w->out_w * w->out_c;
    }
}
