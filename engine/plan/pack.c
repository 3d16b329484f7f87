/* pack.c - weights of products into the layout of their kernel, with scales and biases.
 * Layer: plan. Thread rule: no shared state. */
#include "engine/plan/layer.h"

#include "engine/base/mem.h"

#include <math.h>
#include <string.h>

static nf_status no_memory(nf_error *err, const ir_tensor *w)
{
    return nf_fail(err, NF_ENOMEM, w->name, "no memory to pack %zu bytes of weights", w->bytes);
}

static const ir_tensor *bias_of(const ir_graph *g, const ir_node *n)
{
    return n->n_in > 2 && n->in[2] >= 0 ? &g->tensors[n->in[2]] : NULL;
}

/* Sizes, and what every product relies on. */
static nf_status sizes(plan_product *p, const ir_graph *g, const ir_node *n, nf_error *err)
{
    const ir_tensor *w = &g->tensors[n->in[1]];
    const ir_tensor *b = bias_of(g, n);
    if (!w->data || (b && !b->data))
        return nf_fail(err, NF_EUNSUPPORTED, w->name, "%s needs constant weights and bias",
                       ir_op_name(n->op));
    p->groups = n->op == IR_CONV_2D ? (size_t)n->attr.window.groups : 1;
    const size_t outputs = (size_t)w->dim[0];
    size_t all;
    ir_elems(&all, w, 1);
    p->n = outputs / p->groups;
    p->k = all / outputs;
    p->n_pad = krn_round_up(p->n, KRN_QS8_N);
    p->k_pad = krn_round_up(p->k, KRN_QS8_K);
    return NF_OK;
}

static nf_status bias_f32(plan_layer *l, const ir_graph *g, nf_error *err)
{
    plan_product *p = &l->product;
    const ir_tensor *b = bias_of(g, l->node);
    const size_t n = p->groups * p->n;
    p->bias_f32 = nf_alloc_array(n, sizeof(float), NF_MEM_WEIGHTS);
    if (!p->bias_f32) return no_memory(err, &g->tensors[l->node->in[1]]);
    if (b) memcpy(p->bias_f32, b->data, n * sizeof(float));
    return NF_OK;
}

/* The file has [outputs, k]; the product wants [k, n] a group. */
PLAN_PREPARE(plan_product_f32)
{
    plan_product *p = &l->product;
    const ir_tensor *w = &g->tensors[l->node->in[1]];
    nf_status st;
    if ((st = sizes(p, g, l->node, err))) return st;
    p->w_f32 = nf_alloc_array(p->groups * p->n * p->k, sizeof(float), NF_MEM_WEIGHTS);
    if (!p->w_f32) return no_memory(err, w);
    const float *from = (const float *)(const void *)w->data;
    for (size_t c = 0; c < p->groups * p->n; c++)
        for (size_t i = 0; i < p->k; i++)
            p->w_f32[(c / p->n * p->k + i) * p->n + c % p->n] = from[c * p->k + i];
    l->weight_bytes = (p->k + 1) * p->groups * p->n * sizeof(float);
    l->kernel_name = env->blas ? "krn_f32_gemm_blas" : "krn_f32_gemm_ref";
    return bias_f32(l, g, err);
}

