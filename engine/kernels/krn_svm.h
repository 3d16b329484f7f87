/* krn_svm.h - support vector machines: SVMClassifier and SVMRegressor of ai.onnx.ml. Layer:
 * kernels. Thread rule: evaluation is pure; a built machine may be shared. */
#ifndef KRN_SVM_H
#define KRN_SVM_H

#include "engine/base/err.h"
#include "engine/kernels/krn_post.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum krn_svm_kernel {
    KRN_SVM_LINEAR,  /* x v */
    KRN_SVM_POLY,    /* (gamma x v + coef0) ^ degree */
    KRN_SVM_RBF,     /* exp(-gamma |x - v|^2) */
    KRN_SVM_SIGMOID, /* tanh(gamma x v + coef0) */
} krn_svm_kernel;

typedef struct krn_floats {
    const float *v;
    size_t n;
} krn_floats;

/* The attributes as they stand in the file: nothing is checked yet. */
typedef struct krn_svm_attrs {
    krn_svm_kernel kernel;
    krn_floats kernel_params; /* gamma, coef0, degree; or none */
    krn_floats vectors, coefficients, rho, prob_a, prob_b;
    const int64_t *vectors_per_class; /* classifier; n_per_class 0: liblinear, a row a class */
    size_t n_per_class;
    size_t n_labels;    /* 0 for a regressor */
    int64_t n_supports; /* regressor; 0: coefficients are those of x itself */
    bool one_class;     /* regressor: answers 1 or -1 */
    krn_post post;
} krn_svm_attrs;

typedef struct krn_svm {
    krn_svm_kernel kernel;
    float gamma, coef0, degree;
    size_t n_features, n_vectors, n_classes;
    float *vectors;      /* [n_features, n_vectors]: one feature of all vectors side by side */
    float *coefficients; /* [n_classes - 1, n_vectors]; liblinear: [n_classes, n_features] */
    float *rho, *prob_a, *prob_b; /* a pair of classes each; prob NULL: no probabilities */
    size_t *first;                /* [n_classes + 1]: of the vectors of each class */
    bool all_positive;            /* no coefficient below 0 */
    bool one_class;
    krn_post post;
} krn_svm;

/** Checks all sizes and copies. NF_EFORMAT when they do not fit together. Free with krn_svm_free,
 * after an error too. */
nf_status krn_svm_make(krn_svm *out, const krn_svm_attrs *a, nf_error *err);
void krn_svm_free(krn_svm *s);

/** Columns of a classifier's scores: a class each with probabilities or liblinear, else a pair of
 * classes each, two for one pair. */
size_t krn_svm_columns(const krn_svm *s);

/** Floats of scratch that one row needs. */
size_t krn_svm_scratch(const krn_svm *s);

/** z: [rows, krn_svm_columns()]; label: [rows], positions; x: [rows, n_features]; one vote a pair
 * of classes, the first of equals wins. */
void krn_svm_classify_ref(float *z, int64_t *label, const float *x, size_t rows, const krn_svm *s,
                          float *scratch);

/** y: [rows]. */
void krn_svm_regress_ref(float *y, const float *x, size_t rows, const krn_svm *s, float *scratch);

/** Probabilities p of n classes from those of pairs, r[i, j] + r[j, i] = 1: the second method of
 * Wu, Lin and Weng, "Probability estimates for multi-class classification by pairwise coupling",
 * 2004, as libsvm stops it. q: [n, n] and then [n], scratch. */
void krn_couple_ref(float *p, const float *r, size_t n, float *q);

#endif /* KRN_SVM_H */
