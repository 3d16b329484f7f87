/* math.h - the pieces that the kernels of ops_math.h share. Layer: plan (inside). */
#ifndef PLAN_MATH_H
#define PLAN_MATH_H

#include "engine/kernels/krn_math.h"
#include "engine/plan/layer.h"

#define PLAN_SIDES 3 /* operands of an operator that broadcasts */

/* How operands meet: axes that all of them walk alike are one. */
typedef struct plan_spread {
    int rank; /* >= 1 */
    size_t dim[ENG_MAX_RANK];
    size_t step[PLAN_SIDES][ENG_MAX_RANK]; /* elements; 0 where the operand is repeated */
    size_t lines;                          /* runs along the last axis */
} plan_spread;

/** Steps of an operand along the axes of the result y: 0 where it is repeated. */
void plan_spread_steps(size_t *step, const plan_shape *x, const plan_shape *y);

/** n operands (1 .. PLAN_SIDES) that broadcast to `out`. */
void plan_spread_of(plan_spread *s, const plan_shape *in, int n, const plan_shape *out);

/** Where line `k` begins in each operand; in the result it begins at k * dim[rank - 1]. */
void plan_spread_at(size_t at[PLAN_SIDES], const plan_spread *s, size_t k);

/** The step of operand i along a line. */
size_t plan_spread_step(const plan_spread *s, int i);

/** Number i of input `input`, INT32 or INT64, whose content is known. */
int64_t plan_number(const plan_step *s, int32_t input, size_t i);

/** The element type of input 0, which prepare has checked. */
krn_type plan_type(const plan_step *s);

/** NF_EUNSUPPORTED: "%s with %s input is not supported". */
nf_status plan_unsupported(const plan_layer *l, const ir_graph *g, nf_error *err);

PLAN_PREPARE(plan_unary);
PLAN_PREPARE(plan_bitcast);
PLAN_PREPARE(plan_binary_plain);
PLAN_PREPARE(plan_str_equal);
PLAN_PREPARE(plan_select);
PLAN_PREPARE(plan_reduce);
PLAN_PREPARE(plan_reduce_bool);
PLAN_PREPARE(plan_arg);
PLAN_PREPARE(plan_cumulate);

PLAN_BIND(plan_bind_spread);
PLAN_BIND(plan_bind_select);
PLAN_BIND(plan_bind_reduce);
PLAN_BIND(plan_bind_arg);
PLAN_BIND(plan_bind_cumulate);

PLAN_RUN(plan_run_unary);
PLAN_RUN(plan_run_clamp_int);
PLAN_RUN(plan_run_binary_plain);
PLAN_RUN(plan_run_select);
PLAN_RUN(plan_run_reduce);
PLAN_RUN(plan_run_arg);
PLAN_RUN(plan_run_cumulate);
PLAN_RUN(plan_run_log_softmax);
PLAN_RUN(plan_run_hardmax);

#endif /* PLAN_MATH_H */
