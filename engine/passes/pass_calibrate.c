/* pass_calibrate.c - a float graph and the ranges of its activations become INT8. Layer: passes.
 *
 * Products are quantized wherever their operands allow it; other operators only where they read
 * 8-bit values already, so that a lone addition stays what it is. QUANTIZE and DEQUANTIZE stand
 * where the two kinds meet. Scheme: TensorFlow Lite 8-bit quantization specification: activations
 * asymmetric, one scale a tensor, whose range holds 0; weights about zero in [-127, 127], or in
 * [-7, 7] where INT4 is asked for, one scale an output; bias INT32 in units of input scale times
 * weight scale. */
#include "engine/passes/pass.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_qs8_real.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MOST_FACTOR 1e4f        /* scale of an operand over the result's: all kernels take it */
#define BIAS_STEPS  16777216.0f /* 2^24: a bias is at most that many steps, far from overflow */

/* What becomes of an operator. */
enum way {
    STAY,      /* in float */
    PRODUCT,   /* weights and bias too; result of its own range */
    OWN,       /* result of its own range, from operand 0 */
    PAIR,      /* the same, from operands 0 and 1 */
    JOIN,      /* the same, all operands brought to the result's scale */
    SAME,      /* results of the scale of operand 0 */
    UNIT,      /* result 0 .. 1: scale 1/256, zero point -128 */
    SYMMETRIC, /* result -1 .. 1: scale 1/128, zero point 0 */
};

static const uint8_t ways[IR_OP_COUNT] = {
    [IR_CONV_2D] = PRODUCT,
    [IR_DEPTHWISE_CONV_2D] = PRODUCT,
    [IR_FULLY_CONNECTED] = PRODUCT,
    [IR_CLAMP] = OWN,
    [IR_LEAKY_RELU] = OWN,
    [IR_HARD_SWISH] = OWN,
    [IR_ELU] = OWN,
    [IR_GELU] = OWN,
    [IR_MEAN] = OWN,
    [IR_ADD] = PAIR,
    [IR_SUB] = PAIR,
    [IR_MUL] = PAIR,
    [IR_CONCATENATION] = JOIN,
    [IR_MAX_POOL_2D] = SAME,
    [IR_AVERAGE_POOL_2D] = SAME,
    [IR_RESHAPE] = SAME,
    [IR_IDENTITY] = SAME,
    [IR_SQUEEZE] = SAME,
    [IR_UNSQUEEZE] = SAME,
    [IR_TRANSPOSE] = SAME,
    [IR_PAD] = SAME,
    [IR_SLICE] = SAME,
    [IR_STRIDED_SLICE] = SAME,
    [IR_SPLIT] = SAME,
    [IR_SPACE_TO_DEPTH] = SAME,
    [IR_DEPTH_TO_SPACE] = SAME,
    [IR_SOFTMAX] = UNIT,
    [IR_LOGISTIC] = UNIT,
    [IR_TANH] = SYMMETRIC,
};

typedef struct affine {
    float scale;
    int32_t zero;
} affine;

typedef struct job {
    ir_graph *g;
    const pass_range *ranges; /* [n] */
    size_t n;                 /* tensors before the pass */
    int32_t *q8;              /* [n]: the INT8 tensor that stands for it, or IR_NONE */
    bool *made;               /* [n]: it comes from an 8-bit node */
    int most;                 /* largest weight of a product but the depthwise one */
    nf_error *err;
} job;

/* 256 steps from low to high, 0 being one of them. */
static affine affine_of(float low, float high)
{
    const double least = fmin((double)low, 0), most = fmax((double)high, 0);
    double step = (most - least) / 255;
    if (!(step >= (double)FLT_MIN)) step = 1; /* nothing but zeros */
    return (affine){(float)step, krn_clamp((int32_t)rint(-128 - least / step), -128, 127)};
}

static pass_range range_of_data(const ir_tensor *t)
{
    const float *v = (const float *)(const void *)t->data;
    const size_t n = t->bytes / sizeof(*v);
    pass_range r = {.seen = pass_all_finite(v, n)};
    for (size_t i = 0; i < n; i++) {
        r.low = fminf(r.low, v[i]);
        r.high = fmaxf(r.high, v[i]);
    }
    return r;
}

static pass_range range_of(const job *j, int32_t t)
{
    const ir_tensor *x = &j->g->tensors[t];
    return x->data && x->dtype == ENG_F32 ? range_of_data(x) : j->ranges[t];
}

