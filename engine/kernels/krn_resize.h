/* krn_resize.h - one axis of an image to another size. Layer: kernels. Thread rule: pure functions.
 */
#ifndef KRN_RESIZE_H
#define KRN_RESIZE_H

#include <stddef.h>
#include <stdint.h>

/* Output o of [outer, out, inner] is the sum over `taps` of weight[o * taps + t] times input
 * index[o * taps + t] of [outer, in, inner]. */
typedef struct krn_taps {
    size_t in, out, taps;
    const int32_t *index;
    const float *weight;
} krn_taps;
void krn_f32_resize_ref(float *y, const float *x, size_t outer, size_t inner, const krn_taps *t);

/* The same for one tap of weight 1, which only moves elements of `size` bytes. */
void krn_move_resize_ref(void *y, const void *x, size_t size, size_t outer, size_t inner,
                         const krn_taps *t);

#endif /* KRN_RESIZE_H */
