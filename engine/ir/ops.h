/* ops.h - every operator of the graph: name, fewest and most inputs, outputs, shape rule.
 * Layer: ir. One row is one op; the meaning of each is its plain C kernel in engine/kernels/ref.
 *
 * Layouts: images are NHWC; convolution weights are [out, kh, kw, in], depthwise weights
 * [1, kh, kw, channels]; FULLY_CONNECTED weights are [out, in]. A reader whose format has other
 * layouts brings them into these. */
#ifndef IR_OPS_H
#define IR_OPS_H

#define IR_OP_MAP(X)                                                                               \
    X(CONV_2D, 2, 3, 1, conv)           /* x, weights, bias? */                                    \
    X(DEPTHWISE_CONV_2D, 2, 3, 1, conv) /* x, weights, bias? */                                    \
    X(FULLY_CONNECTED, 2, 3, 1, dense)  /* x [.., in], weights, bias? */                           \
    X(MAX_POOL_2D, 1, 1, 1, pool)                                                                  \
    X(AVERAGE_POOL_2D, 1, 1, 1, pool)                                                              \
    X(ADD, 2, 2, 1, broadcast)                                                                     \
    X(SUB, 2, 2, 1, broadcast)                                                                     \
    X(MUL, 2, 2, 1, broadcast)                                                                     \
    X(DIV, 2, 2, 1, broadcast)                                                                     \
    X(CLAMP, 1, 1, 1, same)          /* attr.clamp: RELU, RELU6, Clip */                           \
    X(SOFTMAX, 1, 1, 1, same)        /* attr.softmax */                                            \
    X(RESHAPE, 1, 1, 1, reshape)     /* attr.reshape; also Flatten, Squeeze … */                 \
    X(TRANSPOSE, 1, 1, 1, transpose) /* attr.transpose */                                          \
    X(QUANTIZE, 1, 1, 1, same)       /* to the output's dtype and quantization */                  \
    X(DEQUANTIZE, 1, 1, 1, same)

#endif /* IR_OPS_H */
