/* op_trees.c - ensembles of decision trees. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/labels.h"

#include "engine/base/mem.h"

#define VISITS_MOST 1000000000u /* nodes that one row may pass */

typedef struct forest {
    krn_trees t;
    krn_trees_f32_fn f32;
} forest;

static void fini(void *own)
{
    krn_trees_free(&((forest *)own)->t);
}

static nf_status no_modes(const plan_layer *l, const ir_graph *g, int32_t i, nf_error *err)
{
    const ir_tensor *t = plan_in(l, g, i);
    return t && t->data && t->dtype == ENG_U8
               ? NF_OK
               : nf_fail(err, NF_EFORMAT, plan_out(l, g, 0)->name, "trees without modes");
}

/* Attributes are lists of whole numbers or of reals: where each goes. */
typedef struct list {
    int32_t in;
    krn_ints *ints;
    krn_reals *reals;
} list;

static nf_status read_lists(const list *lists, size_t n, const plan_layer *l, const ir_graph *g,
                            nf_error *err)
{
    nf_status st = NF_OK;
    for (size_t i = 0; i < n && !st; i++)
        st = lists[i].ints ? plan_const_ints(lists[i].ints, l, g, lists[i].in, err)
                           : plan_const_reals(lists[i].reals, l, g, lists[i].in, err);
    return st;
}

static nf_status read_classic(krn_trees_classic *a, const plan_layer *l, const ir_graph *g,
                              nf_error *err)
{
    const list lists[] = {
        {IR_TREES_TREE_IDS, &a->tree_ids, NULL},
        {IR_TREES_NODE_IDS, &a->node_ids, NULL},
        {IR_TREES_FEATURES, &a->feature_ids, NULL},
        {IR_TREES_TRUE, &a->true_ids, NULL},
        {IR_TREES_FALSE, &a->false_ids, NULL},
        {IR_TREES_MISSING, &a->missing_true, NULL},
        {IR_TREES_VALUES, NULL, &a->values},
        {IR_TREES_WEIGHT_TREES, &a->weight_trees, NULL},
        {IR_TREES_WEIGHT_NODES, &a->weight_nodes, NULL},
        {IR_TREES_WEIGHT_IDS, &a->weight_ids, NULL},
        {IR_TREES_WEIGHTS, NULL, &a->weights},
        {IR_TREES_BASE, NULL, &a->base},
    };
    const ir_attr *attr = &l->node->attr;
    const nf_status st = no_modes(l, g, IR_TREES_MODES, err);
    if (st) return st;
    a->modes = plan_in(l, g, IR_TREES_MODES)->data;
    a->n_modes = plan_const_count(l, g, IR_TREES_MODES);
    a->n_outputs = (size_t)attr->ml.outputs;
    a->aggregate = (krn_aggregate)attr->ml.aggregate;
    a->post = (krn_post)attr->ml.post;
    a->classifier = plan_has_labels(l);
    if (a->classifier && plan_const_count(l, g, 1) != a->n_outputs)
        return nf_fail(err, NF_EFORMAT, plan_out(l, g, 0)->name, "%zu labels of %zu classes",
                       plan_const_count(l, g, 1), a->n_outputs);
    return read_lists(lists, NF_COUNT(lists), l, g, err);
}

static nf_status read_five(krn_trees_five *a, const plan_layer *l, const ir_graph *g, nf_error *err)
{
    const list lists[] = {
        {IR_FIVE_ROOTS, &a->roots, NULL},
        {IR_FIVE_FEATURES, &a->feature_ids, NULL},
        {IR_FIVE_TRUE, &a->true_ids, NULL},
        {IR_FIVE_TRUE_LEAFS, &a->true_leafs, NULL},
        {IR_FIVE_FALSE, &a->false_ids, NULL},
        {IR_FIVE_FALSE_LEAFS, &a->false_leafs, NULL},
        {IR_FIVE_MISSING, &a->missing_true, NULL},
        {IR_FIVE_SPLITS, NULL, &a->splits},
        {IR_FIVE_MEMBERS, NULL, &a->members},
        {IR_FIVE_LEAF_IDS, &a->leaf_ids, NULL},
        {IR_FIVE_LEAF_WEIGHTS, NULL, &a->leaf_weights},
    };
    const nf_status st = no_modes(l, g, IR_FIVE_MODES, err);
    if (st) return st;
    a->modes = plan_in(l, g, IR_FIVE_MODES)->data;
    a->n_modes = plan_const_count(l, g, IR_FIVE_MODES);
    a->n_outputs = (size_t)l->node->attr.ml.outputs;
    a->aggregate = (krn_aggregate)l->node->attr.ml.aggregate;
    a->post = (krn_post)l->node->attr.ml.post;
    return read_lists(lists, NF_COUNT(lists), l, g, err);
}

