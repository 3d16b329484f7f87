/* pass_numbers.c - changes of number format: all to float for the cloud, weights to 8 bits for the
 * edge, constants folded. Layer: passes. */
#include "engine/passes/pass.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_qs8.h"

#include <float.h>
#include <math.h>
#include <string.h>

static int32_t integer_at(const ir_tensor *t, size_t i)
{
    switch (t->dtype) {
    case ENG_I8:
        return (int8_t)t->data[i];
    case ENG_U8:
        return t->data[i];
    case ENG_I16:
        return ((const int16_t *)(const void *)t->data)[i];
    default:
        return ((const int32_t *)(const void *)t->data)[i];
    }
}

static bool is_quantized(const ir_tensor *t)
{
    const eng_dtype d = t->dtype;
    return t->quant.n && (d == ENG_I8 || d == ENG_U8 || d == ENG_I16 || d == ENG_I32);
}

/* The constant content of `from` as floats into `to`, which may be the same tensor. */
static nf_status dequantize_data(ir_tensor *to, const ir_tensor *from, nf_error *err)
{
    size_t n;
    ir_elems(&n, from, 1);
    float *x = nf_alloc_array(n, sizeof(*x), NF_MEM_GRAPH);
    if (!x) return nf_fail(err, NF_ENOMEM, from->name, "no memory for %zu floats", n);
    for (size_t i = 0; i < n; i++) {
        const size_t c = pass_channel(from, i);
        x[i] = (float)(integer_at(from, i) - (int64_t)from->quant.zero[c]) * from->quant.scale[c];
    }
    to->dtype = ENG_F32;
    nf_free(to->data);
    to->data = (uint8_t *)x;
    to->bytes = n * sizeof(*x);
    return NF_OK;
}

static bool is_whole_bias(const ir_tensor *b)
{
    return b->dtype == ENG_I32 || b->dtype == ENG_I64; /* I64: of INT16 activations */
}

static double bias_at(const ir_tensor *b, size_t i)
{
    return b->dtype == ENG_I64 ? (double)((const int64_t *)(const void *)b->data)[i]
                               : (double)integer_at(b, i);
}

/* A bias without scales of its own is in units of input scale times weight scale. */
static nf_status scale_bias(ir_graph *g, ir_node *n, nf_error *err)
{
    int32_t fresh;
    nf_status st;
    if (n->n_in < 3 || n->in[2] < 0 || !is_whole_bias(&g->tensors[n->in[2]])) return NF_OK;
    const char *name = g->tensors[n->in[2]].name;
    if ((st = ir_spend(g, g->tensors[n->in[2]].bytes, err))) return st;
    if ((st = ir_add_tensor(&fresh, g, name, strlen(name), ENG_F32, err))) return st;
    const ir_tensor *b = &g->tensors[n->in[2]], *w = &g->tensors[n->in[1]];
    const ir_tensor *x = &g->tensors[n->in[0]];
    if (!b->data || x->quant.n != 1 || !w->quant.n)
        return nf_fail(err, NF_EUNSUPPORTED, b->name, "integer bias without scales");
    ir_tensor *t = &g->tensors[fresh];
    size_t channels;
    ir_elems(&channels, b, 1);
    float *y = nf_alloc_array(channels, sizeof(*y), NF_MEM_GRAPH);
    if (!y) return nf_fail(err, NF_ENOMEM, b->name, "no memory for %zu biases", channels);
    for (size_t c = 0; c < channels; c++)
        y[c] = (float)(bias_at(b, c) * (double)x->quant.scale[0] *
                       (double)w->quant.scale[w->quant.n > 1 ? c : 0]);
    t->rank = b->rank;
    memcpy(t->dim, b->dim, sizeof(t->dim));
    st = ir_set_data(t, (nf_bytes){(const uint8_t *)y, channels * sizeof(*y)}, err);
    nf_free(y);
    n->in[2] = fresh;
    return st;
}

