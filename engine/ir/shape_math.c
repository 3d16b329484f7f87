/* shape_math.c - the shape rules of ops_math.h. Layer: ir. Thread rule: no shared state. */
#include "engine/ir/shape.h"

/* The axes of a reduction as bits. *known is false when they are not computed yet; *n is then their
 * number, or over ENG_MAX_RANK if that is open too. */
static nf_status read_axes(uint32_t *bits, size_t *n, bool *known, const ir_rule *a)
{
    const int rank = ir_rule_in(a, 0)->rank;
    int64_t axes[ENG_MAX_RANK];
    nf_status st;
    *bits = a->node->attr.reduce.axes;
    *n = 0;
    *known = true;
    if (ir_rule_in(a, 1) && (st = ir_rule_ints(axes, n, known, ENG_MAX_RANK, a, 1))) return st;
    if (ir_rule_in(a, 1)) *bits = 0;
    for (size_t i = 0; *known && i < *n; i++) {
        int axis;
        if (rank == 0 && (axes[i] == 0 || axes[i] == -1)) continue; /* of a scalar: itself */
        if ((st = ir_rule_axis(&axis, axes[i], rank, a))) return st;
        *bits |= 1u << axis;
    }
    if (*known && *bits >> rank)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s over axes 0x%x of %d",
                       ir_op_name(a->node->op), (unsigned)*bits, rank);
    if (*known && *bits == 0 && *n == 0 && a->node->attr.reduce.all) *bits = (1u << rank) - 1;
    return NF_OK;
}

/* Nothing but the number of axes can be told, if that. */
static void open_axes(ir_shape *out, size_t n, const ir_rule *a)
{
    const int rank = ir_rule_in(a, 0)->rank;
    out->rank = IR_RANK_FREE; /* an axis may be listed twice */
    if (a->node->attr.reduce.keep_dims)
        out->rank = rank;
    else if (n == 1)
        out->rank = rank > 0 ? rank - 1 : 0;
    for (int i = 0; i < out->rank; i++)
        out->dim[i] = IR_FREE;
}

IR_RULE(reduce)
{
    const ir_tensor *x = ir_rule_in(a, 0);
    uint32_t axes;
    size_t n;
    bool known;
    nf_status st;
    if ((st = read_axes(&axes, &n, &known, a))) return st;
    if (!known) {
        open_axes(out, n, a);
        return NF_OK;
    }
    *out = (ir_shape){0};
    for (int i = 0; i < x->rank; i++) {
        const bool reduced = axes >> i & 1;
        if (reduced && !a->node->attr.reduce.keep_dims) continue;
        out->dim[out->rank++] = reduced ? 1 : x->dim[i];
    }
    return NF_OK;
}

/* Running sums: along the rows they mix them. */
IR_RULE(cumulate)
{
    int64_t axis;
    size_t n;
    bool known;
    int at = 0;
    nf_status st;
    ir_rule_copy(out, a, 0);
    if ((st = ir_rule_ints(&axis, &n, &known, 1, a, 1))) return st;
    if (known && n != 1)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s along %zu axes, expected 1",
                       ir_op_name(a->node->op), n);
    if (known && (st = ir_rule_axis(&at, axis, out->rank, a))) return st;
    if (at == 0) ir_rule_mix(out);
    return NF_OK;
}
