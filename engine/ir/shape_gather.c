/* shape_gather.c - the shape rules of ops_move.h: what picks, scatters, sorts and counts values.
 * Layer: ir. Thread rule: no shared state. */
#include "engine/ir/shape.h"
#include "engine/ir/slice.h"

#include "engine/base/mem.h"
#include "engine/ir/krn_types.h"

#include <math.h>

/* Appends a dimension; rows that are no longer in front are mixed. */
static nf_status put_dim(ir_shape *out, int64_t dim, const ir_rule *a)
{
    if (out->rank == ENG_MAX_RANK)
        return nf_fail(a->err, NF_EUNSUPPORTED, a->where, "%s gives over %d dimensions",
                       ir_op_name(a->node->op), ENG_MAX_RANK);
    out->dim[out->rank] = dim == IR_BATCH && out->rank > 0 ? IR_FREE : dim;
    out->rank++;
    return NF_OK;
}

static bool has_rows(const ir_tensor *t)
{
    return t->rank > 0 && t->dim[0] == IR_BATCH;
}

static nf_status check_index_type(const ir_rule *a, int32_t i)
{
    const ir_tensor *t = ir_rule_in(a, i);
    if (t->dtype == ENG_I32 || t->dtype == ENG_I64) return NF_OK;
    return nf_fail(a->err, NF_EFORMAT, a->where, "input %d of %s is %s, expected INT32 or INT64", i,
                   ir_op_name(a->node->op), eng_dtype_oip(t->dtype));
}

/* Places that the file has written down: a wrong one is the file's fault, not the request's. */
static nf_status check_places(const ir_rule *a, int64_t dim)
{
    const ir_tensor *at = ir_rule_in(a, 1);
    size_t n;
    if (!at->data || dim < 0 || !ir_shape_known(at) || !ir_elems(&n, at, 1)) return NF_OK;
    for (size_t i = 0; i < n; i++) {
        int64_t place;
        ir_const_ints(&place, at, i, 1);
        if (place != IR_UNKNOWN && (place < -dim || place >= dim))
            return nf_fail(a->err, NF_EFORMAT, a->where, "%s of place %lld in %lld",
                           ir_op_name(a->node->op), (long long)place, (long long)dim);
    }
    return NF_OK;
}

/* The first n dimensions of input 0 and of the indices are one and the same. */
static nf_status join_batch(ir_shape *out, int n, const ir_rule *a)
{
    const ir_tensor *x = ir_rule_in(a, 0), *at = ir_rule_in(a, 1);
    out->rank = n;
    for (int i = 0; i < n; i++) {
        const int64_t p = x->dim[i], q = at->dim[i];
        if (p >= 0 && q >= 0 && p != q)
            return nf_fail(a->err, NF_EFORMAT, a->where, "%s of %lld and %lld in dimension %d",
                           ir_op_name(a->node->op), (long long)p, (long long)q, i);
        out->dim[i] = p == q ? p : p >= 0 ? p : q >= 0 ? q : IR_FREE;
    }
    return NF_OK;
}

static nf_status check_batch_dims(int n, int most, const ir_rule *a)
{
    if (n >= 0 && n <= most) return NF_OK;
    return nf_fail(a->err, NF_EFORMAT, a->where, "%s with %d batch dimensions, at most %d",
                   ir_op_name(a->node->op), n, most);
}

IR_RULE(gather)
{
    const ir_tensor *x = ir_rule_in(a, 0), *at = ir_rule_in(a, 1);
    const int batch = a->node->attr.axis.batch_dims;
    int axis;
    nf_status st;
    if ((st = check_index_type(a, 1)) || (st = ir_rule_rank(a, 0, 1, ENG_MAX_RANK)) ||
        (st = ir_rule_axis(&axis, a->node->attr.axis.axis, x->rank, a)) ||
        (st = check_batch_dims(batch, axis < at->rank ? axis : at->rank, a)) ||
        (st = check_places(a, x->dim[axis])) || (st = join_batch(out, batch, a)))
        return st;
    for (int i = batch; i < axis; i++)
        if ((st = put_dim(out, x->dim[i], a))) return st;
    for (int i = batch; i < at->rank; i++)
        if ((st = put_dim(out, at->dim[i], a))) return st;
    for (int i = axis + 1; i < x->rank; i++)
        if ((st = put_dim(out, x->dim[i], a))) return st;
    /* rows of the one in the places of the other are no rows */
    if (batch == 0 && has_rows(x) && (axis == 0 || has_rows(at))) ir_rule_mix(out);
    return NF_OK;
}

