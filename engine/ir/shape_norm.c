/* shape_norm.c - the shape rules of normalization and RESIZE. Layer: ir. Thread rule: no shared
 * state. */
#include "engine/ir/resize.h"
#include "engine/ir/shape.h"

#include <math.h>

static nf_status check_axis(const ir_rule *a, int axis)
{
    const int rank = ir_rule_in(a, 0)->rank;
    if (axis >= 0 && axis < rank) return NF_OK;
    return nf_fail(a->err, NF_EFORMAT, a->where, "%s along axis %d of %d", ir_op_name(a->node->op),
                   axis, rank);
}

IR_RULE(layer_norm)
{
    const int axis = a->node->attr.norm.axis;
    nf_status st;
    if ((st = check_axis(a, axis))) return st;
    ir_rule_copy(out, a, 0);
    if (axis == 0) ir_rule_mix(out);
    for (int32_t i = 1; i < a->node->n_out; i++) {
        out[i] = out[0];
        for (int k = axis; k < out[i].rank; k++)
            out[i].dim[k] = 1;
    }
    return NF_OK;
}

IR_RULE(channel_norm)
{
    const int64_t groups = a->node->op == IR_GROUP_NORM ? a->node->attr.norm.groups : 0;
    nf_status st;
    if ((st = ir_rule_rank(a, 0, 2, ENG_MAX_RANK))) return st;
    ir_rule_copy(out, a, 0);
    if (groups < 0 || (groups && out->dim[1] >= 0 && out->dim[1] % groups != 0))
        return nf_fail(a->err, NF_EFORMAT, a->where, "%lld channels in %lld groups",
                       (long long)out->dim[1], (long long)groups);
    return NF_OK;
}

IR_RULE(axes_norm)
{
    ir_rule_copy(out, a, 0);
    if (a->node->attr.norm.axes & 1) ir_rule_mix(out);
    return NF_OK;
}

IR_RULE(axis_norm)
{
    const nf_status st = check_axis(a, a->node->attr.norm.axis);
    if (st) return st;
    ir_rule_copy(out, a, 0);
    if (a->node->attr.norm.axis == 0) ir_rule_mix(out);
    return NF_OK;
}

/* Axis i of those that the parameters speak of; -1 when there is none. */
static int axis_of(const ir_resize *r, int i, int rank)
{
    const int axis = r->n_axes ? r->axes[i] : i;
    return axis >= 0 && axis < rank ? axis : -1;
}

static nf_status bad_resize(const ir_rule *a)
{
    return nf_fail(a->err, NF_EFORMAT, a->where,
                   "RESIZE with axes, scales or sizes that are wrong");
}

/* Sizes as they are, or as the limits of a picture that keeps its proportions. */
static bool resize_to(ir_shape *out, double *scale, const ir_resize *r, const int64_t *size, int n)
{
    double same = 0;
    for (int i = 0; i < n; i++) {
        const int axis = axis_of(r, i, out->rank);
        if (axis < 0 || size[i] < 1 || out->dim[axis] < 1) return false;
        scale[axis] = (double)size[i] / (double)out->dim[axis];
        const bool better = r->aspect == IR_NOT_LARGER ? scale[axis] < same : scale[axis] > same;
        if (i == 0 || better) same = scale[axis];
    }
    for (int i = 0; i < n; i++) {
        const int axis = axis_of(r, i, out->rank);
        const double exact = same * (double)out->dim[axis];
        if (exact > (double)IR_MAX_ELEMS) return false;
        if (r->aspect != IR_STRETCH) scale[axis] = same;
        out->dim[axis] = r->aspect == IR_STRETCH ? size[i] : (int64_t)floor(exact + 0.5);
    }
    return true;
}

static bool resize_by(ir_shape *out, double *scale, const ir_resize *r, const float *by, int n)
{
    for (int i = 0; i < n; i++) {
        const int axis = axis_of(r, i, out->rank);
        if (axis < 0 || !(by[i] > 0)) return false;
        scale[axis] = (double)by[i];
        const bool row = out->dim[axis] == IR_BATCH && by[i] == 1; /* that axis stays */
        if (out->dim[axis] < 0) {
            out->dim[axis] = row ? IR_BATCH : IR_FREE;
            continue;
        }
        const double size = floor((double)out->dim[axis] * scale[axis]);
        if (size < 1 || size > (double)IR_MAX_ELEMS) return false;
        out->dim[axis] = (int64_t)size;
    }
    return true;
}

bool ir_resize_sizes(ir_shape *out, double *scale, const ir_resize *r, const float *by,
                     const int64_t *size, int n)
{
    for (int i = 0; i < out->rank; i++)
        scale[i] = 1;
    if (n > ENG_MAX_RANK || (r->n_axes ? n != r->n_axes : n != out->rank)) return false;
    return by ? resize_by(out, scale, r, by, n) : resize_to(out, scale, r, size, n);
}

static void forget(ir_shape *out, const ir_resize *r)
{
    const int n = r->n_axes ? r->n_axes : out->rank;
    for (int i = 0; i < n; i++)
        if (axis_of(r, i, out->rank) >= 0) out->dim[axis_of(r, i, out->rank)] = IR_FREE;
}

IR_RULE(resize)
{
    const ir_resize *r = &a->node->attr.resize;
    const ir_tensor *by = ir_rule_in(a, 2);
    int64_t size[ENG_MAX_RANK];
    double scale[ENG_MAX_RANK];
    size_t n = 0;
    bool known = false;
    nf_status st;
    ir_rule_copy(out, a, 0);
    const bool by_size = ir_rule_in(a, 3) != NULL;
    if (!by && !by_size) return bad_resize(a);
    if (by_size && (st = ir_rule_ints(size, &n, &known, ENG_MAX_RANK, a, 3))) return st;
    if (!by_size) {
        if (by->dtype != ENG_F32 || by->rank != 1 || by->dim[0] > ENG_MAX_RANK)
            return bad_resize(a);
        n = by->dim[0] < 0 ? 0 : (size_t)by->dim[0];
        known = by->data != NULL && by->dim[0] >= 0;
    }
    bool open = !known;
    for (int i = 0; i < (int)n && by_size && known; i++) { /* a size needs the one it replaces */
        const int axis = i < ENG_MAX_RANK ? axis_of(r, i, out->rank) : -1;
        open |= axis >= 0 && out->dim[axis] < 0;
    }
    if (open) {
        forget(out, r);
        return NF_OK;
    }
    const float *factors = by_size ? NULL : (const float *)(const void *)by->data;
    return ir_resize_sizes(out, scale, r, factors, size, (int)n) ? NF_OK : bad_resize(a);
}
