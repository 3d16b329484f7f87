/* krn_detect.h - boxes of a detector from what its network says. Layer: kernels.
 * Thread rule: pure functions. */
#ifndef KRN_DETECT_H
#define KRN_DETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct krn_detect {
    size_t n, coords;        /* boxes; floats a box, of which 4 count */
    size_t columns, classes; /* scores a box; the last `classes` of them are no background */
    size_t most, per_box;    /* boxes to choose; classes of each box (not when regular) */
    size_t per_class;        /* regular: boxes of one class */
    bool regular;            /* class by class, else each box by its best class */
    float score, iou;        /* scores from `score` on count; an overlap above iou is too much */
    float scale[4];          /* of y, x, h and w */
} krn_detect;

typedef struct krn_detect_out {
    float *boxes, *classes, *scores; /* [rows, 4], [rows], [rows] with rows = most * per_box */
    float *count;                    /* [1] */
} krn_detect_out;

/** Bytes of scratch, aligned as floats are. */
size_t krn_detect_room(const krn_detect *p);

/* One image: x [n, coords] are y, x, h, w in the measure of the anchors [n, 4], which are y, x, h,
 * w themselves: middle = x / scale * size + middle, size = exp(x / scale) * size. Results are
 * corners y x y x, the best first. Regular: one row for each box chosen. Else box i has the rows
 * from i * per_box on, one for each of its best classes. Rows without a box are 0; count: boxes. */
void krn_f32_detect_ref(const krn_detect_out *y, const float *x, const float *scores,
                        const float *anchors, void *room, const krn_detect *p);

#endif /* KRN_DETECT_H */
