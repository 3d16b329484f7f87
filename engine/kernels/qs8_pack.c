/* qs8_pack.c - tails of packed 8-bit products, and settling what their floats leave open.
 * Layer: kernels. Thread rule: no shared state. */
#include "engine/kernels/qs8_pack.h"

#include <math.h>
#include <string.h>

#define MOST_RESULT 1e9 /* before the zero point: stays in int32 */

void *krn_qs8_take(krn_qs8_room *room, size_t bytes)
{
    void *p = room->base ? room->base + room->used : NULL;
    room->used += krn_round_up(bytes, 64);
    return p;
}

krn_qs8_tail_room krn_qs8_take_tail(krn_qs8_room *room, size_t n)
{
    krn_qs8_tail_room t;
    t.limits = krn_qs8_take(room, sizeof(*t.limits));
    t.bias = krn_qs8_take(room, n * sizeof(*t.bias));
    t.scale = krn_qs8_take(room, n * sizeof(*t.scale));
    t.nudge = krn_qs8_take(room, n * sizeof(*t.nudge));
    t.factor = krn_qs8_take(room, n * sizeof(*t.factor));
    t.real = krn_qs8_take(room, n * sizeof(*t.real));
    return t;
}

void krn_qs8_fill(uint8_t *to, int16_t value, size_t n, size_t elem)
{
    if (elem == 1)
        memset(to, value, n);
    else
        for (size_t i = 0; i < n; i++)
            memcpy(to + 2 * i, &value, 2);
}

void krn_qs8_tail_init(krn_qs8_tail *t, const krn_qs8_tail_room *to, size_t n,
                       const krn_qs8_source *s, krn_qs8_mode mode)
{
    const krn_requant *r = s->requant;
    *t = (krn_qs8_tail){.bias = to->bias};
    if (!r) return;
    const int32_t down = s->out_unsigned ? 128 : 0;
    krn_qs8_limits *k = to->limits;
    for (size_t i = 0; i < 32; i++)
        k->zero[i] = (int16_t)(r->zero - down);
    memset(k->low, r->low - down, sizeof(k->low));
    memset(k->high, r->high - down, sizeof(k->high));
    memset(k->flip, s->out_unsigned ? 0x80 : 0, sizeof(k->flip));
    const int doubt = mode == KRN_QS8_EXACT ? KRN_QS8_DOUBT_EXACT : KRN_QS8_DOUBT_SIGNED;
    for (size_t i = 0; i < KRN_QS8_MOST_LANES; i++) {
        k->doubtful[i] = 65536 - 2 * doubt;
        k->base[i] = (float)(65536 * (r->zero - down) + 32768 + doubt);
    }
    /* lanes without a channel must not look doubtful: integers would settle them every time */
    for (size_t c = 0; mode == KRN_QS8_EXACT && c < n; c++)
        to->nudge[c] = k->base[0];
    k->full = !s->out_unsigned && r->low == -128 && r->high == 127;
    *t = (krn_qs8_tail){.limits = to->limits,
                        .bias = to->bias,
                        .scale = to->scale,
                        .nudge = to->nudge,
                        .factor = to->factor,
                        .real = to->real,
                        .round = r->round};
}

/* The exact factor of a channel. */
static double real_of(const krn_requant *r, size_t c)
{
    if (r->round == KRN_ROUND_FLOAT) return (double)r->scale[c];
    if (r->round == KRN_ROUND_AWAY) return r->real[c];
    return ldexp((double)r->factor[c].m, r->factor[c].shift - 31);
}

void krn_qs8_tail_set(const krn_qs8_tail_room *to, size_t at, const krn_requant *r, size_t c,
                      int64_t moved, krn_qs8_mode mode)
{
    if (!r) {
        to->bias[at] = (int32_t)moved;
        return;
    }
    const bool twice = r->round == KRN_ROUND_FIXED && r->factor[c].shift < 0;
    const double nudge = twice ? ldexp(32768, r->factor[c].shift) : 0;
    to->bias[at] = (int32_t)((uint32_t)r->bias[c] + (uint32_t)moved);
    to->scale[at] = (float)(real_of(r, c) * (mode == KRN_QS8_NEAREST ? 1 : 65536));
    to->nudge[at] = (float)(nudge + (mode == KRN_QS8_EXACT ? (double)to->limits->base[0] : 0));
    if (r->round == KRN_ROUND_FIXED) to->factor[at] = r->factor[c];
    if (r->round == KRN_ROUND_AWAY) to->real[at] = r->real[c];
}

/* The most that a sum can be. */
static double most_of(const krn_requant *r, size_t c, uint64_t sum_abs)
{
    return 255.0 * (double)sum_abs + fabs((double)r->bias[c]);
}

krn_qs8_mode krn_qs8_mode_of(const krn_requant *r, size_t n, uint64_t sum_abs)
{
    if (!r) return KRN_QS8_SUMS;
    if (r->round == KRN_ROUND_FLOAT) return KRN_QS8_NEAREST;
    if (r->round == KRN_ROUND_FIXED && r->low < r->zero) return KRN_QS8_SIGNED;
    for (size_t c = 0; c < n; c++) {
        const double most = most_of(r, c, sum_abs);
        if (most >= 16777216 || most * real_of(r, c) > 32000) return KRN_QS8_SIGNED;
    }
    return KRN_QS8_EXACT;
}

bool krn_qs8_tail_fits(const krn_requant *r, size_t c, uint64_t sum_abs)
{
    if (!r) return 255 * sum_abs <= INT32_MAX;
    const double most = most_of(r, c, sum_abs);
    return most < 2147483648.0 && most * real_of(r, c) < MOST_RESULT;
}

/* Which weight of a vector belongs to tap i of a lane. */
static size_t place_of(const krn_qs8_tier *t, size_t lane, size_t i)
{
    const size_t side = 4 / t->elem / t->planes; /* taps of a lane side by side */
    return (i / side * t->lanes + lane) * side + i % side;
}

void krn_qs8_put_four(uint8_t *vector, const krn_qs8_tier *t, size_t lane, size_t i, int8_t v)
{
    const size_t half = 2 * t->lanes / t->elem, place = place_of(t, lane, i);
    const int shift = place < half ? 0 : 4;
    vector[place % half] = (uint8_t)((vector[place % half] & ~(15 << shift)) | (v + 8) << shift);
}

void krn_qs8_put(uint8_t *vector, const krn_qs8_tier *t, size_t lane, size_t i, int8_t v)
{
    const size_t place = place_of(t, lane, i);
    const int16_t wide = v;
    if (t->elem == 1)
        vector[place] = (uint8_t)v;
    else
        memcpy(vector + place * sizeof(wide), &wide, sizeof(wide));
}

static int32_t settled(int32_t sum, const krn_qs8_tail *t, size_t c)
{
    if (t->round == KRN_ROUND_FIXED) return krn_scale_int(sum, t->factor[c]);
    return (int32_t)round((double)sum * t->real[c]);
}

void krn_qs8_settle(uint8_t *y, const int32_t *v, const int32_t *sum, const krn_qs8_tail *t,
                    const size_t at[KRN_QS8_MOST_VECS], size_t lanes)
{
    const krn_qs8_limits *k = t->limits;
    for (size_t i = 0; i < 4 * lanes; i++) {
        if (v[i] & k->doubtful[0]) continue;
        const int32_t q = settled(sum[i], t, at[i / lanes] + i % lanes) + k->zero[0];
        y[i] = (uint8_t)krn_clamp(q, k->low[0], k->high[0]) ^ k->flip[0];
    }
}