static nf_status pack_q8(plan_layer *l, const ir_graph *g, const plan_env *env, nf_error *err)
{
    plan_product *p = &l->product;
    const ir_tensor *w = &g->tensors[l->node->in[1]];
    nf_status st;
    if ((st = sizes(p, g, l->node, err))) return st;
    if (w->dtype != ENG_I8)
        return nf_fail(err, NF_EUNSUPPORTED, w->name, "8-bit weights must be INT8, these are %s",
                       eng_dtype_oip(w->dtype));
    if (p->k > KRN_QS8_MAX_K)
        return nf_fail(err, NF_EUNSUPPORTED, w->name, "%zu inputs an output, the limit is %d", p->k,
                       KRN_QS8_MAX_K);
    if (w->quant.n > 1 && (w->quant.axis != 0 || w->quant.n != p->groups * p->n))
        return nf_fail(err, NF_EUNSUPPORTED, w->name, "scales must run along the outputs");
    for (size_t i = 0; i < w->quant.n; i++)
        if (w->quant.zero[i])
            return nf_fail(err, NF_EUNSUPPORTED, w->name, "weights with zero point %d",
                           w->quant.zero[i]);
    p->w_q8 = nf_alloc(p->groups * p->n_pad * p->k_pad, NF_MEM_WEIGHTS);
    if (!p->w_q8) return no_memory(err, w);
    for (size_t i = 0; i < p->groups; i++)
        krn_qs8_pack(p->w_q8 + i * p->n_pad * p->k_pad, (const int8_t *)w->data + i * p->n * p->k,
                     p->n, p->k);
    l->weight_bytes = p->groups * p->n_pad * p->k_pad;
    l->kernel_name = env->qs8.gemm_name;
    return NF_OK;
}

/* The product of input and weight scale over the output's. TensorFlow takes the first product in
 * float for FULLY_CONNECTED with one scale, in double for all else. */
static double real_factor(const ir_tensor *x, const ir_tensor *w, const ir_tensor *y, size_t c,
                          ir_op op)
{
    const float sx = x->quant.scale[0], sw = w->quant.scale[w->quant.n > 1 ? c : 0];
    const double product =
        op == IR_FULLY_CONNECTED && w->quant.n == 1 ? (double)(sx * sw) : (double)sx * (double)sw;
    return product / (double)y->quant.scale[0];
}

/* XNNPACK and ONNX Runtime take all of it in float. */
static float float_factor(const ir_tensor *x, const ir_tensor *w, const ir_tensor *y, size_t c)
{
    return x->quant.scale[0] * w->quant.scale[w->quant.n > 1 ? c : 0] / y->quant.scale[0];
}

/* Factors and biases of `n` outputs, for either rounding. */
static nf_status requant(plan_layer *l, const ir_graph *g, size_t n, nf_error *err)
{
    plan_product *p = &l->product;
    const ir_tensor *x = &g->tensors[l->node->in[0]], *w = &g->tensors[l->node->in[1]];
    const ir_tensor *y = &g->tensors[l->node->out[0]], *b = bias_of(g, l->node);
    if (y->quant.n != 1 || x->quant.n != 1 || (y->dtype != ENG_I8 && y->dtype != ENG_U8))
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "8-bit input needs an output of its kind");
    if (b && b->dtype != ENG_I32)
        return nf_fail(err, NF_EUNSUPPORTED, b->name, "bias of an 8-bit product must be INT32");
    p->scale = nf_alloc_array(n, sizeof(float), NF_MEM_WEIGHTS);
    p->real = nf_alloc_array(n, sizeof(double), NF_MEM_WEIGHTS);
    p->factor = nf_alloc_array(n, sizeof(krn_factor), NF_MEM_WEIGHTS);
    p->bias_q8 = nf_alloc_array(n, sizeof(int32_t), NF_MEM_WEIGHTS);
    if (!p->scale || !p->real || !p->factor || !p->bias_q8) return no_memory(err, w);
    for (size_t c = 0; c < n; c++) {
        const double real = real_factor(x, w, y, c, l->node->op);
        p->scale[c] = float_factor(x, w, y, c);
        if (!(real < 1e6) || !isfinite(p->scale[c]))
            return nf_fail(err, NF_EFORMAT, y->name, "scale of output %zu is %g times too large", c,
                           real);
        p->real[c] = real;
        p->factor[c] = krn_factor_of(real);
    }
    if (b) memcpy(p->bias_q8, b->data, n * sizeof(int32_t));
    l->weight_bytes += n * (sizeof(float) + sizeof(double) + sizeof(krn_factor) + sizeof(int32_t));
    /* found by comparing ties and whole layers with TensorFlow 2.21 */
    const bool away = l->round == KRN_ROUND_FIXED && l->node->op == IR_FULLY_CONNECTED;
    p->requant = (krn_requant){.round = away ? KRN_ROUND_AWAY : l->round,
                               .scale = p->scale,
                               .real = p->real,
                               .factor = p->factor,
                               .bias = p->bias_q8,
                               .zero = y->quant.zero[0],
                               .low = l->low,
                               .high = l->high};
    return NF_OK;
}

