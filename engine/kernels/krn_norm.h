/* krn_norm.h - normalization in float. Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_NORM_H
#define KRN_NORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* y[r, i] = (x - mean) / sqrt(variance + epsilon) * scale[i] + bias[i] over each row of n; rms: the
 * mean is taken as 0. scale and bias may be NULL; step 0 repeats one number. mean and inverse
 * [rows] may be NULL. */
typedef struct krn_layer_norm {
    size_t n;
    const float *scale, *bias;
    size_t step_scale, step_bias;
    float epsilon;
    bool rms;
} krn_layer_norm;
#define KRN_DECL_F32_LAYER_NORM(name)                                                              \
    void name(float *y, float *mean, float *inverse, const float *x, size_t rows,                  \
              const krn_layer_norm *p)
typedef KRN_DECL_F32_LAYER_NORM((*krn_f32_layer_norm_fn));
KRN_DECL_F32_LAYER_NORM(krn_f32_layer_norm_ref);
KRN_DECL_F32_LAYER_NORM(krn_f32_layer_norm_avx2);
KRN_DECL_F32_LAYER_NORM(krn_f32_layer_norm_avx512);

/* x [channels, size] of one image in `groups`; scale and bias: one for each channel, or one for
 * each group if per_group. */
typedef struct krn_group_norm {
    size_t channels, size, groups;
    const float *scale, *bias;
    float epsilon;
    bool per_group;
} krn_group_norm;
#define KRN_DECL_F32_GROUP_NORM(name) void name(float *y, const float *x, const krn_group_norm *p)
typedef KRN_DECL_F32_GROUP_NORM((*krn_f32_group_norm_fn));
KRN_DECL_F32_GROUP_NORM(krn_f32_group_norm_ref);
KRN_DECL_F32_GROUP_NORM(krn_f32_group_norm_avx2);
KRN_DECL_F32_GROUP_NORM(krn_f32_group_norm_avx512);

/* y[c, i] = (x - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + bias[c] */
void krn_f32_batch_norm_ref(float *y, const float *x, size_t channels, size_t size,
                            const float *const param[4], float epsilon);

/* Over axis n of [outer, n, inner]: x / (bias + alpha * (sum of squares of the neighbours from
 * -before to after))^beta. */
typedef struct krn_lrn {
    size_t before, after;
    float alpha, beta, bias;
} krn_lrn;
void krn_f32_lrn_ref(float *y, const float *x, size_t outer, size_t n, size_t inner,
                     const krn_lrn *p);

/* Over axis n of [outer, n, inner]: x / max(norm, epsilon), 0 where that is 0; p: 1 or 2. */
void krn_f32_lp_norm_ref(float *y, const float *x, size_t outer, size_t n, size_t inner, int32_t p,
                         float epsilon);

/* (x - mean) / (deviation + epsilon) over the axes of the mask. sums: [2, elements of the others].
 */
void krn_f32_mvn_ref(float *y, const float *x, int rank, const size_t *dim, uint32_t axes,
                     float epsilon, double *sums);

#endif /* KRN_NORM_H */
