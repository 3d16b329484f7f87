/* fmt_onnx_ms.c - ONNX: operators of the domain com.microsoft. Layer: format. Thread rule: no
 * shared state. Source: ContribOperators.md of ONNX Runtime. */
#include "engine/format/fmt_onnx_nn.h"

const fmt_onnx_row fmt_onnx_ms_rows[] = {
    /* operator, inputs, reader */
    {"QGemm", 6, 9, fmt_onnx_qgemm},
    {"QLinearAdd", 7, 8, fmt_onnx_qlinear_add},
    {"QLinearAveragePool", 4, 5, fmt_onnx_qlinear_mean},
    {"QLinearConcat", 5, 0, fmt_onnx_qlinear_concat},
    {"QLinearGlobalAveragePool", 4, 5, fmt_onnx_qlinear_global_mean},
    {"QLinearLeakyRelu", 4, 5, fmt_onnx_qlinear_leaky_relu},
    {"QLinearMul", 7, 8, fmt_onnx_qlinear_mul},
    {"QLinearSigmoid", 4, 5, fmt_onnx_qlinear_sigmoid},
    {"QLinearSoftmax", 4, 5, fmt_onnx_qlinear_softmax},
    {.op = NULL},
};
