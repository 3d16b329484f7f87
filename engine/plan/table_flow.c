/* table_flow.c - the kernels of ops_flow.h. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/layer.h"

#include <string.h>

static PLAN_RUN(run_assign)
{
    const size_t bytes = s->u.elems * s->layer->elem_size;
    memmove((void *)(uintptr_t)s->a, s->b, bytes);
    memmove(s->y, s->b, bytes);
}

// clang-format off
const plan_kernel plan_flow_kernels[] = { /* op, kind, shown name, prepare, bind, run */
    {IR_ASSIGN, PLAN_ANY, "assign", NULL, plan_bind_elems, run_assign},
    {IR_IF,     PLAN_ANY, "if",     NULL, plan_bind_flow,  plan_run_if},
    {IR_WHILE,  PLAN_ANY, "while",  NULL, plan_bind_flow,  plan_run_while},
    {IR_LOOP,   PLAN_ANY, "loop",   NULL, plan_bind_flow,  plan_run_loop},
    {IR_SCAN,   PLAN_ANY, "scan",   NULL, plan_bind_flow,  plan_run_slices},
    {.name = NULL},
};
// clang-format on
