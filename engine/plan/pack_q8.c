/* pack_q8.c - 8-bit weights of products into the layout of their kernel, with scales and biases.
 * Layer: plan. Thread rule: no shared state. */
#include "engine/plan/pack.h"
#include "engine/plan/q8.h"
#include "engine/plan/window.h"

#include "engine/base/mem.h"

#include <math.h>
#include <string.h>

static nf_status check_q8(plan_layer *l, const ir_graph *g, nf_error *err)
{
    plan_product *p = &l->product;
    const ir_tensor *w = &g->tensors[l->node->in[1]];
    nf_status st;
    if ((st = plan_product_sizes(p, g, l->node, err))) return st;
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
    return NF_OK;
}

/* For the plain kernels, and for floats on 8-bit weights. */
static nf_status pack_plain(plan_layer *l, const ir_graph *g, const plan_env *env, nf_error *err)
{
    plan_product *p = &l->product;
    const ir_tensor *w = &g->tensors[l->node->in[1]];
    p->w_q8 = nf_alloc(p->groups * p->n_pad * p->k_pad, NF_MEM_WEIGHTS);
    if (!p->w_q8) return plan_pack_no_memory(err, w);
    for (size_t i = 0; i < p->groups; i++)
        krn_qs8_pack(p->w_q8 + i * p->n_pad * p->k_pad, (const int8_t *)w->data + i * p->n * p->k,
                     p->n, p->k);
    l->weight_bytes += p->groups * p->n_pad * p->k_pad;
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
    const ir_tensor *y = &g->tensors[l->node->out[0]], *b = plan_bias_of(g, l->node);
    if (y->quant.n != 1 || x->quant.n != 1 || (y->dtype != ENG_I8 && y->dtype != ENG_U8))
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "8-bit input needs an output of its kind");
    if (b && b->dtype != ENG_I32)
        return nf_fail(err, NF_EUNSUPPORTED, b->name, "bias of an 8-bit product must be INT32");
    p->scale = nf_alloc_array(n, sizeof(float), NF_MEM_WEIGHTS);
    p->real = nf_alloc_array(n, sizeof(double), NF_MEM_WEIGHTS);
    p->factor = nf_alloc_array(n, sizeof(krn_factor), NF_MEM_WEIGHTS);
    p->bias_q8 = nf_alloc_array(n, sizeof(int32_t), NF_MEM_WEIGHTS);
    if (!p->scale || !p->real || !p->factor || !p->bias_q8) return plan_pack_no_memory(err, w);
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

/* What kernels pack from: the product of l, whose requantization is ready, as a window. */
static krn_qs8_source source_of(const plan_layer *l, const ir_graph *g)
{
    const ir_tensor *x = &g->tensors[l->node->in[0]], *w = &g->tensors[l->node->in[1]];
    const ir_tensor *y = &g->tensors[l->node->out[0]];
    krn_qs8_source s = {.w = (const int8_t *)w->data,
                        .requant = &l->product.requant,
                        .groups = l->product.groups,
                        .zero = l->zero,
                        .is_unsigned = l->is_unsigned,
                        .out_unsigned = y->dtype == ENG_U8,
                        .four = w->bits == 4};
    if (l->node->op == IR_FULLY_CONNECTED) {
        s.window = (krn_window){1, 1, l->product.k, 1, 1, l->product.n, 1, 1, 1, 1, 1, 1, 0, 0};
        return s;
    }
    size_t in[3], out[3];
    for (int i = 0; i < 3; i++) {
        in[i] = (size_t)x->dim[i + 1];
        out[i] = (size_t)y->dim[i + 1];
    }
    s.window = plan_window_of(&l->node->attr.window, in, out, (size_t)w->dim[1], (size_t)w->dim[2]);
    if (l->node->op == IR_DEPTHWISE_CONV_2D) s.window = plan_window_as_row(s.window);
    return s;
}

/* The arrays that only packing reads. */
static void free_requant(plan_product *p)
{
    nf_free(p->scale);
    nf_free(p->real);
    nf_free(p->factor);
    nf_free(p->bias_q8);
    p->scale = NULL;
    p->real = NULL;
    p->factor = NULL;
    p->bias_q8 = NULL;
}

