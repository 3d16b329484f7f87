/* table_rnn.c - the kernels of ops_rnn.h. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/nn.h"

// clang-format off
const plan_kernel plan_rnn_kernels[] = { /* op, kind, shown name, prepare, bind, run */
    {IR_LSTM,                         PLAN_F32,    "lstm f32",    plan_rnn,           plan_bind_rnn,  plan_run_rnn},
    {IR_GRU,                          PLAN_F32,    "gru f32",     plan_rnn,           plan_bind_rnn,  plan_run_rnn},
    {IR_RNN,                          PLAN_F32,    "rnn f32",     plan_rnn,           plan_bind_rnn,  plan_run_rnn},
    {IR_UNIDIRECTIONAL_SEQUENCE_LSTM, PLAN_F32,    "lstm f32",    plan_sequence_lstm, plan_bind_rnn,  plan_run_rnn},
    {IR_UNIDIRECTIONAL_SEQUENCE_LSTM, PLAN_HYBRID, "lstm hybrid", plan_sequence_lstm, plan_bind_rnn,  plan_run_rnn},
    {IR_SVDF,                         PLAN_F32,    "svdf f32",    plan_svdf,          plan_bind_svdf, plan_run_svdf},
    {IR_SVDF,                         PLAN_HYBRID, "svdf hybrid", plan_svdf,          plan_bind_svdf, plan_run_svdf},
    {.name = NULL},
};
// clang-format on
