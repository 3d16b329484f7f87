/* quant_rnn_ref.c - LSTM and SVDF on quantized values, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_quant_rnn.h"

#include <string.h>

static int16_t clamp16(int64_t v)
{
    return (int16_t)(v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v);
}

static int64_t clamp_to(int64_t v, int64_t most)
{
    return v < -most ? -most : v > most ? most : v;
}

/* A sum that wraps at 32 bits, as the kernels it stands for. */
static int32_t wrap(int64_t v)
{
    return (int32_t)(uint32_t)(uint64_t)v;
}

static int64_t dot(const int8_t *w, const void *x, krn_type type, int32_t zero, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (int64_t)w[i] * (krn_q_get(x, type, i) - zero);
    return sum;
}

/* Adds factor * (bias + w * x) to each gate value: of x, or of the state. */
static void add_product(int16_t *v, const krn_q_lstm *p, const krn_q_gate *g, const void *x,
                        bool is_state)
{
    const size_t n = is_state ? p->out : p->in;
    const int8_t *w = is_state ? g->r : g->w;
    const int64_t *bias = is_state || g->norm ? NULL : g->bias;
    const krn_factor f = is_state ? g->r_factor : g->w_factor;
    for (size_t c = 0; c < p->cells; c++) {
        const int64_t sum =
            dot(w + c * n, x, p->type, is_state ? p->zero : p->zero_x, n) + (bias ? bias[c] : 0);
        const int32_t part =
            p->type == KRN_I16 ? krn_scale_long(sum, f) : krn_scale_int(wrap(sum), f);
        v[c] = clamp16((int64_t)v[c] + part);
    }
}

/* To mean 0 and deviation 1 in Q10, times the norm's weights. */
static void normalize(int16_t *v, const krn_q_gate *g, size_t n)
{
    int64_t sum = 0, squares = 0;
    for (size_t c = 0; c < n; c++) {
        sum += v[c];
        squares += v[c] * v[c];
    }
    const int32_t mean = (int32_t)(sum * 1024 / (int64_t)n);
    const int64_t spread = squares * ((1 << 20) / (int64_t)n) - (int64_t)mean * mean;
    const int32_t variance = (int32_t)(spread / (1 << 20));
    const krn_factor inverse = krn_inverse_root(variance < 1 ? g->least_variance : variance);
    krn_factor out = g->norm_factor;
    out.shift += 12;
    for (size_t c = 0; c < n; c++) {
        const int32_t scaled = krn_scale_int(1024 * v[c] - mean, inverse);
        const int64_t sharp = (int64_t)scaled * g->norm[c] + (g->bias ? g->bias[c] : 0);
        const int32_t even = (int32_t)((sharp > 0 ? sharp + 512 : sharp - 512) / 1024);
        v[c] = clamp16(krn_scale_int(even, out));
    }
}

/* TensorFlow Lite gives peepholes to as many cells as there are outputs. */
static void apply_peephole(int16_t *v, const krn_q_lstm *p, const krn_q_gate *g,
                           const int16_t *cell)
{
    const size_t n = p->out < p->cells ? p->out : p->cells;
    for (size_t c = 0; c < n && g->peephole; c++)
        v[c] = clamp16((int64_t)v[c] + krn_scale_int(g->peephole[c] * cell[c], g->peephole_factor));
}

static int16_t sigmoid(const krn_q_lstm *p, int16_t v)
{
    return p->points ? krn_logistic16(p->points, 3 * v) : krn_logistic_fixed16(v);
}

/* tanh of x in units of 2^(power - bits already below the point); power -12: Q3.12. */
static int16_t tangent(const krn_q_lstm *p, int16_t v, int power)
{
    if (!p->points) return krn_tanh_fixed16(v, 15 + power);
    const int left = power + 12;
    const int32_t x =
        left < 0 ? (3 * v + (1 << (-left - 1))) >> -left : (int32_t)(v * (3 * (1 << left)));
    return krn_tanh16(p->points, x);
}

static void run_gate(int16_t *v, const krn_q_lstm *p, int which, const void *x, const void *h,
                     const int16_t *cell)
{
    const krn_q_gate *g = &p->gate[which];
    memset(v, 0, p->cells * sizeof(*v));
    add_product(v, p, g, x, false);
    add_product(v, p, g, h, true);
    apply_peephole(v, p, g, cell);
    if (g->norm) normalize(v, g, p->cells);
    for (size_t c = 0; c < p->cells; c++)
        v[c] = which == KRN_GATE_CELL ? tangent(p, v[c], -12) : sigmoid(p, v[c]);
}

