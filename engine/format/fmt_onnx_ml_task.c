/* fmt_onnx_ml_task.c - what the outputs of a graph mean: the classes of the classifier that they
 * come from, a number, or an anomaly. Layer: format. Thread rule: one owner. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/mem.h"

#include <stdio.h>

typedef struct origin {
    const ir_graph *g;
    int32_t *maker; /* [n_tensors]: node, or -1 */
} origin;

static const ir_node *maker_of(const origin *f, int32_t tensor)
{
    const int32_t m = tensor < 0 ? -1 : f->maker[tensor];
    return m < 0 ? NULL : &f->g->nodes[m];
}

/* The node that a value comes from, behind those that only bring it into another form. */
static const ir_node *source_of(const origin *f, int32_t tensor)
{
    const ir_node *n = maker_of(f, tensor);
    for (size_t hops = 0; n && hops < f->g->n_nodes; hops++) {
        const bool same = n->op == IR_CAST || n->op == IR_RESHAPE || n->op == IR_IDENTITY ||
                          n->op == IR_NORMALIZER || n->op == IR_CLAMP || n->op == IR_SOFTMAX;
        if (!same || n->n_in < 1) break;
        n = maker_of(f, n->in[0]);
    }
    return n;
}

static const ir_tensor *labels_of(const origin *f, const ir_node *n)
{
    const bool classifier =
        n->op == IR_TREE_CLASSIFIER || n->op == IR_SVM_CLASSIFIER || n->op == IR_LINEAR_CLASSIFIER;
    const ir_tensor *t = NULL;
    if (classifier)
        t = &f->g->tensors[n->in[1]];
    else if (n->op == IR_PICK_COLUMNS) /* of the list of classes */
        t = &f->g->tensors[n->in[0]];
    const bool named =
        t && t->data && (t->dtype == ENG_STR || t->dtype == ENG_I64 || t->dtype == ENG_I32);
    return named ? t : NULL;
}

static nf_status add_label(ir_graph *g, const ir_tensor *t, size_t i, nf_error *err)
{
    char number[32];
    if (t->dtype == ENG_STR)
        return ir_add_label(&g->about, ((const nf_span *)(const void *)t->data)[i], err);
    const int64_t v = t->dtype == ENG_I64 ? ((const int64_t *)(const void *)t->data)[i]
                                          : ((const int32_t *)(const void *)t->data)[i];
    const int len = snprintf(number, sizeof(number), "%lld", (long long)v);
    return ir_add_label(&g->about, (nf_span){number, (size_t)len}, err);
}

static nf_status take_labels(ir_graph *g, const ir_tensor *t, nf_error *err)
{
    const size_t n = t->bytes / eng_dtype_size(t->dtype);
    nf_status st = NF_OK;
    g->about.task = ENG_TASK_CLASSIFICATION;
    if (n > IR_LABELS_MOST) return NF_OK; /* nobody reads so many */
    for (size_t i = 0; i < n && !st; i++)
        st = add_label(g, t, i, err);
    return st;
}

static bool has_op(const ir_graph *g, ir_op op, bool one_class)
{
    for (size_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op == op && (!one_class || g->nodes[i].attr.ml.flag)) return true;
    return false;
}

/* Regressors beside a label that no classifier made: that of an isolation forest or of a one-class
 * machine. */
static eng_task other_task(const ir_graph *g)
{
    const bool trees = has_op(g, IR_TREE_REGRESSOR, false) || has_op(g, IR_TREE_ENSEMBLE, false);
    const bool svm = has_op(g, IR_SVM_REGRESSOR, false);
    const bool label = g->n_outputs == 2 && g->tensors[g->outputs[0]].dtype == ENG_I64 &&
                       g->tensors[g->outputs[1]].dtype == ENG_F32;
    if (has_op(g, IR_SVM_REGRESSOR, true) || ((trees || svm) && label)) return ENG_TASK_ANOMALY;
    return trees || svm || has_op(g, IR_LINEAR_REGRESSOR, false) ? ENG_TASK_REGRESSION
                                                                 : ENG_TASK_NONE;
}

static nf_status find_labels(const origin *f, ir_graph *g, nf_error *err)
{
    for (size_t i = 0; i < g->n_outputs; i++) {
        const ir_node *n = source_of(f, g->outputs[i]);
        const ir_tensor *labels = n ? labels_of(f, n) : NULL;
        if (labels) return take_labels(g, labels, err);
    }
    g->about.task = other_task(g);
    return NF_OK;
}

nf_status fmt_onnx_ml_task(fmt_onnx_ctx *o)
{
    ir_graph *g = o->g;
    origin f = {g, nf_alloc_array(g->n_tensors + 1, sizeof(*f.maker), NF_MEM_GRAPH)};
    if (!f.maker) return nf_fail(o->err, NF_ENOMEM, "onnx", "no memory");
    for (size_t t = 0; t < g->n_tensors; t++)
        f.maker[t] = -1;
    for (size_t i = 0; i < g->n_nodes; i++)
        for (int32_t k = 0; k < g->nodes[i].n_out; k++)
            if (g->nodes[i].out[k] >= 0) f.maker[g->nodes[i].out[k]] = (int32_t)i;
    const nf_status st = find_labels(&f, g, o->err);
    nf_free(f.maker);
    return st;
}
