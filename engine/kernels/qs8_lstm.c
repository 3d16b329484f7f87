/* qs8_lstm.c - packs the integer LSTM for the vectors of an instruction set. Layer: kernels. */
#include "engine/kernels/krn_qs8_lstm.h"

#include "engine/kernels/cpu.h"

#include <string.h>

const krn_qs8_lstm_tier *krn_qs8_lstm_choose(unsigned cpu)
{
    const krn_qs8_lstm_tier *t = NULL;
#if defined(__x86_64__)
    if (cpu & KRN_CPU_AVX2) t = &krn_qs8_lstm_avx2;
    if (cpu & KRN_CPU_AVXVNNI) t = &krn_qs8_lstm_avxvnni;
    if (cpu & KRN_CPU_AVX512VNNI) t = &krn_qs8_lstm_avx512vnni;
#elif defined(__aarch64__)
    if (cpu & KRN_CPU_NEON) t = &krn_qs8_lstm_neon;
    if (cpu & KRN_CPU_DOTPROD) t = &krn_qs8_lstm_dotprod;
#else
    (void)cpu;
#endif
    return t;
}

bool krn_qs8_lstm_fits(const krn_q_lstm *p)
{
    if (p->type != KRN_I8 || p->points || p->proj || p->coupled || p->cells != p->out ||
        p->zero_hidden != p->zero || p->power < -15 || p->power > -9)
        return false;
    for (int i = 0; i < KRN_GATES; i++)
        if (p->gate[i].norm || p->gate[i].peephole) return false;
    return true;
}

static size_t groups_of(const krn_qs8_lstm_tier *t, size_t values)
{
    return krn_round_up(values * t->elem, 4) / 4;
}

static size_t blocks_of(const krn_qs8_lstm_tier *t, const krn_q_lstm *p)
{
    return krn_round_up(p->cells, t->block) / t->block;
}

/* Bytes of weights of one block. */
static size_t block_bytes(const krn_qs8_lstm_tier *t, const krn_q_lstm *p)
{
    return (groups_of(t, p->in) + groups_of(t, p->out)) * KRN_GATES * t->block * 4;
}

static size_t bias_bytes(const krn_qs8_lstm_tier *t, const krn_q_lstm *p)
{
    return blocks_of(t, p) * 2 * KRN_GATES * t->block * sizeof(int32_t);
}

size_t krn_qs8_lstm_bytes(const krn_qs8_lstm_tier *t, const krn_q_lstm *p)
{
    return bias_bytes(t, p) + blocks_of(t, p) * block_bytes(t, p);
}

/* The place among the block's sums of cell c: 256 bits become int16 within their halves. */
static size_t place_of(const krn_qs8_lstm_tier *t, size_t c)
{
    return t->lanes == 8 ? c / 4 % 2 * 8 + c / 8 * 4 + c % 4 : c;
}

/* Weights of one gate and cell, [n]: to points to the first group of the block. */
static int64_t put_row(uint8_t *to, const krn_qs8_lstm_tier *t, int gate, size_t c, const int8_t *w,
                       size_t n)
{
    const size_t vector = 4 * t->lanes, place = place_of(t, c), taps = 4 / t->elem;
    const size_t in_group = ((size_t)gate * (t->block / t->lanes) + place / t->lanes) * vector;
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t tap = i % taps, lane = place % t->lanes;
        const size_t value = (tap / t->side * t->lanes + lane) * t->side + tap % t->side;
        const int16_t wide = (int16_t)krn_q8((uint8_t)w[i], false);
        uint8_t *at = to + i / taps * KRN_GATES * t->block * 4 + in_group + value * t->elem;
        if (t->elem == 1)
            *at = (uint8_t)wide;
        else
            memcpy(at, &wide, sizeof(wide));
        sum += w[i];
    }
    return sum;
}

static void pack_cell(uint8_t *w, int32_t *bias, const krn_qs8_lstm *l, const krn_q_lstm *p,
                      size_t cell)
{
    const krn_qs8_lstm_tier *t = l->tier;
    const size_t c = cell % t->block, place = place_of(t, c);
    for (int i = 0; i < KRN_GATES; i++) {
        const krn_q_gate *g = &p->gate[i];
        uint8_t *h = w + l->x_groups * KRN_GATES * t->block * 4;
        const int64_t x_sum = put_row(w, t, i, c, g->w + cell * p->in, p->in);
        const int64_t h_sum = put_row(h, t, i, c, g->r + cell * p->out, p->out);
        const int64_t x_bias = (g->bias ? g->bias[cell] : 0) - x_sum * (p->zero_x - t->origin);
        const int64_t h_bias = -h_sum * (p->zero - t->origin);
        bias[(size_t)i * t->block + place] = (int32_t)(uint32_t)(uint64_t)x_bias;
        bias[(size_t)(KRN_GATES + i) * t->block + place] = (int32_t)(uint32_t)(uint64_t)h_bias;
    }
}

static krn_qs8_lstm_steps steps_of(krn_factor f)
{
    const int right = f.shift > 0 ? 0 : f.shift < -31 ? 31 : -f.shift;
    const int32_t mask = (int32_t)((1ll << right) - 1);
    return (krn_qs8_lstm_steps){f.m, f.shift > 0 ? f.shift : 0, right, mask, mask >> 1};
}

void krn_qs8_lstm_pack(krn_qs8_lstm *l, const krn_qs8_lstm_tier *t, const krn_q_lstm *p,
                       void *memory)
{
    int32_t *bias = memory;
    uint8_t *w = (uint8_t *)memory + bias_bytes(t, p);
    *l = (krn_qs8_lstm){.tier = t,
                        .in = p->in,
                        .cells = p->cells,
                        .blocks = blocks_of(t, p),
                        .x_groups = groups_of(t, p->in),
                        .h_groups = groups_of(t, p->out),
                        .w = w,
                        .bias = bias,
                        .hidden = steps_of(p->hidden),
                        .zero = (int16_t)p->zero,
                        .clip = (int16_t)(p->cell_clip > 0 ? p->cell_clip : -1),
                        .shift = 30 + p->power,
                        .cell_bits = 15 + p->power};
    memset(memory, 0, krn_qs8_lstm_bytes(t, p));
    for (int i = 0; i < KRN_GATES; i++) {
        l->x_steps[i] = steps_of(p->gate[i].w_factor);
        l->h_steps[i] = steps_of(p->gate[i].r_factor);
    }
    for (size_t c = 0; c < p->cells; c++)
        pack_cell(w + c / t->block * block_bytes(t, p),
                  bias + c / t->block * 2 * KRN_GATES * t->block, l, p, c);
}

/* Cells of all blocks, the state twice and x, staged. */
size_t krn_qs8_lstm_scratch(const krn_qs8_lstm *l)
{
    const size_t cells = l->blocks * l->tier->block;
    return cells * (sizeof(int16_t) + 2 * l->tier->elem) + l->x_groups * 4;
}