/* k of the indices [.., k]: how many axes they name. */
static nf_status tuple_size(int *k, int32_t i, int most, const ir_rule *a)
{
    const ir_tensor *at = ir_rule_in(a, i);
    nf_status st;
    if ((st = check_index_type(a, i)) || (st = ir_rule_rank(a, i, 1, ENG_MAX_RANK))) return st;
    const int64_t n = at->dim[at->rank - 1];
    if (n < 0 || n > most)
        return nf_fail(a->err, n < 0 ? NF_EUNSUPPORTED : NF_EFORMAT, a->where,
                       "%s with indices of %lld axes, at most %d", ir_op_name(a->node->op),
                       (long long)n, most);
    *k = (int)n;
    return NF_OK;
}

IR_RULE(gather_nd)
{
    const ir_tensor *x = ir_rule_in(a, 0), *at = ir_rule_in(a, 1);
    const int batch = a->node->attr.axis.batch_dims;
    const int least = x->rank < at->rank - 1 ? x->rank : at->rank - 1;
    int k;
    nf_status st;
    if ((st = check_batch_dims(batch, least, a)) || (st = tuple_size(&k, 1, x->rank - batch, a)) ||
        (st = join_batch(out, batch, a)))
        return st;
    for (int i = batch; i < at->rank - 1; i++)
        if ((st = put_dim(out, at->dim[i], a))) return st;
    for (int i = batch + k; i < x->rank; i++)
        if ((st = put_dim(out, x->dim[i], a))) return st;
    if (batch == 0 && has_rows(x)) ir_rule_mix(out);
    return NF_OK;
}

static nf_status same_rank(const ir_rule *a, int32_t i)
{
    const int rank = ir_rule_in(a, 0)->rank;
    return ir_rule_rank(a, i, rank, rank);
}

/* Indices may be fewer along the other axes, never more. */
static nf_status check_inside(const ir_rule *a, const ir_tensor *at, int axis)
{
    const ir_tensor *x = ir_rule_in(a, 0);
    for (int i = 0; i < x->rank; i++)
        if (i != axis && x->dim[i] >= 0 && at->dim[i] > x->dim[i])
            return nf_fail(a->err, NF_EFORMAT, a->where, "%s of %lld with indices for %lld",
                           ir_op_name(a->node->op), (long long)x->dim[i], (long long)at->dim[i]);
    return NF_OK;
}

IR_RULE(gather_elements)
{
    const ir_tensor *x = ir_rule_in(a, 0), *at = ir_rule_in(a, 1);
    int axis;
    nf_status st;
    if ((st = check_index_type(a, 1)) || (st = same_rank(a, 1)) ||
        (st = ir_rule_axis(&axis, a->node->attr.axis.axis, x->rank, a)) ||
        (st = check_inside(a, at, axis)) || (st = check_places(a, x->dim[axis])))
        return st;
    ir_rule_copy(out, a, 1);
    const bool rows = axis == 0 ? !has_rows(x) : has_rows(x);
    if (!rows) ir_rule_mix(out);
    return NF_OK;
}

IR_RULE(scatter_elements)
{
    const ir_tensor *x = ir_rule_in(a, 0), *at = ir_rule_in(a, 1), *u = ir_rule_in(a, 2);
    int axis;
    nf_status st;
    if ((st = check_index_type(a, 1)) || (st = same_rank(a, 1)) || (st = same_rank(a, 2)) ||
        (st = ir_rule_axis(&axis, a->node->attr.misc.size[0], x->rank, a)) ||
        (st = check_inside(a, at, axis)))
        return st;
    for (int i = 0; i < x->rank; i++)
        if (at->dim[i] >= 0 && u->dim[i] >= 0 && at->dim[i] != u->dim[i])
            return nf_fail(a->err, NF_EFORMAT, a->where, "%s of %lld values to %lld places",
                           ir_op_name(a->node->op), (long long)u->dim[i], (long long)at->dim[i]);
    ir_rule_copy(out, a, 0);
    if (axis == 0 || !has_rows(at) || !has_rows(u)) ir_rule_mix(out);
    return NF_OK;
}