/* cell = forget * cell + input * candidate */
static void update_cell(int16_t *cell, const int16_t *input, const int16_t *forget,
                        const int16_t *candidate, const krn_q_lstm *p)
{
    for (size_t c = 0; c < p->cells; c++) {
        const int32_t old = forget[c] * cell[c], new = input[c] * candidate[c];
        int32_t kept, fresh;
        if (p->points) {
            kept = clamp16(krn_scale_int(old, p->forget_factor));
            fresh = krn_scale_int(new, p->input_factor);
        } else {
            kept = (int16_t)krn_shift_right(old, 15);
            fresh = (int16_t)krn_shift_right(new, 30 + p->power);
        }
        cell[c] = clamp16((int64_t)kept + fresh);
        if (p->cell_clip > 0) cell[c] = (int16_t)clamp_to(cell[c], p->cell_clip);
    }
}

static void project(void *y, const int8_t *hidden, const krn_q_lstm *p)
{
    for (size_t o = 0; o < p->out; o++) {
        const int64_t sum = dot(p->proj + o * p->cells, hidden, KRN_I8, p->zero_hidden, p->cells);
        int64_t v =
            (int64_t)krn_scale_int(wrap(sum + (p->proj_b ? p->proj_b[o] : 0)), p->proj_factor) +
            p->zero;
        v = v < INT8_MIN ? INT8_MIN : v > INT8_MAX ? INT8_MAX : v;
        if (p->proj_clip > 0) v = clamp_to(v, p->proj_clip);
        krn_q_put(y, p->type, o, (int32_t)v);
    }
}

size_t krn_q_lstm_scratch(const krn_q_lstm *p)
{
    return 5 * p->cells;
}

void krn_q_lstm_step_ref(void *y, const void *x, void *h, int16_t *cell, const krn_q_lstm *p,
                         int16_t *scratch)
{
    const size_t n = p->cells;
    int16_t *input = scratch, *forget = input + n, *candidate = forget + n, *output = candidate + n;
    void *hidden = p->proj ? (void *)(output + n) : y;
    int32_t low, high;
    krn_q_range(&low, &high, p->type);
    run_gate(forget, p, KRN_GATE_FORGET, x, h, cell);
    run_gate(candidate, p, KRN_GATE_CELL, x, h, cell);
    if (!p->coupled) run_gate(input, p, KRN_GATE_INPUT, x, h, cell);
    for (size_t c = 0; c < n && p->coupled; c++)
        input[c] = (int16_t)(INT16_MAX - forget[c]);
    update_cell(cell, input, forget, candidate, p);
    run_gate(output, p, KRN_GATE_OUTPUT, x, h, cell);
    for (size_t c = 0; c < n; c++) {
        const int32_t product = output[c] * tangent(p, cell[c], p->power);
        const int64_t v = (int64_t)krn_scale_int(product, p->hidden) + p->zero_hidden;
        krn_q_put(hidden, p->type, c, (int32_t)(v < low ? low : v > high ? high : v));
    }
    if (p->proj) project(y, hidden, p);
    memcpy(h, y, p->out * (p->type == KRN_I16 ? 2 : 1));
}

/* The newest value of one filter, behind the ones that move up. */
static void push(void *state, const krn_q_svdf *p, size_t filter, const int8_t *x)
{
    const size_t size = p->state_type == KRN_I16 ? 2 : 1;
    char *row = (char *)state + filter * p->memory * size;
    int32_t low, high;
    krn_q_range(&low, &high, p->state_type);
    const int64_t sum = dot(p->feature + filter * p->in, x, KRN_I8, p->zero_x, p->in);
    const int32_t v = krn_scale_int(wrap(sum), p->in_factor);
    memmove(row, row + size, (p->memory - 1) * size);
    krn_q_put(row, p->state_type, p->memory - 1, v < low ? low : v > high ? high : v);
}

void krn_q_svdf_step_ref(int8_t *y, const int8_t *x, void *state, const krn_q_svdf *p)
{
    for (size_t f = 0; f < p->filters; f++)
        push(state, p, f, x);
    for (size_t u = 0; u < p->filters / p->rank; u++) {
        int64_t sum = p->bias ? p->bias[u] : 0;
        for (size_t i = u * p->rank * p->memory; i < (u + 1) * p->rank * p->memory; i++)
            sum +=
                (int64_t)krn_q_get(p->time, p->state_type, i) * krn_q_get(state, p->state_type, i);
        const int64_t v = (int64_t)krn_scale_int(wrap(sum), p->out_factor) + p->zero;
        y[u] = (int8_t)(v < p->low ? p->low : v > p->high ? p->high : v);
    }
}
