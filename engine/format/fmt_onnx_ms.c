/* fmt_onnx_ms.c - ONNX: operators of the domain com.microsoft. Layer: format. Thread rule: no
 * shared state. Source: ContribOperators.md of ONNX Runtime. */
#include "engine/format/fmt_onnx_nn.h"

const fmt_onnx_row fmt_onnx_ms_rows[] = {
    /* operator, inputs, reader */
    {"BiasGelu", 2, 2, fmt_onnx_bias_gelu},
    {"DynamicQuantizeLSTM", 12, 12, fmt_onnx_dynamic_lstm},
    {"DynamicQuantizeMatMul", 3, 5, fmt_onnx_dynamic_matmul},
    {"FastGelu", 1, 2, fmt_onnx_fast_gelu},
    {"FusedMatMul", 2, 2, fmt_onnx_fused_matmul},
    {"Gelu", 1, 1, fmt_onnx_bias_gelu},
    {"MatMulIntegerToFloat", 4, 7, fmt_onnx_matmul_integer_to_float},
    {"MatMulNBits", 3, 6, fmt_onnx_matmul_nbits},
    {"QGemm", 6, 9, fmt_onnx_qgemm},
    {"QLinearAdd", 7, 8, fmt_onnx_qlinear_add},
    {"QLinearAveragePool", 4, 5, fmt_onnx_qlinear_mean},
    {"QLinearConcat", 5, 0, fmt_onnx_qlinear_concat},
    {"QLinearGlobalAveragePool", 4, 5, fmt_onnx_qlinear_global_mean},
    {"QLinearLeakyRelu", 4, 5, fmt_onnx_qlinear_leaky_relu},
    {"QLinearMul", 7, 8, fmt_onnx_qlinear_mul},
    {"QLinearSigmoid", 4, 5, fmt_onnx_qlinear_sigmoid},
    {"QLinearSoftmax", 4, 5, fmt_onnx_qlinear_softmax},
    {"QuickGelu", 1, 1, fmt_onnx_quick_gelu},
    {"SimplifiedLayerNormalization", 2, 2, fmt_onnx_rms_norm},
    {"SkipLayerNormalization", 3, 5, fmt_onnx_skip_norm},
    {"SkipSimplifiedLayerNormalization", 3, 4, fmt_onnx_skip_rms_norm},
    {.op = NULL},
};
