/* qs8_matmul.c - packs the right side of an 8-bit product while the model runs. Layer: kernels.
 * Thread rule: see krn_qs8_matmul.h. */
#include "engine/kernels/krn_qs8_matmul.h"

#include "engine/kernels/krn_nn.h"
#include "engine/kernels/qs8_pack.h"

#include <string.h>

#define ROWS 4 /* of b, that strips are made of */

/* Tiers whose activations are unsigned still have signed weights: strips are made for them with the
 * sign turned round. */
static bool turns_sign(const krn_qs8_tier *t)
{
    return t->origin_signed == -128;
}

/* Packed weights are b less this. */
static int32_t weight_origin(const krn_qs8_tier *t, bool is_unsigned)
{
    const bool bytes = t->elem == 1 || t->planes > 1; /* else 16 bits hold uint8 as it is */
    return is_unsigned && bytes ? 128 : 0;
}

/* What is still to be added to the weights; it is spread over parts of 8 bits. */
static int32_t rest_of(const krn_qs8_tier *t, const krn_qs8_sides *s)
{
    return weight_origin(t, s->b_unsigned) - s->zero_b;
}

static size_t parts_of(const krn_qs8_tier *t, const krn_qs8_sides *s)
{
    const int32_t rest = rest_of(t, s), most = rest < 0 ? 128 : 127;
    return 1 + (size_t)(((rest < 0 ? -rest : rest) + most - 1) / most);
}

static krn_qs8_source source_of(const krn_qs8_tier *t, const krn_qs8_sides *s, const krn_requant *r)
{
    return (krn_qs8_source){.parts = parts_of(t, s),
                            .requant = r,
                            .window = {.in_h = 1,
                                       .in_w = 1,
                                       .in_c = s->k,
                                       .out_h = 1,
                                       .out_w = 1,
                                       .out_c = s->n,
                                       .kernel_h = 1,
                                       .kernel_w = 1,
                                       .stride_h = 1,
                                       .stride_w = 1,
                                       .dilation_h = 1,
                                       .dilation_w = 1},
                            .groups = 1,
                            .zero = s->zero_a,
                            .is_unsigned = s->a_unsigned,
                            .out_unsigned = s->out_unsigned};
}

size_t krn_qs8_matmul_bytes(const krn_qs8_tier *tier, const krn_qs8_sides *sides,
                            const krn_requant *r)
{
    const krn_qs8_source s = source_of(tier, sides, r);
    return krn_qs8_conv_bytes(tier, &s);
}

/* The packed weights of a block, to be written. */
static uint8_t *weights_of(const krn_qs8_matmul *p, const krn_qs8_block *b)
{
    return p->memory + (b->w - p->memory);
}

/* Part `part` of a block: `v` for each of its channels. */
static void fill_part(const krn_qs8_matmul *p, const krn_qs8_block *b, size_t part, int8_t v)
{
    const krn_qs8_tier *t = p->conv.tier;
    const size_t depth = 4 / t->elem, vector = t->lanes * 4;
    uint8_t *to = weights_of(p, b) + part * p->conv.groups * b->vecs * vector;
    for (size_t k = 0; k < p->sides.k; k++)
        for (size_t c = 0; c < b->keep; c++)
            krn_qs8_put(to + (k / depth * b->vecs + c / t->lanes) * vector, t, c % t->lanes,
                        k % depth, v);
}

void krn_qs8_matmul_pack(krn_qs8_matmul *p, const krn_qs8_tier *tier, const krn_qs8_sides *sides,
                         const krn_requant *r, void *memory)
{
    const krn_qs8_source s = source_of(tier, sides, r);
    int32_t rest = rest_of(tier, sides);
    *p = (krn_qs8_matmul){.sides = *sides, .memory = memory};
    krn_qs8_conv_pack(&p->conv, tier, &s, memory);
    for (size_t i = 0; i < p->conv.n_blocks; i++)
        p->width += p->conv.block[i].vecs * tier->lanes;
    p->moved = (sides->a_unsigned ? tier->origin_unsigned : tier->origin_signed) - sides->zero_a;
    memset(p->none, weight_origin(tier, sides->b_unsigned), sizeof(p->none));
    for (size_t part = 1; part < s.parts; part++) {
        const int32_t v = krn_clamp(rest, -128, 127);
        for (size_t i = 0; i < p->conv.n_blocks; i++)
            fill_part(p, &p->conv.block[i], part, (int8_t)v);
        rest -= v;
    }
}

