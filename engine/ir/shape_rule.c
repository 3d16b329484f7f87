/* shape_rule.c - what the shape rules share. Layer: ir. Thread rule: no shared state. */
#include "engine/ir/shape.h"
#include "engine/ir/slice.h"

bool ir_shape_known(const ir_tensor *t)
{
    for (int i = 0; i < t->rank; i++)
        if (t->dim[i] < 0) return false;
    return t->rank >= 0;
}

int64_t ir_dim_add(int64_t p, int64_t q)
{
    int64_t sum;
    return p < 0 || q < 0 || __builtin_add_overflow(p, q, &sum) ? IR_FREE : sum;
}

int64_t ir_dim_mul(int64_t p, int64_t q)
{
    int64_t product;
    return p < 0 || q < 0 || __builtin_mul_overflow(p, q, &product) ? IR_FREE : product;
}

void ir_rule_copy(ir_shape *out, const ir_rule *a, int32_t i)
{
    const ir_tensor *t = ir_rule_in(a, i);
    out->rank = t->rank;
    memcpy(out->dim, t->dim, sizeof(out->dim));
}

void ir_rule_mix(ir_shape *out)
{
    if (out->rank > 0 && out->dim[0] == IR_BATCH) out->dim[0] = IR_FREE;
}

nf_status ir_rule_axis(int *out, int64_t axis, int rank, const ir_rule *a)
{
    if (axis < -rank || axis >= rank)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s along axis %lld of %d",
                       ir_op_name(a->node->op), (long long)axis, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return NF_OK;
}

nf_status ir_rule_rank(const ir_rule *a, int32_t i, int least, int most)
{
    const int rank = ir_rule_in(a, i)->rank;
    if (rank >= least && rank <= most) return NF_OK;
    return nf_fail(a->err, NF_EFORMAT, a->where,
                   "input %d of %s has %d dimensions, expected %d to %d", i,
                   ir_op_name(a->node->op), rank, least, most);
}

static int64_t joined(int64_t p, int64_t q)
{
    if (p == q || q == 1) return p;
    if (p == 1) return q;
    return p >= 0 ? p : q >= 0 ? q : IR_FREE; /* an open one must turn out to be 1 or the other */
}

nf_status ir_rule_join(ir_shape *out, const ir_shape *b, const ir_rule *a)
{
    const ir_shape x = *out;
    bool mixed = false; /* rows of the batch meet something else than rows */
    out->rank = x.rank > b->rank ? x.rank : b->rank;
    for (int i = 0; i < out->rank; i++) {
        const int xi = i - (out->rank - x.rank), yi = i - (out->rank - b->rank);
        const int64_t p = xi < 0 ? 1 : x.dim[xi], q = yi < 0 ? 1 : b->dim[yi];
        if (p >= 0 && q >= 0 && p != q && p != 1 && q != 1)
            return nf_fail(a->err, NF_EFORMAT, a->where,
                           "%s cannot broadcast %lld against %lld in dimension %d",
                           ir_op_name(a->node->op), (long long)p, (long long)q, i);
        const bool rows = p == IR_BATCH || q == IR_BATCH;
        const bool fits = i == 0 && (p == q || p == 1 || q == 1);
        mixed |= rows && !fits;
        out->dim[i] = joined(p, q);
        if (out->dim[i] == IR_BATCH && i > 0) out->dim[i] = IR_FREE;
    }
    if (mixed) ir_rule_mix(out);
    return NF_OK;
}

nf_status ir_rule_ints(int64_t *out, size_t *n, bool *known, size_t most, const ir_rule *a,
                       int32_t i)
{
    const ir_tensor *t = ir_rule_in(a, i);
    *known = false;
    *n = most + 1;
    if ((t->dtype != ENG_I64 && t->dtype != ENG_I32) || t->rank > 1)
        return nf_fail(a->err, NF_EFORMAT, t->name,
                       "input %d of %s is %s of %d dimensions, expected "
                       "INT32 or INT64 of 0 or 1",
                       i, ir_op_name(a->node->op), eng_dtype_oip(t->dtype), t->rank);
    const int64_t count = t->rank == 0 ? 1 : t->dim[0];
    if (count > (int64_t)most)
        return nf_fail(a->err, NF_EUNSUPPORTED, t->name,
                       "input %d of %s has %lld numbers, at most "
                       "%zu",
                       i, ir_op_name(a->node->op), (long long)count, most);
    if (count >= 0) *n = (size_t)count;
    if (!t->data || count < 0) return NF_OK;
    *known = true;
    ir_const_ints(out, t, 0, *n);
    return NF_OK;
}
