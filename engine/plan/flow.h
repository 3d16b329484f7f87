/* flow.h - nodes that run bodies. Layer: plan (inside).
 *
 * A body whose shapes follow from those of its operands, and stay the same from trip to trip,
 * becomes a program of its own, made once (op_flow.c); a run allocates nothing. Where shapes or the
 * number of stacked slices depend on values, a body is made anew for each trip, with values
 * (flow_values.c). */
#ifndef PLAN_FLOW_H
#define PLAN_FLOW_H

#include "engine/plan/builder.h"

#define FLOW_TRIPS_MOST 1000000  /* of one loop in one run */
#define FLOW_TIME_US    10000000 /* of one loop in one run */

/** Makes the bodies of a node and shapes its results; NF_ENOTIMPL when that takes values. */
nf_status plan_flow_make(plan_builder *b, size_t node, nf_error *err);

/** Computes the results of a node whose operands are known. */
nf_status plan_flow_compute(plan_builder *b, size_t node, nf_error *err);

/** Body k of the node as a program for operands of these shapes. With values it is the caller's;
 * else it ends with the heap of the builder's program. */
nf_status plan_flow_child(plan_program **out, plan_builder *b, size_t node, int k,
                          const plan_shape *shapes, const void *const *values, nf_error *err);

/** Element size of tensor t of g. */
static inline size_t plan_flow_elem(const ir_graph *g, int32_t t)
{
    return eng_dtype_size(g->tensors[t].dtype);
}

#endif /* PLAN_FLOW_H */
