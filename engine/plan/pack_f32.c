/* pack_f32.c - float weights into the layout of each way to use them. Layer: plan.
 * Thread rule: no shared state. */
#include "engine/plan/pack.h"

#include "engine/base/mem.h"

bool plan_reads_runs(const ir_window *a, const ir_tensor *weights)
{
    const bool dilated =
        (a->dilation_h > 1 && weights->dim[1] > 1) || (a->dilation_w > 1 && weights->dim[2] > 1);
    return a->groups <= 1 && !dilated;
}

/* The weights of group i as the file has them, [n, k], and the runs their inputs come in. */
static krn_f32_weights weights_of(const plan_layer *l, const ir_graph *g, size_t group)
{
    const plan_product *p = &l->product;
    const ir_tensor *w = &g->tensors[l->node->in[1]];
    const float *data = (const float *)(const void *)w->data;
    krn_f32_weights from = {data + group * p->n * p->k, p->n, p->k, p->k, p->k, 1};
    if (l->node->op == IR_CONV_2D && plan_reads_runs(&l->node->attr.window, w))
        from.run = (size_t)(w->dim[2] * w->dim[3]);
    return from;
}

static nf_status make_room(plan_layer *l, const ir_graph *g, size_t parts, nf_error *err)
{
    plan_product *p = &l->product;
    const ir_tensor *w = &g->tensors[l->node->in[1]];
    nf_free(p->w_f32);
    p->w_f32 = nf_alloc_array(parts, p->w_step * sizeof(float), NF_MEM_WEIGHTS);
    l->weight_bytes = (parts * p->w_step + p->groups * p->n) * sizeof(float);
    return p->w_f32 ? NF_OK : plan_pack_no_memory(err, w);
}

static nf_status pack_rows(plan_layer *l, const ir_graph *g, nf_error *err)
{
    plan_product *p = &l->product;
    const krn_f32_weights one = weights_of(l, g, 0);
    p->w_step = krn_f32_packed_size(&l->f32.layout, &one);
    const nf_status st = make_room(l, g, p->groups, err);
    for (size_t i = 0; i < p->groups && !st; i++) {
        const krn_f32_weights from = weights_of(l, g, i);
        krn_f32_pack(p->w_f32 + i * p->w_step, &l->f32.layout, &from);
    }
    l->kernel_name = l->f32.product_name;
    return st;
}

/* OpenBLAS wants [k, n] a group. */
static nf_status pack_blas(plan_layer *l, const ir_graph *g, nf_error *err)
{
    plan_product *p = &l->product;
    p->w_step = p->k * p->n;
    const nf_status st = make_room(l, g, p->groups, err);
    for (size_t i = 0; i < p->groups && !st; i++) {
        const krn_f32_weights from = weights_of(l, g, i);
        for (size_t c = 0; c < p->n; c++)
            for (size_t k = 0; k < p->k; k++)
                p->w_f32[i * p->w_step + k * p->n + c] = from.w[c * p->k + k];
    }
    l->kernel_name = l->blas ? "krn_f32_gemm_blas" : "krn_f32_gemm_ref";
    return st;
}

/* All positions of the transformed taps: [positions][n, channels], then packed. */
static nf_status pack_winograd(plan_layer *l, const ir_graph *g, size_t m, nf_error *err)
{
    plan_product *p = &l->product;
    const ir_tensor *w = &g->tensors[l->node->in[1]];
    const float *taps = (const float *)(const void *)w->data;
    const size_t channels = p->k / 9, positions = (m + 2) * (m + 2), all = p->n * channels;
    const krn_f32_weights one = {NULL, p->n, channels, channels, channels, 1};
    float u[36];
    p->w_step = krn_f32_packed_size(&l->f32.layout, &one);
    float *flat = nf_alloc_array(all * positions, sizeof(float), NF_MEM_WEIGHTS);
    nf_status st = flat ? make_room(l, g, positions, err) : plan_pack_no_memory(err, w);
    for (size_t i = 0; i < all && !st; i++) {
        krn_f32_winograd_weights(u, taps + i / channels * p->k + i % channels, channels, m);
        for (size_t t = 0; t < positions; t++)
            flat[t * all + i] = u[t];
    }
    for (size_t t = 0; t < positions && !st; t++) {
        krn_f32_weights from = one;
        from.w = flat + t * all;
        krn_f32_pack(p->w_f32 + t * p->w_step, &l->f32.layout, &from);
    }
    nf_free(flat);
    l->kernel_name = l->f32.winograd_name[m == 4];
    return st;
}

nf_status plan_pack_f32(plan_layer *l, const ir_graph *g, plan_way way, nf_error *err)
{
    l->product.way = way;
    if (way == PLAN_WAY_BLAS) return pack_blas(l, g, err);
    if (way == PLAN_WAY_PACKED) return pack_rows(l, g, err);
    return pack_winograd(l, g, way == PLAN_WAY_WINOGRAD_2 ? 2 : 4, err);
}

/* Biases of each group, padded to whole units. */
static nf_status pad_bias(plan_layer *l, const ir_graph *g, nf_error *err)
{
    plan_product *p = &l->product;
    p->n_pad = krn_round_up(p->n, l->f32.layout.lanes);
    p->bias_pad = nf_alloc_array(p->groups * p->n_pad, sizeof(float), NF_MEM_WEIGHTS);
    if (!p->bias_pad) return plan_pack_no_memory(err, &g->tensors[l->node->in[1]]);
    for (size_t c = 0; c < p->groups * p->n; c++)
        p->bias_pad[c / p->n * p->n_pad + c % p->n] = p->bias_f32[c];
    return NF_OK;
}

PLAN_PREPARE(plan_product_f32)
{
    nf_status st;
    if ((st = plan_product_sizes(&l->product, g, l->node, err)) ||
        (st = plan_bias_f32(l, g, err)) || (st = pad_bias(l, g, err)))
        return st;
    return plan_choose_f32(l, g, env, err);
}

PLAN_PREPARE(plan_depthwise_f32)
{
    void *w = NULL;
    (void)env;
    const nf_status st = plan_depthwise_copy(l, g, sizeof(float), &w, err);
    l->product.w_f32 = w;
    l->kernel_name = l->f32.depthwise_name;
    return st ? st : plan_bias_f32(l, g, err);
}
