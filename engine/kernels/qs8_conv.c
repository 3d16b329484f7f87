/* qs8_conv.c - packs and runs 8-bit convolutions and matrix products. Layer: kernels.
 * Thread rule: runs touch only their scratch. */
#include "engine/kernels/qs8_pack.h"

#include <string.h>

#define CHUNK_BYTES 16384 /* of staged rows: they stay in the first-level cache */
#define CHUNK_ROWS  48    /* at least, and a multiple: tiles have 1 to 16 rows */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static int32_t origin_of(const krn_qs8_tier *t, bool is_unsigned)
{
    return is_unsigned ? t->origin_unsigned : t->origin_signed;
}

static bool is_flat(const krn_qs8_source *s)
{
    const krn_window *w = &s->window;
    return s->groups == 1 && w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 &&
           w->stride_w == 1 && w->top == 0 && w->left == 0 && w->in_h == w->out_h &&
           w->in_w == w->out_w;
}

/* A kernel row is one run of bytes when its taps lie side by side. */
static bool is_joined(const krn_qs8_source *s)
{
    return s->groups == 1 && (s->window.dilation_w == 1 || s->window.kernel_w == 1);
}

/* Four-byte groups of a window whose rows span `merged` neighbouring output pixels. */
static size_t groups_of(const krn_qs8_tier *t, const krn_qs8_source *s, size_t merged)
{
    const krn_window *w = &s->window;
    if (!s->w) return divide_up(w->in_c, 4) * t->elem; /* as strips have them */
    if (!is_joined(s)) return divide_up(w->in_c / s->groups * t->elem, 4);
    return divide_up((w->kernel_w + (merged - 1) * w->stride_w) * w->in_c * t->elem, 4);
}

/* With few channels most lanes of a vector would stand empty. The vector can hold those of the next
 * pixels too: they see the same bytes, with weights moved by the stride. */
static size_t merged_of(const krn_qs8_tier *t, const krn_qs8_source *s)
{
    const size_t whole = t->lanes / s->window.out_c;
    if (!is_joined(s) || s->window.out_c * whole != t->lanes || s->window.out_w < whole ||
        (is_flat(s) && s->window.out_w == 1))
        return 1;
    return groups_of(t, s, whole) < whole * groups_of(t, s, 1) ? whole : 1;
}

/* Vectors of the next block when `left` channels are to go. */
static size_t vecs_for(const krn_qs8_tier *t, size_t left)
{
    const size_t vecs = divide_up(left, t->lanes);
    return vecs >= 4 && t->vecs >= 4 ? 4 : vecs >= 2 && t->vecs >= 2 ? 2 : 1;
}

static size_t blocks_of(const krn_qs8_tier *t, size_t n)
{
    size_t blocks = 0;
    for (size_t at = 0; at < n; blocks++)
        at += vecs_for(t, n - at) * t->lanes;
    return blocks;
}

