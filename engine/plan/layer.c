/* layer.c - the table of operators and kernels. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/layer.h"

#include "engine/base/mem.h"

#include <math.h>

// clang-format off
const plan_kernel plan_core_kernels[] = { /* op, kind, shown name, prepare, bind, run */
    {IR_CONV_2D,           PLAN_F32,    "conv f32",        plan_product_f32,    plan_bind_conv_f32,  plan_run_conv_f32},
    {IR_CONV_2D,           PLAN_Q8,     "conv qs8",        plan_product_q8,     plan_bind_conv_q8,   plan_run_conv_q8},
    {IR_CONV_2D,           PLAN_HYBRID, "conv hybrid",     plan_product_hybrid, plan_bind_conv_q8,   plan_run_conv_q8},
    {IR_DEPTHWISE_CONV_2D, PLAN_F32,    "depthwise f32",   plan_depthwise_f32,  plan_bind_depthwise, plan_run_depthwise_f32},
    {IR_DEPTHWISE_CONV_2D, PLAN_Q8,     "depthwise qs8",   plan_depthwise_q8,   plan_bind_depthwise_q8, plan_run_depthwise_q8},
    {IR_FULLY_CONNECTED,   PLAN_F32,    "dense f32",       plan_product_f32,    plan_bind_dense_f32, plan_run_dense_f32},
    {IR_FULLY_CONNECTED,   PLAN_Q8,     "dense qs8",       plan_product_q8,     plan_bind_dense_q8,  plan_run_dense_q8},
    {IR_FULLY_CONNECTED,   PLAN_HYBRID, "dense hybrid",    plan_product_hybrid, plan_bind_dense_q8,  plan_run_dense_hybrid},
    {IR_MAX_POOL_2D,       PLAN_F32,    "max_pool f32",    NULL,                plan_bind_pool,      plan_run_pool_f32},
    {IR_MAX_POOL_2D,       PLAN_Q8,     "max_pool qs8",    plan_same_quant,     plan_bind_pool,      plan_run_pool_q8},
    {IR_AVERAGE_POOL_2D,   PLAN_F32,    "mean_pool f32",   NULL,                plan_bind_pool,      plan_run_pool_f32},
    {IR_AVERAGE_POOL_2D,   PLAN_Q8,     "mean_pool qs8",   plan_mean_q8,        plan_bind_pool,      plan_run_pool_q8},
    {IR_ADD,               PLAN_F32,    "add f32",         NULL,                plan_bind_binary,    plan_run_binary_f32},
    {IR_SUB,               PLAN_F32,    "sub f32",         NULL,                plan_bind_binary,    plan_run_binary_f32},
    {IR_MUL,               PLAN_F32,    "mul f32",         NULL,                plan_bind_binary,    plan_run_binary_f32},
    {IR_DIV,               PLAN_F32,    "div f32",         NULL,                plan_bind_binary,    plan_run_binary_f32},
    {IR_SQUARED_DIFFERENCE, PLAN_F32,   "squared_difference f32", NULL,         plan_bind_binary,    plan_run_binary_f32},
    {IR_PRELU,             PLAN_F32,    "prelu f32",       NULL,                plan_bind_binary,    plan_run_binary_f32},
    {IR_CLAMP,             PLAN_F32,    "clamp f32",       NULL,                plan_bind_elems,     plan_run_clamp_f32},
    {IR_CLAMP,             PLAN_Q8,     "clamp qs8",       plan_same_quant,     plan_bind_elems,     plan_run_clamp_q8},
    {IR_SOFTMAX,           PLAN_F32,    "softmax f32",     NULL,                plan_bind_softmax,   plan_run_softmax_f32},
    {IR_SOFTMAX,           PLAN_Q8,     "softmax qs8",     plan_softmax_q8,     plan_bind_softmax,   plan_run_softmax_q8},
    {IR_QUANTIZE,          PLAN_F32,    "quantize",        plan_quantize,       plan_bind_elems,     plan_run_quantize},
    {IR_DEQUANTIZE,        PLAN_Q8,     "dequantize",      plan_dequantize,     plan_bind_dequantize, NULL},
    {IR_DEQUANTIZE,        PLAN_Q16,    "dequantize",      plan_dequantize,     plan_bind_dequantize, NULL},
    {IR_DEQUANTIZE,        PLAN_INT,    "dequantize",      plan_dequantize,     plan_bind_dequantize, NULL},
    {IR_RESHAPE,           PLAN_ANY,    "view",            NULL,                plan_bind_elems,     plan_run_copy},
    {IR_IDENTITY,          PLAN_ANY,    "view",            NULL,                plan_bind_elems,     plan_run_copy},
    {IR_TRANSPOSE,         PLAN_ANY,    "transpose",       NULL,                plan_bind_transpose, plan_run_box},
    {IR_SHAPE,             PLAN_ANY,    "shape",           NULL,                plan_bind_shape,     plan_run_shape},
    {IR_CAST,              PLAN_F32,    "cast",            plan_cast,           plan_bind_elems,     plan_run_cast},
    {IR_CAST,              PLAN_INT,    "cast",            plan_cast,           plan_bind_elems,     plan_run_cast},
    {.name = NULL},
};
// clang-format on

