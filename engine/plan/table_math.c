/* table_math.c - the kernels of ops_math.h. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/math.h"

// clang-format off
#define UNARY(name, lower)                                                                         \
    {IR_##name, PLAN_F32, #lower " f32", plan_unary, plan_bind_elems, plan_run_unary},             \
    {IR_##name, PLAN_INT, #lower " int", plan_unary, plan_bind_elems, plan_run_unary},
#define BINARY(name, lower)                                                                        \
    {IR_##name, PLAN_F32, #lower " f32", plan_binary_plain, plan_bind_spread, plan_run_binary_plain}, \
    {IR_##name, PLAN_INT, #lower " int", plan_binary_plain, plan_bind_spread, plan_run_binary_plain},
#define REDUCE(name, lower)                                                                        \
    {IR_##name, PLAN_F32, #lower " f32", plan_reduce, plan_bind_reduce, plan_run_reduce},          \
    {IR_##name, PLAN_INT, #lower " int", plan_reduce, plan_bind_reduce, plan_run_reduce},

/* FP32 of ADD, SUB, MUL, DIV, SQUARED_DIFFERENCE, PRELU stands in the core table, which is searched
 * first. */
const plan_kernel plan_math_kernels[] = { /* op, kind, shown name, prepare, bind, run */
    KRN_UNARY_MAP(UNARY)
    KRN_BINARY_MAP(BINARY)
    {IR_EQUAL,       PLAN_STR, "equal str",       plan_str_equal,    plan_bind_spread,  plan_run_binary_plain},
    {IR_BIT_SHIFT,   PLAN_INT, "bit_shift int",   plan_binary_plain, plan_bind_spread,  plan_run_binary_plain},
    {IR_CLAMP,       PLAN_INT, "clamp int",       NULL,              plan_bind_elems,   plan_run_clamp_int},
    {IR_BITCAST,     PLAN_F32, "bitcast",         plan_bitcast,      plan_bind_elems,   plan_run_copy},
    {IR_BITCAST,     PLAN_INT, "bitcast",         plan_bitcast,      plan_bind_elems,   plan_run_copy},
    {IR_SELECT,      PLAN_INT, "select",          plan_select,       plan_bind_select,  plan_run_select},
    REDUCE(REDUCE_SUM, reduce_sum)
    REDUCE(MEAN, mean)
    REDUCE(REDUCE_MAX, reduce_max)
    REDUCE(REDUCE_MIN, reduce_min)
    REDUCE(REDUCE_PROD, reduce_prod)
    REDUCE(REDUCE_L1, reduce_l1)
    REDUCE(REDUCE_L2, reduce_l2)
    REDUCE(REDUCE_SUM_SQUARE, reduce_sum_square)
    REDUCE(REDUCE_LOG_SUM, reduce_log_sum)
    REDUCE(REDUCE_LOG_SUM_EXP, reduce_log_sum_exp)
    {IR_REDUCE_ANY,  PLAN_INT, "reduce_any",      plan_reduce_bool,  plan_bind_reduce,  plan_run_reduce},
    {IR_REDUCE_ALL,  PLAN_INT, "reduce_all",      plan_reduce_bool,  plan_bind_reduce,  plan_run_reduce},
    {IR_ARG_MAX,     PLAN_F32, "arg_max f32",     plan_arg,          plan_bind_arg,     plan_run_arg},
    {IR_ARG_MAX,     PLAN_INT, "arg_max int",     plan_arg,          plan_bind_arg,     plan_run_arg},
    {IR_ARG_MIN,     PLAN_F32, "arg_min f32",     plan_arg,          plan_bind_arg,     plan_run_arg},
    {IR_ARG_MIN,     PLAN_INT, "arg_min int",     plan_arg,          plan_bind_arg,     plan_run_arg},
    {IR_CUMSUM,      PLAN_F32, "cumsum f32",      plan_cumulate,         plan_bind_cumulate,    plan_run_cumulate},
    {IR_CUMSUM,      PLAN_INT, "cumsum int",      plan_cumulate,         plan_bind_cumulate,    plan_run_cumulate},
    {IR_CUM_PROD,    PLAN_F32, "cum_prod f32",    plan_cumulate,         plan_bind_cumulate,    plan_run_cumulate},
    {IR_CUM_PROD,    PLAN_INT, "cum_prod int",    plan_cumulate,         plan_bind_cumulate,    plan_run_cumulate},
    {IR_LOG_SOFTMAX, PLAN_F32, "log_softmax f32", NULL,              plan_bind_softmax, plan_run_log_softmax},
    {IR_HARDMAX,     PLAN_F32, "hardmax f32",     NULL,              plan_bind_softmax, plan_run_hardmax},
    {.name = NULL},
};
// clang-format on
