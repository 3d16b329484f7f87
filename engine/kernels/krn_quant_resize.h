/* krn_quant_resize.h - images of quantized values to another size, bilinear. Layer: kernels.
 * Thread rule: pure functions. Source: TensorFlow Lite's reference kernel, and XNNPACK's. */
#ifndef KRN_QUANT_RESIZE_H
#define KRN_QUANT_RESIZE_H

#include "engine/kernels/krn_quant.h"

/* Between which two input rows or columns an output one lies. */
typedef struct krn_q_place {
    size_t low, high;
    int32_t part; /* of the way from low to high, in 2^-bits */
} krn_q_place;

typedef struct krn_q_resize {
    krn_type type;
    size_t in_h, in_w, out_h, out_w, c;
    int bits;                          /* 10 */
    bool fast;                         /* halves up, else away from zero */
    const krn_q_place *rows, *columns; /* [out_h], [out_w] */
} krn_q_resize;

typedef enum krn_q_corner { KRN_Q_ASYMMETRIC, KRN_Q_ALIGNED, KRN_Q_HALF_PIXEL } krn_q_corner;

/** Fills the places of one axis: in whole numbers of 10 bits, or as XNNPACK in float and 11 bits.
 */
void krn_q_places(krn_q_place *to, size_t in, size_t out, krn_q_corner corner, bool fast);

/* One image [h, w, c]. */
void krn_q_resize_ref(void *y, const void *x, const krn_q_resize *r);

#endif /* KRN_QUANT_RESIZE_H */
