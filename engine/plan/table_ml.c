/* table_ml.c - the kernels of ops_ml.h. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/layer.h"

// clang-format off
const plan_kernel plan_ml_kernels[] = { /* op, kind, shown name, prepare, bind, run */
    {.name = NULL},
};
// clang-format on
