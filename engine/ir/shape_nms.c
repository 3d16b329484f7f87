/* shape_nms.c - the shape rules of NON_MAX_SUPPRESSION. Layer: ir. Thread rule: no shared state. */
#include "engine/ir/nms.h"
#include "engine/ir/shape.h"

#include "engine/base/mem.h"

#include <math.h>

static float one_float(const void *data, float absent)
{
    float v = absent;
    if (data) memcpy(&v, data, sizeof(v));
    return v;
}

void ir_nms_open(krn_nms *p, const void *const in[5], const eng_dtype type[5], bool center)
{
    int64_t most = 0;
    int32_t narrow = 0;
    if (in[2] && type[2] == ENG_I64) memcpy(&most, in[2], sizeof(most));
    if (in[2] && type[2] == ENG_I32) {
        memcpy(&narrow, in[2], sizeof(narrow));
        most = narrow;
    }
    p->most = most;
    p->iou = one_float(in[3], 0);
    p->score = one_float(in[4], -INFINITY);
    p->center = center;
}

static nf_status check_nms(const ir_rule *a)
{
    nf_status st;
    if ((st = ir_rule_rank(a, 0, 3, 3)) || (st = ir_rule_rank(a, 1, 3, 3))) return st;
    bool fits = ir_rule_in(a, 0)->dtype == ENG_F32 && ir_rule_in(a, 1)->dtype == ENG_F32;
    for (int32_t i = 2; i < 5; i++) {
        const ir_tensor *t = ir_rule_in(a, i);
        const bool whole = t && (t->dtype == ENG_I64 || t->dtype == ENG_I32);
        fits = fits && (!t || (i == 2 ? whole : t->dtype == ENG_F32)) &&
               (!t || t->rank == 0 || (t->rank == 1 && t->dim[0] == 1));
    }
    const int64_t *b = ir_rule_in(a, 0)->dim, *s = ir_rule_in(a, 1)->dim;
    fits = fits && (b[2] == 4 || b[2] < 0);
    for (int i = 0; i < 2; i++) { /* images, and boxes */
        const int64_t p = b[i], q = i ? s[2] : s[0];
        fits = fits && (p < 0 || q < 0 || p == q);
    }
    return fits ? NF_OK
                : nf_fail(a->err, NF_EFORMAT, a->where, "%s of operands that do not fit each other",
                          ir_op_name(a->node->op));
}

/* Boxes that are chosen in all images and classes. */
static nf_status count_boxes(int64_t *count, const ir_rule *a)
{
    const ir_tensor *boxes = ir_rule_in(a, 0), *scores = ir_rule_in(a, 1);
    const size_t n = (size_t)boxes->dim[1], classes = (size_t)scores->dim[1];
    const void *in[5];
    eng_dtype type[5];
    krn_nms p = {.n = n};
    for (int32_t i = 0; i < 5; i++) {
        in[i] = ir_rule_in(a, i) ? ir_rule_in(a, i)->data : NULL;
        type[i] = ir_rule_in(a, i) ? ir_rule_in(a, i)->dtype : ENG_F32;
    }
    ir_nms_open(&p, in, type, a->node->attr.axis.flag);
    int32_t *room = nf_alloc_array(2 * n + 1, sizeof(*room), NF_MEM_GRAPH);
    if (!room) return nf_fail(a->err, NF_ENOMEM, a->where, "no memory for %zu boxes", n);
    *count = 0;
    for (size_t i = 0; i < (size_t)boxes->dim[0] * classes; i++)
        *count += (int64_t)krn_f32_nms_ref(room, (const float *)in[0] + i / classes * n * 4,
                                           (const float *)in[1] + i * n, room + n, &p);
    nf_free(room);
    return NF_OK;
}

IR_RULE(nms)
{
    bool known = true;
    int64_t n = IR_FREE;
    nf_status st;
    if ((st = check_nms(a))) return st;
    for (int32_t i = 0; i < a->node->n_in; i++)
        known = known && (!ir_rule_in(a, i) || ir_rule_in(a, i)->data);
    known = known && ir_shape_known(ir_rule_in(a, 0)) && ir_shape_known(ir_rule_in(a, 1));
    if (known && (st = count_boxes(&n, a))) return st;
    *out = (ir_shape){2, {n, 3}};
    return NF_OK;
}
