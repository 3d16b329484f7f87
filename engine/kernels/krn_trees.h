/* krn_trees.h - ensembles of decision trees: builders, the plain evaluator, quick ones. Layer:
 * kernels. Thread rule: evaluation is pure; a built ensemble may be shared.
 *
 * The meaning is that of ai.onnx.ml TreeEnsembleClassifier and TreeEnsembleRegressor 1 and 3 and of
 * TreeEnsemble 5, with onnxruntime's answers where the text leaves a choice: compares and sums of
 * float rows are float, in the order of the trees; those of double rows are double. */
#ifndef KRN_TREES_H
#define KRN_TREES_H

#include "engine/base/err.h"
#include "engine/kernels/krn_post.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers of TreeEnsemble 5; LEAF is ours, for the older form. */
typedef enum krn_tree_mode {
    KRN_TREE_LEQ,
    KRN_TREE_LT,
    KRN_TREE_GTE,
    KRN_TREE_GT,
    KRN_TREE_EQ,
    KRN_TREE_NEQ,
    KRN_TREE_MEMBER,
    KRN_TREE_LEAF
} krn_tree_mode;

/* The numbers of TreeEnsemble 5. */
typedef enum krn_aggregate {
    KRN_AGGREGATE_AVERAGE,
    KRN_AGGREGATE_SUM,
    KRN_AGGREGATE_MIN,
    KRN_AGGREGATE_MAX
} krn_aggregate;

typedef struct krn_ints {
    const int64_t *v;
    size_t n;
} krn_ints;

typedef struct krn_reals { /* one of the two, or neither when n is 0 */
    const float *f32;
    const double *f64;
    size_t n;
} krn_reals;

/* The attributes of the classic operators, as they stand in the file: nothing is checked yet. */
typedef struct krn_trees_classic {
    krn_ints tree_ids, node_ids, feature_ids, true_ids, false_ids, missing_true;
    const uint8_t *modes; /* krn_tree_mode, one a node */
    size_t n_modes;
    krn_reals values;
    krn_ints weight_trees, weight_nodes, weight_ids; /* target_* or class_* */
    krn_reals weights, base;
    size_t n_outputs; /* targets, or class labels */
    krn_aggregate aggregate;
    krn_post post;
    bool classifier;
} krn_trees_classic;

/* The attributes of TreeEnsemble 5. */
typedef struct krn_trees_five {
    krn_ints roots, feature_ids, true_ids, true_leafs, false_ids, false_leafs, missing_true;
    const uint8_t *modes;
    size_t n_modes;
    krn_reals splits, members; /* a NaN ends the set of one MEMBER node */
    krn_ints leaf_ids;
    krn_reals leaf_weights;
    size_t n_outputs;
    krn_aggregate aggregate;
    krn_post post;
} krn_trees_five;

typedef struct krn_tree_node {
    double split;           /* MEMBER: the number of its set */
    uint32_t feature;       /* a column of the row */
    uint32_t yes, no;       /* positions; of a leaf: its first weight, and how many */
    uint8_t mode;           /* krn_tree_mode */
    uint8_t missing_is_yes; /* a NaN goes to yes, whatever the mode says */
} krn_tree_node;

/* The same trees for the quick evaluators. A crown holds the first `depth` levels of one tree as a
 * perfect tree in breadth-first order: node 1 is the root, the children of i are 2i and 2i + 1.
 * Every node asks x <= split, "no" is the odd child; the other modes are brought to this form. What
 * lies below a crown is walked from node to node. A leaf there is its own child, and the position
 * of one carries KRN_TREES_LEAF wherever it stands, so that a walk knows its end without reading
 * it. */
typedef struct krn_tree_step {
    float split;      /* a leaf's value or, when rows is set, its number: see exit */
    uint32_t feature; /* KRN_TREES_NAN_YES: a NaN goes to yes */
    uint32_t next[2]; /* yes, no */
} krn_tree_step;

/* A node of a crown for one row at a time: floats as integers of the same order, the row's too.
 * "No" is then key < that of x, the carry of a compare; a NaN has the highest key, NaN splits 0. */
typedef struct krn_tree_key {
    uint32_t key, feature;
} krn_tree_key;

#define KRN_TREES_NAN_YES 0x80000000u
#define KRN_TREES_LEAF    0x80000000u
#define KRN_TREES_CROWN   6     /* levels at most */
#define KRN_TREES_AT_ONCE 3     /* levels that the vectors ask at once */
#define KRN_TREES_BLOCK   64    /* rows that are worked on together */
#define KRN_TREES_KEYS    65536 /* features of a row that are made keys, at most */
#define KRN_TREES_TURNED  4096  /* features of a block that is turned, at most */

