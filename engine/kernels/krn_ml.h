/* krn_ml.h - linear models and the preparation of features: the small operators of ai.onnx.ml.
 * Layer: kernels. Thread rule: pure functions.
 *
 * Rows are dense and row-major; an operator that works per column takes `n` constants, one for all
 * columns or one for each. Where the text of ai.onnx.ml leaves a choice, onnxruntime's is taken. */
#ifndef KRN_ML_H
#define KRN_ML_H

#include "engine/kernels/krn_keys.h"
#include "engine/kernels/krn_post.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct krn_linear { /* LinearClassifier and LinearRegressor */
    size_t n_features, n_targets;
    const float *coefficients; /* [n_targets, n_features] */
    const float *intercepts;   /* [n_targets] or NULL */
    size_t n_labels;           /* one target needs two labels, and answers both scores */
    krn_post post;
} krn_linear;

/** Columns of a classifier's scores. */
size_t krn_linear_columns(const krn_linear *p);

/** y: [rows, n_targets]; x: [rows, n_features]. */
void krn_linear_regress_ref(float *y, const float *x, size_t rows, const krn_linear *p);

/** z: [rows, krn_linear_columns()]; label: [rows], positions: the best target, or of one target
 * whether it is above 0. */
void krn_linear_classify_ref(float *z, int64_t *label, const float *x, size_t rows,
                             const krn_linear *p);

/** y = (x - offset) * scale; n constants in both, 1 or cols. */
void krn_scale_ref(float *y, const float *x, size_t rows, size_t cols, const float *offset,
                   const float *scale, size_t n);

typedef enum krn_norm { KRN_NORM_MAX, KRN_NORM_L1, KRN_NORM_L2 } krn_norm;

/** Divides each row by its largest value, the sum of its magnitudes or its length; a row whose
 * divisor is 0 stays. */
void krn_normalize_ref(float *y, const float *x, size_t rows, size_t cols, krn_norm norm);

/** y = x, or the column's constant where x equals `replaced` (a NaN equals a NaN). n: 1 or cols. */
void krn_impute_f32_ref(float *y, const float *x, size_t rows, size_t cols, const float *values,
                        size_t n, float replaced);
void krn_impute_s64_ref(int64_t *y, const int64_t *x, size_t rows, size_t cols,
                        const int64_t *values, size_t n, int64_t replaced);

/** y = x > threshold. */
void krn_binarize_ref(float *y, const float *x, size_t n, float threshold);

/** Gathers columns of elements of `size` bytes: y[r, i] = x[r, at[i]], i < n. False when an index
 * lies outside 0 .. cols - 1; y is then undefined. */
bool krn_pick_columns_ref(void *y, const void *x, size_t size, size_t rows, size_t cols,
                          const int64_t *at, size_t n);

/** One input of FeatureVectorizer: copies min(x_cols, width) columns of each row to `at` in rows of
 * y_cols, zeros behind them up to width. */
void krn_join_columns_ref(float *y, size_t y_cols, size_t at, size_t width, const float *x,
                          size_t x_cols, size_t rows);

/** OneHotEncoder, after a table of keys: y: [n, categories]; 1 where at[i] says, at[i] ==
 * categories is none: a row of zeros. */
void krn_ml_one_hot_ref(float *y, const size_t *at, size_t n, size_t categories);

/** LabelEncoder and CategoryMapper, after a table of keys: y[i] = values[at[i]], or `other` where
 * at[i] == n_values; elements of `size` bytes. */
void krn_map_ref(void *y, const size_t *at, size_t n, const void *values, size_t n_values,
                 const void *other, size_t size);

#endif /* KRN_ML_H */
