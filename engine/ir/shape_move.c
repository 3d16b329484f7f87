/* shape_move.c - the shape rules of ops_move.h: joins, slices, padding, repeats. Layer: ir.
 * Thread rule: no shared state. */
#include "engine/ir/shape.h"
#include "engine/ir/slice.h"

/* As ir_rule_ints, but unknown numbers are IR_UNKNOWN, and pairs in a matrix are numbers too. */
static nf_status numbers(int64_t *out, size_t *n, size_t most, const ir_rule *a, int32_t i)
{
    const ir_tensor *t = ir_rule_in(a, i);
    int64_t count = 1;
    if (t->rank > 2 || (t->dtype != ENG_I64 && t->dtype != ENG_I32))
        return nf_fail(a->err, NF_EFORMAT, t->name, "input %d of %s is %s of %d dimensions", i,
                       ir_op_name(a->node->op), eng_dtype_oip(t->dtype), t->rank);
    for (int k = 0; k < t->rank; k++)
        count = ir_dim_mul(count, t->dim[k]);
    if (count > (int64_t)most)
        return nf_fail(a->err, NF_EUNSUPPORTED, t->name,
                       "input %d of %s has %lld numbers, at most %zu", i, ir_op_name(a->node->op),
                       (long long)count, most);
    *n = count < 0 ? most + 1 : (size_t)count;
    for (size_t k = 0; k < *n && k < most; k++)
        out[k] = IR_UNKNOWN;
    if (t->data && count >= 0) ir_const_ints(out, t, 0, *n);
    return NF_OK;
}

/* Every dimension but those known to stay is open. */
static void open_all(ir_shape *out, const ir_rule *a)
{
    ir_rule_copy(out, a, 0);
    for (int i = 0; i < out->rank; i++)
        out->dim[i] = IR_FREE;
}

static bool is_empty_list(const ir_tensor *t)
{
    return t->rank == 1 && t->dim[0] == 0;
}

IR_RULE(concat)
{
    int axis = 0, first = 0;
    nf_status st;
    /* a list of nothing joins anything, as old files have it */
    while (first < a->node->n_in - 1 && is_empty_list(ir_rule_in(a, first)))
        first++;
    ir_rule_copy(out, a, first);
    if ((st = ir_rule_rank(a, first, 1, ENG_MAX_RANK)) ||
        (st = ir_rule_axis(&axis, a->node->attr.axis.axis, out->rank, a)))
        return st;
    for (int32_t i = first + 1; i < a->node->n_in; i++) {
        const ir_tensor *t = ir_rule_in(a, i);
        if (is_empty_list(t)) continue;
        if (t->rank != out->rank)
            return nf_fail(a->err, NF_EFORMAT, a->where, "CONCATENATION of ranks %d and %d",
                           out->rank, t->rank);
        for (int k = 0; k < out->rank; k++) {
            if (k == axis) {
                out->dim[k] = ir_dim_add(out->dim[k], t->dim[k]);
                continue;
            }
            if (out->dim[k] >= 0 && t->dim[k] >= 0 && out->dim[k] != t->dim[k])
                return nf_fail(a->err, NF_EFORMAT, a->where,
                               "CONCATENATION of %lld and %lld in dimension %d",
                               (long long)out->dim[k], (long long)t->dim[k], k);
            if (out->dim[k] == t->dim[k]) continue;
            /* rows beside something that is none, or one of them is not known yet */
            out->dim[k] = out->dim[k] >= 0 ? out->dim[k] : t->dim[k] >= 0 ? t->dim[k] : IR_FREE;
        }
    }
    if (axis == 0 && a->node->n_in > 1) ir_rule_mix(out);
    return NF_OK;
}

/* Checks the sizes that stand in the results; one -1 among them is the rest. */
static nf_status check_parts(ir_shape *out, int axis, int64_t dim, const ir_rule *a)
{
    int64_t sum = 0, *open = NULL;
    for (int32_t i = 0; i < a->node->n_out; i++) {
        int64_t *size = &out[i].dim[axis];
        if (*size == IR_UNKNOWN) return NF_OK;
        if (*size < -1 || (*size == -1 && open) || *size > (int64_t)IR_MAX_ELEMS)
            return nf_fail(a->err, NF_EFORMAT, a->where, "SPLIT has a part of %lld",
                           (long long)*size);
        if (*size == -1)
            open = size;
        else
            sum += *size;
    }
    if (dim >= 0 && (open ? sum > dim : sum != dim))
        return nf_fail(a->err, NF_EFORMAT, a->where, "SPLIT of %lld into parts of %lld",
                       (long long)dim, (long long)sum);
    if (open) *open = dim < 0 ? IR_UNKNOWN : dim - sum;
    return NF_OK;
}

