/* ops_ml.h - operators of classical machine learning, and of text. Layer: ir.
 * A row is explained in ops.h. The meaning is that of the domain ai.onnx.ml; parameters of any
 * number of elements are constant inputs. Those behind `labels` are packed when a model is loaded
 * (ir_packed_from). All of attr.ml; post is what happens to the scores.
 *
 * Rows x are [rows, columns], or [columns]: one row. Classifiers: results are labels [rows], of
 * the type of the input `labels` [classes] (INT64 or BYTES), and scores [rows, ..].
 *
 * TREE_CLASSIFIER, TREE_REGRESSOR: x, labels or none, and the attributes of nodes in the order of
 *   ir_trees_in; aggregate; outputs.
 * TREE_ENSEMBLE: the same for the form of opset 5, in the order of ir_trees_five_in.
 * SVM_CLASSIFIER, SVM_REGRESSOR: x, labels or none, then the order of ir_svm_in; mode: as
 *   krn_svm_kernel; whole: number of support vectors (regressor); flag: one class.
 * LINEAR_CLASSIFIER, LINEAR_REGRESSOR: x, labels or none, coefficients [targets, columns],
 *   intercepts [targets]?
 * SCALER: x, offset, scale: each one for all columns or one for each.
 * NORMALIZER: mode: as krn_norm. BINARIZER: value: the threshold.
 * IMPUTER: x, values: one or one a column; value or whole: what is replaced.
 * FEATURE_VECTORIZER: columns of each input in turn; the last input has the width of each (INT64).
 * PICK_COLUMNS: x, places (any number, INT64): columns of the last axis; flag: x is one row, the
 *   result has the shape of the places.
 * MAP_KEYS: x, keys, values, other: value of the key that equals x, or other; types INT64, FP32,
 *   FP64 and BYTES. ONE_HOT_KEYS: x, keys: a new last axis; flag: a value without a key is none of
 *   them, else the request is wrong.
 * STRING_NORMALIZER: x [n] or [1, n], words that are left out?; mode: see ir_letters; flag: words
 *   are compared letter by letter, else their case does not count. */
#ifndef IR_OPS_ML_H
#define IR_OPS_ML_H

enum ir_trees_in {
    IR_TREES_TREE_IDS = 2,
    IR_TREES_NODE_IDS,
    IR_TREES_FEATURES,
    IR_TREES_TRUE,
    IR_TREES_FALSE,
    IR_TREES_MISSING, /* may be left out, as VALUES_AS and BASE */
    IR_TREES_MODES,   /* UINT8, as krn_tree_mode */
    IR_TREES_VALUES,  /* FP32 or FP64 */
    IR_TREES_WEIGHT_TREES,
    IR_TREES_WEIGHT_NODES,
    IR_TREES_WEIGHT_IDS,
    IR_TREES_WEIGHTS, /* FP32 or FP64 */
    IR_TREES_BASE,    /* FP32 or FP64 */
    IR_TREES_INS
};

enum ir_trees_five_in {
    IR_FIVE_ROOTS = 2,
    IR_FIVE_FEATURES,
    IR_FIVE_TRUE,
    IR_FIVE_TRUE_LEAFS,
    IR_FIVE_FALSE,
    IR_FIVE_FALSE_LEAFS,
    IR_FIVE_MISSING, /* may be left out, as MEMBERS */
    IR_FIVE_MODES,
    IR_FIVE_SPLITS,
    IR_FIVE_MEMBERS,
    IR_FIVE_LEAF_IDS,
    IR_FIVE_LEAF_WEIGHTS,
    IR_FIVE_INS
};

enum ir_svm_in {
    IR_SVM_VECTORS = 2, /* FP32, as all but PER_CLASS */
    IR_SVM_COEFFICIENTS,
    IR_SVM_RHO,
    IR_SVM_PROB_A,
    IR_SVM_PROB_B,
    IR_SVM_PER_CLASS, /* INT64 */
    IR_SVM_PARAMS,
    IR_SVM_INS
};

enum ir_letters { IR_LETTERS_KEEP, IR_LETTERS_LOWER, IR_LETTERS_UPPER };

#define IR_ML_MAP(X)                                                                               \
    X(TREE_CLASSIFIER, 1, IR_TREES_INS, 2, classifier, any)                                        \
    X(TREE_REGRESSOR, 1, IR_TREES_INS, 1, scores, any)                                             \
    X(TREE_ENSEMBLE, 1, IR_FIVE_INS, 1, scores, any)                                               \
    X(SVM_CLASSIFIER, 2, IR_SVM_INS, 2, classifier, any)                                           \
    X(SVM_REGRESSOR, 1, IR_SVM_INS, 1, scores, any)                                                \
    X(LINEAR_CLASSIFIER, 3, 4, 2, classifier, any)                                                 \
    X(LINEAR_REGRESSOR, 1, 4, 1, scores, any)                                                      \
    X(SCALER, 3, 3, 1, columns, any)                                                               \
    X(NORMALIZER, 1, 1, 1, columns, elem)                                                          \
    X(BINARIZER, 1, 1, 1, same, elem)                                                              \
    X(IMPUTER, 2, 2, 1, columns, pair)                                                             \
    X(FEATURE_VECTORIZER, 2, 0, 1, join_columns, any)                                              \
    X(PICK_COLUMNS, 2, 2, 1, pick_columns, move)                                                   \
    X(MAP_KEYS, 4, 4, 1, same, any)                                                                \
    X(ONE_HOT_KEYS, 2, 2, 1, one_hot_keys, any)                                                    \
    X(STRING_NORMALIZER, 1, 2, 1, string_normalizer, pair)

#endif /* IR_OPS_ML_H */
