/* qs8_depth.c - packs and runs 8-bit depthwise convolutions. Layer: kernels.
 * Thread rule: runs touch only their scratch. */
#include "engine/kernels/krn_qs8_depth.h"
#include "engine/kernels/qs8_pack.h"

#include <string.h>

#define ROWS 4 /* of an image in a strip */

/* Where the pieces of the scratch begin. */
typedef struct pieces {
    uint8_t *zeros;    /* a row outside the image; d->folded: the row with its padding */
    uint8_t *strips;   /* [ring] */
    int32_t *made;     /* [ring]: first row of each strip */
    uint8_t *lines[2]; /* outputs that do not fill their vectors, or that nobody wants */
    size_t plane, strip_bytes, bytes;
} pieces;

/* A strip has its four rows in so many planes. */
static size_t planes_of(const krn_qs8_tier *t)
{
    return t->elem * t->planes;
}

/* Bytes of a channel at a column in one plane. */
static size_t value_of(const krn_qs8_tier *t)
{
    return ROWS / t->planes;
}

static size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static int32_t origin_of(const krn_qs8_tier *t, bool is_unsigned)
{
    return is_unsigned ? t->origin_unsigned : t->origin_signed;
}

/* Which line kernel: NULL when the tier has none for it. */
static void choose(krn_qs8_depth *d)
{
    const krn_window *w = &d->window;
    const krn_qs8_tier *t = d->tier;
    const size_t four = 4 * t->lanes, known = d->strips == 1 && d->taps <= 3 ? d->taps : 0;
    const bool pair = w->kernel_h < ROWS && w->stride_h == 1 && w->dilation_h == 1 && w->out_h > 1;
    d->wide = d->mode != KRN_QS8_SUMS && w->in_c % four == 0 && t->strip_wide;
    for (size_t outs = pair ? 2 : 1; outs >= 1 && !d->line; outs--) {
        const krn_qs8_line_fn(*line)[4] = d->wide ? t->wide[d->mode] : t->narrow[d->mode];
        d->line = line[outs][known] ? line[outs][known] : line[outs][0];
        d->outs = outs;
    }
    d->make = d->wide ? t->strip_wide : t->strip;
}