static void shape(krn_qs8_conv *c, const krn_qs8_tier *t, const krn_qs8_source *s)
{
    const krn_window *w = &s->window;
    *c = (krn_qs8_conv){.tier = t, .window = *w, .is_unsigned = s->is_unsigned, .four = s->four};
    c->merged = merged_of(t, s);
    c->flat = is_flat(s) && c->merged == 1;
    c->k = w->kernel_h * w->kernel_w * w->in_c / s->groups;
    c->runs = !s->w ? s->parts : is_joined(s) ? w->kernel_h : w->kernel_h * w->kernel_w;
    c->groups = groups_of(t, s, c->merged);
    const size_t columns = divide_up(w->out_w, c->merged) * c->merged;
    c->stage_w = most((size_t)w->left + w->in_w,
                      (columns - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w + 1);
    c->stage_h = most((size_t)w->top + w->in_h,
                      (w->out_h - 1) * w->stride_h + (w->kernel_h - 1) * w->dilation_h + 1);
    c->n_blocks = s->groups * blocks_of(t, w->out_c * c->merged / s->groups);
}

static int8_t weight_of(const krn_qs8_source *s, size_t channel, size_t run, size_t i)
{
    const krn_window *w = &s->window;
    const size_t depth = w->in_c / s->groups;
    size_t ky = run, kx, at = channel % w->out_c;
    if (is_joined(s)) {
        const size_t moved = channel / w->out_c * w->stride_w; /* of a merged pixel */
        if (i / depth < moved) return 0;
        kx = i / depth - moved;
        i %= depth;
    } else {
        ky = run / w->kernel_w;
        kx = run % w->kernel_w;
    }
    if (kx >= w->kernel_w || i >= depth) return 0;
    return s->w[((at * w->kernel_h + ky) * w->kernel_w + kx) * depth + i];
}

/* Weights of one vector of channels, of which `n` exist. */
static void pack_vector(const krn_qs8_conv *c, const krn_qs8_source *s, uint8_t *to, size_t channel,
                        size_t n, size_t step)
{
    const size_t depth = 4 / c->tier->elem;
    void (*const put)(uint8_t *, const krn_qs8_tier *, size_t, size_t, int8_t) =
        c->four ? krn_qs8_put_four : krn_qs8_put;
    for (size_t run = 0; run < c->runs; run++)
        for (size_t g = 0; g < c->groups; g++, to += step)
            for (size_t lane = 0; lane < n; lane++)
                for (size_t i = 0; i < depth; i++)
                    put(to, c->tier, lane, i, weight_of(s, channel + lane, run, g * depth + i));
}

static int32_t sum_of(const krn_qs8_conv *c, const krn_qs8_source *s, size_t channel)
{
    int32_t sum = 0;
    for (size_t i = 0; s->w && i < c->k; i++)
        sum += s->w[channel * c->k + i];
    return sum;
}

/* The largest sum of the magnitudes of a channel's weights; false when a channel does not fit. */
static bool fits(const krn_qs8_conv *c, const krn_qs8_source *s, uint64_t *largest)
{
    *largest = 0;
    for (size_t channel = 0; channel < s->window.out_c; channel++) {
        uint64_t sum = s->w ? 0 : (uint64_t)c->k * 255;
        for (size_t i = 0; s->w && i < c->k; i++) {
            const int v = s->w[channel * c->k + i];
            sum += (uint64_t)(v < 0 ? -v : v);
        }
        if (!krn_qs8_tail_fits(s->requant, channel, sum)) return false;
        *largest = sum > *largest ? sum : *largest;
    }
    return true;
}

/* The least number of pixels a tile for which there are the fewest tiles: small tiles at the end of
 * a row use registers, and the cache, badly. */
static size_t step_for(const krn_qs8_conv *c, size_t vecs, size_t columns)
{
    size_t best = 1;
    for (size_t rows = 1; rows <= least(columns, KRN_QS8_MOST_ROWS); rows++)
        if (c->tier->tile[c->four][c->mode][vecs][rows] &&
            divide_up(columns, rows) < divide_up(columns, best))
            best = rows;
    return best;
}

static size_t vector_bytes(const krn_qs8_conv *c)
{
    return c->tier->lanes * 4 / (c->four ? 2 * c->tier->elem : 1);
}

static size_t block_bytes(const krn_qs8_conv *c, size_t vecs)
{
    return c->runs * c->groups * vecs * vector_bytes(c);
}

/* The blocks of group g, whose channels begin at *at of the packed ones. */
static void pack_group(krn_qs8_conv *c, const krn_qs8_source *s, krn_qs8_block *b, size_t g,
                       krn_qs8_room *weights, size_t *at)
{
    const size_t lanes = c->tier->lanes, n = s->window.out_c * c->merged / s->groups;
    const size_t vector = vector_bytes(c);
    for (size_t done = 0; done < n; b++) {
        const size_t vecs = vecs_for(c->tier, n - done), bytes = block_bytes(c, vecs);
        uint8_t *to = krn_qs8_take(weights, bytes);
        *b = (krn_qs8_block){.w = to,
                             .vecs = vecs,
                             .x_at = g * (s->window.in_c / s->groups) * c->tier->elem,
                             .y_at = g * n + done,
                             .at = *at,
                             .keep = least(vecs * lanes, n - done)};
        if (c->four) memset(to, KRN_QS8_FOURS, bytes);
        for (size_t v = 0; s->w && v < vecs && done + v * lanes < n; v++)
            pack_vector(c, s, to + v * vector, b->y_at + v * lanes,
                        least(lanes, n - done - v * lanes), vecs * vector);
        for (size_t rows = 1; rows <= KRN_QS8_MOST_ROWS; rows++)
            b->step[rows] = (uint8_t)step_for(c, vecs, rows);
        b->step[0] = (uint8_t)step_for(c, vecs, c->flat ? 10000 : s->window.out_w / c->merged);
        done += vecs * lanes;
        *at += vecs * lanes;
    }
}

/* Everything that *c points to; counts when there is no memory. */
static size_t lay_out(krn_qs8_conv *c, const krn_qs8_source *s, void *memory)
{
    krn_qs8_room room = {memory, 0};
    const krn_qs8_tier *t = c->tier;
    const size_t n = s->window.out_c * c->merged / s->groups, per_group = c->n_blocks / s->groups;
    size_t padded = 0, weights = 0, at = 0;
    for (size_t done = 0; done < n; done += vecs_for(t, n - done) * t->lanes) {
        padded += vecs_for(t, n - done) * t->lanes;
        weights += block_bytes(c, vecs_for(t, n - done)) + 64;
    }
    krn_qs8_block *blocks = krn_qs8_take(&room, c->n_blocks * sizeof(*blocks));
    int32_t *run = krn_qs8_take(&room, c->runs * sizeof(*run));
    const krn_qs8_tail_room tail = krn_qs8_take_tail(&room, s->groups * padded);
    krn_qs8_room packed = {krn_qs8_take(&room, s->groups * weights + KRN_QS8_SLACK), 0};
    if (!memory) return room.used;
    krn_qs8_tail_init(&c->tail, &tail, s->groups * padded, s, c->mode);
    c->block = blocks;
    c->run = run;
    const size_t row = c->stage_w * s->window.in_c * t->elem, kw = s->window.kernel_w;
    for (size_t i = 0; s->w && i < c->runs; i++)
        run[i] =
            (int32_t)(is_joined(s) ? i * s->window.dilation_h * row
                                   : i / kw * s->window.dilation_h * row +
                                         i % kw * s->window.dilation_w * s->window.in_c * t->elem);
    for (size_t g = 0; g < s->groups; g++)
        pack_group(c, s, blocks + g * per_group, g, &packed, &at);
    for (size_t b = 0; b < c->n_blocks; b++)
        for (size_t i = 0; i < blocks[b].keep; i++) {
            const size_t channel = (blocks[b].y_at + i) % s->window.out_c;
            const int64_t moved = origin_of(t, s->is_unsigned) - s->zero;
            krn_qs8_tail_set(&tail, blocks[b].at + i, s->requant, channel,
                             moved * sum_of(c, s, channel), c->mode);
        }
    return room.used;
}

size_t krn_qs8_conv_bytes(const krn_qs8_tier *tier, const krn_qs8_source *s)
{
    krn_qs8_conv c;
    if (s->window.top < 0 || s->window.left < 0) return 0;
    shape(&c, tier, s);
    const size_t image = c.stage_w * c.stage_h * s->window.in_c * tier->elem;
    uint64_t largest;
    return image < INT32_MAX && fits(&c, s, &largest) ? lay_out(&c, s, NULL) : 0;
}

/* Rows of a flat product that are staged at once; 0: they are read where they are. */
static size_t chunk_of(const krn_qs8_conv *c)
{
    const size_t bytes = c->k * c->tier->elem;
    const bool raw = c->is_unsigned ? c->tier->raw_unsigned : c->tier->raw_signed;
    if (raw && bytes % 4 == 0) return 0;
    return most(CHUNK_BYTES / bytes / CHUNK_ROWS, 1) * CHUNK_ROWS;
}

void krn_qs8_conv_pack(krn_qs8_conv *c, const krn_qs8_tier *tier, const krn_qs8_source *s,
                       void *memory)
{
    uint64_t largest;
    shape(c, tier, s);
    fits(c, s, &largest);
    c->mode = krn_qs8_mode_of(s->requant, s->window.out_c, largest);
    c->size = krn_qs8_out_size(c->mode);
    c->staged_zero = (int16_t)(s->zero - origin_of(tier, s->is_unsigned));
    c->chunk = chunk_of(c);
    c->bytes = lay_out(c, s, memory);
}

size_t krn_qs8_conv_scratch(const krn_qs8_conv *c, size_t rows)
{
    const size_t staged =
        c->flat ? least(c->chunk, rows) * c->k : c->stage_h * c->stage_w * c->window.in_c;
    return staged * c->tier->elem + KRN_QS8_SLACK;
}

/* One row of output pixels whose vectors are not all stored: by way of a buffer. */
static void row_cut(uint8_t *y, const uint8_t *x, const krn_qs8_conv *c, const krn_qs8_block *b,
                    const krn_qs8_tile *t, size_t columns)
{
    uint8_t buffer[24 * KRN_QS8_MOST_LANES * sizeof(int32_t)];
    krn_qs8_tile to_buffer = *t;
    const size_t step = columns > KRN_QS8_MOST_ROWS ? b->step[0] : b->step[columns];
    const krn_qs8_tile_fn fn = c->tier->tile[c->four][c->mode][b->vecs][step];
    to_buffer.y_step = (ptrdiff_t)(b->vecs * c->tier->lanes * c->size);
    for (size_t done = 0; done < columns; done += step) {
        const size_t at = least(done, columns - step);
        fn(buffer, x + (ptrdiff_t)at * t->x_step, &to_buffer);
        for (size_t i = 0; i < step; i++)
            memcpy(y + (ptrdiff_t)(at + i) * t->y_step, buffer + (ptrdiff_t)i * to_buffer.y_step,
                   b->keep * c->size);
    }
}

static void row(uint8_t *y, const uint8_t *x, const krn_qs8_conv *c, const krn_qs8_block *b,
                const krn_qs8_tile *t, size_t columns)
{
    const size_t step = columns > KRN_QS8_MOST_ROWS ? b->step[0] : b->step[columns];
    const krn_qs8_tile_fn fn = c->tier->tile[c->four][c->mode][b->vecs][step];
    if (b->keep < b->vecs * c->tier->lanes) {
        row_cut(y, x, c, b, t, columns);
        return;
    }
    size_t done = 0;
    for (; done + step <= columns; done += step)
        fn(y + (ptrdiff_t)done * t->y_step, x + (ptrdiff_t)done * t->x_step, t);
    if (done == columns) return;
    /* a tile for what is left; where there is none, a whole one that does some pixels again */
    const krn_qs8_tile_fn last = c->tier->tile[c->four][c->mode][b->vecs][columns - done];
    const size_t at = last ? done : columns - step;
    (last ? last : fn)(y + (ptrdiff_t)at * t->y_step, x + (ptrdiff_t)at * t->x_step, t);
}

static krn_qs8_tile tile_of(const krn_qs8_conv *c, const krn_qs8_block *b)
{
    return (krn_qs8_tile){.w = b->w,
                          .run = c->run,
                          .runs = c->runs,
                          .groups = c->groups,
                          .tail = &c->tail,
                          .at = b->at};
}

static void run_flat(uint8_t *y, const uint8_t *x, const krn_qs8_conv *c, size_t rows,
                     uint8_t *scratch)
{
    const size_t pixel = c->k * c->tier->elem, chunk = c->chunk ? c->chunk : rows;
    for (size_t first = 0; first < rows; first += chunk) {
        const size_t n = least(chunk, rows - first);
        const uint8_t *from = x + first * c->k;
        if (c->chunk) {
            c->tier->stage(scratch, from, n * c->k, c->is_unsigned);
            from = scratch;
        }
        for (size_t i = 0; i < c->n_blocks; i++) {
            const krn_qs8_block *b = &c->block[i];
            krn_qs8_tile t = tile_of(c, b);
            t.x_step = (ptrdiff_t)pixel;
            t.y_step = (ptrdiff_t)(c->window.out_c * c->size);
            row(y + (first * c->window.out_c + b->y_at) * c->size, from, c, b, &t, n);
        }
    }
}

/* n staged values that stand for zero. */
static void pad(uint8_t *to, const krn_qs8_conv *c, size_t n)
{
    krn_qs8_fill(to, c->staged_zero, n, c->tier->elem);
}

static void stage_image(uint8_t *to, const uint8_t *x, const krn_qs8_conv *c)
{
    const krn_window *w = &c->window;
    const size_t elem = c->tier->elem, line = w->in_w * w->in_c, whole = c->stage_w * w->in_c;
    const size_t left = (size_t)w->left * w->in_c, top = (size_t)w->top;
    const size_t below = (c->stage_h - top - w->in_h) * whole;
    if (line == whole) {
        pad(to, c, top * whole);
        to += top * whole * elem;
        c->tier->stage(to, x, w->in_h * line, c->is_unsigned);
        pad(to + w->in_h * line * elem, c, below);
        return;
    }
    /* what pads a row on the right and the next one on the left is one run */
    pad(to, c, top * whole + left);
    to += (top * whole + left) * elem;
    for (size_t h = 0; h < w->in_h; h++, x += line, to += whole * elem) {
        c->tier->stage(to, x, line, c->is_unsigned);
        if (h + 1 < w->in_h) pad(to + line * elem, c, whole - line);
    }
    pad(to - (whole - line) * elem, c, whole - line - left + below);
}

/* The pixels of a row that do not fill a merged vector. */
static void rest_of_row(uint8_t *y, const uint8_t *x, const krn_qs8_conv *c, const krn_qs8_block *b,
                        const krn_qs8_tile *t)
{
    uint8_t buffer[KRN_QS8_MOST_LANES * sizeof(int32_t)];
    c->tier->tile[c->four][c->mode][b->vecs][1](buffer, x, t);
    memcpy(y, buffer, c->window.out_w % c->merged * c->window.out_c * c->size);
}

void krn_qs8_conv_run(uint8_t *y, const uint8_t *x, const krn_qs8_conv *c, size_t rows,
                      void *scratch)
{
    const krn_window *w = &c->window;
    const size_t pixel = w->in_c * c->tier->elem, columns = w->out_w / c->merged;
    if (c->flat) {
        run_flat(y, x, c, rows, scratch);
        return;
    }
    stage_image(scratch, x, c);
    for (size_t i = 0; i < c->n_blocks; i++) {
        const krn_qs8_block *b = &c->block[i];
        krn_qs8_tile t = tile_of(c, b);
        t.x_step = (ptrdiff_t)(w->stride_w * c->merged * pixel);
        t.y_step = (ptrdiff_t)(w->out_c * c->merged * c->size);
        for (size_t h = 0; h < w->out_h; h++) {
            const uint8_t *from =
                (uint8_t *)scratch + h * w->stride_h * c->stage_w * pixel + b->x_at;
            uint8_t *to = y + (h * w->out_w * w->out_c + b->y_at) * c->size;
            row(to, from, c, b, &t, columns);
            if (columns * c->merged < w->out_w)
                rest_of_row(to + (ptrdiff_t)columns * t.y_step,
                            from + (ptrdiff_t)columns * t.x_step, c, b, &t);
        }
    }
}

void krn_qs8_conv_sums(void *y, const uint8_t *x, const krn_qs8_conv *c, size_t rows, int32_t zero,
                       void *scratch)
{
    krn_qs8_conv padded = *c;
    padded.staged_zero = (int16_t)(zero - origin_of(c->tier, c->is_unsigned));
    krn_qs8_conv_run(y, x, &padded, rows, scratch);
}