static nf_status dequantize_tensor(ir_tensor *t, nf_error *err)
{
    nf_status st;
    if (!is_quantized(t)) return NF_OK;
    if (t->data && (st = dequantize_data(t, t, err))) return st;
    t->dtype = ENG_F32;
    return ir_set_quant(t, 0, NULL, NULL, 0, err);
}

/* The real numbers that a tensor of integers can hold. */
static ir_clamp range_of(const ir_tensor *t)
{
    static const struct {
        double least, most;
    } of[ENG_DTYPE_COUNT] = {[ENG_I8] = {INT8_MIN, INT8_MAX},
                             [ENG_U8] = {0, UINT8_MAX},
                             [ENG_I16] = {INT16_MIN, INT16_MAX},
                             [ENG_I32] = {INT32_MIN, INT32_MAX}};
    const double scale = (double)t->quant.scale[0], zero = t->quant.zero[0];
    return (ir_clamp){(float)((of[t->dtype].least - zero) * scale),
                      (float)((of[t->dtype].most - zero) * scale)};
}

/* The limits of its integers become limits of the node: a quantizer leaves out a RELU that they
 * stand for. */
static void keep_limits(const ir_graph *g, ir_node *n)
{
    const ir_tensor *y = &g->tensors[n->out[0]];
    if (n->dead || !is_quantized(y) || y->quant.n != 1) return;
    if (n->op == IR_QUANTIZE && !g->tensors[n->in[0]].data) {
        n->op = IR_CLAMP;
        n->attr = (ir_attr){.clamp = {.clamp = ir_no_clamp()}};
    }
    ir_clamp *limits = ir_node_clamp(n);
    if (limits) pass_narrow(limits, range_of(y));
}

/* Recurrent operators in 8 bits have parameters and states that only make sense as integers: a
 * model that has one stays as it is, and says so by its precision. */
static bool stays_integer(const ir_graph *g)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *n = &g->nodes[i];
        const bool recurrent = n->op == IR_UNIDIRECTIONAL_SEQUENCE_LSTM || n->op == IR_SVDF;
        if (recurrent && is_quantized(&g->tensors[n->in[0]])) return true;
    }
    return false;
}

nf_status pass_dequantize(ir_graph *g, const eng_options *o, nf_error *err)
{
    nf_status st = NF_OK;
    (void)o;
    if (stays_integer(g)) return NF_OK;
    for (size_t i = 0; i < g->n_nodes && !st; i++)
        if (!g->nodes[i].dead && ir_is_product(g->nodes[i].op))
            st = scale_bias(g, &g->nodes[i], err);
    for (size_t i = 0; i < g->n_nodes; i++)
        keep_limits(g, &g->nodes[i]);
    for (size_t t = 0; t < g->n_tensors && !st; t++)
        st = dequantize_tensor(&g->tensors[t], err);
    for (size_t i = 0; i < g->n_nodes && !st; i++) {
        ir_node *n = &g->nodes[i];
        if (n->dead || (n->op != IR_QUANTIZE && n->op != IR_DEQUANTIZE)) continue;
        if (g->tensors[n->in[0]].dtype == g->tensors[n->out[0]].dtype) pass_make_view(g, n);
    }
    return st;
}

#define COARSE 7  /* steps to a side of 4-bit weights */
#define SCALES 16 /* that are tried for them */

int pass_weight_steps(const eng_options *o)
{
    return o->precision == ENG_PREC_INT4 ? COARSE : 127;
}

static double square_error(const float *w, size_t n, size_t step, float scale)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const float v = w[i * step], near = rintf(v / scale);
        const double e = (double)v - (double)(fmaxf(-COARSE, fminf(COARSE, near)) * scale);
        sum += e * e;
    }
    return sum;
}