typedef struct krn_trees_quick {
    size_t depth, width; /* width: nodes of one crown as laid out, 16 or more */
    float *split;        /* [trees, width] */
    uint32_t *feature;   /* [trees, width] with KRN_TREES_NAN_YES */
    krn_tree_key *key;   /* [trees, width]; NULL when a row has too many features for it */
    uint8_t *levels;     /* [trees]: to ask, AT_ONCE or more; something below: depth + 1 */
    uint32_t *exit; /* [trees, 1 << depth]: levels > depth: a step; else as in a leaf's split */
    krn_tree_step *step; /* [nodes]; NULL when nothing is below */
    uint32_t *target;    /* [trees]: all leaves of a tree have one weight, for this output */
    float *rows;         /* or NULL; [leaves, stride]: all leaves have a weight for each output */
    size_t stride;       /* floats of a row of sums */
    uint8_t *has;        /* [outputs]: some leaf of every row has a weight for it */
    bool nan_yes;        /* some node sends a NaN to yes */
} krn_trees_quick;

typedef struct krn_trees {
    size_t n_nodes, n_trees, n_outputs, n_base;
    size_t n_features; /* columns that a row must have at least */
    size_t depth;      /* branches of the longest path */
    krn_tree_node *node;
    uint32_t *root;
    uint32_t *only;      /* [nodes]: every leaf below has one weight, for this output; or ~0 */
    uint32_t *weight_id; /* outputs */
    double *weight, *base;
    double *member; /* sorted within a set */
    size_t *set;    /* [sets + 1]: where each begins in member */
    krn_aggregate aggregate;
    krn_post post;
    bool classifier;
    bool one_column;   /* binary classifier whose weights are all for one class */
    bool all_positive; /* no weight below 0 */
    krn_trees_quick quick;
} krn_trees;

/** Checks every index and builds. NF_EFORMAT: counts that differ, a node twice, a child that is
 * not there, a cycle, a feature, weight or mode that cannot be. Paths may meet again (LightGBM's
 * categories do). The caller frees with krn_trees_free, after an error too. */
nf_status krn_trees_from_classic(krn_trees *out, const krn_trees_classic *a, nf_error *err);
nf_status krn_trees_from_five(krn_trees *out, const krn_trees_five *a, nf_error *err);
void krn_trees_free(krn_trees *t);

/** Adds the layout of the quick evaluators where they can express the ensemble: modes LEQ, LT, GTE,
 * GT, sums and averages, leaves alike. Otherwise leaves quick.depth 0, which is no error. */
nf_status krn_trees_quicken(krn_trees *t, nf_error *err);

/** Bytes of scratch that one evaluation needs. */
size_t krn_trees_scratch(const krn_trees *t);

/* z: [rows, n_outputs]; label: [rows], positions in the list of class labels, or NULL; x: [rows,
 * cols], cols >= n_features; scratch: krn_trees_scratch() bytes, aligned to 8. A classifier of one
 * label answers 0 or 1 as onnxruntime does: numbers, not positions. (So onnxruntime answers, too,
 * where a binary classifier has weights for both classes and its labels are integers; here these
 * are positions.) */
#define KRN_DECL_TREES_F32(name)                                                                   \
    void name(float *z, int64_t *label, const float *x, size_t rows, size_t cols,                  \
              const krn_trees *t, void *scratch)
typedef KRN_DECL_TREES_F32((*krn_trees_f32_fn));
KRN_DECL_TREES_F32(krn_trees_f32_ref);
KRN_DECL_TREES_F32(krn_trees_f32_crown); /* after krn_trees_quicken, quick.depth > 0 */
KRN_DECL_TREES_F32(krn_trees_f32_avx2);
KRN_DECL_TREES_F32(krn_trees_f32_avx512);

/* Double rows: doubles in sums and scores, as onnxruntime has it. */
void krn_trees_f64_ref(double *z, int64_t *label, const double *x, size_t rows, size_t cols,
                       const krn_trees *t, void *scratch);

/** The quickest evaluator for an ensemble on a CPU with these bits of cpu.h. */
krn_trees_f32_fn krn_trees_pick(const krn_trees *t, unsigned cpu, const char **name);

/* For the evaluators: what follows the sums. z: [n_outputs], sums of one row, becomes its scores;
 * has: [n_outputs], which of them some leaf of this row had a weight for. */
void krn_trees_finish_f32(float *z, const uint8_t *has, int64_t *label, const krn_trees *t);
void krn_trees_finish_f64(double *z, const uint8_t *has, int64_t *label, const krn_trees *t);

/* Parts of the quick evaluators. Sums of a block: [outputs, KRN_TREES_BLOCK] with quick.target,
 * [KRN_TREES_BLOCK, stride] with quick.rows. */
bool krn_f32_has_nan(const float *x, size_t n);
uint32_t krn_tree_key_of(float v);
float *krn_trees_turned(const krn_trees *t, void *scratch); /* [features, KRN_TREES_BLOCK] */
void krn_trees_finish_block(float *z, int64_t *label, const float *sums, size_t rows,
                            const krn_trees *t);

#endif /* KRN_TREES_H */
