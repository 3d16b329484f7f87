/* qs8case.c - random 8-bit products and what they have to give, by definition. Layer: tests. */
#include "tests/support/qs8case.h"

#include <math.h>
#include <string.h>

static size_t out_of(size_t in, size_t kernel, size_t stride, size_t dilation, ptrdiff_t pad)
{
    const size_t span = (kernel - 1) * dilation + 1, room = in + 2 * (size_t)pad;
    return room < span ? 0 : (room - span) / stride + 1;
}

void qs8_case_size(krn_window *w)
{
    w->out_h = out_of(w->in_h, w->kernel_h, w->stride_h, w->dilation_h, w->top);
    w->out_w = out_of(w->in_w, w->kernel_w, w->stride_w, w->dilation_w, w->left);
}

static int32_t byte_of(uint64_t *seed, qs8_filling f)
{
    if (f == QS8_LOWEST) return -128;
    if (f == QS8_HIGHEST) return 127;
    if (f == QS8_MIXED) return test_random(seed) & 1 ? 127 : -128;
    return (int32_t)(test_random(seed) % 256) - 128;
}

static check_guard guarded(size_t bytes, uint64_t seed)
{
    return seed & 1 ? check_guard_make(bytes) : check_guard_make_front(bytes);
}

/* The weight of output channel c for tap t and input d of its group. */
static int32_t weight_of(const qs8_case *c, size_t channel, size_t t, size_t d)
{
    const krn_window *w = &c->w;
    const int8_t *at = c->weights.data;
    const size_t depth = w->in_c / c->groups, taps = w->kernel_h * w->kernel_w;
    return c->depthwise ? at[t * w->out_c + channel] : at[(channel * taps + t) * depth + d];
}

static int32_t sum_of(const qs8_case *c, const uint8_t *x, size_t p, size_t channel)
{
    const krn_window *w = &c->w;
    const size_t depth = c->depthwise ? 1 : w->in_c / c->groups;
    const size_t first = c->depthwise ? channel : channel / (w->out_c / c->groups) * depth;
    int32_t sum = 0;
    for (size_t t = 0; t < w->kernel_h * w->kernel_w; t++) {
        const ptrdiff_t h =
            (ptrdiff_t)(p / w->out_w * w->stride_h + t / w->kernel_w * w->dilation_h) - w->top;
        const ptrdiff_t v =
            (ptrdiff_t)(p % w->out_w * w->stride_w + t % w->kernel_w * w->dilation_w) - w->left;
        if (h < 0 || v < 0 || h >= (ptrdiff_t)w->in_h || v >= (ptrdiff_t)w->in_w) continue;
        const uint8_t *q = x + ((size_t)h * w->in_w + (size_t)v) * w->in_c + first;
        for (size_t d = 0; d < depth; d++)
            sum += (krn_q8(q[d], c->source.is_unsigned) - c->source.zero) *
                   weight_of(c, channel, t, d);
    }
    return sum;
}

static void expect(qs8_case *c)
{
    const krn_window *w = &c->w;
    const size_t pixels = w->out_h * w->out_w;
    uint8_t *want = c->want.data;
    for (size_t r = 0; r < c->rows; r++)
        for (size_t p = 0; p < pixels; p++)
            for (size_t channel = 0; channel < w->out_c; channel++, want++) {
                const int32_t sum = sum_of(
                    c, (const uint8_t *)c->x.data + r * w->in_h * w->in_w * w->in_c, p, channel);
                krn_requant one = c->requant;
                one.scale += channel;
                one.real += channel;
                one.factor += channel;
                one.bias += channel;
                krn_qs8_requant_ref(want, &sum, &one, 1, 1, 1, 1);
            }
}

/* Factors that bring sums of k products to about the range of a byte; some are above 1. */
static void fill_factors(qs8_case *c, size_t k, uint64_t *seed)
{
    const float base = 1.0f / (64.0f * sqrtf((float)k));
    for (size_t i = 0; i < c->w.out_c; i++) {
        const float scale = base * test_uniform(seed, 0.3f, test_random(seed) % 8 ? 3.0f : 200.0f);
        ((float *)c->scale.data)[i] = scale;
        ((double *)c->real.data)[i] = (double)scale * 1.0000001;
        ((krn_factor *)c->factor.data)[i] = krn_factor_of((double)scale);
        ((int32_t *)c->bias.data)[i] = (int32_t)(test_random(seed) % 20001) - 10000;
    }
}

