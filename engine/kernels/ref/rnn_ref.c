/* rnn_ref.c - steps of recurrent operators in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_rnn.h"

#include <math.h>
#include <string.h>

#define EACH(expr)                                                                                 \
    for (size_t i = 0; i < n; i++) {                                                               \
        const float v = x[i];                                                                      \
        x[i] = (expr);                                                                             \
    }                                                                                              \
    break

static float between(float v, float low, float high)
{
    return v < low ? low : v > high ? high : v;
}

void krn_f32_gate_ref(float *x, size_t n, const krn_gate *g)
{
    const float a = g->alpha, b = g->beta;
    switch (g->kind) {
    case KRN_GATE_NONE:
    case KRN_GATE_KINDS:
        break;
    case KRN_GATE_SIGMOID:
        (g->curve ? g->curve : krn_f32_curve_ref)(x, x, n, KRN_F32_SIGMOID);
        break;
    case KRN_GATE_TANH:
        (g->curve ? g->curve : krn_f32_curve_ref)(x, x, n, KRN_F32_TANH);
        break;
    case KRN_GATE_RELU:
        EACH(v > 0 ? v : 0);
    case KRN_GATE_RELU6:
        EACH(between(v, 0, 6));
    case KRN_GATE_AFFINE:
        EACH(a * v + b);
    case KRN_GATE_LEAKY_RELU:
        EACH(v >= 0 ? v : a * v);
    case KRN_GATE_THRESHOLDED_RELU:
        EACH(v >= a ? v : 0);
    case KRN_GATE_SCALED_TANH:
        EACH(a * tanhf(b * v));
    case KRN_GATE_HARD_SIGMOID:
        EACH(between(a * v + b, 0, 1));
    case KRN_GATE_ELU:
        EACH(v >= 0 ? v : a * (expf(v) - 1));
    case KRN_GATE_SOFTSIGN:
        EACH(v / (1 + fabsf(v)));
    case KRN_GATE_SOFTPLUS:
        EACH(logf(1 + expf(v)));
    }
}

void krn_f32_clip_ref(float *x, size_t n, float clip)
{
    for (size_t i = 0; clip > 0 && i < n; i++)
        x[i] = between(x[i], -clip, clip);
}

static void add_product(float *y, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += a[i] * b[i];
}

/* x = norm * (x - mean) / sqrt(variance) + bias. The constant keeps a line of equal numbers from
 * being divided by 0; TensorFlow Lite has the same. */
static void normalize(float *x, const float *norm, const float *bias, size_t n)
{
    float mean = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        mean += x[i];
        square += x[i] * x[i];
    }
    mean /= (float)n;
    const float factor = 1 / sqrtf(square / (float)n - mean * mean + 1e-8f);
    for (size_t i = 0; i < n; i++)
        x[i] = (x[i] - mean) * factor * norm[i] + bias[i];
}

/* One gate: g is 0 i, 1 o, 2 f, 3 candidate. */
static void gate(float *x, size_t g, const float *c, const krn_lstm *p)
{
    const size_t h = p->h;
    if (p->peephole && g < 3) add_product(x, p->peephole + g * h, c, h);
    if (p->norm) normalize(x, p->norm + g * h, p->norm_bias + g * h, h);
    krn_f32_clip_ref(x, h, p->clip);
    krn_f32_gate_ref(x, h, g == 3 ? &p->cell : &p->gate);
}

