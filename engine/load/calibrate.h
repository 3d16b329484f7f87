/* calibrate.h - what the activations of a float model hold while rows run. Layer: load.
 * Thread rule: one owner. */
#ifndef LOAD_CALIBRATE_H
#define LOAD_CALIBRATE_H

#include "engine/passes/pass.h"
#include "engine/plan/compiled.h"

/** Does the graph, as its file has it, compute in float alone? Then rows can say how it could be
 * quantized; one that is, in any way, keeps its own scheme. */
bool load_is_float(const ir_graph *g);

/**
 * Compiles and runs a float graph on rows of o->calibration.
 *
 * take_graph: taken in any case. *ranges: [n_tensors of the graph], for nf_free. *n_rows: that were
 * run. At most ENG_CALIBRATION_MOST rows, evenly picked, fewer where that would take minutes.
 * NF_EINVAL (the rows do not fit the inputs: names where they are from), NF_EUNSUPPORTED (shapes
 * are open, or an input is not FP32), NF_EBUDGET, NF_ENOMEM.
 */
nf_status load_observe(pass_range **ranges, size_t *n_rows, ir_graph *take_graph,
                       const eng_options *o, const plan_env *env, nf_error *err);

#endif /* LOAD_CALIBRATE_H */
