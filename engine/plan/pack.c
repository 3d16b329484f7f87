/* pack.c - weights of products into the layout of their kernel, with scales and biases.
 * Layer: plan. Thread rule: no shared state. */
#include "engine/plan/pack.h"

#include "engine/base/mem.h"

#include <math.h>
#include <string.h>

nf_status plan_pack_no_memory(nf_error *err, const ir_tensor *w)
{
    return nf_fail(err, NF_ENOMEM, w->name, "no memory to pack %zu bytes of weights", w->bytes);
}

const ir_tensor *plan_bias_of(const ir_graph *g, const ir_node *n)
{
    return n->n_in > 2 && n->in[2] >= 0 ? &g->tensors[n->in[2]] : NULL;
}

nf_status plan_product_sizes(plan_product *p, const ir_graph *g, const ir_node *n, nf_error *err)
{
    const ir_tensor *w = &g->tensors[n->in[1]];
    const ir_tensor *b = plan_bias_of(g, n);
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

nf_status plan_bias_f32(plan_layer *l, const ir_graph *g, nf_error *err)
{
    plan_product *p = &l->product;
    const ir_tensor *b = plan_bias_of(g, l->node);
    const size_t n = p->groups * p->n;
    p->bias_f32 = nf_alloc_array(n, sizeof(float), NF_MEM_WEIGHTS);
    if (!p->bias_f32) return plan_pack_no_memory(err, &g->tensors[l->node->in[1]]);
    if (b) memcpy(p->bias_f32, b->data, n * sizeof(float));
    return NF_OK;
}

nf_status plan_depthwise_copy(plan_layer *l, const ir_graph *g, size_t elem, void **to,
                              nf_error *err)
{
    const ir_tensor *w = &g->tensors[l->node->in[1]], *b = plan_bias_of(g, l->node);
    if (!w->data || (b && !b->data))
        return nf_fail(err, NF_EUNSUPPORTED, w->name, "needs constant weights and bias");
    size_t all;
    ir_elems(&all, w, 1);
    l->product.groups = 1;
    l->product.n = (size_t)w->dim[w->rank - 1];
    l->product.k = all / l->product.n;
    l->weight_bytes = all * elem;
    *to = nf_alloc_array(all, elem, NF_MEM_WEIGHTS);
    if (!*to) return plan_pack_no_memory(err, w);
    memcpy(*to, w->data, all * elem);
    return NF_OK;
}
