/* q8.h - 8-bit layers packed for the instruction set of the machine. Layer: plan.
 * Thread rule: made while a model loads, then read-only. */
#ifndef PLAN_Q8_H
#define PLAN_Q8_H

#include "engine/kernels/krn_qs8_conv.h"
#include "engine/plan/layer.h"

/* Owned by its layer; what the kernels point to lies behind it, in the same memory. NULL in a layer
 * that runs the plain kernels. */
struct plan_q8 {
    krn_qs8_conv conv;
};

/** What the kernels pack from: the product of l, whose requantization is ready, as a window. */
krn_qs8_source plan_q8_source(const plan_layer *l, const ir_graph *g);

/** Packs the product of l for its tier and sets l->q8, or leaves it NULL when there is no tier or
 * the product is not for it. NF_ENOMEM. */
nf_status plan_q8_pack(plan_layer *l, const ir_graph *g, nf_error *err);

#endif /* PLAN_Q8_H */