/* As it is or as it would be quantized. */
static affine affine_at(const job *j, int32_t t)
{
    const pass_range r = range_of(j, t);
    if (j->q8[t] == IR_NONE) return affine_of(r.low, r.high);
    const ir_quant *q = &j->g->tensors[j->q8[t]].quant;
    return (affine){q->scale[0], q->zero[0]};
}

static bool can_stand(const job *j, int32_t t)
{
    return t >= 0 && j->g->tensors[t].dtype == ENG_F32 && !j->g->tensors[t].variable &&
           range_of(j, t).seen;
}

static int32_t count_operands(const ir_node *n)
{
    return ways[n->op] == JOIN ? n->n_in : ways[n->op] == PAIR ? 2 : 1;
}

static size_t outputs_of(const ir_tensor *w, ir_op op)
{
    return (size_t)w->dim[op == IR_DEPTHWISE_CONV_2D ? 3 : 0];
}

/* The output that weight i belongs to: the last axis of a depthwise kernel, else the first. */
static size_t output_at(ir_op op, size_t i, size_t outputs, size_t all)
{
    return op == IR_DEPTHWISE_CONV_2D ? i % outputs : i / (all / outputs);
}

static const float *floats_of(const ir_tensor *t)
{
    return (const float *)(const void *)t->data;
}

/* Constant float weights of a size that the 8-bit kernels sum up, and a constant bias. */
static bool weights_fit(const ir_graph *g, const ir_node *n)
{
    const ir_tensor *w = &g->tensors[n->in[1]];
    const ir_tensor *b = n->n_in > 2 && n->in[2] >= 0 ? &g->tensors[n->in[2]] : NULL;
    if (w->dtype != ENG_F32 || !w->data || (n->op == IR_DEPTHWISE_CONV_2D && w->rank != 4))
        return false;
    const size_t all = w->bytes / sizeof(float);
    if (!all || all / outputs_of(w, n->op) > KRN_QS8_MAX_K) return false;
    if (!pass_all_finite(floats_of(w), all)) return false;
    return !b || (b->dtype == ENG_F32 && b->data &&
                  pass_all_finite(floats_of(b), b->bytes / sizeof(float)));
}

/* PAD with 0 in real units needs no value: that is what it pads with. */
static bool pads_with_zero(const ir_graph *g, const ir_node *n)
{
    if (n->n_in < 3 || n->in[2] < 0) return true;
    const ir_tensor *v = &g->tensors[n->in[2]];
    return v->data && v->dtype == ENG_F32 && v->bytes == sizeof(float) && *floats_of(v) == 0;
}

static bool last_axis(const ir_graph *g, const ir_node *n)
{
    return n->attr.softmax.axis == g->tensors[n->in[0]].rank - 1;
}

static bool constant_axes(const ir_graph *g, const ir_node *n)
{
    return n->n_in < 2 || n->in[1] < 0 || g->tensors[n->in[1]].data;
}

static bool rises(const ir_graph *g, const ir_node *n)
{
    (void)g;
    return n->attr.scalar.alpha >= 0;
}

/* The 8-bit ELU has no slope. */
static bool plain_elu(const ir_graph *g, const ir_node *n)
{
    (void)g;
    return n->attr.scalar.alpha == 1;
}

/* The 8-bit mean counts no padding. */
static bool counts_pixels(const ir_graph *g, const ir_node *n)
{
    const ir_window *w = &n->attr.window;
    (void)g;
    return !w->count_pad || w->pad == IR_PAD_VALID ||
           (w->pad == IR_PAD_EXPLICIT && !(w->top | w->left | w->bottom | w->right));
}

/* What an operator needs beside ranges; NULL = nothing. */
static bool (*const also[IR_OP_COUNT])(const ir_graph *g, const ir_node *n) = {
    [IR_CONV_2D] = weights_fit,
    [IR_DEPTHWISE_CONV_2D] = weights_fit,
    [IR_FULLY_CONNECTED] = weights_fit,
    [IR_PAD] = pads_with_zero,
    [IR_SOFTMAX] = last_axis,
    [IR_MEAN] = constant_axes,
    [IR_LEAKY_RELU] = rises,
    [IR_ELU] = plain_elu,
    [IR_AVERAGE_POOL_2D] = counts_pixels,
};

