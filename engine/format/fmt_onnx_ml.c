/* fmt_onnx_ml.c - ONNX: models of classical machine learning, domain ai.onnx.ml. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_onnx_ml.h"

static const char *const posts[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
static const char *const aggregates[] = {"AVERAGE", "SUM", "MIN", "MAX"};
static const char *const kernels[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};

enum { SUM = 1 };

typedef nf_status (*list_reader)(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                                 const char *name);

/* An attribute and the operand that it becomes. */
typedef struct list {
    int32_t in;
    const char *name;
    list_reader read;
} list;

static nf_status read_lists(int32_t *in, fmt_onnx_ctx *o, const fmt_onnx_node *n, const list *lists,
                            size_t count)
{
    nf_status st = NF_OK;
    for (size_t i = 0; i < count && !st; i++)
        st = lists[i].read(&in[lists[i].in], o, n, lists[i].name);
    return st;
}

static size_t elems_of(const fmt_onnx_ctx *o, int32_t tensor)
{
    size_t n;
    return tensor != IR_NONE && ir_elems(&n, &o->g->tensors[tensor], 1) ? n : 0;
}

nf_status fmt_onnx_ml_labels(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                             const char *texts, const char *ints)
{
    nf_status st;
    if ((st = fmt_onnx_ml_texts(tensor, o, n, texts))) return st;
    if (elems_of(o, *tensor)) return NF_OK;
    if ((st = fmt_onnx_ml_ints(tensor, o, n, ints))) return st;
    if (elems_of(o, *tensor)) return NF_OK;
    return nf_fail(o->err, NF_EFORMAT, o->where, "neither %s nor %s", texts, ints);
}

nf_status fmt_onnx_ml_x(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, bool doubles)
{
    const int32_t value = fmt_onnx_in(o, n, 0);
    const fmt_onnx_value *v = fmt_onnx_value_of(o, value);
    const nf_status st = fmt_onnx_use(tensor, o, value);
    if (st) return st;
    if (doubles && v->given != IR_NONE && o->g->tensors[v->given].dtype == ENG_F64) {
        *tensor = v->given;
        return NF_OK;
    }
    return fmt_onnx_ml_cast(tensor, o, n, ENG_F32);
}

nf_status fmt_onnx_ml_cast(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, eng_dtype to)
{
    const int32_t from = *tensor;
    nf_status st;
    if (o->g->tensors[from].dtype == to) return NF_OK;
    if ((st = fmt_onnx_temp(tensor, o, n, ":cast", to))) return st;
    return fmt_onnx_emit(o, IR_CAST, &from, 1, *tensor, NULL);
}

/* Result i; one that nobody wants but the operator makes in any case is made up. */
static nf_status result(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i,
                        eng_dtype dtype)
{
    const nf_status st = fmt_onnx_out_at(tensor, o, n, i, dtype);
    return st || *tensor != IR_NONE || i ? st : fmt_onnx_temp(tensor, o, n, ":label", dtype);
}

/* in[1] has the labels. */
static nf_status emit_classifier(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op,
                                 const int32_t *in, int32_t n_in, const ir_attr *attr)
{
    int32_t out[2];
    nf_status st;
    if ((st = result(&out[0], o, n, 0, o->g->tensors[in[1]].dtype))) return st;
    if ((st = result(&out[1], o, n, 1, ENG_F32))) return st;
    return fmt_onnx_emit_ends(o, op, &(ir_ends){in, out, n_in, 2}, attr);
}

static nf_status emit_regressor(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op,
                                const int32_t *in, int32_t n_in, const ir_attr *attr)
{
    int32_t y;
    const nf_status st = fmt_onnx_out(&y, o, n, ENG_F32);
    return st ? st : fmt_onnx_emit(o, op, in, n_in, y, attr);
}

static nf_status read_tree_nodes(int32_t *in, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const list lists[] = {
        {IR_TREES_TREE_IDS, "nodes_treeids", fmt_onnx_ml_ints},
        {IR_TREES_NODE_IDS, "nodes_nodeids", fmt_onnx_ml_ints},
        {IR_TREES_FEATURES, "nodes_featureids", fmt_onnx_ml_ints},
        {IR_TREES_TRUE, "nodes_truenodeids", fmt_onnx_ml_ints},
        {IR_TREES_FALSE, "nodes_falsenodeids", fmt_onnx_ml_ints},
        {IR_TREES_MISSING, "nodes_missing_value_tracks_true", fmt_onnx_ml_ints},
        {IR_TREES_MODES, "nodes_modes", fmt_onnx_ml_modes},
        {IR_TREES_VALUES, "nodes_values", fmt_onnx_ml_reals},
        {IR_TREES_BASE, "base_values", fmt_onnx_ml_reals},
    };
    return read_lists(in, o, n, lists, NF_COUNT(lists));
}

