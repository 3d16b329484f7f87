/* shape_rnn.c - the shape rules of ops_rnn.h. Layer: ir. Thread rule: no shared state. */
#include "engine/ir/shape.h"

static int64_t gates_of(ir_op op)
{
    return op == IR_LSTM ? 4 : op == IR_GRU ? 3 : 1;
}

/* The dimension of a state before its last: a state that lives longer than a run has a number of
 * rows of its own, so those of x are no longer rows that stay apart. */
static bool has_state(const ir_rule *a, int32_t i)
{
    return ir_rule_in(a, i) && ir_rule_in(a, i)->variable;
}

static nf_status bad_weights(const ir_rule *a)
{
    return nf_fail(a->err, NF_EFORMAT, a->where, "weights of %s that do not fit each other",
                   ir_op_name(a->node->op));
}

/* h from w [d?, gates * h, in] and r [d?, gates * h, h]. */
static nf_status read_hidden(int64_t *h, const ir_rule *a)
{
    const ir_tensor *x = ir_rule_in(a, 0), *w = ir_rule_in(a, 1), *r = ir_rule_in(a, 2);
    const int64_t gates = gates_of(a->node->op), d = a->node->attr.rnn.directions;
    nf_status st;
    if ((st = ir_rule_rank(a, 0, 3, 3)) || (st = ir_rule_rank(a, 1, 2, 3)) ||
        (st = ir_rule_rank(a, 2, 2, 3)))
        return st;
    const int64_t *wd = w->dim + w->rank - 2, *rd = r->dim + r->rank - 2;
    if (!ir_shape_known(w) || !ir_shape_known(r))
        return nf_fail(a->err, NF_EUNSUPPORTED, a->where, "%s with weights of an open shape",
                       ir_op_name(a->node->op));
    *h = wd[0] / gates;
    const bool fits = d >= 1 && d <= 2 && *h > 0 && wd[0] == *h * gates && rd[0] == wd[0] &&
                      rd[1] == *h && (w->rank == 2 ? 1 : w->dim[0]) == d &&
                      (r->rank == 2 ? 1 : r->dim[0]) == d;
    if (!fits || (x->dim[2] >= 0 && x->dim[2] != wd[1])) return bad_weights(a);
    return NF_OK;
}

IR_RULE(rnn)
{
    const ir_rnn *p = &a->node->attr.rnn;
    const ir_tensor *x = ir_rule_in(a, 0);
    int64_t h;
    nf_status st;
    if ((st = read_hidden(&h, a))) return st;
    const int64_t d = p->directions;
    int64_t t = x->dim[p->batch_first ? 1 : 0], n = x->dim[p->batch_first ? 0 : 1];
    if (t == IR_BATCH) t = IR_FREE;
    if (n == IR_BATCH && (has_state(a, 5) || !p->batch_first)) n = IR_FREE;
    const ir_shape first = {4, {n, t, d, h}}, last = {4, {t, d, n, h}};
    const ir_shape state_first = {3, {n, d, h}}, state_last = {3, {d, n, h}};
    out[0] = p->batch_first ? first : last;
    for (int32_t i = 1; i < a->node->n_out; i++)
        out[i] = p->batch_first ? state_first : state_last;
    return NF_OK;
}

enum { W_F = 2, R_F = 6, PROJECTION = 16, STATE = 18, CELL = 19 };

IR_RULE(sequence_lstm)
{
    const ir_rnn *p = &a->node->attr.rnn;
    const ir_tensor *x = ir_rule_in(a, 0), *w = ir_rule_in(a, W_F), *r = ir_rule_in(a, R_F);
    const ir_tensor *projection = ir_rule_in(a, PROJECTION);
    nf_status st;
    if (!w || !r || !ir_rule_in(a, STATE) || !ir_rule_in(a, CELL)) return bad_weights(a);
    if ((st = ir_rule_rank(a, 0, 3, 3)) || (st = ir_rule_rank(a, W_F, 2, 2)) ||
        (st = ir_rule_rank(a, R_F, 2, 2)))
        return st;
    const int64_t h = w->dim[0], out_h = projection ? projection->dim[0] : h;
    if (!ir_shape_known(w) || !ir_shape_known(r) || h < 1 || r->dim[0] != h || r->dim[1] != out_h ||
        (projection && (projection->rank != 2 || projection->dim[1] != h)) ||
        (x->dim[2] >= 0 && x->dim[2] != w->dim[1]))
        return bad_weights(a);
    ir_rule_copy(out, a, 0);
    out->dim[2] = out_h;
    ir_rule_mix(out);
    if (p->batch_first && x->dim[0] == IR_BATCH && !has_state(a, STATE)) out->dim[0] = IR_BATCH;
    if (a->node->n_out > 1) ir_rule_copy(&out[1], a, STATE);
    if (a->node->n_out > 2) ir_rule_copy(&out[2], a, CELL);
    return NF_OK;
}

/* x [n, in], feature [filters, in], time [filters, memory], state [n, memory * filters] */
IR_RULE(svdf)
{
    const ir_tensor *x = ir_rule_in(a, 0), *f = ir_rule_in(a, 1), *t = ir_rule_in(a, 2);
    const int64_t rank = a->node->attr.axis.number;
    nf_status st;
    for (int32_t i = 0; i < 3; i++)
        if ((st = ir_rule_rank(a, i, 2, 2))) return st;
    if (!ir_rule_in(a, 4) || !ir_shape_known(f) || !ir_shape_known(t) || rank < 1 ||
        f->dim[0] < 1 || f->dim[0] % rank != 0 || t->dim[0] != f->dim[0] || t->dim[1] < 1 ||
        (x->dim[1] >= 0 && x->dim[1] != f->dim[1]))
        return bad_weights(a);
    ir_rule_copy(out, a, 0);
    out->dim[1] = f->dim[0] / rank;
    if (has_state(a, 4)) ir_rule_mix(out);
    if (a->node->n_out > 1) ir_rule_copy(&out[1], a, 4);
    return NF_OK;
}