/* The kernels' factors have their limits: far beyond those nothing is left in 8 bits anyway. */
static bool scales_fit(const job *j, const ir_node *n)
{
    const uint8_t way = ways[n->op];
    if (way == SAME || way == UNIT || way == SYMMETRIC) return true;
    if (!can_stand(j, n->out[0])) return false;
    const float y = affine_at(j, n->out[0]).scale;
    float most = 0;
    for (int32_t i = 0; i < count_operands(n); i++)
        most = fmaxf(most, affine_at(j, n->in[i]).scale / y);
    if (n->op == IR_HARD_SWISH) return most < 32;
    if (n->op == IR_MUL)
        return affine_at(j, n->in[0]).scale * affine_at(j, n->in[1]).scale / y < MOST_FACTOR;
    if (way == PRODUCT) return isfinite(most);
    return most < MOST_FACTOR && most > 1 / MOST_FACTOR;
}

static bool can_quantize(const job *j, const ir_node *n)
{
    bool reads = ways[n->op] == PRODUCT;
    if (ways[n->op] == STAY) return false;
    for (int32_t i = 0; i < count_operands(n); i++) {
        if (!can_stand(j, n->in[i])) return false;
        reads |= j->q8[n->in[i]] != IR_NONE && !j->g->tensors[n->in[i]].data;
    }
    for (int32_t i = 0; i < n->n_out; i++)
        if (n->out[i] >= 0 && j->g->tensors[n->out[i]].dtype != ENG_F32) return false;
    return reads && (!also[n->op] || also[n->op](j->g, n)) && scales_fit(j, n);
}

/* A new tensor of the shape and name of `like`. */
static nf_status add_like(int32_t *index, const job *j, int32_t like, eng_dtype dtype)
{
    const char *name = j->g->tensors[like].name; /* on the heap: stays where it is */
    const nf_status st = ir_add_tensor(index, j->g, name, strlen(name), dtype, j->err);
    if (st) return st;
    ir_tensor *t = &j->g->tensors[*index];
    const ir_tensor *from = &j->g->tensors[like];
    t->rank = from->rank;
    memcpy(t->dim, from->dim, sizeof(t->dim));
    return NF_OK;
}

static nf_status add_q8(int32_t *index, const job *j, int32_t like, affine a)
{
    const nf_status st = add_like(index, j, like, ENG_I8);
    return st ? st : ir_set_quant(&j->g->tensors[*index], 1, &a.scale, &a.zero, 0, j->err);
}

static nf_status quantize_constant(int32_t *index, const job *j, int32_t t)
{
    const affine a = affine_at(j, t);
    const size_t n = j->g->tensors[t].bytes / sizeof(float);
    nf_status st;
    if ((st = ir_spend(j->g, n, j->err)) || (st = add_q8(index, j, t, a))) return st;
    uint8_t *q = nf_alloc(n + 1, NF_MEM_GRAPH);
    if (!q) return nf_fail(j->err, NF_ENOMEM, "calibrate", "no memory for %zu numbers", n);
    const krn_qs8_steps to = krn_qs8_steps_to(a.scale, a.zero, false, false);
    krn_qs8_real_ref.bytes(q, floats_of(&j->g->tensors[t]), n, &to);
    return ir_take_data(&j->g->tensors[*index], q, n, j->err);
}

/* *end, a float tensor, becomes the INT8 one that stands for it. */
static nf_status take_operand(const job *j, int32_t *end)
{
    const int32_t t = *end;
    nf_status st = NF_OK;
    if (j->q8[t] == IR_NONE && j->g->tensors[t].data) {
        st = quantize_constant(&j->q8[t], j, t);
    } else if (j->q8[t] == IR_NONE) {
        int32_t fresh;
        const affine a = affine_at(j, t);
        if ((st = add_q8(&fresh, j, t, a))) return st;
        st = ir_add_node(NULL, j->g, IR_QUANTIZE, &t, 1, fresh, j->err);
        j->q8[t] = fresh;
    }
    *end = j->q8[t];
    return st;
}

static nf_status take_result(const job *j, int32_t *end, affine a)
{
    int32_t fresh;
    const nf_status st = add_q8(&fresh, j, *end, a);
    if (st) return st;
    j->q8[*end] = fresh;
    j->made[*end] = true;
    *end = fresh;
    return NF_OK;
}