static nf_status read_tree_classifier(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const list lists[] = {
        {IR_TREES_WEIGHT_TREES, "class_treeids", fmt_onnx_ml_ints},
        {IR_TREES_WEIGHT_NODES, "class_nodeids", fmt_onnx_ml_ints},
        {IR_TREES_WEIGHT_IDS, "class_ids", fmt_onnx_ml_ints},
        {IR_TREES_WEIGHTS, "class_weights", fmt_onnx_ml_reals},
    };
    ir_attr attr = {.ml = {.aggregate = SUM}};
    int32_t in[IR_TREES_INS];
    nf_status st;
    if ((st = fmt_onnx_ml_x(&in[0], o, n, true)) ||
        (st = fmt_onnx_ml_labels(&in[1], o, n, "classlabels_strings", "classlabels_int64s")) ||
        (st = read_tree_nodes(in, o, n)) || (st = read_lists(in, o, n, lists, NF_COUNT(lists))) ||
        (st = fmt_onnx_ml_word(&attr.ml.post, o, n, "post_transform", posts, NF_COUNT(posts), 0)))
        return st;
    attr.ml.outputs = (int64_t)elems_of(o, in[1]);
    return emit_classifier(o, n, IR_TREE_CLASSIFIER, in, IR_TREES_INS, &attr);
}

static nf_status read_tree_regressor(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const list lists[] = {
        {IR_TREES_WEIGHT_TREES, "target_treeids", fmt_onnx_ml_ints},
        {IR_TREES_WEIGHT_NODES, "target_nodeids", fmt_onnx_ml_ints},
        {IR_TREES_WEIGHT_IDS, "target_ids", fmt_onnx_ml_ints},
        {IR_TREES_WEIGHTS, "target_weights", fmt_onnx_ml_reals},
    };
    ir_attr attr = {.ml = {.outputs = 1}};
    int32_t in[IR_TREES_INS];
    nf_status st;
    in[1] = IR_NONE;
    if ((st = fmt_onnx_ml_x(&in[0], o, n, true)) || (st = read_tree_nodes(in, o, n)) ||
        (st = read_lists(in, o, n, lists, NF_COUNT(lists))) ||
        (st = fmt_onnx_int(&attr.ml.outputs, o, n, "n_targets", 1)) ||
        (st = fmt_onnx_ml_word(&attr.ml.post, o, n, "post_transform", posts, NF_COUNT(posts), 0)) ||
        (st = fmt_onnx_ml_word(&attr.ml.aggregate, o, n, "aggregate_function", aggregates,
                               NF_COUNT(aggregates), SUM)))
        return st;
    return emit_regressor(o, n, IR_TREE_REGRESSOR, in, IR_TREES_INS, &attr);
}

/* A number that names one of `count` things. */
static nf_status read_choice(int *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                             int count, int absent)
{
    int64_t v;
    const nf_status st = fmt_onnx_int(&v, o, n, name, absent);
    if (st) return st;
    if (v < 0 || v >= count)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%s is %lld", name, (long long)v);
    *out = (int)v;
    return NF_OK;
}

/* The result of double rows is double; other nodes read it as FP32. */
static nf_status emit_ensemble(fmt_onnx_ctx *o, const fmt_onnx_node *n, const int32_t *in,
                               const ir_attr *attr)
{
    const fmt_onnx_value *v = fmt_onnx_result(o, n);
    const bool twice = o->g->tensors[in[0]].dtype == ENG_F64;
    int32_t z, y;
    nf_status st;
    if (!twice || (v && v->is_output)) {
        if ((st = fmt_onnx_out(&y, o, n, twice ? ENG_F64 : ENG_F32))) return st;
        return fmt_onnx_emit(o, IR_TREE_ENSEMBLE, in, IR_FIVE_INS, y, attr);
    }
    if ((st = fmt_onnx_temp(&z, o, n, ":fp64", ENG_F64)) ||
        (st = fmt_onnx_emit(o, IR_TREE_ENSEMBLE, in, IR_FIVE_INS, z, attr)) ||
        (st = fmt_onnx_out(&y, o, n, ENG_F32)))
        return st;
    return fmt_onnx_emit(o, IR_CAST, &z, 1, y, NULL);
}

