/* trees_five.c - ensembles of trees from the attributes of TreeEnsemble 5. Layer: kernels. Thread
 * rule: one thread builds one ensemble. Branches stand first, leaves behind them. */
#include "engine/kernels/trees_build.h"

#include "engine/base/mem.h"

#include <math.h>
#include <stdlib.h>

#define WHERE "TreeEnsemble"

static nf_status check_counts(const krn_trees_five *a, nf_error *err)
{
    const size_t n = a->n_modes;
    if (a->feature_ids.n != n || a->true_ids.n != n || a->true_leafs.n != n ||
        a->false_ids.n != n || a->false_leafs.n != n || a->splits.n != n ||
        (a->missing_true.n && a->missing_true.n != n))
        return nf_fail(err, NF_EFORMAT, WHERE, "attributes of nodes have different lengths");
    if (a->leaf_ids.n != a->leaf_weights.n || a->roots.n == 0 || n == 0 || a->leaf_ids.n == 0)
        return nf_fail(err, NF_EFORMAT, WHERE, "%zu trees, %zu nodes, %zu leaves", a->roots.n, n,
                       a->leaf_ids.n);
    if (n > KRN_TREES_MOST || a->leaf_ids.n > KRN_TREES_MOST || a->roots.n > KRN_TREES_MOST)
        return nf_fail(err, NF_EFORMAT, WHERE, "more than %u trees, nodes or leaves",
                       KRN_TREES_MOST);
    if ((unsigned)a->aggregate > KRN_AGGREGATE_MAX || (unsigned)a->post > KRN_POST_PROBIT)
        return nf_fail(err, NF_EFORMAT, WHERE, "unknown aggregate or transform");
    return NF_OK;
}

/* *at = the position of branch or leaf `id`; false when it is not there. */
static bool child(uint32_t *at, const krn_trees_five *a, int64_t id, bool leaf)
{
    const size_t n = leaf ? a->leaf_ids.n : a->n_modes;
    if (id < 0 || (uint64_t)id >= n) return false;
    *at = (uint32_t)(leaf ? a->n_modes + (size_t)id : (size_t)id);
    return true;
}

static nf_status put_branches(krn_trees *t, const krn_trees_five *a, nf_error *err)
{
    size_t sets = 0;
    for (size_t i = 0; i < a->n_modes; i++) {
        krn_tree_node *n = &t->node[i];
        const bool missing = a->missing_true.n && a->missing_true.v[i] == 1;
        if (a->modes[i] == KRN_TREE_LEAF)
            return nf_fail(err, NF_EFORMAT, WHERE, "node %zu has an unknown mode", i);
        const nf_status st =
            krn_trees_put_node(t, i, a->modes[i], a->feature_ids.v[i], missing, err);
        if (st != NF_OK) return st;
        if (!child(&n->yes, a, a->true_ids.v[i], a->true_leafs.v[i]) ||
            !child(&n->no, a, a->false_ids.v[i], a->false_leafs.v[i]))
            return nf_fail(err, NF_EFORMAT, WHERE, "a child of node %zu is missing", i);
        n->split = n->mode == KRN_TREE_MEMBER ? (double)sets++ : krn_real_at(&a->splits, i);
    }
    return NF_OK;
}

static nf_status put_leaves(krn_trees *t, const krn_trees_five *a, nf_error *err)
{
    for (size_t i = 0; i < a->leaf_ids.n; i++) {
        const int64_t id = a->leaf_ids.v[i];
        if (id < 0 || (uint64_t)id >= t->n_outputs)
            return nf_fail(err, NF_EFORMAT, WHERE, "leaf %zu: no output %lld", i, (long long)id);
        t->node[a->n_modes + i] =
            (krn_tree_node){.mode = KRN_TREE_LEAF, .yes = (uint32_t)i, .no = 1};
        t->weight[i] = krn_real_at(&a->leaf_weights, i);
        t->weight_id[i] = (uint32_t)id;
    }
    return NF_OK;
}

static nf_status put_roots(krn_trees *t, const krn_trees_five *a, nf_error *err)
{
    uint32_t *root = nf_realloc(t->root, a->roots.n * sizeof(*root), NF_MEM_WEIGHTS);
    if (!root) return nf_fail(err, NF_ENOMEM, WHERE, "no memory for %zu trees", a->roots.n);
    t->root = root;
    for (size_t i = 0; i < a->roots.n; i++)
        if (!child(&root[i], a, a->roots.v[i], false))
            return nf_fail(err, NF_EFORMAT, WHERE, "the root of tree %zu is missing", i);
    t->n_trees = a->roots.n;
    return NF_OK;
}

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static size_t count_sets(const krn_trees *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_nodes; i++)
        n += t->node[i].mode == KRN_TREE_MEMBER;
    return n;
}

/* The values up to each NaN are one set, in the order of the MEMBER nodes. */
static nf_status put_members(krn_trees *t, const krn_trees_five *a, nf_error *err)
{
    const size_t sets = count_sets(t);
    size_t from = 0, n = 0;
    if (sets == 0) return NF_OK;
    t->member = nf_alloc_array(a->members.n + 1, sizeof(*t->member), NF_MEM_WEIGHTS);
    t->set = nf_alloc_array(sets + 1, sizeof(*t->set), NF_MEM_WEIGHTS);
    if (!t->member || !t->set)
        return nf_fail(err, NF_ENOMEM, WHERE, "no memory for %zu sets", sets);
    for (size_t s = 0; s < sets; s++, from++) {
        if (from >= a->members.n) return nf_fail(err, NF_EFORMAT, WHERE, "%zu sets are too few", s);
        for (; from < a->members.n && !isnan(krn_real_at(&a->members, from)); from++)
            t->member[n++] = krn_real_at(&a->members, from);
        t->set[s + 1] = n;
        qsort(t->member + t->set[s], n - t->set[s], sizeof(*t->member), by_value);
    }
    return NF_OK;
}

nf_status krn_trees_from_five(krn_trees *out, const krn_trees_five *a, nf_error *err)
{
    *out = (krn_trees){.aggregate = a->aggregate, .post = a->post};
    const krn_reals no_base = {0};
    nf_status st = check_counts(a, err);
    if (st == NF_OK)
        st = krn_trees_alloc(out, a->n_modes + a->leaf_ids.n, a->leaf_ids.n, &no_base, a->n_outputs,
                             err);
    if (st == NF_OK) st = put_branches(out, a, err);
    if (st == NF_OK) st = put_leaves(out, a, err);
    if (st == NF_OK) st = put_roots(out, a, err);
    if (st == NF_OK) st = put_members(out, a, err);
    return st == NF_OK ? krn_trees_check_paths(out, err) : st;
}