static nf_status check_sizes(const ir_tensor *sizes, const ir_rule *a)
{
    const bool whole = sizes->dtype == ENG_I32 || sizes->dtype == ENG_I64;
    const int64_t n = sizes->rank == 1 ? sizes->dim[0] : -1;
    if (whole && sizes->rank == 1 && (n < 0 || n == a->node->n_out)) return NF_OK;
    return nf_fail(a->err, NF_EFORMAT, a->where, "SPLIT into %d parts, sizes of %lld",
                   a->node->n_out, (long long)n);
}

IR_RULE(split)
{
    const ir_tensor *x = ir_rule_in(a, 0), *sizes = ir_rule_in(a, 1);
    const int32_t n = a->node->n_out;
    int axis;
    nf_status st;
    if ((st = ir_rule_axis(&axis, a->node->attr.axis.axis, x->rank, a))) return st;
    if (sizes && (st = check_sizes(sizes, a))) return st;
    const int64_t dim = x->dim[axis], part = dim < 0 ? 0 : (dim + n - 1) / n;
    for (int32_t i = 0; i < n; i++) {
        int64_t *d = &out[i].dim[axis];
        ir_rule_copy(&out[i], a, 0);
        const int64_t left = dim - i * part;
        *d = dim < 0 || sizes ? IR_UNKNOWN : left < 0 ? 0 : left < part ? left : part;
        if (sizes && sizes->data) ir_const_ints(d, sizes, (size_t)i, 1);
    }
    if (sizes && (st = check_parts(out, axis, dim, a))) return st;
    for (int32_t i = 0; i < n; i++)
        if (out[i].dim[axis] < 0) out[i].dim[axis] = IR_FREE;
    return NF_OK;
}

/* Fills the lists from the inputs; *open: not even their length is known. */
static nf_status slice_lists(ir_slice_args *s, bool *open, const ir_rule *a, const int32_t input[4])
{
    int64_t *const lists[] = {s->start, s->end, s->axis, s->step};
    const ir_tensor *x = ir_rule_in(a, 0);
    s->rank = x->rank;
    s->where = a->where;
    s->n = ENG_MAX_RANK + 1;
    memcpy(s->dim, x->dim, sizeof(s->dim));
    for (int k = 0; k < ENG_MAX_RANK; k++) {
        s->axis[k] = k;
        s->step[k] = 1;
    }
    for (int i = 0; i < 4; i++) {
        size_t n;
        nf_status st;
        if (input[i] < 0 || !ir_rule_in(a, input[i])) continue;
        if ((st = numbers(lists[i], &n, ENG_MAX_RANK, a, input[i]))) return st;
        if (n > ENG_MAX_RANK) continue;
        if (s->n <= ENG_MAX_RANK && s->n != n)
            return nf_fail(a->err, NF_EFORMAT, a->where, "%s with lists of %zu and %zu numbers",
                           ir_op_name(a->node->op), s->n, n);
        s->n = n;
    }
    *open = s->n > ENG_MAX_RANK;
    return NF_OK;
}

IR_RULE(slice)
{
    ir_slice_args s;
    ir_slice found;
    bool open;
    nf_status st;
    open_all(out, a);
    if ((st = slice_lists(&s, &open, a, (int32_t[]){1, 2, 3, 4})) || open) return st;
    if ((st = ir_slice_plain(&found, &s, a->node->attr.axis.flag, a->err))) return st;
    for (int i = 0; i < out->rank; i++)
        out->dim[i] = found.at[i].count;
    return NF_OK;
}

IR_RULE(strided_slice)
{
    ir_slice_args s;
    ir_slice found;
    bool open;
    nf_status st;
    out->rank = IR_RANK_FREE;
    if ((st = slice_lists(&s, &open, a, (int32_t[]){1, 2, -1, 3})) || open) return st;
    if ((st = ir_slice_strided(&found, &s, &a->node->attr, a->err))) return st;
    out->rank = found.out_rank;
    for (int i = 0; i < out->rank; i++) {
        out->dim[i] = found.from[i] < 0 ? 1 : found.at[found.from[i]].count;
        if (out->dim[i] == IR_BATCH && i > 0) out->dim[i] = IR_FREE;
    }
    return NF_OK;
}

