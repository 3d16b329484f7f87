/* shape_nn.c - the shape rules of ops_nn.h. Layer: ir. Thread rule: no shared state. */
#include "engine/ir/shape.h"

/* One side of a matrix product: stacks [rows, cols], a 1-D side is one row or one column. */
typedef struct side {
    ir_shape stack; /* the dimensions before the last two */
    int64_t rows, cols;
    bool vector;
} side;

static side read_side(const ir_tensor *t, bool adjoint, bool is_left)
{
    side s = {.stack = {.rank = 0}, .vector = t->rank == 1};
    if (s.vector) {
        s.rows = is_left ? 1 : t->dim[0];
        s.cols = is_left ? t->dim[0] : 1;
        return s;
    }
    s.stack.rank = t->rank - 2;
    memcpy(s.stack.dim, t->dim, sizeof(s.stack.dim));
    s.rows = t->dim[t->rank - (adjoint ? 1 : 2)];
    s.cols = t->dim[t->rank - (adjoint ? 2 : 1)];
    return s;
}

static bool has_rows(const ir_tensor *t)
{
    return t->rank > 0 && t->dim[0] == IR_BATCH;
}

/* A row of a batch stays one only where it is a matrix of its own, or a row of the left side. */
static bool keeps_rows(const side *x, const side *y, const ir_tensor *a, const ir_tensor *b,
                       const ir_shape *out)
{
    if (has_rows(a) && a->rank < 3)
        return x->rows == IR_BATCH && !x->vector && !has_rows(b) && y->stack.rank == 0;
    if (has_rows(b) && b->rank < 3) return false;
    return out->dim[0] == IR_BATCH;
}

IR_RULE(matmul)
{
    const ir_tensor *a_in = ir_rule_in(a, 0), *b_in = ir_rule_in(a, 1);
    const bool plain = a->node->op == IR_MATMUL_INTEGER;
    nf_status st;
    if ((st = ir_rule_rank(a, 0, 1, ENG_MAX_RANK)) || (st = ir_rule_rank(a, 1, 1, ENG_MAX_RANK)))
        return st;
    const side x = read_side(a_in, !plain && a->node->attr.matmul.adj_x, true);
    const side y = read_side(b_in, !plain && a->node->attr.matmul.adj_y, false);
    if (x.cols >= 0 && y.rows >= 0 && x.cols != y.rows)
        return nf_fail(a->err, NF_EFORMAT, a->where, "%s of rows of %lld and columns of %lld",
                       ir_op_name(a->node->op), (long long)x.cols, (long long)y.rows);
    *out = x.stack;
    if ((st = ir_rule_join(out, &y.stack, a))) return st;
    const int64_t tail[] = {x.rows, y.cols};
    for (int i = 0; i < 2; i++) {
        if (i == 0 ? x.vector : y.vector) continue;
        const bool lost = tail[i] == IR_BATCH && (i || out->rank);
        out->dim[out->rank] = lost ? IR_FREE : tail[i];
        out->rank++;
    }
    if (out->rank && !keeps_rows(&x, &y, a_in, b_in, out)) ir_rule_mix(out);
    return NF_OK;
}