static uint64_t bytes_of(const krn_trees *t)
{
    const krn_trees_quick *q = &t->quick;
    uint64_t bytes = t->n_nodes * (sizeof(krn_tree_node) + 2 * sizeof(uint32_t));
    if (q->depth)
        bytes +=
            t->n_trees *
            (q->width * (sizeof(float) + sizeof(uint32_t) + (q->key ? sizeof(krn_tree_key) : 0)) +
             ((size_t)1 << q->depth) * sizeof(uint32_t));
    return bytes;
}

/* After the ensemble is built: limits, the quick layout, the evaluator. */
static nf_status finish(plan_layer *l, const ir_graph *g, const plan_env *env, nf_error *err)
{
    forest *f = l->own;
    nf_status st;
    uint64_t visits;
    if (__builtin_mul_overflow((uint64_t)f->t.n_trees, (uint64_t)f->t.depth, &visits) ||
        visits > VISITS_MOST)
        return nf_fail(err, NF_EBUDGET, plan_out(l, g, 0)->name,
                       "%zu trees of up to %zu branches, at most %u in all", f->t.n_trees,
                       f->t.depth, VISITS_MOST);
    if ((st = krn_trees_quicken(&f->t, err))) return st;
    if (plan_in(l, g, 0)->dtype == ENG_F32)
        f->f32 = krn_trees_pick(&f->t, env->cpu, &l->kernel_name);
    l->weight_bytes = bytes_of(&f->t);
    return plan_check_scores(l, g, err);
}

static nf_status start(plan_layer *l, const ir_graph *g, nf_error *err)
{
    const ir_tensor *x = plan_in(l, g, 0);
    if (x->dtype != ENG_F32 && x->dtype != ENG_F64)
        return nf_fail(err, NF_EUNSUPPORTED, plan_out(l, g, 0)->name, "%s of %s rows",
                       ir_op_name(l->node->op), eng_dtype_oip(x->dtype));
    l->own = nf_alloc(sizeof(forest), NF_MEM_GRAPH);
    if (!l->own) return nf_fail(err, NF_ENOMEM, plan_out(l, g, 0)->name, "no memory for trees");
    l->own_fini = fini;
    return NF_OK;
}

PLAN_PREPARE(plan_trees)
{
    krn_trees_classic a = {0};
    nf_status st;
    if ((st = start(l, g, err)) || (st = read_classic(&a, l, g, err)) ||
        (st = krn_trees_from_classic(&((forest *)l->own)->t, &a, err)))
        return st;
    return finish(l, g, env, err);
}

PLAN_PREPARE(plan_trees_five)
{
    krn_trees_five a = {0};
    nf_status st;
    if ((st = start(l, g, err)) || (st = read_five(&a, l, g, err)) ||
        (st = krn_trees_from_five(&((forest *)l->own)->t, &a, err)))
        return st;
    return finish(l, g, env, err);
}

PLAN_BIND(plan_bind_trees)
{
    const forest *f = s->layer->own;
    const bool twice = s->layer->elem_size == sizeof(double);
    (void)out;
    const nf_status st = plan_bind_scores(s, in, twice ? sizeof(double) : sizeof(float),
                                          krn_trees_scratch(&f->t), err);
    if (st) return st;
    if (s->u.ml.cols < f->t.n_features)
        return nf_fail(err, NF_EFORMAT, plan_out(s->layer, s->layer->owner->g, 0)->name,
                       "rows of %zu columns, the trees ask for %zu", s->u.ml.cols, f->t.n_features);
    return NF_OK;
}

/* The scores as an output, NULL when nobody wants them. */
static void *scores_out(const plan_step *s)
{
    return plan_has_labels(s->layer) ? s->layer->node->n_out > 1 ? s->out[1] : NULL : s->y;
}

PLAN_RUN(plan_run_trees_f32)
{
    const forest *f = s->layer->own;
    float *z = scores_out(s);
    f->f32(z ? z : plan_score_place(s, sizeof(float)), plan_label_place(s), s->a, s->u.ml.rows,
           s->u.ml.cols, &f->t, s->scratch);
    plan_put_labels(s);
}

PLAN_RUN(plan_run_trees_f64)
{
    const forest *f = s->layer->own;
    void *y = scores_out(s);
    const bool narrows = s->layer->node->op != IR_TREE_ENSEMBLE;
    double *z = y && !narrows ? y : plan_score_place(s, sizeof(double));
    krn_trees_f64_ref(z, plan_label_place(s), s->a, s->u.ml.rows, s->u.ml.cols, &f->t, s->scratch);
    if (y && narrows) krn_cast_ref(y, KRN_F32, z, KRN_F64, s->u.ml.rows * s->u.ml.outputs);
    plan_put_labels(s);
}