static nf_status read_tree_ensemble(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const list lists[] = {
        {IR_FIVE_ROOTS, "tree_roots", fmt_onnx_ml_ints},
        {IR_FIVE_FEATURES, "nodes_featureids", fmt_onnx_ml_ints},
        {IR_FIVE_TRUE, "nodes_truenodeids", fmt_onnx_ml_ints},
        {IR_FIVE_TRUE_LEAFS, "nodes_trueleafs", fmt_onnx_ml_ints},
        {IR_FIVE_FALSE, "nodes_falsenodeids", fmt_onnx_ml_ints},
        {IR_FIVE_FALSE_LEAFS, "nodes_falseleafs", fmt_onnx_ml_ints},
        {IR_FIVE_MISSING, "nodes_missing_value_tracks_true", fmt_onnx_ml_ints},
        {IR_FIVE_MODES, "nodes_modes", fmt_onnx_ml_tensor},
        {IR_FIVE_SPLITS, "nodes_splits", fmt_onnx_ml_tensor},
        {IR_FIVE_MEMBERS, "membership_values", fmt_onnx_ml_tensor},
        {IR_FIVE_LEAF_IDS, "leaf_targetids", fmt_onnx_ml_ints},
        {IR_FIVE_LEAF_WEIGHTS, "leaf_weights", fmt_onnx_ml_tensor},
    };
    ir_attr attr = {.ml = {.outputs = 1}};
    int32_t in[IR_FIVE_INS];
    nf_status st;
    in[1] = IR_NONE;
    if ((st = fmt_onnx_ml_x(&in[0], o, n, true)) ||
        (st = read_lists(in, o, n, lists, NF_COUNT(lists))) ||
        (st = fmt_onnx_int(&attr.ml.outputs, o, n, "n_targets", 1)) ||
        (st = read_choice(&attr.ml.post, o, n, "post_transform", NF_COUNT(posts), 0)) ||
        (st = read_choice(&attr.ml.aggregate, o, n, "aggregate_function", NF_COUNT(aggregates),
                          SUM)))
        return st;
    return emit_ensemble(o, n, in, &attr);
}

static nf_status read_svm(int32_t *in, ir_attr *attr, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const list lists[] = {
        {IR_SVM_VECTORS, "support_vectors", fmt_onnx_ml_floats},
        {IR_SVM_COEFFICIENTS, "coefficients", fmt_onnx_ml_floats},
        {IR_SVM_RHO, "rho", fmt_onnx_ml_floats},
        {IR_SVM_PROB_A, "prob_a", fmt_onnx_ml_floats},
        {IR_SVM_PROB_B, "prob_b", fmt_onnx_ml_floats},
        {IR_SVM_PER_CLASS, "vectors_per_class", fmt_onnx_ml_ints},
        {IR_SVM_PARAMS, "kernel_params", fmt_onnx_ml_floats},
    };
    nf_status st;
    if ((st = fmt_onnx_ml_x(&in[0], o, n, false)) ||
        (st = read_lists(in, o, n, lists, NF_COUNT(lists))) ||
        (st = fmt_onnx_ml_word(&attr->ml.post, o, n, "post_transform", posts, NF_COUNT(posts), 0)))
        return st;
    return fmt_onnx_ml_word(&attr->ml.mode, o, n, "kernel_type", kernels, NF_COUNT(kernels), 0);
}

/* Scores: a class each with probabilities or without vectors, else a pair of classes each. */
static int64_t svm_columns(const fmt_onnx_ctx *o, const int32_t *in)
{
    const size_t n = elems_of(o, in[1]), per_class = elems_of(o, in[IR_SVM_PER_CLASS]);
    bool vectors = false;
    for (size_t i = 0; i < per_class; i++)
        vectors |= ((const int64_t *)(const void *)o->g->tensors[in[IR_SVM_PER_CLASS]].data)[i] > 0;
    if (!vectors || elems_of(o, in[IR_SVM_PROB_A]) || n == 2) return (int64_t)n;
    return (int64_t)(n * (n - 1) / 2);
}

static nf_status read_svm_classifier(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.ml = {.post = 0}};
    int32_t in[IR_SVM_INS];
    nf_status st;
    if ((st = read_svm(in, &attr, o, n)) ||
        (st = fmt_onnx_ml_labels(&in[1], o, n, "classlabels_strings", "classlabels_ints")))
        return st;
    attr.ml.outputs = svm_columns(o, in);
    return emit_classifier(o, n, IR_SVM_CLASSIFIER, in, IR_SVM_INS, &attr);
}

static nf_status read_svm_regressor(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.ml = {.outputs = 1}};
    int32_t in[IR_SVM_INS];
    int64_t one_class;
    nf_status st;
    if ((st = read_svm(in, &attr, o, n)) ||
        (st = fmt_onnx_int(&attr.ml.whole, o, n, "n_supports", 0)) ||
        (st = fmt_onnx_int(&one_class, o, n, "one_class", 0)))
        return st;
    in[1] = IR_NONE;
    attr.ml.flag = one_class != 0;
    return emit_regressor(o, n, IR_SVM_REGRESSOR, in, IR_SVM_INS, &attr);
}