static bool is_q8(const ir_tensor *t)
{
    return (t->dtype == ENG_I8 || t->dtype == ENG_U8) && t->quant.n;
}

/* Weights that the fast 8-bit products do not take. LiteRT's own do not take a convolution of
 * 4-bit ones, which then rounds in another way. */
static bool is_odd(const ir_tensor *w, ir_op op, bool fast)
{
    bool odd = w->dtype == ENG_U8 || (w->bits == 4 && !w->ours && op == IR_CONV_2D && fast);
    for (size_t i = 0; i < w->quant.n; i++)
        odd = odd || w->quant.zero[i] != 0;
    return odd;
}

/* Weights that are not there while the model loads cannot be packed. */
static bool is_loose(const ir_graph *g, const ir_node *node)
{
    if (!ir_is_product(node->op)) return false;
    for (int32_t i = 1; i < node->n_in; i++)
        if (node->in[i] >= 0 && !g->tensors[node->in[i]].data) return true;
    return false;
}

static int kind_of(const ir_graph *g, const ir_node *node, bool fast)
{
    const bool has_x = node->n_in > 0 && node->in[0] >= 0;
    const ir_tensor *x = &g->tensors[has_x ? node->in[0] : node->out[0]];
    const ir_tensor *w = node->n_in > 1 && node->in[1] >= 0 ? &g->tensors[node->in[1]] : x;
    if (is_q8(x)) return ir_is_product(node->op) && is_odd(w, node->op, fast) ? PLAN_Q8W : PLAN_Q8;
    if (x->dtype == ENG_I16 && x->quant.n) return PLAN_Q16;
    if (x->dtype == ENG_F32 && is_loose(g, node)) return PLAN_LOOSE;
    if (x->dtype == ENG_F32) return is_q8(w) ? PLAN_HYBRID : PLAN_F32;
    return x->dtype == ENG_STR ? PLAN_STR : PLAN_INT;
}

static const plan_kernel *const tables[] = {
    plan_quant_kernels, plan_core_kernels, plan_math_kernels, plan_move_kernels,
    plan_nn_kernels,    plan_rnn_kernels,  plan_ml_kernels,   plan_flow_kernels,
};

static const plan_kernel *find(ir_op op, int kind)
{
    for (size_t t = 0; t < NF_COUNT(tables); t++)
        for (const plan_kernel *k = tables[t]; k->name; k++)
            if (k->op == op && (k->kind == kind || k->kind == PLAN_ANY)) return k;
    return NULL;
}

nf_status plan_bind_alloc(plan_step *s, size_t bytes, nf_error *err)
{
    s->bound = plan_heap_alloc(s->heap, bytes);
    return s->bound ? NF_OK : nf_fail(err, NF_ENOMEM, "program", "no memory for %zu bytes", bytes);
}

