/* labels.c - what classifiers and regressors share. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/labels.h"

#define ALIGN 64

static nf_status wrong_type(const plan_layer *l, const ir_graph *g, int32_t i, nf_error *err)
{
    const ir_tensor *t = plan_in(l, g, i);
    return nf_fail(err, NF_EFORMAT, t->name, "parameter %d of %s is %s%s", i,
                   ir_op_name(l->node->op), t->data ? "" : "a computed ", eng_dtype_oip(t->dtype));
}

size_t plan_const_count(const plan_layer *l, const ir_graph *g, int32_t i)
{
    const ir_tensor *t = plan_in(l, g, i);
    return t ? t->bytes / eng_dtype_size(t->dtype) : 0;
}

nf_status plan_const_ints(krn_ints *out, const plan_layer *l, const ir_graph *g, int32_t i,
                          nf_error *err)
{
    const ir_tensor *t = plan_in(l, g, i);
    *out = (krn_ints){0};
    if (!t) return NF_OK;
    if (!t->data || t->dtype != ENG_I64) return wrong_type(l, g, i, err);
    *out = (krn_ints){(const int64_t *)(const void *)t->data, t->bytes / sizeof(int64_t)};
    return NF_OK;
}

nf_status plan_const_reals(krn_reals *out, const plan_layer *l, const ir_graph *g, int32_t i,
                           nf_error *err)
{
    const ir_tensor *t = plan_in(l, g, i);
    *out = (krn_reals){0};
    if (!t) return NF_OK;
    if (!t->data || (t->dtype != ENG_F32 && t->dtype != ENG_F64)) return wrong_type(l, g, i, err);
    out->n = plan_const_count(l, g, i);
    if (t->dtype == ENG_F32)
        out->f32 = (const float *)(const void *)t->data;
    else
        out->f64 = (const double *)(const void *)t->data;
    return NF_OK;
}

nf_status plan_const_floats(krn_floats *out, const plan_layer *l, const ir_graph *g, int32_t i,
                            nf_error *err)
{
    const ir_tensor *t = plan_in(l, g, i);
    *out = (krn_floats){0};
    if (!t) return NF_OK;
    if (!t->data || t->dtype != ENG_F32) return wrong_type(l, g, i, err);
    *out = (krn_floats){(const float *)(const void *)t->data, t->bytes / sizeof(float)};
    return NF_OK;
}

bool plan_has_labels(const plan_layer *l)
{
    const ir_op op = l->node->op;
    return op == IR_TREE_CLASSIFIER || op == IR_SVM_CLASSIFIER || op == IR_LINEAR_CLASSIFIER;
}

static nf_status check_labels(const plan_layer *l, const ir_graph *g, nf_error *err)
{
    const ir_tensor *labels = plan_in(l, g, 1), *y = plan_out(l, g, 0);
    const size_t n = plan_const_count(l, g, 1);
    if (!labels || !labels->data || n == 0 || labels->dtype != y->dtype ||
        (y->dtype != ENG_I64 && y->dtype != ENG_STR))
        return nf_fail(err, NF_EFORMAT, y->name, "%s of %zu classes with labels of type %s",
                       ir_op_name(l->node->op), n, eng_dtype_oip(y->dtype));
    if (n == 1 && y->dtype == ENG_STR)
        return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s of one class that is text",
                       ir_op_name(l->node->op));
    return NF_OK;
}

nf_status plan_check_scores(const plan_layer *l, const ir_graph *g, nf_error *err)
{
    const ir_tensor *x = plan_in(l, g, 0);
    const ir_tensor *y = plan_out(l, g, plan_has_labels(l) ? 1 : 0);
    const bool twice = l->node->op == IR_TREE_ENSEMBLE && x->dtype == ENG_F64;
    if (plan_has_labels(l)) {
        const nf_status st = check_labels(l, g, err);
        if (st) return st;
    }
    if (!y || y->dtype == (twice ? ENG_F64 : ENG_F32)) return NF_OK;
    return nf_fail(err, NF_EFORMAT, y->name, "scores of %s are %s", ir_op_name(l->node->op),
                   eng_dtype_oip(y->dtype));
}

static size_t padded(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

nf_status plan_bind_scores(plan_step *s, const plan_shape *in, size_t size, size_t more,
                           nf_error *err)
{
    const plan_layer *l = s->layer;
    s->u.ml.rows = in->rank == 2 ? in->dim[0] : 1;
    s->u.ml.cols = in->dim[in->rank - 1];
    s->u.ml.outputs = (size_t)l->node->attr.ml.outputs;
    size_t scores;
    if (!nf_mul_size(&scores, s->u.ml.rows, s->u.ml.outputs) || scores > IR_MAX_ELEMS)
        return nf_fail(err, NF_ETOOLARGE, "scores", "%zu rows of %zu", s->u.ml.rows,
                       s->u.ml.outputs);
    s->scratch_bytes = padded(more) + padded(scores * size) + s->u.ml.rows * sizeof(int64_t);
    return NF_OK;
}

void *plan_score_place(const plan_step *s, size_t size)
{
    const size_t scores = padded(s->u.ml.rows * s->u.ml.outputs * size);
    return (char *)s->scratch + s->scratch_bytes - s->u.ml.rows * sizeof(int64_t) - scores;
}

int64_t *plan_label_place(const plan_step *s)
{
    if (!plan_has_labels(s->layer)) return NULL;
    return (int64_t *)(void *)((char *)s->scratch + s->scratch_bytes) - s->u.ml.rows;
}

/* One label is 0 or 1: a number, and no place. */
void plan_put_labels(const plan_step *s)
{
    const plan_layer *l = s->layer;
    if (!plan_has_labels(l)) return;
    const ir_tensor *labels = plan_in(l, l->owner->g, 1);
    const size_t n = labels->bytes / eng_dtype_size(labels->dtype), rows = s->u.ml.rows;
    const int64_t *at = plan_label_place(s);
    if (labels->dtype == ENG_STR) {
        const nf_span *text = (const nf_span *)(const void *)labels->data;
        for (size_t r = 0; r < rows; r++)
            ((nf_span *)s->y)[r] = (uint64_t)at[r] < n ? text[at[r]] : (nf_span){"", 0};
        return;
    }
    const int64_t *number = (const int64_t *)(const void *)labels->data;
    for (size_t r = 0; r < rows; r++)
        ((int64_t *)s->y)[r] = n > 1 && (uint64_t)at[r] < n ? number[at[r]] : at[r];
}
