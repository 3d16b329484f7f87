/* program.h - the steps of one session: kernels and addresses, nothing left to decide.
 * Layer: plan. Thread rule: a program belongs to one session. */
#ifndef PLAN_PROGRAM_H
#define PLAN_PROGRAM_H

#include "engine/plan/layer.h"

typedef struct plan_program {
    plan_step *steps; /* what runs; views and what was computed while binding are not among them */
    size_t n_steps;
    plan_step *bound; /* [n_nodes]: every node's; run is NULL where there is nothing to run */
    uint8_t *arena;
    size_t arena_bytes, arena_bound;   /* values and scratch */
    size_t values_bytes, values_bound; /* the values alone */
    void **place;                      /* [n_tensors]: where each value lies; NULL if it has none */
    plan_shape *shapes;                /* [n_tensors] */
    size_t n_tensors;
    uint64_t macs;
    plan_heap heap;
    plan_fault fault;
} plan_program;

/* Values that outlive a run, shared by the programs of a session. */
typedef struct plan_vars {
    void **place;        /* [n_tensors]: NULL where the tensor is no variable */
    size_t n_tensors, n; /* n: how many are variables */
} plan_vars;

typedef struct plan_limits {
    int64_t batch;    /* rows: what IR_BATCH means in the graph's inputs */
    int64_t open;     /* what IR_FREE means there */
    size_t max_arena; /* bytes */
    bool keep_all;    /* every result keeps memory of its own */
    /* The inputs' shapes, [n_inputs], in the place of the graph's own; NULL = as above. */
    const plan_shape *shapes;
    /* The inputs' values, [n_inputs]: then everything is computed while the program is made, each
     * node as soon as its inputs are there, and no step is left. Shapes may depend on values. */
    const void *const *values;
    uint64_t deadline_us;  /* nf_now_us() at which computing ends with NF_ETIMEOUT; 0 = never */
    const plan_vars *vars; /* NULL: variables live and end with the program */
} plan_limits;

/**
 * Lays out one arena and binds every layer to it.
 *
 * g: its graph, layers and bodies. NF_EBUDGET (says both numbers), NF_ENOMEM, NF_ETOOLARGE;
 * NF_ENOTIMPL when a shape depends on values that are not given: only a program with values can
 * run that graph.
 */
nf_status plan_program_create(plan_program **out, const plan_graph *g, const plan_limits *limits,
                              nf_error *err);
void plan_program_destroy(plan_program **p);

/** Runs the steps. NF_OK, or what a step said with plan_fail. */
nf_status plan_program_run(plan_program *p, nf_error *err);

/** The same with a clock around each step. ns: [nodes of the graph], nanoseconds, 0 where a node
 * has no step. */
nf_status plan_program_profile(plan_program *p, const plan_graph *g, uint64_t *ns, nf_error *err);

/** Memory for the variables of g, as plan_vars_reset leaves them. NF_ENOMEM. */
nf_status plan_vars_init(plan_vars *v, const ir_graph *g, nf_error *err);
/** Every variable becomes 0, an 8-bit one with a scale its zero point. */
void plan_vars_reset(const plan_vars *v, const ir_graph *g);
void plan_vars_fini(plan_vars *v);

/**
 * Computes what does not depend on inputs, refines the shapes that depend on such values, and takes
 * the computed nodes out. Constants made of shapes may hold IR_SYMBOL.
 *
 * only_shapes: leaves real and quantized numbers alone: passes want to see where they come from.
 * NF_ENOMEM, NF_EBUDGET, and what the shape rules say.
 */
nf_status plan_fold(ir_graph *g, const plan_env *env, bool only_shapes, nf_error *err);

#endif /* PLAN_PROGRAM_H */