const ir_tensor *plan_in(const plan_layer *l, const ir_graph *g, int32_t i)
{
    return i < l->node->n_in && l->node->in[i] >= 0 ? &g->tensors[l->node->in[i]] : NULL;
}

const ir_tensor *plan_out(const plan_layer *l, const ir_graph *g, int32_t i)
{
    return i < l->node->n_out && l->node->out[i] >= 0 ? &g->tensors[l->node->out[i]] : NULL;
}

static int32_t quantized_limit(float real, const ir_quant *q)
{
    const double v = round((double)real / (double)q->scale[0]) + q->zero[0];
    return v > 1e6 ? 1000000 : v < -1e6 ? -1000000 : (int32_t)v;
}

void plan_limits_q8(int32_t *low, int32_t *high, const ir_tensor *y, ir_clamp clamp)
{
    const int32_t least = y->dtype == ENG_U8 ? 0 : -128;
    *low = least;
    *high = least + 255;
    if (!y->quant.n) return;
    if (clamp.low > -INFINITY) *low = krn_clamp(quantized_limit(clamp.low, &y->quant), *low, *high);
    if (clamp.high < INFINITY)
        *high = krn_clamp(quantized_limit(clamp.high, &y->quant), *low, *high);
}

nf_status plan_layer_init(plan_layer *l, const plan_graph *owner, const ir_node *node,
                          const plan_env *env, nf_error *err)
{
    const ir_graph *g = owner->g;
    const bool has_x = node->n_in > 0 && node->in[0] >= 0;
    const ir_tensor *y = &g->tensors[node->out[0]], *x = has_x ? &g->tensors[node->in[0]] : y;
    ir_node copy = *node; /* only to look at */
    const ir_clamp *own = ir_node_clamp(&copy);
    const ir_clamp clamp = own ? *own : ir_no_clamp();
    *l = (plan_layer){.kernel = find(node->op, kind_of(g, node, env->round == KRN_ROUND_FLOAT)),
                      .node = node,
                      .owner = owner};
    if (!l->kernel)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s with %s input is not supported",
                       ir_op_name(node->op), eng_dtype_oip(x->dtype));
    l->kernel_name = l->kernel->name;
    l->elem_size = eng_dtype_size(x->dtype);
    l->is_unsigned = x->dtype == ENG_U8;
    l->zero = x->quant.n ? x->quant.zero[0] : 0;
    l->scale = x->quant.n ? x->quant.scale[0] : 1;
    l->clamp_low = clamp.low;
    l->clamp_high = clamp.high;
    l->round = env->round;
    l->away = env->away;
    l->blas = env->blas;
    l->qs8 = env->qs8;
    l->f32 = env->f32;
    plan_limits_q8(&l->low, &l->high, y, clamp);
    return l->kernel->prepare ? l->kernel->prepare(l, g, env, err) : NF_OK;
}

void plan_layer_fini(plan_layer *l)
{
    plan_product *p = &l->product;
    if (l->own && l->own_fini) l->own_fini(l->own);
    void *const owned[] = {l->own,   p->w_f32, p->w_q8,   p->bias_f32, p->bias_pad, p->bias_q8,
                           p->scale, p->real,  p->factor, l->softmax,  l->q8};
    for (size_t i = 0; i < NF_COUNT(owned); i++)
        nf_free(owned[i]);
    *l = (plan_layer){0};
}

uint64_t plan_macs(const ir_graph *g, const ir_node *node, const plan_shape *out)
{
    size_t w = 0;
    if (!ir_is_product(node->op)) return 0; /* else bind knows */
    const ir_tensor *weights = &g->tensors[node->in[1]];
    const bool depthwise = node->op == IR_DEPTHWISE_CONV_2D;
    ir_elems(&w, weights, 1);
    const size_t channels = (size_t)weights->dim[depthwise ? weights->rank - 1 : 0];
    return channels ? (uint64_t)out->elems * (w / channels) : 0;
}
