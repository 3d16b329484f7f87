/* krn_nms.h - choosing boxes that do not overlap. Layer: kernels. Thread rule: pure functions. */
#ifndef KRN_NMS_H
#define KRN_NMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct krn_nms {
    size_t n;         /* boxes */
    int64_t most;     /* boxes to choose */
    float iou, score; /* an overlap above iou is too much; scores are above `score` */
    bool center;      /* boxes are x, y, width, height; else two corners y x y x */
} krn_nms;

/* One class: boxes [n, 4], scores [n]. Places of the chosen boxes in falling order of score, equal
 * ones as they come; returns how many. places: [n]; order: [n], scratch. */
size_t krn_f32_nms_ref(int32_t *places, const float *boxes, const float *scores, int32_t *order,
                       const krn_nms *p);

/* The same, but a box that overlaps a chosen one by less than too much is not dropped: its score is
 * multiplied by exp(-overlap^2 / (2 sigma)) and it waits until it is the best again; sigma 0 leaves
 * scores alone. scores: [n], lowered in place; seen: [n], scratch.
 * Source: Bodla et al., Soft-NMS, 2017. */
size_t krn_f32_soft_nms_ref(int32_t *places, const float *boxes, float *scores, int32_t *order,
                            int32_t *seen, const krn_nms *p, float sigma);

#endif /* KRN_NMS_H */
