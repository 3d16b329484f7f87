/* op_hybrid.c - products of floats on 8-bit weights by the tiles: floats to bytes, sums, floats.
 * Layer: plan. Thread rule: run functions touch only their step's memory. */
#include "engine/plan/q8.h"

#define MOST_BYTES 16384 /* of rows at once: they stay in the first-level cache */

/* Scratch: what the bytes of each row stand for, the bytes, then that of the product. */
typedef struct pieces {
    krn_qs8_row *row;
    uint8_t *q;
    void *rest;
} pieces;

static size_t bytes_of_rows(size_t rows)
{
    return krn_round_up(rows * sizeof(krn_qs8_row), 64);
}

static size_t bytes_of(size_t elems)
{
    return krn_round_up(elems + KRN_QS8_SLACK, 64);
}

static pieces split(const plan_step *s, size_t rows, size_t elems)
{
    char *base = s->scratch, *q = base + bytes_of_rows(rows);
    return (pieces){s->scratch, (uint8_t *)q, q + bytes_of(elems)};
}

static void run_rows(const plan_step *s)
{
    const plan_layer *l = s->layer;
    const plan_product *p = &l->product;
    const krn_qs8_real *real = l->qs8.real;
    const pieces to = split(s, s->u.dense.tile, s->u.dense.tile * p->k);
    for (size_t at = 0; at < s->u.dense.rows; at += s->u.dense.tile) {
        const size_t left = s->u.dense.rows - at;
        const size_t m = left < s->u.dense.tile ? left : s->u.dense.tile;
        float *y = (float *)s->y + at * p->n;
        real->rows(to.q, to.row, (const float *)s->a + at * p->k, m, p->k, p->dynamic);
        krn_qs8_conv_sums(y, to.q, &l->q8->conv, m, 0, to.rest);
        real->reals(y, m, p->n, &l->q8->out, to.row, 1);
    }
}

void plan_bind_hybrid_rows(plan_step *s)
{
    const size_t k = s->layer->product.k, rows = s->u.dense.rows;
    const size_t tile = MOST_BYTES / k ? MOST_BYTES / k : 1;
    s->run = run_rows;
    s->u.dense.tile = tile < rows ? tile : rows;
    s->scratch_bytes = bytes_of_rows(s->u.dense.tile) + bytes_of(s->u.dense.tile * k) +
                       krn_qs8_conv_scratch(&s->layer->q8->conv, s->u.dense.tile);
}

/* u.window.tile: the rows that an image is taken for. */
static void run_images(const plan_step *s)
{
    const plan_layer *l = s->layer;
    const krn_window *w = &s->u.window.w;
    const size_t in = w->in_h * w->in_w * w->in_c, pixels = w->out_h * w->out_w;
    const size_t rows = s->u.window.tile;
    const pieces to = split(s, rows, in);
    for (size_t b = 0; b < s->u.window.batch; b++) {
        float *y = (float *)s->y + b * pixels * w->out_c;
        l->qs8.real->rows(to.q, to.row, (const float *)s->a + b * in, rows, in / rows,
                          l->product.dynamic);
        if (l->q8->is_depth)
            krn_qs8_depth_sums(y, to.q, &l->q8->depth, to.row->zero, to.rest);
        else
            krn_qs8_conv_sums(y, to.q, &l->q8->conv, pixels, to.row->zero, to.rest);
        l->qs8.real->reals(y, pixels, w->out_c, &l->q8->out, to.row, rows > 1);
    }
}

void plan_bind_hybrid_images(plan_step *s, bool each_pixel)
{
    const krn_window *w = &s->u.window.w;
    const struct plan_q8 *q = s->layer->q8;
    const size_t pixels = w->out_h * w->out_w;
    s->run = run_images;
    s->u.window.tile = each_pixel ? pixels : 1;
    s->scratch_bytes =
        bytes_of_rows(s->u.window.tile) + bytes_of(w->in_h * w->in_w * w->in_c) +
        (q->is_depth ? krn_qs8_depth_scratch(&q->depth) : krn_qs8_conv_scratch(&q->conv, pixels));
}