/* An operand of a join, at the scale of the result: what is float so far goes there at once. */
static nf_status join_operand(const job *j, int32_t *end, affine a)
{
    const affine have = affine_at(j, *end);
    const bool same = have.scale == a.scale && have.zero == a.zero;
    const bool real = j->q8[*end] == IR_NONE && !j->g->tensors[*end].data;
    int32_t fresh;
    nf_status st = NF_OK;
    if (same || !real) st = take_operand(j, end);
    if (st || same || (st = add_q8(&fresh, j, *end, a))) return st;
    const int32_t from = *end;
    *end = fresh;
    return ir_add_node(NULL, j->g, IR_QUANTIZE, &from, 1, fresh, j->err);
}

/* Depthwise weights stay of 8 bits: there are few of them, and as few in a sum. */
static int most_of(const job *j, ir_op op)
{
    return op == IR_DEPTHWISE_CONV_2D ? 127 : j->most;
}

/* Scales of weights; where a bias would then be more than BIAS_STEPS, or the weights are all 0,
 * larger ones. */
static void weight_scales(float *scale, const job *j, const ir_node *n, float x, float y)
{
    const ir_tensor *w = &j->g->tensors[n->in[1]];
    const float *bias = n->n_in > 2 && n->in[2] >= 0 ? floats_of(&j->g->tensors[n->in[2]]) : NULL;
    const float *v = floats_of(w);
    const size_t outputs = outputs_of(w, n->op), k = w->bytes / sizeof(float) / outputs;
    const bool last = n->op == IR_DEPTHWISE_CONV_2D; /* outputs run along the last axis */
    for (size_t c = 0; c < outputs; c++) {
        scale[c] =
            pass_weight_scale(v + (last ? c : c * k), k, last ? outputs : 1, most_of(j, n->op));
        if (bias) scale[c] = fmaxf(scale[c], fabsf(bias[c]) / x / BIAS_STEPS);
        if (!(scale[c] >= FLT_MIN)) scale[c] = fmaxf(y / x, FLT_MIN); /* any will do */
    }
}

static bool factors_fit(const float *scale, size_t n, float x, float y)
{
    for (size_t c = 0; c < n; c++)
        if (!isfinite(scale[c]) || !(x * scale[c] / y < MOST_FACTOR)) return false;
    return true;
}

static nf_status quantize_weights(int32_t *index, const job *j, const ir_node *n,
                                  const float *scale)
{
    const int32_t from = n->in[1];
    const size_t all = j->g->tensors[from].bytes / sizeof(float);
    const size_t outputs = outputs_of(&j->g->tensors[from], n->op);
    const int most = most_of(j, n->op);
    nf_status st;
    if ((st = ir_spend(j->g, all, j->err)) || (st = add_like(index, j, from, ENG_I8))) return st;
    int8_t *q = nf_alloc(all, NF_MEM_GRAPH);
    if (!q) return nf_fail(j->err, NF_ENOMEM, "calibrate", "no memory for %zu weights", all);
    const float *v = floats_of(&j->g->tensors[from]);
    for (size_t i = 0; i < all; i++) {
        const float s = scale[output_at(n->op, i, outputs, all)];
        q[i] = (int8_t)krn_clamp(krn_round_float(v[i] / s), -most, most);
    }
    ir_tensor *t = &j->g->tensors[*index];
    t->bits = most == 127 ? 0 : 4;
    t->ours = true;
    if ((st = ir_take_data(t, (uint8_t *)q, all, j->err))) return st;
    const int axis = n->op == IR_DEPTHWISE_CONV_2D ? 3 : 0;
    return ir_set_quant(t, outputs, scale, NULL, outputs > 1 ? axis : 0, j->err);
}

static nf_status quantize_bias(int32_t *index, const job *j, int32_t from, const float *scale,
                               float x)
{
    const size_t n = j->g->tensors[from].bytes / sizeof(float);
    nf_status st;
    if ((st = ir_spend(j->g, n * sizeof(int32_t), j->err)) ||
        (st = add_like(index, j, from, ENG_I32)))
        return st;
    int32_t *q = nf_alloc_array(n, sizeof(*q), NF_MEM_GRAPH);
    if (!q) return nf_fail(j->err, NF_ENOMEM, "calibrate", "no memory for %zu biases", n);
    const float *b = floats_of(&j->g->tensors[from]);
    for (size_t c = 0; c < n; c++)
        q[c] = (int32_t)rint((double)b[c] / ((double)x * (double)scale[c]));
    return ir_take_data(&j->g->tensors[*index], (uint8_t *)q, n * sizeof(*q), j->err);
}