float pass_weight_scale(const float *w, size_t n, size_t step, int most)
{
    float largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmaxf(largest, fabsf(w[i * step]));
    const float whole = largest / (float)most;
    float best = whole;
    if (most != COARSE || !(whole / 2 >= FLT_MIN)) return whole;
    double least = square_error(w, n, step, whole);
    for (int i = 1; i < SCALES; i++) {
        const float scale = whole * (1 - 0.5f * (float)i / SCALES);
        const double error = square_error(w, n, step, scale);
        if (error >= least) continue;
        least = error;
        best = scale;
    }
    return best;
}

/* One row of k weights; its scale. */
static float quantize_row(int8_t *q, const float *w, size_t k, int most)
{
    const float found = pass_weight_scale(w, k, 1, most);
    const float scale = found >= FLT_MIN ? found : 1; /* else all of them become 0 */
    for (size_t i = 0; i < k; i++)
        q[i] = (int8_t)krn_clamp(krn_round_float(w[i] / scale), -most, most);
    return scale;
}

/* A new INT8 tensor with one scale an output, from float weights [outputs, …]. */
static nf_status quantized_weights(int32_t *fresh, ir_graph *g, int32_t weights, int most,
                                   nf_error *err)
{
    const char *name = g->tensors[weights].name;
    float *scale = NULL;
    int8_t *q = NULL;
    nf_status st;
    if ((st = ir_spend(g, g->tensors[weights].bytes / sizeof(float), err))) return st;
    if ((st = ir_add_tensor(fresh, g, name, strlen(name), ENG_I8, err))) return st;
    const ir_tensor *w = &g->tensors[weights];
    ir_tensor *t = &g->tensors[*fresh];
    size_t all;
    ir_elems(&all, w, 1);
    const size_t rows = (size_t)w->dim[0], k = all / rows;
    q = nf_alloc(all, NF_MEM_GRAPH);
    scale = nf_alloc_array(rows, sizeof(*scale), NF_MEM_GRAPH);
    if (!q || !scale) {
        st = nf_fail(err, NF_ENOMEM, name, "no memory for %zu weights", all);
        goto done;
    }
    for (size_t r = 0; r < rows; r++)
        scale[r] = quantize_row(q + r * k, (const float *)(const void *)w->data + r * k, k, most);
    t->bits = most == COARSE ? 4 : 0;
    t->ours = true;
    t->rank = w->rank;
    memcpy(t->dim, w->dim, sizeof(t->dim));
    if ((st = ir_set_data(t, (nf_bytes){(const uint8_t *)q, all}, err))) goto done;
    st = ir_set_quant(t, rows, scale, NULL, 0, err);
done:
    nf_free(q);
    nf_free(scale);
    return st;
}

/* Float weights that an 8-bit kernel can stand for. */
static bool can_quantize(const ir_tensor *w)
{
    if (w->dtype != ENG_F32 || !w->data) return false;
    const size_t n = w->bytes / sizeof(float);
    return n / (size_t)w->dim[0] <= KRN_QS8_MAX_K &&
           pass_all_finite((const float *)(const void *)w->data, n);
}

nf_status pass_quantize_weights(ir_graph *g, const eng_options *o, nf_error *err)
{
    const int most = pass_weight_steps(o);
    nf_status st = NF_OK;
    for (size_t i = 0; i < g->n_nodes && !st; i++) {
        int32_t fresh;
        ir_node *n = &g->nodes[i];
        if (n->dead || (n->op != IR_CONV_2D && n->op != IR_FULLY_CONNECTED)) continue;
        if (g->tensors[n->in[0]].dtype != ENG_F32 || !can_quantize(&g->tensors[n->in[1]])) continue;
        if ((st = quantized_weights(&fresh, g, n->in[1], most, err))) break;
        n->in[1] = fresh;
        if (n->op == IR_CONV_2D)
            n->attr.window.asymmetric = true;
        else
            n->attr.dense.asymmetric = true;
    }
    return st;
}