static void set_requant(qs8_case *c, uint64_t *seed)
{
    const int32_t low = c->source.out_unsigned ? 0 : -128;
    c->requant = (krn_requant){.round = (krn_round)(test_random(seed) % 3),
                               .scale = c->scale.data,
                               .real = c->real.data,
                               .factor = c->factor.data,
                               .bias = c->bias.data,
                               .zero = low + (int32_t)(test_random(seed) % 256),
                               .low = low,
                               .high = low + 255};
    if (test_random(seed) % 2) c->requant.low = c->requant.zero; /* ReLU */
    if (test_random(seed) % 4 == 0) c->requant.high -= 10;
    if (c->requant.high < c->requant.low) c->requant.high = c->requant.low;
}

qs8_case qs8_case_make(const krn_window *w, size_t groups, bool depthwise, uint64_t seed,
                       qs8_filling f)
{
    const size_t k = w->kernel_h * w->kernel_w * (depthwise ? 1 : w->in_c / groups);
    qs8_case c = {.w = *w, .groups = groups, .depthwise = depthwise, .rows = 1};
    if (w->in_h * w->in_w == 1 && !depthwise) c.rows = 1 + test_random(&seed) % 40;
    const size_t out = w->out_h * w->out_w * w->out_c * c.rows;
    c.x = guarded(w->in_h * w->in_w * w->in_c * c.rows, seed);
    c.weights = guarded(k * w->out_c, seed);
    c.want = guarded(out, seed);
    c.got = guarded(out, seed);
    c.scale = guarded(w->out_c * sizeof(float), seed);
    c.real = guarded(w->out_c * sizeof(double), seed);
    c.factor = guarded(w->out_c * sizeof(krn_factor), seed);
    c.bias = guarded(w->out_c * sizeof(int32_t), seed);
    c.source.is_unsigned = test_random(&seed) & 1;
    c.source.out_unsigned = test_random(&seed) & 1;
    c.source.zero = (c.source.is_unsigned ? 0 : -128) + (int32_t)(test_random(&seed) % 256);
    for (size_t i = 0; i < w->in_h * w->in_w * w->in_c * c.rows; i++)
        ((uint8_t *)c.x.data)[i] = (uint8_t)byte_of(&seed, f);
    c.source.four = f == QS8_FOURS;
    for (size_t i = 0; i < k * w->out_c; i++) {
        const int32_t v = byte_of(&seed, f == QS8_HIGHEST ? QS8_LOWEST : f);
        ((int8_t *)c.weights.data)[i] = (int8_t)(c.source.four ? v >> 4 : v);
    }
    fill_factors(&c, k, &seed);
    set_requant(&c, &seed);
    expect(&c);
    return c;
}

void qs8_case_free(qs8_case *c)
{
    check_guard *const all[] = {&c->x,     &c->weights, &c->want,   &c->got,
                                &c->scale, &c->real,    &c->factor, &c->bias};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        check_guard_free(all[i]);
}

static bool run_conv(qs8_case *c, const krn_qs8_tier *tier)
{
    const size_t bytes = krn_qs8_conv_bytes(tier, &c->source);
    krn_qs8_conv packed;
    if (!bytes) return false;
    check_guard memory = check_guard_make(bytes);
    krn_qs8_conv_pack(&packed, tier, &c->source, memory.data);
    const krn_window *w = &c->w;
    const size_t all = c->rows * w->out_h * w->out_w;
    check_guard scratch = check_guard_make(krn_round_up(krn_qs8_conv_scratch(&packed, all), 64));
    if (packed.flat)
        krn_qs8_conv_run(c->got.data, c->x.data, &packed, all, scratch.data);
    else
        for (size_t r = 0; r < c->rows; r++)
            krn_qs8_conv_run((uint8_t *)c->got.data + r * w->out_h * w->out_w * w->out_c,
                             (uint8_t *)c->x.data + r * w->in_h * w->in_w * w->in_c, &packed, 1,
                             scratch.data);
    check_guard_free(&scratch);
    check_guard_free(&memory);
    return true;
}

