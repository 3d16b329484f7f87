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
    t.low_at = krn_qs8_take(room, n * sizeof(*t.low_at));
    t.high_at = krn_qs8_take(room, n * sizeof(*t.high_at));
    t.nudge = krn_qs8_take(room, n * sizeof(*t.nudge));
    t.factor = krn_qs8_take(room, n * sizeof(*t.factor));
    t.real = krn_qs8_take(room, n * sizeof(*t.real));
    return t;
}

krn_qs8_mode krn_qs8_mode_of(const krn_requant *r)
{
    if (r->round == KRN_ROUND_FLOAT) return KRN_QS8_NEAREST;
    return r->round == KRN_ROUND_FIXED && r->low < r->zero ? KRN_QS8_SIGNED : KRN_QS8_BOUNDS;
}

void krn_qs8_fill(uint8_t *to, int16_t value, size_t n, size_t elem)
{
    if (elem == 1)
        memset(to, value, n);
    else
        for (size_t i = 0; i < n; i++)
            memcpy(to + 2 * i, &value, 2);
}

void krn_qs8_tail_init(krn_qs8_tail *t, const krn_qs8_tail_room *to, const krn_qs8_source *s)
{
    const krn_requant *r = s->requant;
    const int32_t up = s->out_unsigned ? 0 : 128;
    for (size_t i = 0; i < 32; i++)
        to->limits->zero[i] = (int16_t)(r->zero + up);
    memset(to->limits->low, r->low + up, sizeof(to->limits->low));
    memset(to->limits->high, r->high + up, sizeof(to->limits->high));
    memset(to->limits->flip, s->out_unsigned ? 0 : 0x80, sizeof(to->limits->flip));
    *t = (krn_qs8_tail){.limits = to->limits,
                        .bias = to->bias,
                        .scale = to->scale,
                        .low_at = to->low_at,
                        .high_at = to->high_at,
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

void krn_qs8_tail_set(const krn_qs8_tail_room *to, size_t at, const krn_qs8_source *s, size_t c,
                      int32_t sum, int32_t origin)
{
    const krn_requant *r = s->requant;
    const bool twice = r->round == KRN_ROUND_FIXED && r->factor[c].shift < 0;
    const double nudge = twice ? ldexp(0.5, r->factor[c].shift) : 0;
    const double doubt = (double)KRN_QS8_DOUBT;
    to->bias[at] = (int32_t)((uint32_t)r->bias[c] + (uint32_t)((origin - s->zero) * (int64_t)sum));
    to->scale[at] = (float)real_of(r, c);
    to->nudge[at] = (float)nudge;
    to->low_at[at] = (float)(0.5 + nudge - doubt);
    to->high_at[at] = (float)(0.5 + nudge + doubt);
    if (r->round == KRN_ROUND_FIXED) to->factor[at] = r->factor[c];
    if (r->round == KRN_ROUND_AWAY) to->real[at] = r->real[c];
}

bool krn_qs8_tail_fits(const krn_requant *r, size_t c, uint64_t sum_abs)
{
    const double most = 255.0 * (double)sum_abs + fabs((double)r->bias[c]);
    return most < 2147483648.0 && most * real_of(r, c) < MOST_RESULT;
}

void krn_qs8_put(uint8_t *vector, const krn_qs8_tier *t, size_t lane, size_t i, int8_t v)
{
    const size_t side = 4 / t->elem / t->planes; /* taps of a lane side by side */
    const size_t place = (i / side * t->lanes + lane) * side + i % side;
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

void krn_qs8_settle(uint8_t *y, const uint8_t *low, const uint8_t *high, const int32_t *sum,
                    const krn_qs8_tail *t, const size_t at[KRN_QS8_MOST_VECS], size_t lanes)
{
    const krn_qs8_limits *k = t->limits;
    for (size_t i = 0; i < 4 * lanes; i += 4) {
        if (memcmp(low + i, high + i, 4) == 0) continue;
        for (size_t j = i; j < i + 4; j++) {
            if (low[j] == high[j]) continue;
            const int32_t v = settled(sum[j], t, at[j / lanes] + j % lanes) + k->zero[0];
            y[j] = (uint8_t)krn_clamp(v, k->low[0], k->high[0]) ^ k->flip[0];
        }
    }
}