static nf_status pad_dim(int64_t *dim, int64_t before, int64_t after, const ir_rule *a)
{
    if (before == 0 && after == 0) return NF_OK; /* rows stay rows */
    const bool known = *dim >= 0 && before != IR_UNKNOWN && after != IR_UNKNOWN;
    if (known && *dim + before + after < 0)
        return nf_fail(a->err, NF_EFORMAT, a->where, "PAD of %lld by %lld and %lld",
                       (long long)*dim, (long long)before, (long long)after);
    *dim = known ? *dim + before + after : IR_FREE;
    return NF_OK;
}

IR_RULE(pad)
{
    int64_t list[2 * ENG_MAX_RANK];
    ir_slice_args s = {.rank = ir_rule_in(a, 0)->rank, .where = a->where};
    ir_pads pads;
    size_t n;
    nf_status st;
    open_all(out, a);
    s.n = (size_t)s.rank;
    for (int k = 0; k < ENG_MAX_RANK; k++)
        s.axis[k] = k;
    if (ir_rule_in(a, 3) && (st = numbers(s.axis, &s.n, ENG_MAX_RANK, a, 3))) return st;
    if ((st = numbers(list, &n, NF_COUNT(list), a, 1))) return st;
    for (size_t k = 0; k < s.n && k < ENG_MAX_RANK; k++)
        if (s.axis[k] == IR_UNKNOWN) return NF_OK;
    if (s.n > ENG_MAX_RANK || n > NF_COUNT(list)) return NF_OK;
    if ((st = ir_pads_of(&pads, &s, list, n, a->node->attr.misc.flag, a->err))) return st;
    for (int i = 0; i < out->rank; i++) {
        out->dim[i] = ir_rule_in(a, 0)->dim[i];
        if ((st = pad_dim(&out->dim[i], pads.before[i], pads.after[i], a))) return st;
    }
    return NF_OK;
}

IR_RULE(tile)
{
    int64_t times[ENG_MAX_RANK];
    size_t n;
    nf_status st;
    ir_rule_copy(out, a, 0);
    if ((st = numbers(times, &n, ENG_MAX_RANK, a, 1))) return st;
    if (n <= ENG_MAX_RANK && n != (size_t)out->rank)
        return nf_fail(a->err, NF_EFORMAT, a->where, "TILE of %d dimensions by %zu numbers",
                       out->rank, n);
    for (int i = 0; i < out->rank; i++) {
        const int64_t t = n <= ENG_MAX_RANK ? times[i] : IR_UNKNOWN;
        if ((t < 0 && t != IR_UNKNOWN) || t > (int64_t)IR_MAX_ELEMS)
            return nf_fail(a->err, NF_EFORMAT, a->where, "TILE %lld times", (long long)t);
        if (t != 1) out->dim[i] = ir_dim_mul(out->dim[i], t);
    }
    return NF_OK;
}

IR_RULE(broadcast_to)
{
    ir_shape to = {0};
    size_t n;
    nf_status st;
    ir_rule_copy(out, a, 0);
    if ((st = numbers(to.dim, &n, ENG_MAX_RANK, a, 1))) return st;
    if (n > ENG_MAX_RANK) {
        out->rank = IR_RANK_FREE;
        return NF_OK;
    }
    to.rank = (int)n;
    const ir_tensor *shape = ir_rule_in(a, 1);
    for (int i = 0; i < to.rank; i++) {
        if (to.dim[i] < 0 && to.dim[i] != IR_UNKNOWN)
            return nf_fail(a->err, NF_EFORMAT, a->where, "BROADCAST_TO dimension %lld",
                           (long long)to.dim[i]);
        if (to.dim[i] == IR_UNKNOWN) to.dim[i] = i == 0 && shape->data ? IR_BATCH : IR_FREE;
    }
    return ir_rule_join(out, &to, a);
}