/* Coefficients become [targets, columns]. */
static nf_status read_linear(int32_t *in, ir_attr *attr, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const list lists[] = {{2, "coefficients", fmt_onnx_ml_floats},
                                 {3, "intercepts", fmt_onnx_ml_floats}};
    nf_status st;
    if ((st = fmt_onnx_ml_x(&in[0], o, n, false)) ||
        (st = read_lists(in, o, n, lists, NF_COUNT(lists))) ||
        (st = fmt_onnx_ml_word(&attr->ml.post, o, n, "post_transform", posts, NF_COUNT(posts), 0)))
        return st;
    return in[2] != IR_NONE ? NF_OK : nf_fail(o->err, NF_EFORMAT, o->where, "no coefficients");
}

static nf_status fold_coefficients(fmt_onnx_ctx *o, int32_t tensor, size_t targets)
{
    ir_tensor *t = &o->g->tensors[tensor];
    const int64_t n = t->dim[0];
    if (n < 1 || targets < 1 || n % (int64_t)targets)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%lld coefficients for %zu targets",
                       (long long)n, targets);
    t->rank = 2;
    t->dim[0] = (int64_t)targets;
    t->dim[1] = n / (int64_t)targets;
    return NF_OK;
}

static nf_status read_linear_classifier(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.ml = {.post = 0}};
    int32_t in[4];
    nf_status st;
    if ((st = read_linear(in, &attr, o, n)) ||
        (st = fmt_onnx_ml_labels(&in[1], o, n, "classlabels_strings", "classlabels_ints")))
        return st;
    const ir_tensor *x = &o->g->tensors[in[0]];
    const size_t labels = elems_of(o, in[1]), bias = elems_of(o, in[3]);
    const bool one =
        labels == 2 && x->rank > 0 && x->dim[x->rank - 1] == (int64_t)elems_of(o, in[2]);
    const size_t targets = bias ? bias : one ? 1 : labels;
    if (!bias) in[3] = IR_NONE;
    if ((st = fold_coefficients(o, in[2], targets))) return st;
    attr.ml.outputs = targets == 1 && labels == 2 ? 2 : (int64_t)targets;
    return emit_classifier(o, n, IR_LINEAR_CLASSIFIER, in, 4, &attr);
}

static nf_status read_linear_regressor(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.ml = {.post = 0}};
    int32_t in[4];
    nf_status st;
    if ((st = read_linear(in, &attr, o, n)) ||
        (st = fmt_onnx_int(&attr.ml.outputs, o, n, "targets", 1)))
        return st;
    if (attr.ml.outputs < 1)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%lld targets", (long long)attr.ml.outputs);
    in[1] = IR_NONE;
    if (elems_of(o, in[3]) == 0) in[3] = IR_NONE;
    if ((st = fold_coefficients(o, in[2], (size_t)attr.ml.outputs))) return st;
    return emit_regressor(o, n, IR_LINEAR_REGRESSOR, in, 4, &attr);
}

static nf_status refuse(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    (void)n;
    return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "maps as values are not supported");
}

const fmt_onnx_row fmt_onnx_ml_rows[] = {
    /* operator, inputs, reader */
    {"ArrayFeatureExtractor", 2, 2, fmt_onnx_ml_extractor},
    {"Binarizer", 1, 1, fmt_onnx_ml_binarizer},
    {"CastMap", 1, 1, refuse},
    {"CategoryMapper", 1, 1, fmt_onnx_ml_category_mapper},
    {"DictVectorizer", 1, 1, refuse},
    {"FeatureVectorizer", 1, 0, fmt_onnx_ml_vectorizer},
    {"Imputer", 1, 1, fmt_onnx_ml_imputer},
    {"LabelEncoder", 1, 1, fmt_onnx_ml_label_encoder},
    {"LinearClassifier", 1, 1, read_linear_classifier},
    {"LinearRegressor", 1, 1, read_linear_regressor},
    {"Normalizer", 1, 1, fmt_onnx_ml_normalizer},
    {"OneHotEncoder", 1, 1, fmt_onnx_ml_one_hot},
    {"SVMClassifier", 1, 1, read_svm_classifier},
    {"SVMRegressor", 1, 1, read_svm_regressor},
    {"Scaler", 1, 1, fmt_onnx_ml_scaler},
    {"TreeEnsemble", 1, 1, read_tree_ensemble},
    {"TreeEnsembleClassifier", 1, 1, read_tree_classifier},
    {"TreeEnsembleRegressor", 1, 1, read_tree_regressor},
    {"ZipMap", 1, 1, fmt_onnx_identity},
    {.op = NULL},
};
