/* trees_row.h - one row through an ensemble, once for floats and once for doubles. Layer: kernels.
 * A template: REAL, NAME(x) and POST are set before each of its two inclusions in trees_ref.c. */

static const krn_tree_node *NAME(leaf_of)(const krn_trees *t, uint32_t root, const REAL *x)
{
    const krn_tree_node *n = &t->node[root];
    while (n->mode != KRN_TREE_LEAF) {
        const REAL v = x[n->feature];
        const bool yes = says_yes(t, n, (double)v) || (n->missing_is_yes && isnan(v));
        n = &t->node[yes ? n->yes : n->no];
    }
    return n;
}

static inline REAL NAME(joined)(REAL z, REAL w, bool has, krn_aggregate how)
{
    if (how == KRN_AGGREGATE_MIN) return !has || w < z ? w : z;
    if (how == KRN_AGGREGATE_MAX) return !has || w > z ? w : z;
    return z + w;
}

static void NAME(sums_of)(REAL *z, uint8_t *has, const REAL *x, const krn_trees *t)
{
    for (size_t i = 0; i < t->n_outputs; i++)
        z[i] = has[i] = 0;
    for (size_t i = 0; i < t->n_trees; i++) {
        const krn_tree_node *n = NAME(leaf_of)(t, t->root[i], x);
        for (size_t w = n->yes; w < (size_t)n->yes + n->no; w++) {
            const uint32_t id = t->weight_id[w];
            z[id] = NAME(joined)(z[id], (REAL)t->weight[w], has[id], t->aggregate);
            has[id] = 1;
        }
    }
}

/* What no leaf had a weight for stays 0, base value or not: onnxruntime has it so. */
static void NAME(transform)(REAL *z, const uint8_t *has, const krn_trees *t)
{
    for (size_t i = 0; i < t->n_outputs; i++)
        z[i] = has[i] ? z[i] : 0;
    POST(z, t->n_outputs, t->post, KRN_SECOND_NONE);
}

static void NAME(finish_regressor)(REAL *z, const uint8_t *has, const krn_trees *t)
{
    const bool based = t->n_base == t->n_outputs;
    for (size_t i = 0; i < t->n_outputs; i++) {
        if (t->aggregate == KRN_AGGREGATE_AVERAGE) z[i] /= (REAL)t->n_trees;
        if (based) z[i] += (REAL)t->base[i];
    }
    if (t->n_outputs == 1)
        POST(z, 1, t->post, KRN_SECOND_NONE);
    else
        NAME(transform)(z, has, t);
}

/* More than two classes: the best of those that got anything; a base value counts here. */
static int64_t NAME(finish_many)(REAL *z, const uint8_t *has, const krn_trees *t)
{
    size_t best = t->n_outputs;
    for (size_t i = 0; i < t->n_outputs; i++) {
        if (i < t->n_base) z[i] = has[i] ? z[i] + (REAL)t->base[i] : (REAL)t->base[i];
        const bool there = has[i] || i < t->n_base;
        if (there && (best == t->n_outputs || z[i] > z[best])) best = i;
    }
    POST(z, t->n_outputs, t->post, KRN_SECOND_NONE);
    return best == t->n_outputs ? 0 : (int64_t)best;
}

static void NAME(add_base_of_two)(REAL *z, bool both, const krn_trees *t)
{
    if (t->n_base == 1) {
        z[0] += (REAL)t->base[0];
    } else if (t->n_base == 2 && both) { /* the two are taken for equal */
        z[1] = (REAL)t->base[1] + z[0];
        z[0] = -z[1];
    } else if (t->n_base == 2) {
        z[1] += (REAL)t->base[1];
        z[0] += (REAL)t->base[0];
    }
}

/* Two classes, as onnxruntime decides them: a score for each, or one for both. */
static int64_t NAME(finish_two)(REAL *z, const uint8_t *has, const krn_trees *t)
{
    const bool both = has[1], halves = t->one_column && t->all_positive;
    krn_second second = KRN_SECOND_NONE;
    NAME(add_base_of_two)(z, both, t);
    const REAL positive = both ? z[1] : has[0] ? z[0] : 0;
    const bool label = positive > (halves ? (REAL)0.5 : 0);
    if (halves)
        second = KRN_SECOND_COMPLEMENT;
    else if (t->one_column || t->n_base == 0)
        second = KRN_SECOND_NEGATIVE;
    if (both || t->n_base == 2)
        NAME(transform)(z, has, t);
    else
        POST(z, 1, t->post, second);
    return label;
}

void NAME(krn_trees_finish)(REAL *z, const uint8_t *has, int64_t *label, const krn_trees *t)
{
    int64_t best = 0;
    if (!t->classifier) {
        NAME(finish_regressor)(z, has, t);
        return;
    }
    if (t->n_outputs == 1) {
        if (t->n_base) z[0] += (REAL)t->base[0];
        best = z[0] > 0;
        POST(z, 1, t->post, KRN_SECOND_NONE);
    } else {
        best = t->n_outputs == 2 ? NAME(finish_two)(z, has, t) : NAME(finish_many)(z, has, t);
    }
    if (label) *label = best;
}

void REF_NAME(REAL *z, int64_t *label, const REAL *x, size_t rows, size_t cols, const krn_trees *t,
              void *scratch)
{
    uint8_t *has = scratch;
    for (size_t r = 0; r < rows; r++, z += t->n_outputs, x += cols) {
        NAME(sums_of)(z, has, x, t);
        NAME(krn_trees_finish)(z, has, label ? label + r : NULL, t);
    }
}

#undef REAL
#undef NAME
#undef POST
#undef REF_NAME