/* The weights of each output taken together. */
static void add_weights(int32_t *to, const krn_qs8_source *s, bool across)
{
    const krn_window *w = &s->window;
    const size_t n = w->out_c;
    const size_t k = w->kernel_h * w->kernel_w * (across ? 1 : w->in_c / s->groups);
    for (size_t i = 0; i < n * k; i++)
        to[across ? i % n : i / k] += s->w[i];
}

/* Room for a packed layer, which becomes l->q8, and `bytes` behind it, then the sums of weights
 * where outputs are sums. */
static void *room_for(plan_layer *l, const krn_qs8_source *s, size_t bytes, bool across)
{
    const size_t own = krn_round_up(sizeof(*l->q8), 64), packed = krn_round_up(bytes, 64);
    const size_t sums = s->requant ? 0 : s->window.out_c * sizeof(int32_t);
    l->q8 = nf_alloc(own + packed + sums, NF_MEM_WEIGHTS);
    if (!l->q8) return NULL;
    l->weight_bytes = own + packed + sums;
    l->kernel_name = l->qs8.tier->name;
    if (!s->requant) {
        int32_t *weights = (int32_t *)(void *)((char *)l->q8 + own + packed);
        add_weights(weights, s, across);
        l->q8->out.weights = weights;
    }
    return (char *)l->q8 + own;
}

bool plan_is_open(const ir_tensor *t)
{
    bool open = t->rank < 0;
    for (int i = 1; i < t->rank; i++)
        open = open || t->dim[i] < 1;
    return open;
}

/* The tier that l can be packed for, or NULL: tiles and strips are laid out for an image size. */
static const krn_qs8_tier *tier_of(const plan_layer *l, const ir_graph *g)
{
    const bool rows = l->node->op == IR_FULLY_CONNECTED || l->node->op == IR_MATMUL_INTEGER;
    return !rows && plan_is_open(&g->tensors[l->node->in[0]]) ? NULL : l->qs8.tier;
}

nf_status plan_pack_tiles(plan_layer *l, const ir_graph *g, const krn_qs8_source *s, nf_error *err)
{
    const krn_qs8_tier *tier = tier_of(l, g);
    const size_t bytes = tier ? krn_qs8_conv_bytes(tier, s) : 0;
    if (!bytes) return NF_OK;
    void *room = room_for(l, s, bytes, false);
    if (!room) return plan_pack_no_memory(err, &g->tensors[l->node->in[1]]);
    krn_qs8_conv_pack(&l->q8->conv, tier, s, room);
    if (s->requant) free_requant(&l->product);
    return NF_OK;
}

static nf_status pack_depth(plan_layer *l, const ir_graph *g, const krn_qs8_source *s,
                            nf_error *err)
{
    const krn_qs8_tier *tier = tier_of(l, g);
    const size_t bytes = tier ? krn_qs8_depth_bytes(tier, s) : 0;
    if (!bytes) return NF_OK;
    void *room = room_for(l, s, bytes, true);
    if (!room) return plan_pack_no_memory(err, &g->tensors[l->node->in[1]]);
    krn_qs8_depth_pack(&l->q8->depth, tier, s, room);
    l->q8->is_depth = true;
    if (s->requant) free_requant(&l->product);
    return NF_OK;
}

/* One input channel for all outputs: a convolution whose weights lie across. */
static nf_status pack_across(plan_layer *l, const ir_graph *g, krn_qs8_source s, nf_error *err)
{
    const size_t taps = s.window.kernel_h * s.window.kernel_w, n = s.window.out_c;
    int8_t *turned = nf_alloc_array(n, taps, NF_MEM_WEIGHTS);
    if (!turned) return plan_pack_no_memory(err, &g->tensors[l->node->in[1]]);
    for (size_t c = 0; c < n; c++)
        for (size_t t = 0; t < taps; t++)
            turned[c * taps + t] = s.w[t * n + c];
    s.w = turned;
    const nf_status st = plan_pack_tiles(l, g, &s, err);
    nf_free(turned);
    return st;
}

nf_status plan_pack_source(plan_layer *l, const ir_graph *g, const krn_qs8_source *s, bool depth,
                           nf_error *err)
{
    return (depth ? pack_depth : plan_pack_tiles)(l, g, s, err);
}

