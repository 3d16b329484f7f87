/* pack.h - what packing float and 8-bit weights shares. Layer: plan. */
#ifndef PLAN_PACK_H
#define PLAN_PACK_H

#include "engine/plan/layer.h"

/** Sizes of a product, once its weights and bias are known to be constants. NF_EUNSUPPORTED. */
nf_status plan_product_sizes(plan_product *p, const ir_graph *g, const ir_node *n, nf_error *err);

/** Copies the bias, or zeros where there is none. NF_ENOMEM. */
nf_status plan_bias_f32(plan_layer *l, const ir_graph *g, nf_error *err);

/** The bias of a product, or NULL. */
const ir_tensor *plan_bias_of(const ir_graph *g, const ir_node *n);

/** A copy of depthwise weights [1, kh, kw, channels], which are in the order of their kernel
 * already. NF_EUNSUPPORTED, NF_ENOMEM. */
nf_status plan_depthwise_copy(plan_layer *l, const ir_graph *g, size_t elem, void **to,
                              nf_error *err);

nf_status plan_pack_no_memory(nf_error *err, const ir_tensor *w);

/** Makes the weights of the way, in place of those of another. */
nf_status plan_pack_f32(plan_layer *l, const ir_graph *g, plan_way way, nf_error *err);

/** Packs for the way that is fastest at a batch of one, or the first one that can be used when
 * env->measure is false. NF_ENOMEM. */
nf_status plan_choose_f32(plan_layer *l, const ir_graph *g, const plan_env *env, nf_error *err);

/** True where a convolution's windows can be read in runs, not gathered. */
bool plan_reads_runs(const ir_window *a, const ir_tensor *weights);

#endif /* PLAN_PACK_H */