/* Scratch: what the tiles want, then a side in another order or with room behind it. */
static size_t staging(const krn_qs8_matmul *p)
{
    return krn_round_up(krn_qs8_conv_scratch(&p->conv, p->sides.m), 64);
}

size_t krn_qs8_matmul_scratch(const krn_qs8_matmul *p)
{
    const krn_qs8_sides *s = &p->sides;
    const size_t a = s->m * s->k, b = s->n * s->k;
    return staging(p) + (a > b ? a : b) + sizeof(p->none);
}

/* From rows that may be read to the width of the block. */
static void pack_block(const krn_qs8_matmul *p, const krn_qs8_block *b, const uint8_t *from)
{
    const krn_qs8_sides *s = &p->sides;
    const krn_qs8_tier *t = p->conv.tier;
    const size_t width = b->vecs * t->lanes, step = width * 4;
    const bool is_unsigned = s->b_unsigned != turns_sign(t);
    uint8_t *to = weights_of(p, b);
    for (size_t k = 0; k < s->k; k += ROWS, to += step * t->elem) {
        const uint8_t *row[ROWS];
        for (size_t i = 0; i < ROWS; i++)
            row[i] = k + i < s->k ? from + (k + i) * s->n + b->y_at : p->none;
        t->strip(to, step, row, width, is_unsigned);
    }
}

/* The same, where strips have another order or more channels. */
static void pack_slowly(const krn_qs8_matmul *p, const krn_qs8_block *b, const uint8_t *from)
{
    const krn_qs8_tier *t = p->conv.tier;
    const size_t depth = 4 / t->elem, vector = t->lanes * 4;
    const int32_t origin = weight_origin(t, p->sides.b_unsigned);
    uint8_t *to = weights_of(p, b);
    for (size_t k = 0; k < p->sides.k; k++)
        for (size_t c = 0; c < b->keep; c++) {
            const int32_t q =
                krn_q8(from[k * p->sides.n + b->y_at + c], p->sides.b_unsigned) - origin;
            krn_qs8_put(to + (k / depth * b->vecs + c / t->lanes) * vector, t, c % t->lanes,
                        k % depth, (int8_t)q);
        }
}

/* The biases, by the sums of b's columns: moved * (sum - k * zero). */
static void set_biases(const krn_qs8_matmul *p, const uint8_t *from)
{
    const krn_qs8_sides *s = &p->sides;
    const uint8_t flip = s->b_unsigned ? 0 : 0x80;
    const uint8_t *place = (const uint8_t *)p->conv.tail.bias;
    int32_t *bias = (int32_t *)(void *)(p->memory + (place - p->memory));
    const int32_t zeros = (int32_t)s->k * (s->zero_b + flip);
    for (size_t c = 0; c < s->n; c++)
        bias[c] = -zeros;
    for (size_t k = 0; k < s->k; k++, from += s->n)
        for (size_t c = 0; c < s->n; c++)
            bias[c] += from[c] ^ flip;
    for (size_t c = 0; c < s->n; c++)
        bias[c] = (int32_t)((uint32_t)bias[c] * (uint32_t)p->moved);
}

void krn_qs8_matmul_take(krn_qs8_matmul *p, const uint8_t *b, void *scratch)
{
    const krn_qs8_sides *s = &p->sides;
    const krn_qs8_tier *t = p->conv.tier;
    uint8_t *copy = (uint8_t *)scratch + staging(p);
    if (s->adj_b) {
        krn_swap_ref(copy, b, 1, s->n, s->k);
        b = copy;
    } else if (s->n < p->width) {
        memcpy(copy, b, s->k * s->n); /* where what lies behind the last row may be read */
        b = copy;
    }
    for (size_t i = 0; i < p->conv.n_blocks; i++) {
        const krn_qs8_block *block = &p->conv.block[i];
        const bool whole = t->planes == 1 && block->vecs * t->lanes % t->strip_step == 0;
        (whole ? pack_block : pack_slowly)(p, block, b);
    }
    if (p->moved) set_biases(p, b);
}

void krn_qs8_matmul_run(uint8_t *y, const uint8_t *a, const krn_qs8_matmul *p, void *scratch)
{
    const krn_qs8_sides *s = &p->sides;
    uint8_t *turned = (uint8_t *)scratch + staging(p);
    if (s->adj_a) {
        krn_swap_ref(turned, a, 1, s->k, s->m);
        a = turned;
    }
    krn_qs8_conv_run(y, a, &p->conv, s->m, scratch);
}
