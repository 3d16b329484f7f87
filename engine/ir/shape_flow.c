/* shape_flow.c - the shape rules of ops_flow.h. Layer: ir. Thread rule: no shared state. */
#include "engine/ir/shape.h"

/* Value and variable have one shape: the variable's memory never grows. */
IR_RULE(assign)
{
    const ir_tensor *v = ir_rule_in(a, 0), *x = ir_rule_in(a, 1);
    bool same = v->variable && v->rank == x->rank;
    for (int i = 0; same && i < v->rank; i++)
        same = v->dim[i] == x->dim[i];
    if (!same)
        return nf_fail(a->err, NF_EFORMAT, a->where,
                       "ASSIGN to something else than a variable of "
                       "its value's shape");
    ir_rule_copy(out, a, 1);
    return NF_OK;
}