IR_RULE(scatter_nd)
{
    const ir_tensor *x = ir_rule_in(a, 0), *at = ir_rule_in(a, 1), *u = ir_rule_in(a, 2);
    int k;
    nf_status st;
    if ((st = tuple_size(&k, 1, x->rank, a))) return st;
    const int rank = at->rank - 1 + x->rank - k;
    if ((st = ir_rule_rank(a, 2, rank, rank))) return st;
    for (int i = 0; i < rank; i++) {
        const int64_t p = i < at->rank - 1 ? at->dim[i] : x->dim[i - (at->rank - 1) + k];
        if (p >= 0 && u->dim[i] >= 0 && p != u->dim[i])
            return nf_fail(a->err, NF_EFORMAT, a->where, "SCATTER_ND of %lld values to %lld places",
                           (long long)u->dim[i], (long long)p);
    }
    ir_rule_copy(out, a, 0);
    ir_rule_mix(out);
    return NF_OK;
}

/* One number of a parameter; false when it is not known. */
static bool one_number(int64_t *out, const ir_tensor *t)
{
    size_t n;
    if (!t->data || !ir_shape_known(t) || !ir_elems(&n, t, 1) || n != 1) return false;
    if (t->dtype != ENG_I32 && t->dtype != ENG_I64) return false;
    ir_const_ints(out, t, 0, 1);
    return *out != IR_UNKNOWN;
}

static nf_status check_one(const ir_rule *a, int32_t i)
{
    const ir_tensor *t = ir_rule_in(a, i);
    const bool one = t->rank == 0 || (t->rank == 1 && (t->dim[0] == 1 || t->dim[0] < 0));
    if (one) return NF_OK;
    return nf_fail(a->err, NF_EFORMAT, a->where, "input %d of %s is not one number", i,
                   ir_op_name(a->node->op));
}

IR_RULE(one_hot)
{
    const ir_tensor *at = ir_rule_in(a, 0);
    int64_t depth = IR_FREE;
    int axis;
    nf_status st;
    if ((st = check_index_type(a, 0)) || (st = check_index_type(a, 1)) || (st = check_one(a, 1)) ||
        (st = check_one(a, 2)) || (st = check_one(a, 3)) ||
        (st = ir_rule_axis(&axis, a->node->attr.axis.axis, at->rank + 1, a)))
        return st;
    const bool known = one_number(&depth, ir_rule_in(a, 1));
    if (known && depth < 0)
        return nf_fail(a->err, NF_EFORMAT, a->where, "ONE_HOT of depth %lld", (long long)depth);
    if (!known) depth = IR_FREE;
    out->rank = 0;
    for (int i = 0, from = 0; i <= at->rank; i++)
        if ((st = put_dim(out, i == axis ? depth : at->dim[from++], a))) return st;
    return NF_OK;
}

/* How many numbers a RANGE of whole ones has; IR_FREE over all bounds. */
static int64_t count_ints(const int64_t v[3])
{
    int64_t way;
    if (v[2] == 0 || (v[2] > 0 ? v[0] >= v[1] : v[0] <= v[1])) return 0;
    if (__builtin_sub_overflow(v[1], v[0], &way)) return IR_UNKNOWN;
    if (v[2] > 0) return (way - 1) / v[2] + 1;
    return v[2] == INT64_MIN ? 1 : (-(way + 1)) / -v[2] + 1;
}

static int64_t count_floats(const float v[3])
{
    const double n = ceil(((double)v[1] - (double)v[0]) / (double)v[2]);
    return n >= 0 && n <= (double)IR_MAX_ELEMS ? (int64_t)n : n < 0 ? 0 : IR_UNKNOWN;
}

