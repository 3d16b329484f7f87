/* krn_post.h - what happens to the scores of a classifier or regressor at the end. Layer: kernels.
 * Thread rule: pure functions. */
#ifndef KRN_POST_H
#define KRN_POST_H

#include <stdbool.h>
#include <stddef.h>

/* The numbers of TreeEnsemble 5; the names of the older operators are these in capitals. */
typedef enum krn_post {
    KRN_POST_NONE,
    KRN_POST_SOFTMAX,
    KRN_POST_LOGISTIC,
    KRN_POST_SOFTMAX_ZERO, /* scores within 1e-7 of zero get no share */
    KRN_POST_PROBIT
} krn_post;

/* How one score becomes the two of a binary classifier; with LOGISTIC it is always the logistic
 * function of -s and of s. */
typedef enum krn_second {
    KRN_SECOND_NONE,       /* it stays alone */
    KRN_SECOND_COMPLEMENT, /* 1 - s, s */
    KRN_SECOND_NEGATIVE    /* -s, s */
} krn_second;

/** n scores of one row, in place. n == 1: PROBIT applies and nothing else, as onnxruntime has it,
 * and `second` says what becomes of the place behind it, which must exist unless NONE.
 * LOGISTIC and PROBIT are computed in float; Winitzki's inverse error function. */
void krn_post_f32_ref(float *s, size_t n, krn_post post, krn_second second);

/** The same on doubles: softmax in double, the others in float. */
void krn_post_f64_ref(double *s, size_t n, krn_post post, krn_second second);

/** The position of the largest of n >= 1 scores, the first of equal ones. */
size_t krn_f32_top_ref(const float *s, size_t n);

/** 1 / (1 + exp(-v)), without overflow. */
float krn_logistic(float v);

#endif /* KRN_POST_H */