PLAN_PREPARE(plan_product_q8)
{
    const nf_status st = pack_q8(l, g, env, err);
    return st ? st : requant(l, g, l->product.groups * l->product.n, err);
}

PLAN_PREPARE(plan_product_hybrid)
{
    plan_product *p = &l->product;
    const ir_tensor *w = &g->tensors[l->node->in[1]];
    nf_status st;
    if ((st = pack_q8(l, g, env, err)) || (st = bias_f32(l, g, err))) return st;
    p->scale = nf_alloc_array(p->groups * p->n, sizeof(float), NF_MEM_WEIGHTS);
    if (!p->scale) return no_memory(err, w);
    for (size_t c = 0; c < p->groups * p->n; c++)
        p->scale[c] = w->quant.scale[w->quant.n > 1 ? c : 0];
    /* TensorFlow: images meet per-channel weights asymmetrically, whatever their flag says */
    p->symmetric = l->node->op == IR_CONV_2D ? w->quant.n == 1 && !l->node->attr.window.asymmetric
                                             : !l->node->attr.dense.asymmetric;
    return NF_OK;
}

/* Depthwise weights [1, kh, kw, channels] are already in the order of their kernel. */
static nf_status depthwise(plan_layer *l, const ir_graph *g, size_t elem, void **to, nf_error *err)
{
    const ir_tensor *w = &g->tensors[l->node->in[1]], *b = bias_of(g, l->node);
    if (!w->data || (b && !b->data))
        return nf_fail(err, NF_EUNSUPPORTED, w->name, "needs constant weights and bias");
    size_t all;
    ir_elems(&all, w, 1);
    l->product.groups = 1;
    l->product.n = (size_t)w->dim[w->rank - 1];
    l->product.k = all / l->product.n;
    l->weight_bytes = all * elem;
    *to = nf_alloc_array(all, elem, NF_MEM_WEIGHTS);
    if (!*to) return no_memory(err, w);
    memcpy(*to, w->data, all * elem);
    return NF_OK;
}

PLAN_PREPARE(plan_depthwise_f32)
{
    void *w = NULL;
    (void)env;
    const nf_status st = depthwise(l, g, sizeof(float), &w, err);
    l->product.w_f32 = w;
    return st ? st : bias_f32(l, g, err);
}

PLAN_PREPARE(plan_depthwise_q8)
{
    const ir_tensor *weights = &g->tensors[l->node->in[1]];
    void *w = NULL;
    (void)env;
    if (weights->dtype != ENG_I8)
        return nf_fail(err, NF_EUNSUPPORTED, weights->name, "8-bit weights must be INT8");
    if (weights->quant.n > 1 && weights->quant.axis != weights->rank - 1)
        return nf_fail(err, NF_EUNSUPPORTED, weights->name, "scales must run along the channels");
    for (size_t i = 0; i < weights->quant.n; i++)
        if (weights->quant.zero[i])
            return nf_fail(err, NF_EUNSUPPORTED, weights->name, "weights with a zero point");
    const nf_status st = depthwise(l, g, 1, &w, err);
    l->product.w_q8 = w;
    if (!st && l->product.k > KRN_QS8_MAX_K)
        return nf_fail(err, NF_EUNSUPPORTED, weights->name, "%zu taps, the limit is %d",
                       l->product.k, KRN_QS8_MAX_K);
    return st ? st : requant(l, g, l->product.n, err);
}
