/* shape_linear.c - the shape rules of quantization with parameters that are inputs. Layer: ir.
 * Thread rule: no shared state. */
#include "engine/ir/shape.h"

IR_RULE(linear)
{
    const ir_tensor *x = ir_rule_in(a, 0), *scale = ir_rule_in(a, 1);
    const int axis = a->node->attr.linear.axis;
    const bool single = scale->rank == 0 || (scale->rank == 1 && scale->dim[0] == 1);
    if (!single && (axis < 0 || axis >= x->rank))
        return nf_fail(a->err, NF_EFORMAT, a->where, "scales along axis %d of %d", axis, x->rank);
    ir_rule_copy(out, a, 0);
    if (!single && axis == 0) ir_rule_mix(out);
    return NF_OK;
}

/* The range is that of all rows. */
IR_RULE(dynamic)
{
    ir_rule_copy(out, a, 0);
    ir_rule_mix(out);
    for (int32_t i = 1; i < a->node->n_out; i++)
        out[i] = (ir_shape){.rank = 0};
    return NF_OK;
}
