/* table_rnn.c - the kernels of ops_rnn.h. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/layer.h"

// clang-format off
const plan_kernel plan_rnn_kernels[] = { /* op, kind, shown name, prepare, bind, run */
    {.name = NULL},
};
// clang-format on