static bool run_depth(qs8_case *c, const krn_qs8_tier *tier)
{
    const size_t bytes = krn_qs8_depth_bytes(tier, &c->source);
    krn_qs8_depth packed;
    if (!bytes) return false;
    check_guard memory = check_guard_make(bytes);
    krn_qs8_depth_pack(&packed, tier, &c->source, memory.data);
    check_guard scratch = check_guard_make(krn_round_up(krn_qs8_depth_scratch(&packed), 64));
    memset(scratch.data, 0x5a, krn_qs8_depth_scratch(&packed));
    krn_qs8_depth_run(c->got.data, c->x.data, &packed, scratch.data);
    check_guard_free(&scratch);
    check_guard_free(&memory);
    return true;
}

bool qs8_case_run(qs8_case *c, const krn_qs8_tier *tier)
{
    c->source.w = c->weights.data;
    c->source.requant = &c->requant;
    c->source.window = c->w;
    c->source.groups = c->groups;
    memset(c->got.data, 0x5a, c->w.out_h * c->w.out_w * c->w.out_c * c->rows);
    return (c->depthwise ? run_depth : run_conv)(c, tier);
}

/* As the product of the file: c->source.zero taken off every x, with its weights taken together. */
static bool sums_fit(const qs8_case *c, const int32_t *got)
{
    const krn_window *w = &c->w;
    const size_t taps = w->kernel_h * w->kernel_w, depth = c->depthwise ? 1 : w->in_c / c->groups;
    for (size_t i = 0; i < c->rows * w->out_h * w->out_w * w->out_c; i++) {
        const size_t channel = i % w->out_c, p = i / w->out_c % (w->out_h * w->out_w);
        const size_t r = i / w->out_c / (w->out_h * w->out_w);
        const uint8_t *x = (const uint8_t *)c->x.data + r * w->in_h * w->in_w * w->in_c;
        int32_t all = 0;
        for (size_t t = 0; t < taps * depth; t++)
            all += weight_of(c, channel, t / depth, t % depth);
        if (got[i] - c->source.zero * all != sum_of(c, x, p, channel)) return false;
    }
    return true;
}

static void run_sums(const qs8_case *c, const krn_qs8_tier *tier, const krn_qs8_source *s,
                     int32_t *y)
{
    const krn_window *w = &c->w;
    const size_t all = c->rows * w->out_h * w->out_w;
    krn_qs8_conv conv;
    krn_qs8_depth depth;
    check_guard memory =
        check_guard_make((c->depthwise ? krn_qs8_depth_bytes : krn_qs8_conv_bytes)(tier, s));
    if (c->depthwise)
        krn_qs8_depth_pack(&depth, tier, s, memory.data);
    else
        krn_qs8_conv_pack(&conv, tier, s, memory.data);
    check_guard scratch = check_guard_make(krn_round_up(
        c->depthwise ? krn_qs8_depth_scratch(&depth) : krn_qs8_conv_scratch(&conv, all), 64));
    const size_t rows = !c->depthwise && conv.flat ? 1 : c->rows;
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *x = (const uint8_t *)c->x.data + r * w->in_h * w->in_w * w->in_c;
        int32_t *to = y + r * w->out_h * w->out_w * w->out_c;
        if (c->depthwise)
            krn_qs8_depth_sums(to, x, &depth, c->source.zero, scratch.data);
        else
            krn_qs8_conv_sums(to, x, &conv, all, c->source.zero, scratch.data);
    }
    check_guard_free(&scratch);
    check_guard_free(&memory);
}

bool qs8_case_sums(const qs8_case *c, const krn_qs8_tier *tier)
{
    const krn_window *w = &c->w;
    krn_qs8_source s = c->source;
    s.requant = NULL;
    s.zero = 0;
    check_guard y = check_guard_make(c->rows * w->out_h * w->out_w * w->out_c * sizeof(int32_t));
    run_sums(c, tier, &s, y.data);
    const bool fits = sums_fit(c, y.data);
    check_guard_free(&y);
    return fits;
}
