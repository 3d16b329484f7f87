/* compiled.h - the inside of an eng_model. Layer: plan. Thread rule: read-only once loaded, but for
 * the reference count. */
#ifndef PLAN_COMPILED_H
#define PLAN_COMPILED_H

#include "engine/model.h"
#include "engine/plan/program.h"

#include <stdatomic.h>

struct eng_model {
    atomic_size_t refs;
    ir_graph *graph;
    plan_graph top;       /* of graph */
    eng_step_info *steps; /* [graph->n_nodes] */
    eng_io *inputs, *outputs;
    eng_info info;
    size_t max_arena;
    bool batched;                    /* rows may run in blocks */
    const struct krn_qs8_real *real; /* what turns inputs and outputs of 8 bits */
    bool eager;                      /* shapes depend on values: computed anew for each request */
};

/** Makes a model of a graph that has been through the passes and verified; takes the graph in any
 * case. NF_EUNSUPPORTED, NF_EFORMAT, NF_EBUDGET, NF_ENOMEM. */
nf_status plan_compile(eng_model **out, ir_graph *take_graph, const eng_options *o,
                       const plan_env *env, nf_error *err);

#endif /* PLAN_COMPILED_H */
