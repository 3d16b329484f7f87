/* op_svm.c - support vector machines and linear models. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/labels.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_ml.h"

static void fini_svm(void *own)
{
    krn_svm_free(own);
}

static nf_status read_svm(krn_svm_attrs *a, const plan_layer *l, const ir_graph *g, nf_error *err)
{
    const struct {
        int32_t in;
        krn_floats *to;
    } lists[] = {
        {IR_SVM_VECTORS, &a->vectors}, {IR_SVM_COEFFICIENTS, &a->coefficients},
        {IR_SVM_RHO, &a->rho},         {IR_SVM_PROB_A, &a->prob_a},
        {IR_SVM_PROB_B, &a->prob_b},   {IR_SVM_PARAMS, &a->kernel_params},
    };
    krn_ints per_class;
    nf_status st = plan_const_ints(&per_class, l, g, IR_SVM_PER_CLASS, err);
    for (size_t i = 0; i < NF_COUNT(lists) && !st; i++)
        st = plan_const_floats(lists[i].to, l, g, lists[i].in, err);
    a->kernel = (krn_svm_kernel)l->node->attr.ml.mode;
    a->post = (krn_post)l->node->attr.ml.post;
    a->one_class = l->node->attr.ml.flag;
    a->n_supports = l->node->attr.ml.whole;
    a->vectors_per_class = per_class.v;
    a->n_per_class = per_class.n;
    a->n_labels = plan_has_labels(l) ? plan_const_count(l, g, 1) : 0;
    return st;
}

static nf_status wants_floats(const plan_layer *l, const ir_graph *g, nf_error *err)
{
    if (plan_in(l, g, 0)->dtype == ENG_F32) return plan_check_scores(l, g, err);
    return nf_fail(err, NF_EUNSUPPORTED, plan_out(l, g, 0)->name, "%s of %s rows",
                   ir_op_name(l->node->op), eng_dtype_oip(plan_in(l, g, 0)->dtype));
}

PLAN_PREPARE(plan_svm)
{
    krn_svm_attrs a = {0};
    nf_status st;
    (void)env;
    if ((st = wants_floats(l, g, err)) || (st = read_svm(&a, l, g, err))) return st;
    krn_svm *m = l->own = nf_alloc(sizeof(*m), NF_MEM_GRAPH);
    if (!m) return nf_fail(err, NF_ENOMEM, plan_out(l, g, 0)->name, "no memory for an SVM");
    l->own_fini = fini_svm;
    if ((st = krn_svm_make(m, &a, err))) return st;
    const size_t columns = plan_has_labels(l) ? krn_svm_columns(m) : 1;
    if ((int64_t)columns != l->node->attr.ml.outputs)
        return nf_fail(err, NF_EFORMAT, plan_out(l, g, 0)->name,
                       "%lld scores, its vectors give %zu", (long long)l->node->attr.ml.outputs,
                       columns);
    l->weight_bytes = (a.vectors.n + a.coefficients.n) * sizeof(float);
    return NF_OK;
}

static nf_status check_columns(const plan_step *s, size_t want, nf_error *err)
{
    if (s->u.ml.cols == want) return NF_OK;
    return nf_fail(err, NF_EFORMAT, plan_out(s->layer, s->layer->owner->g, 0)->name,
                   "rows of %zu columns, the model takes %zu", s->u.ml.cols, want);
}

PLAN_BIND(plan_bind_svm)
{
    const krn_svm *m = s->layer->own;
    (void)out;
    const nf_status st =
        plan_bind_scores(s, in, sizeof(float), krn_svm_scratch(m) * sizeof(float), err);
    s->macs = (uint64_t)s->u.ml.rows * m->n_features *
              (m->n_vectors ? m->n_vectors : (size_t)s->layer->node->attr.ml.outputs);
    return st ? st : check_columns(s, m->n_features, err);
}

static float *scores_of(const plan_step *s)
{
    const bool wanted = s->layer->node->n_out > 1 && s->out[1];
    return wanted ? s->out[1] : plan_score_place(s, sizeof(float));
}

PLAN_RUN(plan_run_svm)
{
    const krn_svm *m = s->layer->own;
    if (!plan_has_labels(s->layer)) {
        krn_svm_regress_ref(s->y, s->a, s->u.ml.rows, m, s->scratch);
        return;
    }
    krn_svm_classify_ref(scores_of(s), plan_label_place(s), s->a, s->u.ml.rows, m, s->scratch);
    plan_put_labels(s);
}

PLAN_PREPARE(plan_linear)
{
    const ir_tensor *w = plan_in(l, g, 2), *b = plan_in(l, g, 3), *y = plan_out(l, g, 0);
    krn_floats weights, bias;
    nf_status st;
    (void)env;
    if ((st = wants_floats(l, g, err)) || (st = plan_const_floats(&weights, l, g, 2, err)) ||
        (st = plan_const_floats(&bias, l, g, 3, err)))
        return st;
    if (!w || w->rank != 2 || (b && b->dim[0] != w->dim[0]))
        return nf_fail(err, NF_EFORMAT, y->name, "coefficients and intercepts do not fit");
    const krn_linear p = {.n_targets = (size_t)w->dim[0],
                          .n_labels = plan_has_labels(l) ? plan_const_count(l, g, 1) : 0};
    const size_t columns = plan_has_labels(l) ? krn_linear_columns(&p) : p.n_targets;
    /* a place behind the last label is one that no class has */
    const bool fits = !plan_has_labels(l) || p.n_targets <= p.n_labels;
    if ((int64_t)columns != l->node->attr.ml.outputs || !fits)
        return nf_fail(err, NF_EFORMAT, y->name, "%zu rows of coefficients for %zu labels",
                       p.n_targets, p.n_labels);
    return NF_OK;
}

static krn_linear linear_of(const plan_step *s)
{
    const plan_layer *l = s->layer;
    const ir_graph *g = l->owner->g;
    const ir_tensor *w = plan_in(l, g, 2), *b = plan_in(l, g, 3);
    return (krn_linear){
        .n_features = (size_t)w->dim[1],
        .n_targets = (size_t)w->dim[0],
        .coefficients = (const float *)(const void *)w->data,
        .intercepts = b ? (const float *)(const void *)b->data : NULL,
        .n_labels = plan_has_labels(l) ? plan_const_count(l, g, 1) : 0,
        .post = (krn_post)l->node->attr.ml.post,
    };
}

PLAN_BIND(plan_bind_linear)
{
    const krn_linear p = linear_of(s);
    (void)out;
    const nf_status st = plan_bind_scores(s, in, sizeof(float), 0, err);
    s->macs = (uint64_t)s->u.ml.rows * p.n_features * p.n_targets;
    return st ? st : check_columns(s, p.n_features, err);
}

PLAN_RUN(plan_run_linear)
{
    const krn_linear p = linear_of(s);
    if (!plan_has_labels(s->layer)) {
        krn_linear_regress_ref(s->y, s->a, s->u.ml.rows, &p);
        return;
    }
    krn_linear_classify_ref(scores_of(s), plan_label_place(s), s->a, s->u.ml.rows, &p);
    plan_put_labels(s);
}