IR_RULE(range)
{
    int64_t whole[3] = {0}, n;
    float real[3] = {0};
    nf_status st;
    *out = (ir_shape){1, {IR_FREE}};
    for (int32_t i = 0; i < 3; i++) {
        const ir_tensor *t = ir_rule_in(a, i);
        if ((st = check_one(a, i))) return st;
        if (t->dtype != ENG_F32 && (st = check_index_type(a, i))) return st;
        if (!t->data) return NF_OK;
        if (t->dtype == ENG_F32)
            memcpy(&real[i], t->data, sizeof(real[i]));
        else
            ir_const_ints(&whole[i], t, 0, 1);
        if (whole[i] == IR_UNKNOWN) return NF_OK;
    }
    n = ir_rule_in(a, 0)->dtype == ENG_F32 ? count_floats(real) : count_ints(whole);
    if (n < 0 || n > (int64_t)IR_MAX_ELEMS)
        return nf_fail(a->err, NF_ETOOLARGE, a->where, "RANGE has no end");
    out->dim[0] = n;
    return NF_OK;
}

IR_RULE(eye_like)
{
    ir_rule_copy(out, a, 0);
    ir_rule_mix(out);
    return ir_rule_rank(a, 0, 2, 2);
}

IR_RULE(reverse_sequence)
{
    const ir_tensor *x = ir_rule_in(a, 0);
    int time, batch;
    nf_status st;
    if ((st = check_index_type(a, 1)) || (st = ir_rule_rank(a, 1, 1, 1)) ||
        (st = ir_rule_axis(&time, a->node->attr.axis.axis, x->rank, a)) ||
        (st = ir_rule_axis(&batch, a->node->attr.axis.batch_dims, x->rank, a)))
        return st;
    const int64_t p = x->dim[batch], q = ir_rule_in(a, 1)->dim[0];
    if (time == batch || (p >= 0 && q >= 0 && p != q))
        return nf_fail(a->err, NF_EFORMAT, a->where,
                       "REVERSE_SEQUENCE of %lld sequences, %lld lengths, along axis %d",
                       (long long)p, (long long)q, time);
    ir_rule_copy(out, a, 0);
    if (batch != 0 || p != q) ir_rule_mix(out);
    return NF_OK;
}

IR_RULE(top_k)
{
    int64_t k = IR_FREE;
    int axis;
    nf_status st;
    if ((st = check_index_type(a, 1)) || (st = check_one(a, 1)) ||
        (st = ir_rule_axis(&axis, a->node->attr.axis.axis, ir_rule_in(a, 0)->rank, a)))
        return st;
    ir_rule_copy(out, a, 0);
    const int64_t dim = out->dim[axis];
    const bool known = one_number(&k, ir_rule_in(a, 1));
    if (known && (k < 0 || (dim >= 0 && k > dim)))
        return nf_fail(a->err, NF_EFORMAT, a->where, "TOP_K of %lld out of %lld", (long long)k,
                       (long long)dim);
    out->dim[axis] = known ? k : IR_FREE;
    for (int32_t i = 1; i < a->node->n_out; i++)
        out[i] = out[0];
    return NF_OK;
}

/* How many different ones a known tensor has. NF_ENOMEM. */
static nf_status count_unique(size_t *count, krn_items *items, const ir_tensor *x, const ir_rule *a)
{
    krn_unique u;
    const size_t n = items->n;
    size_t *room = nf_alloc_array(KRN_UNIQUE_ROOM * n + 1, sizeof(*room), NF_MEM_GRAPH);
    if (!room) return nf_fail(a->err, NF_ENOMEM, x->name, "no memory for %zu places", n);
    krn_unique_in(&u, room, n);
    items->x = x->data;
    *count = krn_unique_ref(&u, items, true);
    nf_free(room);
    return NF_OK;
}

