/* table_quant.c - kernels on quantized values, of ops from every family. They come before those of
 * the other tables. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/math.h"
#include "engine/plan/quant.h"

#define UNARY(op, kind, name)                                                                      \
    {                                                                                              \
        op, kind, name, plan_q_unary, plan_bind_q_unary, NULL                                      \
    }
#define BINARY(op, kind, name)                                                                     \
    {                                                                                              \
        op, kind, name, plan_q_binary, plan_bind_q_binary, plan_run_q_binary                       \
    }

// clang-format off
const plan_kernel plan_quant_kernels[] = { /* op, kind, shown name, prepare, bind, run */
    UNARY(IR_CLAMP,       PLAN_Q8,  "clamp qs8"),      UNARY(IR_CLAMP,      PLAN_Q16, "clamp qs16"),
    UNARY(IR_LEAKY_RELU,  PLAN_Q8,  "leaky_relu qs8"), UNARY(IR_LEAKY_RELU, PLAN_Q16, "leaky_relu qs16"),
    UNARY(IR_ABS,         PLAN_Q8,  "abs qs8"),        UNARY(IR_ABS,        PLAN_Q16, "abs qs16"),
    UNARY(IR_RSQRT,       PLAN_Q8,  "rsqrt qs8"),      UNARY(IR_RSQRT,      PLAN_Q16, "rsqrt qs16"),
    UNARY(IR_SQRT,        PLAN_Q8,  "sqrt qs8"),       UNARY(IR_SQRT,       PLAN_Q16, "sqrt qs16"),
    UNARY(IR_HARD_SWISH,  PLAN_Q8,  "hard_swish qs8"),
    UNARY(IR_TANH,        PLAN_Q8,  "tanh qs8"),       UNARY(IR_TANH,       PLAN_Q16, "tanh qs16"),
    UNARY(IR_LOGISTIC,    PLAN_Q8,  "logistic qs8"),   UNARY(IR_LOGISTIC,   PLAN_Q16, "logistic qs16"),
    UNARY(IR_ELU,         PLAN_Q8,  "elu qs8"),
    UNARY(IR_GELU,        PLAN_Q8,  "gelu qs8"),
    UNARY(IR_EXP,         PLAN_Q8,  "exp qs8"),        UNARY(IR_EXP,        PLAN_Q16, "exp qs16"),
    UNARY(IR_LOG,         PLAN_Q8,  "log qs8"),        UNARY(IR_LOG,        PLAN_Q16, "log qs16"),
    UNARY(IR_QUANTIZE,    PLAN_Q8,  "quantize qs8"),   UNARY(IR_QUANTIZE,   PLAN_Q16, "quantize qs16"),
    {IR_ADD,              PLAN_Q8,  "add qs8",         plan_binary_q8, plan_bind_binary_q8, plan_run_q_binary},
    {IR_MUL,              PLAN_Q8,  "mul qs8",         plan_binary_q8, plan_bind_binary_q8, plan_run_q_binary},
    BINARY(IR_ADD,        PLAN_Q16, "add qs16"),
    BINARY(IR_SUB,        PLAN_Q8,  "sub qs8"),        BINARY(IR_SUB,       PLAN_Q16, "sub qs16"),
    BINARY(IR_MUL,        PLAN_Q16, "mul qs16"),
    BINARY(IR_DIV,        PLAN_Q8,  "div qs8"),
    BINARY(IR_SQUARED_DIFFERENCE, PLAN_Q8, "squared_difference qs8"),
    BINARY(IR_MINIMUM,    PLAN_Q8,  "minimum qs8"),    BINARY(IR_MINIMUM,   PLAN_Q16, "minimum qs16"),
    BINARY(IR_MAXIMUM,    PLAN_Q8,  "maximum qs8"),    BINARY(IR_MAXIMUM,   PLAN_Q16, "maximum qs16"),
    BINARY(IR_PRELU,      PLAN_Q8,  "prelu qs8"),
    BINARY(IR_EQUAL,      PLAN_Q8,  "equal qs8"),      BINARY(IR_NOT_EQUAL, PLAN_Q8,  "not_equal qs8"),
    BINARY(IR_LESS,       PLAN_Q8,  "less qs8"),       BINARY(IR_LESS_EQUAL, PLAN_Q8, "less_equal qs8"),
    BINARY(IR_GREATER,    PLAN_Q8,  "greater qs8"),    BINARY(IR_GREATER_EQUAL, PLAN_Q8, "greater_equal qs8"),
    BINARY(IR_EQUAL, PLAN_Q16, "equal qs16"),
    BINARY(IR_NOT_EQUAL, PLAN_Q16, "not_equal qs16"),
    BINARY(IR_LESS, PLAN_Q16, "less qs16"),
    BINARY(IR_LESS_EQUAL, PLAN_Q16, "less_equal qs16"),
    BINARY(IR_GREATER, PLAN_Q16, "greater qs16"),
    BINARY(IR_GREATER_EQUAL, PLAN_Q16, "greater_equal qs16"),
    {IR_CONV_2D,           PLAN_Q16,    "conv qs16",        plan_q_product_prepare,  plan_bind_q_conv,  plan_run_q_conv},
    {IR_DEPTHWISE_CONV_2D, PLAN_Q16,    "depthwise qs16",   plan_q_product_prepare,  plan_bind_q_conv,  plan_run_q_conv},
    {IR_FULLY_CONNECTED,   PLAN_Q16,    "dense qs16",       plan_q_product_prepare,  plan_bind_q_dense, plan_run_q_dense},
    {IR_CONV_2D,           PLAN_Q8W,    "conv qs8 zero",    plan_q_product_prepare,  plan_bind_q_conv,  plan_run_q_conv},
    {IR_DEPTHWISE_CONV_2D, PLAN_Q8W,    "depthwise qs8 zero", plan_q_product_prepare, plan_bind_q_conv, plan_run_q_conv},
    {IR_FULLY_CONNECTED,   PLAN_Q8W,    "dense qs8 zero",   plan_q_product_prepare,  plan_bind_q_dense, plan_run_q_dense},
    {IR_DEPTHWISE_CONV_2D, PLAN_HYBRID, "depthwise hybrid", plan_q_depthwise_hybrid, plan_bind_q_conv,  plan_run_q_depthwise_hybrid},
    {IR_MAX_POOL_2D,       PLAN_Q16,    "max_pool qs16",    plan_q_pool,             plan_bind_pool,    plan_run_q_pool},
    {IR_AVERAGE_POOL_2D,   PLAN_Q16,    "mean_pool qs16",   plan_q_pool,             plan_bind_pool,    plan_run_q_pool},
    {IR_SOFTMAX,           PLAN_Q8,     "softmax qs8",      plan_q_softmax16,        plan_bind_q_softmax, NULL},
    {IR_SOFTMAX,           PLAN_Q16,    "softmax qs16",     plan_q_softmax16,        plan_bind_q_softmax, NULL},
    {IR_CONV_2D,           PLAN_HYBRID, "conv hybrid",      plan_q_hybrid,           plan_bind_q_hybrid_conv, plan_run_conv_q8},
    {IR_FULLY_CONNECTED,   PLAN_HYBRID, "dense hybrid",     plan_q_hybrid,           plan_bind_dense_q8, plan_run_dense_hybrid},
    {IR_TRANSPOSE_CONV,    PLAN_Q8, "transpose_conv qs8", plan_q_deconv, plan_bind_q_deconv, plan_run_q_deconv},
    {IR_BATCH_MATMUL,      PLAN_Q8, "batch_matmul qs8", plan_q_matmul, plan_bind_q_matmul, plan_run_q_matmul},
    {IR_MEAN, PLAN_Q8, "mean qs8", plan_q_reduce, plan_bind_q_reduce, plan_run_q_reduce},
    {IR_REDUCE_SUM, PLAN_Q8, "reduce_sum qs8", plan_q_reduce, plan_bind_q_reduce, plan_run_q_reduce},
    {IR_REDUCE_PROD, PLAN_Q8, "reduce_prod qs8", plan_q_reduce, plan_bind_q_reduce, plan_run_q_reduce},
    {IR_REDUCE_MAX, PLAN_Q8, "reduce_max qs8", plan_q_choose, plan_bind_reduce, plan_run_reduce},
    {IR_REDUCE_MIN, PLAN_Q8, "reduce_min qs8", plan_q_choose, plan_bind_reduce, plan_run_reduce},
    {IR_ARG_MAX, PLAN_Q8, "arg_max qs8", plan_q_arg, plan_bind_arg, plan_run_arg},
    {IR_ARG_MIN, PLAN_Q8, "arg_min qs8", plan_q_arg, plan_bind_arg, plan_run_arg},
    {IR_TRANSPOSE_CONV,    PLAN_Q16, "transpose_conv qs16", plan_q_deconv, plan_bind_q_deconv, plan_run_q_deconv},
    {IR_BATCH_MATMUL,      PLAN_Q16, "batch_matmul qs16", plan_q_matmul, plan_bind_q_matmul, plan_run_q_matmul},
    {IR_MEAN, PLAN_Q16, "mean qs16", plan_q_reduce, plan_bind_q_reduce, plan_run_q_reduce},
    {IR_REDUCE_SUM, PLAN_Q16, "reduce_sum qs16", plan_q_reduce, plan_bind_q_reduce, plan_run_q_reduce},
    {IR_REDUCE_PROD, PLAN_Q16, "reduce_prod qs16", plan_q_reduce, plan_bind_q_reduce, plan_run_q_reduce},
    {IR_REDUCE_MAX, PLAN_Q16, "reduce_max qs16", plan_q_choose, plan_bind_reduce, plan_run_reduce},
    {IR_REDUCE_MIN, PLAN_Q16, "reduce_min qs16", plan_q_choose, plan_bind_reduce, plan_run_reduce},
    {IR_ARG_MAX, PLAN_Q16, "arg_max qs16", plan_q_arg, plan_bind_arg, plan_run_arg},
    {IR_ARG_MIN, PLAN_Q16, "arg_min qs16", plan_q_arg, plan_bind_arg, plan_run_arg},
    {IR_UNIDIRECTIONAL_SEQUENCE_LSTM, PLAN_Q8, "lstm qs8", plan_lstm_q8, plan_bind_lstm_q8, plan_run_lstm_q8},
    {IR_SVDF, PLAN_Q8, "svdf qs8", plan_svdf_q8, plan_bind_svdf_q8, plan_run_svdf_q8},
    {IR_RESIZE, PLAN_Q8, "resize qs8", plan_q_resize, plan_bind_q_resize, NULL},
    {IR_RESIZE, PLAN_Q16, "resize qs16", plan_q_resize, plan_bind_q_resize, NULL},
    {IR_LP_NORM, PLAN_Q8, "l2_norm qs8", plan_q_l2_norm, plan_bind_q_l2_norm, plan_run_q_l2_norm},
    {.name = NULL},
};
// clang-format on
