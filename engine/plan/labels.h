/* labels.h - what the classifiers and regressors of classical machine learning share: parameters
 * from constants, labels from places. Layer: plan (inside). */
#ifndef PLAN_LABELS_H
#define PLAN_LABELS_H

#include "engine/kernels/krn_svm.h"
#include "engine/kernels/krn_trees.h"
#include "engine/plan/layer.h"

/** Constant operand i as a list; empty when it is left out. NF_EFORMAT: of another type. */
nf_status plan_const_ints(krn_ints *out, const plan_layer *l, const ir_graph *g, int32_t i,
                          nf_error *err);
nf_status plan_const_reals(krn_reals *out, const plan_layer *l, const ir_graph *g, int32_t i,
                           nf_error *err);
nf_status plan_const_floats(krn_floats *out, const plan_layer *l, const ir_graph *g, int32_t i,
                            nf_error *err);

/** Elements of a constant operand; 0 when it is left out. */
size_t plan_const_count(const plan_layer *l, const ir_graph *g, int32_t i);

/** Types of a classifier's or regressor's results, and that labels are there and known.
 * NF_EFORMAT, NF_EUNSUPPORTED. */
nf_status plan_check_scores(const plan_layer *l, const ir_graph *g, nf_error *err);

/** True for the classifiers. */
bool plan_has_labels(const plan_layer *l);

/** Rows, columns and outputs into s->u.ml; scratch for what is not an output: first `more` bytes
 * of the op's own, then scores of `size` bytes each and places of labels. */
nf_status plan_bind_scores(plan_step *s, const plan_shape *in, size_t size, size_t more,
                           nf_error *err);

/** Where the op puts scores and places of labels while it runs; *at is NULL for a regressor. */
void *plan_score_place(const plan_step *s, size_t size);
int64_t *plan_label_place(const plan_step *s);

/** Labels of the places plan_label_place; nothing for a regressor. */
void plan_put_labels(const plan_step *s);

#endif /* PLAN_LABELS_H */
