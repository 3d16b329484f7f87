/* pass.h - rewrites of the graph between reading and compiling. Layer: passes.
 * Thread rule: a graph has one owner. */
#ifndef PASS_H
#define PASS_H

#include "engine/ir/graph.h"
#include "engine/options.h"

/* Computes what is constant; kernels are the planner's, so it is handed in. */
typedef struct pass_folder {
    nf_status (*fold)(ir_graph *g, const void *with, bool only_shapes, nf_error *err);
    const void *with;
} pass_folder;

/** Runs the passes that the options ask for, in the order of the table in pass.c. */
nf_status pass_run_all(ir_graph *g, const eng_options *o, const pass_folder *folder, nf_error *err);

/* Who makes and who reads each tensor. */
typedef struct pass_index {
    int32_t *maker; /* [n_tensors]: node, or -1 */
    int32_t *uses;  /* [n_tensors]: readers, and 1 more for a graph output */
} pass_index;

nf_status pass_index_init(pass_index *x, const ir_graph *g, nf_error *err);
void pass_index_fini(pass_index *x);

/** The node that makes input i of n if it is an `op` and nothing else reads its result, or NULL. */
ir_node *pass_only_maker(const ir_graph *g, const pass_index *x, const ir_node *n, int i, ir_op op);

/** The node that makes input i of n if it is an `op`, or NULL. */
ir_node *pass_maker(const ir_graph *g, const pass_index *x, const ir_node *n, int i, ir_op op);

/** [n_tensors]: true for the graph's results. NULL when there is no memory; give it to nf_free. */
bool *pass_outputs(const ir_graph *g);

/** The scale of t that element i belongs to. */
size_t pass_channel(const ir_tensor *t, size_t i);

/** Limits that act on the result of the earlier ones in *to. */
void pass_narrow(ir_clamp *to, ir_clamp later);

bool pass_all_finite(const float *v, size_t n);

/** Turns n into a view. Its result has its input's shape, or one that is known but for the rows. */
void pass_make_view(ir_graph *g, ir_node *n);

/* What a tensor has held while rows ran. */
typedef struct pass_range {
    float low, high;
    bool seen; /* and every number of it was finite */
} pass_range;

/** The largest weight of CONV_2D and FULLY_CONNECTED: 127, or 7 where INT4 is asked for. */
int pass_weight_steps(const eng_options *o);

/** The scale of n weights, `step` apart, that become whole numbers from -most to most: the largest
 * weight over `most`; of 4 bits (most 7) one down to half of that, by the least square error: it is
 * better to cut a few weights than to have all of them coarse. */
float pass_weight_scale(const float *w, size_t n, size_t step, int most);

/** Quantizes the activations of a float graph to INT8 with fixed scales, see pass_calibrate.c.
 * ranges: [g->n_tensors]; most: pass_weight_steps. The graph must have verified, and verifies
 * afterwards (which also puts the new nodes in their places). NF_ENOMEM, NF_EBUDGET. */
nf_status pass_calibrate(ir_graph *g, const pass_range *ranges, int most, nf_error *err);

/* The passes; each one may rely on a verified graph and leaves one that verifies. */
nf_status pass_rows(ir_graph *g, const eng_options *o, nf_error *err);       /* picked labels */
nf_status pass_layout(ir_graph *g, const eng_options *o, nf_error *err);     /* transposes */
nf_status pass_fuse_clamp(ir_graph *g, const eng_options *o, nf_error *err); /* activations */
nf_status pass_fuse_qdq(ir_graph *g, const eng_options *o, nf_error *err);   /* DQ, op, Q */
nf_status pass_fuse_moves(ir_graph *g, const eng_options *o, nf_error *err); /* DQ, move, Q */
nf_status pass_dequantize(ir_graph *g, const eng_options *o, nf_error *err); /* all to float */
nf_status pass_quantize_weights(ir_graph *g, const eng_options *o, nf_error *err);
nf_status pass_sweep(ir_graph *g, const eng_options *o, nf_error *err); /* drops what is unused */

#endif /* PASS_H */
