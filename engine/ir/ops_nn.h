/* ops_nn.h - operators of networks: transposed convolution, resizing, norms, computed products.
 * Layer: ir. A row is explained in ops.h.
 *
 * ATTENTION: q, k, v are [n, heads, t, d] or [n, t, heads * d]; results are y, k and v with what is
 * past, and the products: by attr.attention.mode 0 as they are, 1 behind the softcap, 2 with the
 * mask, 3 behind the softmax. NON_MAX_SUPPRESSION: boxes [n, b, 4] (attr.axis.flag: by their
 * middle), scores [n, classes, b]; rows of the result are image, class and box.
 * NON_MAX_SUPPRESSION_V5: boxes [b, 4], scores [b]; results are places [most], their scores and how
 * many there are. DETECTION_POSTPROCESS: see krn_detect.h. */
#ifndef IR_OPS_NN_H
#define IR_OPS_NN_H

#define IR_NN_MAP(X)                                                                               \
    X(BATCH_MATMUL, 2, 2, 1, matmul, any)   /* a, b; attr.matmul */                                \
    X(MATMUL_INTEGER, 2, 4, 1, matmul, any) /* 8-bit a, b, zero points of a? and b?; to INT32 */   \
    X(CONV_ND, 2, 3, 1, conv_nd, any)       /* x, weights, bias?; attr.nd */                       \
    X(CONV_INTEGER, 2, 4, 1, conv_nd, any)  /* 8-bit x, weights, zero points of x? and weights? */ \
    X(TRANSPOSE_CONV, 2, 4, 1, transpose_conv, any) /* x, weights, bias?, shape of the result? */  \
    X(POOL_ND, 1, 1, 2, pool_nd, any)   /* also the index of each maximum in [n, c, ..] */         \
    X(MAX_UNPOOL, 2, 3, 1, unpool, any) /* x, indices, shape?; attr.nd of the pool; [n, c, ..] */  \
    X(LAYER_NORM, 1, 3, 3, layer_norm, any)   /* x, scale?, bias?; also mean and 1 / deviation */  \
    X(GROUP_NORM, 3, 3, 1, channel_norm, any) /* x [n, c, ..], scale, bias by channel or group */  \
    X(BATCH_NORM, 5, 5, 1, channel_norm, any) /* x [n, c, ..], scale, bias, mean, variance */      \
    X(MEAN_VARIANCE_NORM, 1, 1, 1, axes_norm, any)                                                 \
    X(LOCAL_RESPONSE_NORMALIZATION, 1, 1, 1, axis_norm, any)                                       \
    X(LP_NORM, 1, 1, 1, axis_norm, any)       /* L2_NORMALIZATION, LpNormalization */              \
    X(ATTENTION, 3, 7, 4, attention, any)     /* q, k, v, mask?, past k?, past v?, lengths? */     \
    X(NON_MAX_SUPPRESSION, 2, 5, 1, nms, any) /* boxes, scores, most?, overlap?, score? */         \
    X(NON_MAX_SUPPRESSION_V5, 5, 6, 3, nms_v5,                                                     \
      any) /* boxes, scores, most, overlap, score, sigma? */                                       \
    X(DETECTION_POSTPROCESS, 3, 3, 4, detect, any) /* boxes, scores, anchors; attr.detect */       \
    X(QUANTIZE_LINEAR, 2, 3, 1, linear, any)       /* x, scales, zero points?; attr.linear */      \
    X(DEQUANTIZE_LINEAR, 2, 3, 1, linear, any)     /* x, scales, zero points?; attr.linear */      \
    X(DYNAMIC_QUANTIZE, 1, 1, 3, dynamic, any)     /* to UINT8, its scale and zero point */        \
    X(RESIZE, 1, 4, 1, resize, elem)               /* x, region?, scales?, sizes?; attr.resize */

#endif /* IR_OPS_NN_H */