nf_status plan_pack_sums(plan_layer *l, const ir_graph *g, const krn_qs8_out *o, nf_error *err)
{
    const bool dense = l->node->op == IR_FULLY_CONNECTED;
    const bool across = l->node->op == IR_DEPTHWISE_CONV_2D;
    nf_status st;
    if (!plan_in(l, g, 1)->bytes || (!dense && plan_is_open(plan_out(l, g, 0)))) return NF_OK;
    krn_qs8_source s = source_of(l, g);
    s.requant = NULL;
    s.zero = 0;
    s.is_unsigned = true;
    if (across) s.groups = 1;
    if (!across)
        st = plan_pack_tiles(l, g, &s, err);
    else
        st = s.window.in_c == 1 ? pack_across(l, g, s, err) : pack_depth(l, g, &s, err);
    if (!l->q8) return st;
    const int32_t *weights = l->q8->out.weights;
    l->q8->out = *o;
    l->q8->out.weights = weights;
    return NF_OK;
}

PLAN_PREPARE(plan_product_q8)
{
    nf_status st;
    if ((st = check_q8(l, g, err)) || (st = requant(l, g, l->product.groups * l->product.n, err)))
        return st;
    const krn_qs8_source s = source_of(l, g);
    if ((st = plan_pack_tiles(l, g, &s, err))) return st;
    return l->q8 ? NF_OK : pack_plain(l, g, env, err);
}

PLAN_PREPARE(plan_product_hybrid)
{
    plan_product *p = &l->product;
    const ir_tensor *w = &g->tensors[l->node->in[1]];
    nf_status st;
    if ((st = check_q8(l, g, err)) || (st = plan_bias_f32(l, g, err))) return st;
    p->scale = nf_alloc_array(p->groups * p->n, sizeof(float), NF_MEM_WEIGHTS);
    if (!p->scale) return plan_pack_no_memory(err, w);
    for (size_t c = 0; c < p->groups * p->n; c++)
        p->scale[c] = w->quant.scale[w->quant.n > 1 ? c : 0];
    /* TensorFlow: images meet per-channel weights asymmetrically, whatever their flag says */
    const bool even = l->node->op == IR_CONV_2D
                          ? w->quant.n == 1 && !l->node->attr.window.asymmetric
                          : !l->node->attr.dense.asymmetric;
    p->dynamic = even ? KRN_DYNAMIC_EVEN : KRN_DYNAMIC_WHOLE;
    const krn_qs8_out out = {NULL, p->scale, p->bias_f32, false, l->clamp_low, l->clamp_high};
    if ((st = plan_pack_sums(l, g, &out, err))) return st;
    return l->q8 ? NF_OK : pack_plain(l, g, env, err);
}

static nf_status check_depthwise(const plan_layer *l, const ir_graph *g, nf_error *err)
{
    const ir_tensor *w = &g->tensors[l->node->in[1]];
    if (w->dtype != ENG_I8)
        return nf_fail(err, NF_EUNSUPPORTED, w->name, "8-bit weights must be INT8");
    if (w->quant.n > 1 && w->quant.axis != w->rank - 1)
        return nf_fail(err, NF_EUNSUPPORTED, w->name, "scales must run along the channels");
    for (size_t i = 0; i < w->quant.n; i++)
        if (w->quant.zero[i])
            return nf_fail(err, NF_EUNSUPPORTED, w->name, "weights with a zero point");
    return NF_OK;
}

PLAN_PREPARE(plan_depthwise_q8)
{
    const ir_tensor *weights = &g->tensors[l->node->in[1]];
    void *w = NULL;
    nf_status st;
    (void)env;
    if ((st = check_depthwise(l, g, err))) return st;
    st = plan_depthwise_copy(l, g, 1, &w, err);
    l->product.w_q8 = w;
    if (!st && l->product.k > KRN_QS8_MAX_K)
        return nf_fail(err, NF_EUNSUPPORTED, weights->name, "%zu taps, the limit is %d",
                       l->product.k, KRN_QS8_MAX_K);
    if (st || (st = requant(l, g, l->product.n, err))) return st;
    const krn_qs8_source s = source_of(l, g);
    st = s.window.in_c == 1 ? pack_across(l, g, s, err) : pack_depth(l, g, &s, err);
    if (!st && l->q8) {
        nf_free(l->product.w_q8);
        l->product.w_q8 = NULL;
    }
    return st;
}
