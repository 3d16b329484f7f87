/* table_move.c - the kernels of ops_move.h. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/layer.h"

// clang-format off
const plan_kernel plan_move_kernels[] = { /* op, kind, shown name, prepare, bind, run */
    {.name = NULL},
};
// clang-format on
