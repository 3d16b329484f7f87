/* table_nn.c - the kernels of ops_nn.h. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/nn.h"

// clang-format off
const plan_kernel plan_nn_kernels[] = { /* op, kind, shown name, prepare, bind, run */
    {IR_CONV_2D,           PLAN_LOOSE, "conv any f32",       plan_conv_any,       plan_bind_conv_any,       plan_run_conv_any},
    {IR_DEPTHWISE_CONV_2D, PLAN_LOOSE, "depthwise any f32",  plan_conv_any,       plan_bind_conv_any,       plan_run_conv_any},
    {IR_FULLY_CONNECTED,   PLAN_LOOSE, "dense any f32",      plan_conv_any,       plan_bind_dense_any,      plan_run_dense_any},
    {IR_BATCH_MATMUL,      PLAN_F32,   "matmul f32",         plan_matmul,         plan_bind_matmul,         plan_run_matmul},
    {IR_BATCH_MATMUL,      PLAN_INT,   "matmul int",         plan_matmul,         plan_bind_matmul,         plan_run_matmul},
    {IR_MATMUL_INTEGER,    PLAN_ANY,   "matmul integer",     plan_matmul_integer, plan_bind_matmul,         plan_run_matmul_integer},
    {IR_CONV_ND,           PLAN_F32,   "conv_nd f32",        plan_conv_nd,        plan_bind_conv_nd,        plan_run_conv_any},
    {IR_CONV_INTEGER,      PLAN_ANY,   "conv integer",       plan_conv_integer,   plan_bind_conv_integer,   plan_run_conv_integer},
    {IR_TRANSPOSE_CONV,    PLAN_F32,   "transpose_conv f32", plan_transpose_conv, plan_bind_transpose_conv, plan_run_transpose_conv},
    {IR_POOL_ND,           PLAN_F32,   "pool_nd f32",        plan_pool_nd,        plan_bind_pool_nd,        plan_run_pool_nd},
    {IR_MAX_UNPOOL,        PLAN_F32,   "max_unpool f32",     plan_unpool,         plan_bind_unpool,         plan_run_unpool},
    {IR_LAYER_NORM,        PLAN_F32,   "layer_norm f32",     plan_norm,           plan_bind_layer_norm,     plan_run_layer_norm},
    {IR_GROUP_NORM,        PLAN_F32,   "group_norm f32",     plan_norm,           plan_bind_channel_norm,   plan_run_group_norm},
    {IR_BATCH_NORM,        PLAN_F32,   "batch_norm f32",     plan_norm,           plan_bind_channel_norm,   plan_run_batch_norm},
    {IR_MEAN_VARIANCE_NORM, PLAN_F32,  "mvn f32",            plan_norm,           plan_bind_mvn,            plan_run_mvn},
    {IR_LOCAL_RESPONSE_NORMALIZATION, PLAN_F32, "lrn f32",   plan_norm,           plan_bind_axis_norm,      plan_run_lrn},
    {IR_LP_NORM,           PLAN_F32,   "lp_norm f32",        plan_norm,           plan_bind_axis_norm,      plan_run_lp_norm},
    {IR_RESIZE,            PLAN_F32,   "resize f32",         plan_resize,         plan_bind_resize,         plan_run_resize},
    {IR_RESIZE,            PLAN_INT,   "resize nearest",     plan_resize,         plan_bind_resize,         plan_run_resize},
    {IR_RESIZE,            PLAN_Q8,    "resize nearest",     plan_resize,         plan_bind_resize,         plan_run_resize},
    {IR_RESIZE,            PLAN_Q16,   "resize nearest",     plan_resize,         plan_bind_resize,         plan_run_resize},
    {IR_QUANTIZE_LINEAR,   PLAN_F32,   "quantize linear",    plan_quant_linear,         plan_bind_quant_linear,         plan_run_quantize_linear},
    {IR_DEQUANTIZE_LINEAR, PLAN_ANY,   "dequantize linear",  plan_quant_linear,         plan_bind_quant_linear,         plan_run_dequantize_linear},
    {IR_DYNAMIC_QUANTIZE,  PLAN_F32,   "dynamic quantize",   plan_dynamic_quantize, plan_bind_dynamic_quantize, plan_run_dynamic_quantize},
    {IR_ATTENTION,         PLAN_F32,   "attention f32",      plan_attention,      plan_bind_attention,      plan_run_attention},
    {IR_NON_MAX_SUPPRESSION, PLAN_F32, "nms f32",            plan_nms,            plan_bind_nms,            plan_run_nms},
    {IR_NON_MAX_SUPPRESSION_V5, PLAN_F32, "nms_v5 f32",      plan_nms_v5,         plan_bind_nms_v5,         plan_run_nms_v5},
    {IR_DETECTION_POSTPROCESS, PLAN_F32, "detection f32",    plan_detect,         plan_bind_detect,         plan_run_detect},
    {.name = NULL},
};
// clang-format on