IR_RULE(unique)
{
    const ir_tensor *x = ir_rule_in(a, 0);
    const bool whole = a->node->attr.axis.flag;
    int axis = 0;
    size_t count = 0;
    nf_status st;
    if (!whole && (st = ir_rule_axis(&axis, a->node->attr.axis.axis, x->rank, a))) return st;
    ir_rule_copy(out, a, 0);
    if (whole) out->rank = 1;
    out->dim[axis] = IR_FREE;
    ir_rule_mix(out);
    int64_t all = whole ? 1 : x->dim[axis];
    for (int i = 0; whole && i < x->rank; i++)
        all = ir_dim_mul(all, x->dim[i]);
    krn_items items = {.compare = ir_compare_of(x->dtype),
                       .size = eng_dtype_size(x->dtype),
                       .outer = 1,
                       .inner = 1};
    if (x->data && ir_shape_known(x)) {
        items.n = (size_t)all;
        for (int i = 0; !whole && i < x->rank; i++)
            if (i != axis) *(i < axis ? &items.outer : &items.inner) *= (size_t)x->dim[i];
        if ((st = count_unique(&count, &items, x, a))) return st;
        out->dim[axis] = (int64_t)count;
    }
    for (int32_t i = 1; i < a->node->n_out; i++)
        out[i] = (ir_shape){1, {i == 2 ? all < 0 ? IR_FREE : all : out->dim[axis]}};
    return NF_OK;
}

/* Elements of a known tensor that are not 0. NF_ENOMEM. */
static nf_status count_true(int64_t *count, const ir_tensor *t, const ir_rule *a)
{
    size_t n;
    krn_type type;
    if (!ir_elems(&n, t, 1) || !ir_krn_type(&type, t->dtype))
        return nf_fail(a->err, NF_EUNSUPPORTED, a->where, "%s of %s", ir_op_name(a->node->op),
                       eng_dtype_oip(t->dtype));
    uint8_t *is = nf_alloc(n + 1, NF_MEM_GRAPH);
    if (!is) return nf_fail(a->err, NF_ENOMEM, t->name, "no memory for %zu bytes", n);
    krn_cast_ref(is, KRN_BOOL, t->data, type, n);
    *count = (int64_t)krn_count_ref(is, n);
    nf_free(is);
    return NF_OK;
}

IR_RULE(non_zero)
{
    const ir_tensor *x = ir_rule_in(a, 0);
    int64_t n = IR_FREE;
    nf_status st;
    if (x->data && ir_shape_known(x) && (st = count_true(&n, x, a))) return st;
    *out = (ir_shape){2, {x->rank, n}};
    if (a->node->attr.axis.flag) *out = (ir_shape){2, {n, x->rank}};
    return NF_OK;
}

IR_RULE(compress)
{
    const ir_tensor *x = ir_rule_in(a, 0), *keep = ir_rule_in(a, 1);
    const bool whole = a->node->attr.axis.flag;
    int64_t n = IR_FREE, all = 1;
    int axis = 0;
    nf_status st;
    if (!whole && (st = ir_rule_axis(&axis, a->node->attr.axis.axis, x->rank, a))) return st;
    if ((st = ir_rule_rank(a, 1, 1, 1))) return st;
    if (keep->dtype != ENG_BOOL)
        return nf_fail(a->err, NF_EFORMAT, a->where, "COMPRESS by %s, expected BOOL",
                       eng_dtype_oip(keep->dtype));
    ir_rule_copy(out, a, 0);
    for (int i = 0; i < x->rank; i++)
        all = ir_dim_mul(all, x->dim[i]);
    if (whole) *out = (ir_shape){1, {all}};
    if (out->dim[axis] >= 0 && keep->dim[0] > out->dim[axis])
        return nf_fail(a->err, NF_EFORMAT, a->where, "COMPRESS of %lld by %lld conditions",
                       (long long)out->dim[axis], (long long)keep->dim[0]);
    if (keep->data && ir_shape_known(keep) && (st = count_true(&n, keep, a))) return st;
    out->dim[axis] = n;
    return NF_OK;
}

IR_RULE(trilu)
{
    const ir_tensor *x = ir_rule_in(a, 0);
    nf_status st;
    if ((st = ir_rule_rank(a, 0, 2, ENG_MAX_RANK))) return st;
    if (ir_rule_in(a, 1) && ((st = check_index_type(a, 1)) || (st = check_one(a, 1)))) return st;
    ir_rule_copy(out, a, 0);
    if (x->rank == 2) ir_rule_mix(out);
    return NF_OK;
}
