/* ops.h - every operator of the graph: name, fewest and most inputs, most outputs (0 = any number),
 * shape rule, type rule. Layer: ir. One row is one op; the meaning of each is its plain C kernel in
 * engine/kernels/ref.
 *
 * Layouts: images are NHWC; convolution weights are [out, kh, kw, in], depthwise weights
 * [1, kh, kw, channels]; FULLY_CONNECTED weights are [out, in]. A reader whose format has other
 * layouts brings them into these. The shape rules stand in shape*.c, the type rules in check.c. */
#ifndef IR_OPS_H
#define IR_OPS_H

#include "engine/ir/ops_flow.h"
#include "engine/ir/ops_math.h"
#include "engine/ir/ops_ml.h"
#include "engine/ir/ops_move.h"
#include "engine/ir/ops_nn.h"
#include "engine/ir/ops_rnn.h"

#define IR_CORE_MAP(X)                                                                             \
    X(CONV_2D, 2, 3, 1, conv, product)           /* x, weights, bias? */                           \
    X(DEPTHWISE_CONV_2D, 2, 3, 1, conv, product) /* x, weights, bias? */                           \
    X(FULLY_CONNECTED, 2, 3, 1, dense, product)  /* x [.., in], weights, bias? */                  \
    X(MAX_POOL_2D, 1, 1, 1, pool, pool)                                                            \
    X(AVERAGE_POOL_2D, 1, 1, 1, pool, pool)                                                        \
    X(ADD, 2, 2, 1, broadcast, binary)                                                             \
    X(SUB, 2, 2, 1, broadcast, binary)                                                             \
    X(MUL, 2, 2, 1, broadcast, binary)                                                             \
    X(DIV, 2, 2, 1, broadcast, binary)                                                             \
    X(CLAMP, 1, 1, 1, same, elem)          /* attr.clamp: RELU, RELU6, Clip */                     \
    X(SOFTMAX, 1, 1, 1, softmax, softmax)  /* attr.softmax */                                      \
    X(RESHAPE, 1, 2, 1, reshape, move)     /* attr.reshape, or shape? */                           \
    X(TRANSPOSE, 1, 1, 1, transpose, move) /* attr.transpose */                                    \
    X(QUANTIZE, 1, 1, 1, same, quantize)   /* to the output's dtype and quantization */            \
    X(DEQUANTIZE, 1, 1, 1, same, dequantize)                                                       \
    X(IDENTITY, 1, 1, 1, same, elem)   /* a view of x */                                           \
    X(CAST, 1, 1, 1, same, any)        /* to the output's dtype, as C does; see krn_cast.h */      \
    X(SHAPE, 1, 1, 1, shape_of, index) /* attr.axis.axis, number: from and to which axis */

#define IR_OP_MAP(X)                                                                               \
    IR_CORE_MAP(X)                                                                                 \
    IR_MATH_MAP(X)                                                                                 \
    IR_MOVE_MAP(X)                                                                                 \
    IR_NN_MAP(X)                                                                                   \
    IR_RNN_MAP(X)                                                                                  \
    IR_ML_MAP(X)                                                                                   \
    IR_FLOW_MAP(X)

#endif /* IR_OPS_H */
