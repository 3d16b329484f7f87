/* krn_nn.h - kernels of networks beside the plain convolutions and products. Layer: kernels.
 * Thread rule: pure functions. */
#ifndef KRN_NN_H
#define KRN_NN_H

#include "engine/kernels/krn_cast.h"

/* y[m, n] = a[m, k] * b[k, n] in INT32, INT64, UINT32 or UINT64, all row-major; sums wrap, as two's
 * complement does. */
void krn_matmul_ref(void *y, const void *a, const void *b, krn_type type, size_t m, size_t n,
                    size_t k);

/* y[c, r] = x[r, c] for elements of 1, 4 or 8 bytes. */
void krn_swap_ref(void *y, const void *x, size_t size, size_t rows, size_t cols);

/* y = x - zero in INT32, x [rows, cols] of an 8-bit type; zero: one for all (step_r = step_c = 0),
 * one a row or one a column. */
typedef struct krn_zeros {
    const int32_t *zero;
    size_t step_r, step_c;
} krn_zeros;
void krn_widen_i32_ref(int32_t *y, const void *x, krn_type type, size_t rows, size_t cols,
                       const krn_zeros *z);

#endif /* KRN_NN_H */
