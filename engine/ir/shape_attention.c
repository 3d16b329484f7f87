/* shape_attention.c - the shape rule of ATTENTION. Layer: ir. Thread rule: no shared state. */
#include "engine/ir/shape.h"

/* An input of either form as [n, heads, t, d]. */
static nf_status open_heads(int64_t dim[4], const ir_rule *a, int32_t i, int32_t heads)
{
    const ir_tensor *t = ir_rule_in(a, i);
    nf_status st;
    if ((st = ir_rule_rank(a, i, 3, 4))) return st;
    if (t->rank == 4) {
        memcpy(dim, t->dim, 4 * sizeof(*dim));
        return NF_OK;
    }
    if (heads < 1 || (t->dim[2] >= 0 && t->dim[2] % heads != 0))
        return nf_fail(a->err, NF_EFORMAT, a->where, "ATTENTION of %lld numbers in %d heads",
                       (long long)t->dim[2], heads);
    dim[0] = t->dim[0];
    dim[1] = heads;
    dim[2] = t->dim[1];
    dim[3] = t->dim[2] < 0 ? IR_FREE : t->dim[2] / heads;
    return NF_OK;
}

static bool differs(int64_t p, int64_t q)
{
    return p >= 0 && q >= 0 && p != q;
}

static bool fit(const int64_t q[4], const int64_t k[4], const int64_t v[4])
{
    const bool groups = q[1] >= 0 && k[1] >= 0 && (k[1] == 0 || q[1] % k[1] != 0);
    return !differs(q[0], k[0]) && !differs(q[0], v[0]) && !differs(k[1], v[1]) &&
           !differs(k[2], v[2]) && !differs(q[3], k[3]) && !groups;
}

IR_RULE(attention)
{
    const int32_t q_heads = a->node->attr.attention.q_heads;
    const int32_t kv_heads = a->node->attr.attention.kv_heads;
    const ir_tensor *past = ir_rule_in(a, 4), *mask = ir_rule_in(a, 3);
    int64_t q[4], k[4], v[4];
    nf_status st;
    if ((st = open_heads(q, a, 0, q_heads)) || (st = open_heads(k, a, 1, kv_heads)) ||
        (st = open_heads(v, a, 2, kv_heads)))
        return st;
    if (!fit(q, k, v) || (past && past->rank != 4) || (past && !ir_rule_in(a, 5)))
        return nf_fail(a->err, NF_EFORMAT, a->where, "ATTENTION of q, k, v that do not fit");
    const int64_t t = past ? ir_dim_add(past->dim[2], k[2]) : k[2];
    const bool rows = k[0] == IR_BATCH && v[0] == IR_BATCH && (!past || past->dim[0] == IR_BATCH) &&
                      (!mask || mask->rank < 4 || mask->dim[0] == 1 || mask->dim[0] == IR_BATCH);
    ir_rule_copy(out, a, 0);
    out->dim[out->rank - 1] = out->rank == 3 ? ir_dim_mul(q[1], v[3]) : v[3];
    const ir_shape more[] = {
        {4, {q[0], k[1], t, k[3]}}, {4, {q[0], k[1], t, v[3]}}, {4, {q[0], q[1], q[2], t}}};
    for (int32_t i = 1; i < a->node->n_out; i++)
        out[i] = more[i - 1];
    for (int32_t i = 0; i < a->node->n_out && !rows; i++)
        ir_rule_mix(&out[i]);
    return NF_OK;
}