static void shape(krn_qs8_depth *d, const krn_qs8_tier *t, const krn_qs8_source *s,
                  krn_qs8_mode mode)
{
    const krn_window *w = &s->window;
    *d = (krn_qs8_depth){.tier = t, .window = *w, .mode = mode, .is_unsigned = s->is_unsigned};
    d->size = krn_qs8_out_size(mode);
    d->zero = (uint8_t)s->zero;
    d->staged_zero = (int16_t)(s->zero - origin_of(t, s->is_unsigned));
    d->strips = divide_up(w->kernel_h, ROWS);
    d->folded = w->in_h == 1 && w->out_h == 1 && w->kernel_h == 1 && w->kernel_w > 1 && w->top == 0;
    d->taps = d->folded ? divide_up(w->kernel_w, ROWS) : w->kernel_w;
    d->ring = ROWS * w->dilation_h * (d->strips - 1) + 1;
    choose(d);
    const size_t needed = (w->out_w - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w + 1;
    d->stage_w = (size_t)w->left + w->in_w;
    d->stage_w = needed > d->stage_w ? needed : d->stage_w;
    d->flat = !d->wide && w->stride_w == 1 && t->lanes % w->in_c == 0;
    d->vectors = d->flat ? 1 : divide_up(w->in_c, t->lanes);
    d->positions = d->flat ? divide_up(w->out_w * w->in_c, t->lanes) : w->out_w;
}

/* Tap (row, k) of a strip for line `out`: its rows are those of line 0. */
static int8_t weight_of(const krn_qs8_depth *d, const krn_qs8_source *s, size_t row, size_t k,
                        size_t out, size_t channel)
{
    const krn_window *w = &d->window;
    if (d->folded) {
        row = row + k * ROWS;
        return row < w->kernel_w ? s->w[row * w->in_c + channel] : 0;
    }
    if (row < out || row - out >= w->kernel_h) return 0;
    return s->w[((row - out) * w->kernel_w + k) * w->in_c + channel];
}

/* The channel of lane l in vector v; in_c or more: none. */
static size_t channel_of(const krn_qs8_depth *d, size_t v, size_t l)
{
    const size_t lanes = d->tier->lanes;
    if (d->flat) return l % d->window.in_c;
    if (!d->wide) return v * lanes + l;
    return v / 4 * 4 * lanes + krn_qs8_place(d->tier->unit, lanes, v % 4, l);
}

static void pack_weights(const krn_qs8_depth *d, const krn_qs8_source *s, uint8_t *to)
{
    const size_t together = d->wide ? 4 : 1, lanes = d->tier->lanes;
    const size_t rounds = d->strips * d->taps * d->outs * together;
    const size_t bytes = ROWS * lanes * d->tier->elem;
    for (size_t first = 0; first < d->vectors; first += together)
        for (size_t i = 0; i < rounds; i++, to += bytes) {
            const size_t v = first + i % together, out = i / together % d->outs;
            const size_t k = i / together / d->outs % d->taps;
            const size_t strip = i / together / d->outs / d->taps;
            for (size_t l = 0; l < lanes; l++) {
                const size_t channel = channel_of(d, v, l);
                for (size_t t = 0; t < ROWS && channel < d->window.in_c; t++)
                    krn_qs8_put(to, d->tier, l, t,
                                weight_of(d, s, strip * ROWS + t, k, out, channel));
            }
        }
}

static int32_t sum_of(const krn_qs8_source *s, size_t channel)
{
    const krn_window *w = &s->window;
    int32_t sum = 0;
    for (size_t t = 0; t < w->kernel_h * w->kernel_w; t++)
        sum += s->w[t * w->in_c + channel];
    return sum;
}

/* The largest sum of the magnitudes of a channel's weights; false when a channel does not fit. */
static bool fits(const krn_qs8_source *s, uint64_t *largest)
{
    const krn_window *w = &s->window;
    *largest = 0;
    for (size_t c = 0; c < w->in_c; c++) {
        uint64_t sum = 0;
        for (size_t t = 0; t < w->kernel_h * w->kernel_w; t++) {
            const int v = s->w[t * w->in_c + c];
            sum += (uint64_t)(v < 0 ? -v : v);
        }
        if (!krn_qs8_tail_fits(s->requant, c, sum)) return false;
        *largest = sum > *largest ? sum : *largest;
    }
    return true;
}

static size_t lay_out(krn_qs8_depth *d, const krn_qs8_source *s, void *memory)
{
    const size_t lanes = d->tier->lanes;
    krn_qs8_room room = {memory, 0};
    const krn_qs8_tail_room tail = krn_qs8_take_tail(&room, d->vectors * lanes);
    uint8_t *w = krn_qs8_take(&room, d->vectors * d->strips * d->taps * d->outs * ROWS * lanes *
                                         d->tier->elem);
    if (!memory) return room.used;
    const int64_t moved = origin_of(d->tier, s->is_unsigned) - s->zero;
    krn_qs8_tail_init(&d->tail, &tail, d->vectors * lanes, s, d->mode);
    for (size_t v = 0; v < d->vectors; v++)
        for (size_t l = 0; l < lanes; l++) {
            const size_t c = channel_of(d, v, l);
            if (c < d->window.in_c)
                krn_qs8_tail_set(&tail, v * lanes + l, s->requant, c, moved * sum_of(s, c),
                                 d->mode);
        }
    pack_weights(d, s, w);
    d->w = w;
    return room.used;
}

size_t krn_qs8_depth_bytes(const krn_qs8_tier *tier, const krn_qs8_source *s)
{
    krn_qs8_depth d;
    const krn_window *w = &s->window;
    uint64_t largest;
    if (w->top < 0 || w->left < 0 || w->in_c != w->out_c || !fits(s, &largest)) return 0;
    if (w->kernel_h > ROWS * KRN_QS8_MOST_STRIPS) return 0;
    shape(&d, tier, s, krn_qs8_mode_of(s->requant, w->in_c, largest));
    return d.line ? lay_out(&d, s, NULL) : 0;
}

void krn_qs8_depth_pack(krn_qs8_depth *d, const krn_qs8_tier *tier, const krn_qs8_source *s,
                        void *memory)
{
    uint64_t largest;
    fits(s, &largest);
    shape(d, tier, s, krn_qs8_mode_of(s->requant, s->window.in_c, largest));
    lay_out(d, s, memory);
}

/* True when whole vectors at each position are just the bytes that are wanted. */
static bool is_whole(const krn_qs8_depth *d)
{
    const krn_window *w = &d->window;
    if (!d->wide && d->positions < 4) return false;
    return d->flat ? w->out_w * w->in_c % d->tier->lanes == 0
                   : d->vectors * d->tier->lanes == w->in_c;
}

/* Positions that a line kernel writes. */
static size_t written(const krn_qs8_depth *d)
{
    return d->positions < 4 ? 4 : d->positions;
}

/* Bytes of the row in p->zeros. */
static size_t row_bytes(const krn_qs8_depth *d)
{
    const krn_window *w = &d->window;
    return (d->folded ? d->stage_w + (ROWS - 1) * w->dilation_w : w->in_w) * w->in_c;
}

static pieces split(const krn_qs8_depth *d, uint8_t *scratch)
{
    const krn_window *w = &d->window;
    const size_t lanes = d->tier->lanes, value = value_of(d->tier), row = row_bytes(d);
    const size_t line = krn_round_up(written(d) * d->vectors * lanes * d->size, 64);
    /* behind a strip: the last vector of channels, positions up to four, the last round of make()
     */
    const size_t beyond = (4 * w->stride_w * w->in_c + 8 * lanes) * value;
    pieces p;
    p.plane = krn_round_up(d->stage_w * w->in_c * value + beyond, 64);
    p.strip_bytes = planes_of(d->tier) * p.plane;
    p.zeros = scratch;
    p.strips = p.zeros + krn_round_up(row, 64) + 64;
    p.lines[0] = p.strips + d->ring * p.strip_bytes;
    p.lines[1] = p.lines[0] + line;
    p.made = (int32_t *)(void *)(p.lines[1] + line);
    p.bytes = (size_t)((uint8_t *)(p.made + d->ring) - scratch);
    return p;
}

size_t krn_qs8_depth_scratch(const krn_qs8_depth *d)
{
    static uint8_t nowhere[1]; /* only the size is asked for */
    return split(d, nowhere).bytes;
}

/* Padding in the columns of all strips; rows will be put between. */
static void clear(const pieces *p, const krn_qs8_depth *d)
{
    const krn_window *w = &d->window;
    const size_t value = value_of(d->tier), elem = d->tier->elem;
    const size_t left = (size_t)w->left * w->in_c * value, row = w->in_w * w->in_c * value;
    const size_t right = (d->stage_w - (size_t)w->left - w->in_w) * w->in_c * value;
    memset(p->zeros, d->zero, row_bytes(d));
    for (size_t i = 0; i < d->ring * planes_of(d->tier) && !d->folded; i++) {
        uint8_t *plane = p->strips + i * p->plane;
        krn_qs8_fill(plane, d->staged_zero, left / elem, elem);
        krn_qs8_fill(plane + left + row, d->staged_zero, right / elem, elem);
    }
    for (size_t i = 0; i < d->ring; i++)
        p->made[i] = INT32_MIN;
}

/* The last columns of a row when they do not fill a round: through a buffer, so that nothing is
 * read behind the image. */
static void make_rest(uint8_t *strip, size_t plane, const uint8_t *const row[ROWS], size_t n,
                      const krn_qs8_depth *d)
{
    uint8_t all[ROWS][64];
    const uint8_t *rows[ROWS];
    memset(all, d->zero, sizeof(all));
    for (int i = 0; i < ROWS; i++) {
        memcpy(all[i], row[i], n);
        rows[i] = all[i];
    }
    d->make(strip, plane, rows, d->tier->strip_step, d->is_unsigned);
}

static void make_strip(uint8_t *to, size_t plane, const uint8_t *row[ROWS], size_t n,
                       const krn_qs8_depth *d)
{
    const size_t whole = d->wide ? n : n / d->tier->strip_step * d->tier->strip_step;
    d->make(to, plane, row, whole, d->is_unsigned);
    if (whole == n) return;
    for (int i = 0; i < ROWS; i++)
        row[i] += whole;
    make_rest(to + whole * value_of(d->tier), plane, row, n - whole, d);
}

/* One row alone: the strip's rows are itself and what stands one, two and three taps behind. */
static const uint8_t *folded_strip(const pieces *p, const krn_qs8_depth *d, const uint8_t *x)
{
    const krn_window *w = &d->window;
    const uint8_t *row[ROWS];
    memcpy(p->zeros + (size_t)w->left * w->in_c, x, w->in_w * w->in_c);
    for (size_t i = 0; i < ROWS; i++)
        row[i] = p->zeros + i * w->dilation_w * w->in_c;
    make_strip(p->strips, p->plane, row, d->stage_w * w->in_c, d);
    return p->strips;
}

/* The strip whose first row is `first` of the padded image; made when it is not there. */
static const uint8_t *strip_at(const pieces *p, const krn_qs8_depth *d, const uint8_t *x,
                               size_t first)
{
    const krn_window *w = &d->window;
    const size_t n = w->in_w * w->in_c, slot = first % d->ring;
    uint8_t *strip = p->strips + slot * p->strip_bytes;
    const uint8_t *row[ROWS];
    if (p->made[slot] == (int32_t)first) return strip;
    p->made[slot] = (int32_t)first;
    if (d->folded) return folded_strip(p, d, x);
    for (size_t i = 0; i < ROWS; i++) {
        const ptrdiff_t h = (ptrdiff_t)(first + i * w->dilation_h) - w->top;
        row[i] = h >= 0 && h < (ptrdiff_t)w->in_h ? x + (size_t)h * n : p->zeros;
    }
    make_strip(strip + (size_t)w->left * w->in_c * value_of(d->tier), p->plane, row, n, d);
    return strip;
}

/* Bytes of one line from a buffer of whole vectors. */
static void copy_line(uint8_t *y, const uint8_t *from, const krn_qs8_depth *d)
{
    const size_t c = d->window.in_c * d->size, step = d->vectors * d->tier->lanes * d->size;
    if (d->flat)
        memcpy(y, from, d->window.out_w * c);
    else
        for (size_t i = 0; i < d->window.out_w; i++)
            memcpy(y + i * c, from + i * step, c);
}

static krn_qs8_line line_of(const krn_qs8_depth *d, size_t plane, const uint8_t *const *strip)
{
    const size_t value = value_of(d->tier), lanes = d->tier->lanes, c = d->window.in_c;
    const bool whole = is_whole(d);
    return (krn_qs8_line){.strip = strip,
                          .w = d->w,
                          .strips = d->strips,
                          .taps = d->taps,
                          .plane = plane,
                          .tap_step = (d->folded ? ROWS : 1) * d->window.dilation_w * c * value,
                          .x_step = d->flat ? lanes * value : d->window.stride_w * c * value,
                          .y_step = d->size * (d->flat ? lanes
                                               : whole ? c
                                                       : d->vectors * lanes),
                          .positions = d->wide ? d->positions : written(d),
                          .vectors = d->vectors,
                          .tail = &d->tail};
}

void krn_qs8_depth_run(uint8_t *y, const uint8_t *x, const krn_qs8_depth *d, void *scratch)
{
    const krn_window *w = &d->window;
    const pieces p = split(d, scratch);
    const uint8_t *strip[KRN_QS8_MOST_STRIPS];
    const krn_qs8_line line = line_of(d, p.plane, strip);
    const size_t row = w->out_w * w->in_c * d->size;
    const bool whole = is_whole(d);
    clear(&p, d);
    for (size_t h = 0; h < w->out_h; h += d->outs) {
        uint8_t *to[2] = {p.lines[0], p.lines[1]};
        for (size_t i = 0; i < d->strips; i++)
            strip[i] = strip_at(&p, d, x, h * w->stride_h + i * ROWS * w->dilation_h);
        for (size_t o = 0; o < d->outs && h + o < w->out_h && whole; o++)
            to[o] = y + (h + o) * row;
        d->line(to, &line);
        for (size_t o = 0; o < d->outs && h + o < w->out_h && !whole; o++)
            copy_line(y + (h + o) * row, to[o], d);
    }
}

void krn_qs8_depth_sums(void *y, const uint8_t *x, const krn_qs8_depth *d, int32_t zero,
                        void *scratch)
{
    krn_qs8_depth padded = *d;
    padded.zero = (uint8_t)zero;
    padded.staged_zero = (int16_t)(zero - origin_of(d->tier, d->is_unsigned));
    krn_qs8_depth_run(y, x, &padded, scratch);
}
