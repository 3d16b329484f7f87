/* shape.h - what the shape rules share. Layer: ir (inside).
 *
 * A rule gives the shapes of a node's results. Dimensions below 0 are not known yet: a rule passes
 * on what it can and says IR_FREE for the rest. It may say IR_BATCH in dim[0] only if row i of the
 * result depends on nothing but row i of the inputs that are batched. */
#ifndef IR_SHAPE_H
#define IR_SHAPE_H

#include "engine/ir/graph.h"

typedef struct ir_rule {
    const ir_graph *g;
    const ir_tensor *tensors; /* see ir_infer_shapes */
    const ir_node *node;
    const char *where; /* name of the first result */
    nf_error *err;
} ir_rule;

#define IR_RULE(name) nf_status ir_rule_##name(ir_shape *out, const ir_rule *a)

#define X(name, least, most, outs, rule, types) IR_RULE(rule);
IR_OP_MAP(X)
#undef X

/** Input i, NULL when it is left out. */
const ir_tensor *ir_rule_in(const ir_rule *a, int32_t i);

/** The integers of input i (I32 or I64 of rank 0 or 1), at most `most`. *known is false when they
 * are not computed yet; *n is then their number, or `most` + 1 if that is not known either.
 * NF_EFORMAT: another type or rank, too many; NF_EINVAL never. */
nf_status ir_rule_ints(int64_t *out, size_t *n, bool *known, size_t most, const ir_rule *a,
                       int32_t i);

/** Axis -rank .. rank-1 as 0 .. rank-1. NF_EFORMAT. */
nf_status ir_rule_axis(int *out, int64_t axis, int rank, const ir_rule *a);

/** Fails with NF_EFORMAT: "%s …" of the op. */
nf_status ir_rule_rank(const ir_rule *a, int32_t i, int least, int most);

/** out = the shape of input i. */
void ir_rule_copy(ir_shape *out, const ir_rule *a, int32_t i);

/** dim[0] has rows of several inputs or none: what was IR_BATCH becomes IR_FREE. */
void ir_rule_mix(ir_shape *out);

/** Broadcasts b into out, as NumPy does; NF_EFORMAT. */
nf_status ir_rule_join(ir_shape *out, const ir_shape *b, const ir_rule *a);

/** a + b, a * b where both are known (>= 0), else IR_FREE; IR_FREE too when it does not fit. */
int64_t ir_dim_add(int64_t p, int64_t q);
int64_t ir_dim_mul(int64_t p, int64_t q);

#endif /* IR_SHAPE_H */
