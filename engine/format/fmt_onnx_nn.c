/* fmt_onnx_nn.c - ONNX: the table of operators of networks. Layer: format. Thread rule: no shared
 * state. */
#include "engine/format/fmt_onnx_nn.h"

const fmt_onnx_row fmt_onnx_nn_rows[] = {
    /* operator, inputs, reader */
    {"Attention", 3, 7, fmt_onnx_attention},
    {"ConvInteger", 2, 4, fmt_onnx_conv_integer},
    {"ConvTranspose", 2, 3, fmt_onnx_conv_transpose},
    {"DynamicQuantizeLinear", 1, 1, fmt_onnx_dynamic_quantize},
    {"GlobalLpPool", 1, 1, fmt_onnx_global_lp_pool},
    {"GlobalMaxPool", 1, 1, fmt_onnx_global_max_pool},
    {"GroupNormalization", 3, 3, fmt_onnx_group_norm},
    {"InstanceNormalization", 3, 3, fmt_onnx_instance_norm},
    {"LRN", 1, 1, fmt_onnx_lrn},
    {"LayerNormalization", 2, 3, fmt_onnx_layer_norm},
    {"LpNormalization", 1, 1, fmt_onnx_lp_norm},
    {"LpPool", 1, 1, fmt_onnx_lp_pool},
    {"MatMulInteger", 2, 4, fmt_onnx_matmul_integer},
    {"MaxUnpool", 2, 3, fmt_onnx_max_unpool},
    {"MeanVarianceNormalization", 1, 1, fmt_onnx_mvn},
    {"NonMaxSuppression", 2, 5, fmt_onnx_nms},
    {"QLinearConv", 8, 9, fmt_onnx_qlinear_conv},
    {"QLinearMatMul", 8, 8, fmt_onnx_qlinear_matmul},
    {"RMSNormalization", 2, 2, fmt_onnx_rms_norm},
    {"Resize", 1, 4, fmt_onnx_resize},
    {"SimplifiedLayerNormalization", 2, 2, fmt_onnx_rms_norm}, /* as onnxruntime writes it */
    {"Upsample", 1, 2, fmt_onnx_upsample},
    {.op = NULL},
};
