/* ops_nn.h - operators of networks: transposed convolution, resizing, norms, computed products.
 * Layer: ir. A row is explained in ops.h. */
#ifndef IR_OPS_NN_H
#define IR_OPS_NN_H

#define IR_NN_MAP(X)                                                                               \
    X(BATCH_MATMUL, 2, 2, 1, matmul, any)   /* a, b; attr.matmul */                                \
    X(MATMUL_INTEGER, 2, 4, 1, matmul, any) /* 8-bit a, b, zero points of a? and b?; to INT32 */   \
    X(CONV_ND, 2, 3, 1, conv_nd, any)       /* x, weights, bias?; attr.nd */                       \
    X(CONV_INTEGER, 2, 4, 1, conv_nd, any)  /* 8-bit x, weights, zero points of x? and weights? */ \
    X(TRANSPOSE_CONV, 2, 4, 1, transpose_conv, any) /* x, weights, bias?, shape of the result? */  \
    X(POOL_ND, 1, 1, 2, pool_nd, any)   /* also the index of each maximum in [n, c, ..] */         \
    X(MAX_UNPOOL, 2, 3, 1, unpool, any) /* x, indices, shape?; attr.nd of the pool; [n, c, ..] */

#endif /* IR_OPS_NN_H */
