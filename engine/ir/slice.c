/* slice.c - which part of a tensor SLICE, STRIDED_SLICE and PAD mean. Layer: ir.
 * Thread rule: no shared state. */
#include "engine/ir/slice.h"

#define FAR ((int64_t)IR_MAX_ELEMS) /* behind the end of any axis */

void ir_read_ints(int64_t *out, const void *data, eng_dtype dtype, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] =
            dtype == ENG_I64 ? ((const int64_t *)data)[i] : (int64_t)((const int32_t *)data)[i];
}

void ir_const_ints(int64_t *out, const ir_tensor *t, size_t first, size_t n)
{
    ir_read_ints(out, t->data + first * eng_dtype_size(t->dtype), t->dtype, n);
    for (size_t i = 0; t->symbolic && t->dtype == ENG_I32 && i < n; i++)
        if (out[i] == IR_SYMBOL_32) out[i] = IR_SYMBOL;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

static const ir_range unknown = {IR_UNKNOWN, 1, IR_FREE};

/* All of an axis, also of one whose size is open. */
static bool is_whole(int64_t start, int64_t end, int64_t step, int64_t dim)
{
    const bool rows = dim == IR_BATCH && end == IR_UNKNOWN; /* a symbol: as many as there are */
    return start == 0 && step == 1 && (end >= FAR || (dim >= 0 && end >= dim) || rows);
}

/* As Python does: negative places count from the end, all are cut to the axis. */
static ir_range range_of(int64_t start, int64_t end, int64_t step, int64_t dim)
{
    if (is_whole(start, end, step, dim)) return (ir_range){0, 1, dim};
    if (dim < 0 || start == IR_UNKNOWN || end == IR_UNKNOWN || step == IR_UNKNOWN) return unknown;
    const int64_t low = step < 0 ? -1 : 0, high = step < 0 ? dim - 1 : dim;
    start = clamp(start < 0 ? start + dim : start, low, high);
    end = clamp(end < 0 ? end + dim : end, low, high);
    step = clamp(step, -FAR, FAR);
    const int64_t way = step < 0 ? start - end : end - start, stride = step < 0 ? -step : step;
    return (ir_range){start, step, way > 0 ? (way - 1) / stride + 1 : 0};
}

/* Start and number of elements; false when they lead out of the axis. */
static bool range_of_size(ir_range *out, int64_t start, int64_t size, int64_t dim)
{
    *out = unknown;
    out->start = start;
    if (start == 0 && size == -1) {
        out->count = dim;
        return true;
    }
    if (size != IR_UNKNOWN && size >= 0) out->count = size;
    if (size == IR_UNKNOWN || start == IR_UNKNOWN || dim < 0) return true;
    if (start < 0 || start > dim || size < -1) return false;
    if (size == -1) out->count = dim - start;
    return out->count <= dim - start;
}

static void take_all(ir_slice *out, const ir_slice_args *a)
{
    *out = (ir_slice){.rank = a->rank, .out_rank = a->rank};
    for (int i = 0; i < a->rank; i++) {
        out->at[i] = (ir_range){0, 1, a->dim[i]};
        out->from[i] = i;
    }
}

static nf_status bad_axis(const ir_slice_args *a, int64_t axis, nf_error *err)
{
    return nf_fail(err, NF_EFORMAT, a->where, "axis %lld of %d is wrong or there twice",
                   (long long)axis, a->rank);
}

nf_status ir_slice_plain(ir_slice *out, const ir_slice_args *a, bool sizes, nf_error *err)
{
    uint32_t seen = 0;
    take_all(out, a);
    for (size_t k = 0; k < a->n; k++) {
        const int64_t axis = a->axis[k] < 0 ? a->axis[k] + a->rank : a->axis[k];
        if (a->axis[k] == IR_UNKNOWN) {
            for (int i = 0; i < a->rank; i++)
                out->at[i] = unknown;
            return NF_OK;
        }
        if (axis < 0 || axis >= a->rank || (seen >> axis & 1)) return bad_axis(a, a->axis[k], err);
        seen |= 1u << axis;
        if (a->step[k] == 0) return nf_fail(err, NF_EFORMAT, a->where, "a slice in steps of 0");
        if (!sizes)
            out->at[axis] = range_of(a->start[k], a->end[k], a->step[k], a->dim[axis]);
        else if (!range_of_size(&out->at[axis], a->start[k], a->end[k], a->dim[axis]))
            return nf_fail(err, NF_EFORMAT, a->where, "a slice of %lld from %lld on, of %lld",
                           (long long)a->end[k], (long long)a->start[k], (long long)a->dim[axis]);
    }
    return NF_OK;
}

/* One entry of the lists that stands for an axis of the input. */
static nf_status strided_axis(ir_slice *out, const ir_slice_args *a, const ir_attr *attr, size_t k,
                              int axis, nf_error *err)
{
    const int64_t dim = a->dim[axis], step = a->step[k];
    const bool shrink = attr->strided.shrink >> k & 1;
    int64_t start = a->start[k], end = a->end[k];
    if (step == 0) return nf_fail(err, NF_EFORMAT, a->where, "a slice in steps of 0");
    if (shrink) {
        const int64_t at = start < 0 && start != IR_UNKNOWN && dim >= 0 ? start + dim : start;
        out->at[axis] = (ir_range){at, 1, 1};
        if (start != IR_UNKNOWN && dim >= 0 && (at < 0 || at >= dim))
            return nf_fail(err, NF_EFORMAT, a->where, "index %lld of %lld", (long long)start,
                           (long long)dim);
        if (dim < 0 && start < 0) out->at[axis].start = IR_UNKNOWN;
        return NF_OK;
    }
    if (attr->strided.offset && start != IR_UNKNOWN && end != IR_UNKNOWN)
        end = clamp(end, -FAR, FAR) + clamp(start, -FAR, FAR);
    if (attr->strided.begin >> k & 1) start = step < 0 ? FAR : 0;
    if (attr->strided.end >> k & 1) end = step < 0 ? -2 * FAR : FAR;
    out->at[axis] = range_of(start, end, step, dim);
    return NF_OK;
}

/* Axes that an ellipsis, or the end of the lists, leaves as they are. */
static void keep_axes(ir_slice *out, int *axis, int until)
{
    while (*axis < until && out->out_rank < ENG_MAX_RANK)
        out->from[out->out_rank++] = (*axis)++;
}

/* Entries of the lists that stand for one axis of the input each. */
static int count_axes(const ir_slice_args *a, const ir_attr *attr, size_t from)
{
    int n = 0;
    for (size_t k = from; k < a->n; k++)
        n += !((attr->strided.new_axis | attr->strided.ellipsis) >> k & 1);
    return n;
}

nf_status ir_slice_strided(ir_slice *out, const ir_slice_args *a, const ir_attr *attr,
                           nf_error *err)
{
    int axis = 0;
    nf_status st;
    take_all(out, a);
    out->out_rank = 0;
    for (size_t k = 0; k < a->n; k++) {
        if (attr->strided.ellipsis >> k & 1) {
            keep_axes(out, &axis, a->rank - count_axes(a, attr, k + 1));
            continue;
        }
        const bool fresh = attr->strided.new_axis >> k & 1;
        const bool shrink = !fresh && (attr->strided.shrink >> k & 1);
        if (!fresh && axis >= a->rank) return bad_axis(a, axis, err);
        if (!shrink && out->out_rank == ENG_MAX_RANK)
            return nf_fail(err, NF_EUNSUPPORTED, a->where, "over %d dimensions", ENG_MAX_RANK);
        if (!fresh && (st = strided_axis(out, a, attr, k, axis, err))) return st;
        if (!shrink) out->from[out->out_rank++] = fresh ? -1 : axis;
        axis += !fresh;
    }
    if (out->out_rank + a->rank - axis > ENG_MAX_RANK)
        return nf_fail(err, NF_EUNSUPPORTED, a->where, "over %d dimensions", ENG_MAX_RANK);
    keep_axes(out, &axis, a->rank);
    return NF_OK;
}

nf_status ir_pads_of(ir_pads *out, const ir_slice_args *a, const int64_t *pads, size_t n,
                     bool pairs, nf_error *err)
{
    uint32_t seen = 0;
    *out = (ir_pads){{0}, {0}};
    if (n != 2 * a->n) return nf_fail(err, NF_EFORMAT, a->where, "%zu pads of %zu axes", n, a->n);
    for (size_t k = 0; k < a->n; k++) {
        const int64_t axis = a->axis[k] < 0 ? a->axis[k] + a->rank : a->axis[k];
        const int64_t p[2] = {pads[pairs ? 2 * k : k], pads[pairs ? 2 * k + 1 : a->n + k]};
        if (axis < 0 || axis >= a->rank || (seen >> axis & 1)) return bad_axis(a, a->axis[k], err);
        seen |= 1u << axis;
        for (int i = 0; i < 2; i++)
            if (p[i] != IR_UNKNOWN && (p[i] > FAR || p[i] < -FAR))
                return nf_fail(err, NF_EFORMAT, a->where, "a pad of %lld", (long long)p[i]);
        out->before[axis] = p[0];
        out->after[axis] = p[1];
    }
    return NF_OK;
}