void krn_f32_lstm_ref(float *y, float *c, float *sums, const krn_lstm *p)
{
    const size_t h = p->h;
    float *in = sums, *out = sums + h, *forget = sums + 2 * h, *candidate = sums + 3 * h;
    if (p->couple != 2) gate(in, 0, c, p);
    if (p->couple != 1) gate(forget, 2, c, p);
    gate(candidate, 3, c, p);
    for (size_t i = 0; p->couple == 1 && i < h; i++)
        forget[i] = 1 - in[i];
    for (size_t i = 0; p->couple == 2 && i < h; i++)
        in[i] = 1 - forget[i];
    for (size_t i = 0; i < h; i++)
        c[i] = forget[i] * c[i] + in[i] * candidate[i];
    krn_f32_clip_ref(c, h, p->cell_clip);
    gate(out, 1, c, p);
    memcpy(y, c, h * sizeof(*y));
    krn_f32_gate_ref(y, h, &p->out);
    for (size_t i = 0; i < h; i++)
        y[i] *= out[i];
}

void krn_f32_gru_gates_ref(float *reset, float *sums, const float *h, const krn_gru *p)
{
    krn_f32_clip_ref(sums, 2 * p->h, p->clip);
    krn_f32_gate_ref(sums, 2 * p->h, &p->gate);
    for (size_t i = 0; reset && i < p->h; i++)
        reset[i] = sums[p->h + i] * h[i];
}

void krn_f32_gru_ref(float *h, float *sums, const float *part, bool times_r, const krn_gru *p)
{
    const float *z = sums, *r = sums + p->h;
    float *candidate = sums + 2 * p->h;
    for (size_t i = 0; i < p->h; i++)
        candidate[i] += times_r ? r[i] * part[i] : part[i];
    krn_f32_clip_ref(candidate, p->h, p->clip);
    krn_f32_gate_ref(candidate, p->h, &p->candidate);
    for (size_t i = 0; i < p->h; i++)
        h[i] = (1 - z[i]) * candidate[i] + z[i] * h[i];
}

static float logistic(float x)
{
    krn_f32_curve_ref(&x, &x, 1, KRN_F32_SIGMOID);
    return x;
}

/* The sum of gate g of cell i. */
static float gate_sum(const float *sums, const float *own, const krn_cells *p, size_t g, size_t i)
{
    const size_t at = g * p->n + i;
    return sums[at] + p->b[at] + own[at];
}

KRN_DECL_F32_LSTM_CELLS(krn_f32_lstm_cells_ref)
{
    for (size_t i = 0; i < p->n; i++) {
        const float in = logistic(gate_sum(sums, own, p, 0, i));
        const float out = logistic(gate_sum(sums, own, p, 1, i));
        const float forget = logistic(gate_sum(sums, own, p, 2, i));
        const float candidate = tanhf(gate_sum(sums, own, p, 3, i));
        c[i] = between(forget * c[i] + in * candidate, -p->clip, p->clip);
        y[i] = out * tanhf(c[i]);
    }
}

KRN_DECL_F32_GRU_RESET(krn_f32_gru_reset_ref)
{
    for (size_t i = 0; i < p->n; i++) {
        const float r = logistic(gate_sum(sums, own, p, 1, i));
        reset[i] = p->rb ? r : r * h[i];
        sums[i] = logistic(gate_sum(sums, own, p, 0, i));
    }
}

KRN_DECL_F32_GRU_CELLS(krn_f32_gru_cells_ref)
{
    const float *x = sums + 2 * p->n, *b = p->b + 2 * p->n;
    for (size_t i = 0; i < p->n; i++) {
        const float part = p->rb ? reset[i] * (own[i] + p->rb[i]) : own[i];
        h[i] = (1 - sums[i]) * tanhf(x[i] + b[i] + part) + sums[i] * h[i];
    }
}

void krn_f32_svdf_ref(float *y, float *state, const float *now, const krn_svdf *p)
{
    const float *time = p->time;
    for (size_t u = 0; u < p->units; u++) {
        float sum = p->bias ? p->bias[u] : 0;
        for (size_t f = 0; f < p->rank; f++, state += p->memory, time += p->memory) {
            memmove(state, state + 1, (p->memory - 1) * sizeof(*state));
            state[p->memory - 1] = *now++;
            for (size_t t = 0; t < p->memory; t++)
                sum += state[t] * time[t];
        }
        y[u] = sum;
    }
}
