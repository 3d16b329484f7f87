/* op_ml.c - preparation of features: columns and rows of numbers. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/kernels/krn_ml.h"

#include "engine/plan/layer.h"

static nf_status wrong_types(const plan_layer *l, const ir_graph *g, nf_error *err)
{
    return nf_fail(err, NF_EUNSUPPORTED, plan_out(l, g, 0)->name, "%s of %s to %s",
                   ir_op_name(l->node->op), eng_dtype_oip(plan_in(l, g, 0)->dtype),
                   eng_dtype_oip(plan_out(l, g, 0)->dtype));
}

static nf_status check_floats(const plan_layer *l, const ir_graph *g, int32_t n, nf_error *err)
{
    bool all = plan_out(l, g, 0)->dtype == ENG_F32;
    for (int32_t i = 0; i < n; i++)
        all &= plan_in(l, g, i)->dtype == ENG_F32;
    return all ? NF_OK : wrong_types(l, g, err);
}

PLAN_PREPARE(plan_floats)
{
    (void)env;
    return check_floats(l, g, l->node->n_in, err);
}

PLAN_PREPARE(plan_join)
{
    (void)env;
    return check_floats(l, g, l->node->n_in - 1, err);
}

PLAN_PREPARE(plan_imputer)
{
    (void)env;
    const eng_dtype x = plan_in(l, g, 0)->dtype;
    return x == ENG_F32 || x == ENG_I64 ? NF_OK : wrong_types(l, g, err);
}

PLAN_PREPARE(plan_pick_columns)
{
    (void)env;
    return plan_in(l, g, 1)->dtype == ENG_I64 ? NF_OK : wrong_types(l, g, err);
}

/* Columns of the last axis; outputs: parameters, or places. */
PLAN_BIND(plan_bind_columns)
{
    (void)err;
    (void)out;
    s->u.ml.cols = in->dim[in->rank - 1];
    s->u.ml.rows = s->u.ml.cols ? in->elems / s->u.ml.cols : 0;
    s->u.ml.outputs = s->layer->node->n_in > 1 ? in[1].elems : 0;
    return NF_OK;
}

/* Two lists of parameters, of which one may have one number for all columns. */
PLAN_RUN(plan_run_scaler)
{
    const ir_graph *g = s->layer->owner->g;
    const size_t offsets = s->u.ml.outputs;
    const size_t scales = (size_t)plan_in(s->layer, g, 2)->dim[0];
    const float *offset = s->in[1], *scale = s->in[2];
    float *y = s->y;
    if (offsets == scales) {
        krn_scale_ref(y, s->a, s->u.ml.rows, s->u.ml.cols, offset, scale, offsets);
        return;
    }
    for (size_t r = 0; r < s->u.ml.rows; r++, y += s->u.ml.cols)
        for (size_t c = 0; c < s->u.ml.cols; c++)
            krn_scale_ref(y + c, (const float *)s->a + r * s->u.ml.cols + c, 1, 1,
                          offset + (offsets > 1 ? c : 0), scale + (scales > 1 ? c : 0), 1);
}

PLAN_RUN(plan_run_normalizer)
{
    krn_normalize_ref(s->y, s->a, s->u.ml.rows, s->u.ml.cols,
                      (krn_norm)s->layer->node->attr.ml.mode);
}

PLAN_RUN(plan_run_binarizer)
{
    krn_binarize_ref(s->y, s->a, s->u.elems, s->layer->node->attr.ml.value);
}

PLAN_RUN(plan_run_imputer)
{
    const ir_attr *a = &s->layer->node->attr;
    if (s->layer->elem_size == sizeof(float))
        krn_impute_f32_ref(s->y, s->a, s->u.ml.rows, s->u.ml.cols, s->b, s->u.ml.outputs,
                           a->ml.value);
    else
        krn_impute_s64_ref(s->y, s->a, s->u.ml.rows, s->u.ml.cols, s->b, s->u.ml.outputs,
                           a->ml.whole);
}

PLAN_RUN(plan_run_pick_columns)
{
    const size_t size = s->layer->elem_size;
    if (krn_pick_columns_ref(s->y, s->a, size, s->u.ml.rows, s->u.ml.cols, s->b, s->u.ml.outputs))
        return;
    memset(s->y, 0, s->u.ml.rows * s->u.ml.outputs * size);
    plan_fail(s, NF_EINVAL, plan_out(s->layer, s->layer->owner->g, 0)->name,
              "a place is not one of the %zu columns", s->u.ml.cols);
}

/* Columns of each part: [n_in - 1], those of the result behind them. */
PLAN_BIND(plan_bind_join)
{
    const int32_t parts = s->layer->node->n_in - 1;
    const nf_status st = plan_bind_alloc(s, (size_t)parts * sizeof(size_t), err);
    if (st) return st;
    for (int32_t i = 0; i < parts; i++)
        ((size_t *)s->bound)[i] = in[i].dim[in[i].rank - 1];
    s->u.ml.rows = out->dim[0];
    s->u.ml.cols = out->dim[1];
    return NF_OK;
}

PLAN_RUN(plan_run_join)
{
    const int32_t parts = s->layer->node->n_in - 1;
    const size_t *columns = s->bound;
    const int64_t *width = s->in[parts];
    size_t at = 0;
    for (int32_t i = 0; i < parts; i++) {
        krn_join_columns_ref(s->y, s->u.ml.cols, at, (size_t)width[i], s->in[i], columns[i],
                             s->u.ml.rows);
        at += (size_t)width[i];
    }
}