/* Stays as it is when the kernels do not take its factors. n's own lists stay where they are, n
 * itself may move when a node is added. */
static nf_status quantize_product(const job *j, const ir_node *n)
{
    const ir_node node = *n;
    const affine x = affine_at(j, node.in[0]), y = affine_at(j, node.out[0]);
    const size_t outputs = outputs_of(&j->g->tensors[node.in[1]], node.op);
    const bool bias = node.n_in > 2 && node.in[2] >= 0;
    int32_t w8, b8 = IR_NONE;
    nf_status st = NF_OK;
    float *scale = nf_alloc_array(outputs, sizeof(*scale), NF_MEM_GRAPH);
    if (!scale) return nf_fail(j->err, NF_ENOMEM, "calibrate", "no memory for %zu scales", outputs);
    weight_scales(scale, j, &node, x.scale, y.scale);
    if (!factors_fit(scale, outputs, x.scale, y.scale)) goto done;
    if ((st = quantize_weights(&w8, j, &node, scale))) goto done;
    if (bias && (st = quantize_bias(&b8, j, node.in[2], scale, x.scale))) goto done;
    if ((st = take_operand(j, &node.in[0]))) goto done;
    node.in[1] = w8;
    if (bias) node.in[2] = b8;
    st = take_result(j, &node.out[0], y);
done:
    nf_free(scale);
    return st;
}

static affine result_affine(const job *j, const ir_node *n)
{
    if (ways[n->op] == SAME) return affine_at(j, n->in[0]);
    if (ways[n->op] == UNIT) return (affine){1.0f / 256, -128};
    if (ways[n->op] == SYMMETRIC) return (affine){1.0f / 128, 0};
    return affine_at(j, n->out[0]);
}

static nf_status quantize_other(const job *j, const ir_node *n)
{
    const ir_node node = *n;
    const affine y = result_affine(j, n);
    nf_status st = NF_OK;
    if (node.op == IR_PAD && node.n_in > 2) node.in[2] = IR_NONE;
    for (int32_t i = 0; i < count_operands(&node) && !st; i++)
        st = ways[node.op] == JOIN ? join_operand(j, &node.in[i], y) : take_operand(j, &node.in[i]);
    for (int32_t i = 0; i < node.n_out && !st; i++)
        if (node.out[i] >= 0) st = take_result(j, &node.out[i], y);
    return st;
}

/* Float tensors that 8-bit nodes make and somebody still reads get a DEQUANTIZE. */
static nf_status give_back(const job *j, size_t n_nodes)
{
    bool *read = pass_outputs(j->g);
    nf_status st = NF_OK;
    if (!read) return nf_fail(j->err, NF_ENOMEM, "calibrate", "no memory");
    for (size_t i = 0; i < n_nodes; i++)
        for (int32_t k = 0; k < j->g->nodes[i].n_in; k++)
            if (j->g->nodes[i].in[k] >= 0) read[j->g->nodes[i].in[k]] = true;
    for (size_t t = 0; t < j->n && !st; t++)
        if (read[t] && j->made[t])
            st = ir_add_node(NULL, j->g, IR_DEQUANTIZE, &j->q8[t], 1, (int32_t)t, j->err);
    nf_free(read);
    return st;
}

nf_status pass_calibrate(ir_graph *g, const pass_range *ranges, int most, nf_error *err)
{
    job j = {.g = g, .ranges = ranges, .n = g->n_tensors, .most = most, .err = err};
    const size_t n_nodes = g->n_nodes;
    nf_status st = NF_OK;
    j.q8 = nf_alloc_array(j.n + 1, sizeof(*j.q8), NF_MEM_GRAPH);
    j.made = nf_alloc_array(j.n + 1, sizeof(*j.made), NF_MEM_GRAPH);
    if (!j.q8 || !j.made) st = nf_fail(err, NF_ENOMEM, "calibrate", "no memory");
    for (size_t t = 0; j.q8 && t < j.n; t++)
        j.q8[t] = IR_NONE;
    for (size_t i = 0; i < n_nodes && !st; i++) {
        const ir_node *n = &g->nodes[i];
        if (!can_quantize(&j, n)) continue;
        st = ways[n->op] == PRODUCT ? quantize_product(&j, n) : quantize_other(&j, n);
    }
    if (!st) st = give_back(&j, n_nodes);
    nf_free(j.q8);
    nf_free(j.made);
    return st ? st : ir_graph_verify(g, err);
}
