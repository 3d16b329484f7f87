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

static void of_output(ir_shape *out, const ir_graph *body, size_t k)
{
    const ir_tensor *t = &body->tensors[body->outputs[k]];
    out->rank = t->rank;
    for (int i = 0; i < t->rank; i++)
        out->dim[i] = t->dim[i] >= 0 ? t->dim[i] : IR_FREE;
}

/* What the bodies' results show by themselves; a program finds out the rest by making them. */
IR_RULE(flow)
{
    const ir_node *n = a->node;
    const bool loop = n->op == IR_LOOP, scan = n->op == IR_SCAN;
    const ir_graph *body = ir_body(a->g, n, n->op == IR_WHILE ? 1 : 0);
    for (int32_t i = 0; i < n->n_out; i++) {
        const size_t k = (size_t)i + (loop ? 1 : 0);
        if (!body || k >= body->n_outputs)
            return nf_fail(a->err, NF_EFORMAT, a->where, "%s has more results than its body",
                           ir_op_name(n->op));
        of_output(&out[i], body, k);
        if ((!loop && !scan) || i < n->attr.flow.kept || out[i].rank < 0) continue;
        if (out[i].rank == ENG_MAX_RANK)
            return nf_fail(a->err, NF_EUNSUPPORTED, a->where, "stacks of over %d dimensions",
                           ENG_MAX_RANK);
        memmove(out[i].dim + 1, out[i].dim, (size_t)out[i].rank * sizeof(*out[i].dim));
        out[i].dim[0] = IR_FREE;
        out[i].rank++;
    }
    return NF_OK;
}
