/* builder.h - what is needed while a program is made. Layer: plan (inside). */
#ifndef PLAN_BUILDER_H
#define PLAN_BUILDER_H

#include "engine/plan/arena.h"
#include "engine/plan/program.h"

typedef struct plan_builder {
    plan_program *p;
    const plan_graph *pg;
    const ir_graph *g;
    const plan_limits *limits;
    /* A copy of g's: concrete shapes, and as data what is known already. Borrows from g. */
    ir_tensor *tensors;
    ir_shape *results;  /* of the node at hand */
    plan_shape *ends;   /* its operands' shapes, then its results' */
    int32_t *last_read; /* [n_tensors]: node, -1 = none; only with values */
    bool *computed;     /* [n_tensors]: its data is on the program's heap */
    int32_t *root;      /* [n_tensors]: whose memory a tensor lies in */
    plan_block *blocks; /* [n_tensors] values, then [n_nodes] scratch */
} plan_builder;

/** Shapes, content and bound steps of all nodes, in their order. */
nf_status plan_builder_walk(plan_builder *b, nf_error *err);

/** Zeroed bytes of the program's heap, for what `name` tells; NF_EBUDGET where all of it would be
 * more than the limits allow. */
nf_status plan_builder_take(void **out, plan_builder *b, size_t bytes, const char *name,
                            nf_error *err);

#endif /* PLAN_BUILDER_H */
