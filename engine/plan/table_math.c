/* table_math.c - the kernels of ops_math.h. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/layer.h"

// clang-format off
const plan_kernel plan_math_kernels[] = { /* op, kind, shown name, prepare, bind, run */
    {.name = NULL},
};
// clang-format on
