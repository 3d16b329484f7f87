/* program.h - the steps of one session: kernels and addresses, nothing left to decide.
 * Layer: plan. Thread rule: a program belongs to one session. */
#ifndef PLAN_PROGRAM_H
#define PLAN_PROGRAM_H

#include "engine/plan/layer.h"

typedef struct plan_program {
    plan_step *steps; /* views are not among them */
    size_t n_steps;
    uint8_t *arena;
    size_t arena_bytes, arena_bound;
    void **place;       /* [n_tensors]: where each value lies; NULL if it has none */
    plan_shape *shapes; /* [n_tensors] */
    size_t n_tensors;
    uint64_t macs;
} plan_program;

typedef struct plan_limits {
    int64_t batch;    /* rows */
    size_t max_arena; /* bytes */
    bool keep_all;    /* every result keeps memory of its own */
} plan_limits;

/**
 * Lays out one arena and binds every layer to it.
 *
 * layers: one for each node of g, in its order. NF_EBUDGET (says both numbers), NF_ENOMEM,
 * NF_ETOOLARGE.
 */
nf_status plan_program_create(plan_program **out, const ir_graph *g, const plan_layer *layers,
                              const plan_limits *limits, nf_error *err);
void plan_program_destroy(plan_program **p);

static inline void plan_program_run(const plan_program *p)
{
    for (size_t i = 0; i < p->n_steps; i++)
        p->steps[i].run(&p->steps[i]);
}

#endif /* PLAN_PROGRAM_H */
