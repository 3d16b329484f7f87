/* shape_detect.c - the shape rules of NON_MAX_SUPPRESSION_V5 and DETECTION_POSTPROCESS. Layer: ir.
 * Thread rule: no shared state. */
#include "engine/ir/shape.h"

static bool same(int64_t p, int64_t q)
{
    return p < 0 || q < 0 || p == q;
}

static nf_status unfit(const ir_rule *a)
{
    return nf_fail(a->err, NF_EFORMAT, a->where, "%s of operands that do not fit each other",
                   ir_op_name(a->node->op));
}

static bool all_floats(const ir_rule *a, int32_t but)
{
    for (int32_t i = 0; i < a->node->n_in; i++)
        if (i != but && ir_rule_in(a, i) && ir_rule_in(a, i)->dtype != ENG_F32) return false;
    return true;
}

IR_RULE(nms_v5)
{
    int64_t most = IR_FREE;
    size_t n;
    bool known;
    nf_status st;
    for (int32_t i = 0; i < 5; i++)
        if (!ir_rule_in(a, i)) return unfit(a);
    if ((st = ir_rule_rank(a, 0, 2, 2)) || (st = ir_rule_rank(a, 1, 1, 1))) return st;
    const int64_t *boxes = ir_rule_in(a, 0)->dim, *scores = ir_rule_in(a, 1)->dim;
    if (!all_floats(a, 2) || !same(boxes[1], 4) || !same(boxes[0], scores[0])) return unfit(a);
    for (int32_t i = 2; i < a->node->n_in; i++) {
        const ir_tensor *t = ir_rule_in(a, i);
        if (t && t->rank != 0 && !(t->rank == 1 && t->dim[0] == 1)) return unfit(a);
    }
    if (ir_rule_in(a, 2)->dtype != ENG_I32) return unfit(a);
    if ((st = ir_rule_ints(&most, &n, &known, 1, a, 2))) return st;
    if (known && most < 0) return unfit(a);
    out[0] = (ir_shape){1, {known ? most : IR_FREE}};
    if (a->node->n_out > 1) out[1] = out[0];
    if (a->node->n_out > 2) out[2] = (ir_shape){.rank = 0};
    return NF_OK;
}

IR_RULE(detect)
{
    nf_status st;
    for (int32_t i = 0; i < 3; i++)
        if ((st = ir_rule_rank(a, i, i < 2 ? 3 : 2, i < 2 ? 3 : 2))) return st;
    const int64_t *x = ir_rule_in(a, 0)->dim, *scores = ir_rule_in(a, 1)->dim;
    const int64_t *anchors = ir_rule_in(a, 2)->dim;
    const int64_t classes = a->node->attr.detect.classes, more = scores[2] - classes;
    const bool fits = same(x[0], scores[0]) && same(x[1], scores[1]) && same(x[1], anchors[0]) &&
                      (x[2] < 0 || x[2] >= 4) && same(anchors[1], 4) &&
                      (scores[2] < 0 || more == 0 || more == 1);
    if (!all_floats(a, -1) || !fits) return unfit(a);
    const int64_t n = ir_dim_mul(a->node->attr.detect.most, a->node->attr.detect.per_box);
    const ir_shape rows = {3, {x[0], n, 4}};
    for (int32_t i = 0; i < a->node->n_out; i++) {
        out[i] = rows;
        out[i].rank = i == 0 ? 3 : i == 3 ? 1 : 2;
        if (anchors[0] == IR_BATCH || x[0] != scores[0]) ir_rule_mix(&out[i]);
    }
    return NF_OK;
}