/* Both are lists of dimensions. */
IR_RULE(broadcast_args)
{
    const int64_t p = ir_rule_in(a, 0)->dim[0], q = ir_rule_in(a, 1)->dim[0];
    nf_status st;
    if ((st = ir_rule_rank(a, 0, 1, 1)) || (st = ir_rule_rank(a, 1, 1, 1))) return st;
    *out = (ir_shape){1, {p < 0 || q < 0 ? IR_FREE : p > q ? p : q}};
    return NF_OK;
}

/* The axes of input 1 (or of the node) as bits; *known is false when they are not there yet, and
 * *n is then their number, or over ENG_MAX_RANK. */
static nf_status axis_bits(uint32_t *bits, size_t *n, bool *known, int rank, const ir_rule *a)
{
    int64_t list[ENG_MAX_RANK];
    nf_status st;
    *bits = 0;
    *n = 0;
    *known = true;
    if (!ir_rule_in(a, 1)) return NF_OK;
    if ((st = numbers(list, n, ENG_MAX_RANK, a, 1))) return st;
    *known = *n <= ENG_MAX_RANK;
    for (size_t i = 0; *known && i < *n; i++) {
        int axis;
        if (list[i] == IR_UNKNOWN) {
            *known = false;
            return NF_OK;
        }
        if ((st = ir_rule_axis(&axis, list[i], rank, a))) return st;
        if (*bits >> axis & 1)
            return nf_fail(a->err, NF_EFORMAT, a->where, "%s has axis %d twice",
                           ir_op_name(a->node->op), axis);
        *bits |= 1u << axis;
    }
    return NF_OK;
}

/* Rows that are no longer in front are mixed. */
static void put_dim(ir_shape *out, int64_t dim)
{
    out->dim[out->rank] = dim == IR_BATCH && out->rank > 0 ? IR_FREE : dim;
    out->rank++;
}

IR_RULE(squeeze)
{
    const ir_tensor *x = ir_rule_in(a, 0);
    uint32_t drop;
    size_t n;
    bool known;
    nf_status st;
    *out = (ir_shape){.rank = IR_RANK_FREE};
    if ((st = axis_bits(&drop, &n, &known, x->rank, a)) || !known) return st;
    const bool listed = ir_rule_in(a, 1) && n;
    for (int i = 0; !listed && i < x->rank; i++) {
        if (x->dim[i] == IR_FREE) return NF_OK; /* it may be 1 */
        drop |= (uint32_t)(x->dim[i] == 1) << i;
    }
    out->rank = 0;
    for (int i = 0; i < x->rank; i++) {
        const bool gone = drop >> i & 1;
        if (gone && x->dim[i] >= 0 && x->dim[i] != 1)
            return nf_fail(a->err, NF_EFORMAT, a->where,
                           "SQUEEZE drops dimension %d, which is %lld", i, (long long)x->dim[i]);
        if (!gone) put_dim(out, x->dim[i]);
    }
    return NF_OK;
}

IR_RULE(unsqueeze)
{
    const ir_tensor *x = ir_rule_in(a, 0), *axes = ir_rule_in(a, 1);
    uint32_t add;
    size_t n;
    bool known;
    nf_status st;
    *out = (ir_shape){.rank = IR_RANK_FREE};
    if (axes->rank == 0 || (axes->rank == 1 && axes->dim[0] >= 0)) {
        const int64_t more = axes->rank ? axes->dim[0] : 1;
        if (more > ENG_MAX_RANK - x->rank)
            return nf_fail(a->err, NF_EUNSUPPORTED, a->where, "over %d dimensions", ENG_MAX_RANK);
        out->rank = x->rank + (int)more;
    }
    const int rank = out->rank;
    for (int i = 0; i < rank; i++)
        out->dim[i] = IR_FREE;
    if (rank < 0) return NF_OK;
    if ((st = axis_bits(&add, &n, &known, rank, a)) || !known) return st;
    out->rank = 0;
    for (int i = 0, from = 0; i < rank; i++)
        put_dim(out, add >> i & 1 ? 1 : x->dim[from++]);
    return NF_OK;
}

IR_RULE(reverse)
{
    uint32_t bits;
    size_t n;
    bool known;
    const nf_status st = axis_bits(&bits, &n, &known, ir_rule_in(a, 0)->rank, a);
    ir_rule_copy(out, a, 0);
    if (!known || (bits & 1)) ir_rule_mix(out);
    return st;
}

IR_RULE(size_of)
{
    (void)a;
    *out = (ir_shape){.rank = 0};
    return NF_OK;
}
