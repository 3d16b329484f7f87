/* table_nn.c - the kernels of ops_nn.h. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/layer.h"

// clang-format off
const plan_kernel plan_nn_kernels[] = { /* op, kind, shown name, prepare, bind, run */
    {.name = NULL},
};
// clang-format on
