/* trees_build.c - ensembles of trees from the attributes of the classic operators. Layer: kernels.
 * Thread rule: one thread builds one ensemble. */
#include "engine/kernels/trees_build.h"

#include "engine/base/bytes.h"
#include "engine/base/mem.h"

#include <stdlib.h>

#define WHERE "tree ensemble"

/* Where a node stands: sorted by tree and node, so that no choice of ids makes looking it up slow.
 */
typedef struct place {
    int64_t tree, node;
    uint32_t at;
} place;

nf_status krn_trees_alloc(krn_trees *t, size_t n_nodes, size_t n_weights, const krn_reals *base,
                          size_t n_outputs, nf_error *err)
{
    if (n_nodes == 0 || n_nodes > KRN_TREES_MOST || n_weights > KRN_TREES_MOST)
        return nf_fail(err, NF_EFORMAT, WHERE, "%zu nodes and %zu weights", n_nodes, n_weights);
    if (n_outputs == 0 || n_outputs > KRN_TREES_MOST)
        return nf_fail(err, NF_EFORMAT, WHERE, "%zu outputs", n_outputs);
    t->n_nodes = n_nodes;
    t->n_outputs = n_outputs;
    t->n_base = base->n;
    t->node = nf_alloc_array(n_nodes, sizeof(*t->node), NF_MEM_WEIGHTS);
    t->root = nf_alloc_array(n_nodes, sizeof(*t->root), NF_MEM_WEIGHTS);
    t->only = nf_alloc_array(n_nodes, sizeof(*t->only), NF_MEM_WEIGHTS);
    t->weight_id = nf_alloc_array(n_weights + 1, sizeof(*t->weight_id), NF_MEM_WEIGHTS);
    t->weight = nf_alloc_array(n_weights + 1, sizeof(*t->weight), NF_MEM_WEIGHTS);
    t->base = nf_alloc_array(base->n + 1, sizeof(*t->base), NF_MEM_WEIGHTS);
    if (!t->node || !t->root || !t->only || !t->weight_id || !t->weight || !t->base)
        return nf_fail(err, NF_ENOMEM, WHERE, "no memory for %zu nodes", n_nodes);
    for (size_t i = 0; i < base->n; i++)
        t->base[i] = krn_real_at(base, i);
    return NF_OK;
}

void krn_trees_free(krn_trees *t)
{
    void *all[] = {t->node,       t->root,        t->only,       t->weight_id,    t->weight,
                   t->base,       t->member,      t->set,        t->quick.split,  t->quick.feature,
                   t->quick.exit, t->quick.key,   t->quick.step, t->quick.target, t->quick.rows,
                   t->quick.has,  t->quick.levels};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        nf_free(all[i]);
    *t = (krn_trees){0};
}

nf_status krn_trees_put_node(krn_trees *t, size_t i, uint8_t mode, int64_t feature, bool missing,
                             nf_error *err)
{
    krn_tree_node *n = &t->node[i];
    if (mode > KRN_TREE_LEAF)
        return nf_fail(err, NF_EFORMAT, WHERE, "node %zu has the unknown mode %u", i, mode);
    n->mode = mode;
    if (mode == KRN_TREE_LEAF) return NF_OK;
    if (feature < 0 || feature >= KRN_TREES_MOST)
        return nf_fail(err, NF_EFORMAT, WHERE, "node %zu asks for feature %lld", i,
                       (long long)feature);
    n->feature = (uint32_t)feature;
    n->missing_is_yes = missing;
    if ((size_t)feature >= t->n_features) t->n_features = (size_t)feature + 1;
    return NF_OK;
}

/* One walk in depth: the states of a node, and its height once it is done. */
enum { NEW, IN_YES, IN_NO, DONE };

typedef struct walk {
    uint8_t *state;
    uint32_t *height, *stack;
    size_t top;
} walk;

/* What is known of a node once all below it are done. */
static void leave(walk *w, krn_trees *t, uint32_t at)
{
    const krn_tree_node *n = &t->node[at];
    w->state[at] = DONE;
    w->top--;
    if (n->mode == KRN_TREE_LEAF) {
        t->only[at] = n->no == 1 ? t->weight_id[n->yes] : UINT32_MAX;
        return;
    }
    const uint32_t a = w->height[n->yes], b = w->height[n->no];
    w->height[at] = 1 + (a > b ? a : b);
    t->only[at] = t->only[n->yes] == t->only[n->no] ? t->only[n->yes] : UINT32_MAX;
}

/* Goes on from the node on top of the stack; false when it stands on its own path. */
static bool walk_on(walk *w, krn_trees *t)
{
    const uint32_t at = w->stack[w->top - 1];
    const krn_tree_node *n = &t->node[at];
    if (n->mode == KRN_TREE_LEAF || w->state[at] == IN_NO) {
        leave(w, t, at);
        return true;
    }
    const uint32_t child = w->state[at] == NEW ? n->yes : n->no;
    w->state[at]++;
    if (w->state[child] == NEW)
        w->stack[w->top++] = child;
    else if (w->state[child] != DONE)
        return false;
    return true;
}

static nf_status walk_all(walk *w, krn_trees *t, nf_error *err)
{
    for (size_t i = 0; i < t->n_trees; i++) {
        w->stack[0] = t->root[i];
        w->top = w->state[t->root[i]] == NEW;
        while (w->top > 0)
            if (!walk_on(w, t)) return nf_fail(err, NF_EFORMAT, WHERE, "tree %zu has a cycle", i);
        if (w->height[t->root[i]] > t->depth) t->depth = w->height[t->root[i]];
    }
    return NF_OK;
}

nf_status krn_trees_check_paths(krn_trees *t, nf_error *err)
{
    walk w = {.state = nf_alloc_array(t->n_nodes, 1, NF_MEM_MISC),
              .height = nf_alloc_array(t->n_nodes, sizeof(uint32_t), NF_MEM_MISC),
              .stack = nf_alloc_array(t->n_nodes, sizeof(uint32_t), NF_MEM_MISC)};
    nf_status st = NF_ENOMEM;
    if (w.state && w.height && w.stack)
        st = walk_all(&w, t, err);
    else
        nf_note(err, st, WHERE, "no memory to check %zu nodes", t->n_nodes);
    nf_free(w.state);
    nf_free(w.height);
    nf_free(w.stack);
    return st;
}

static int by_place(const void *left, const void *right)
{
    const place *a = left, *b = right;
    if (a->tree != b->tree) return a->tree < b->tree ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

static const place *find(const place *places, size_t n, int64_t tree, int64_t node)
{
    const place key = {.tree = tree, .node = node};
    return bsearch(&key, places, n, sizeof(key), by_place);
}

static nf_status sort_places(place *places, const krn_trees_classic *a, nf_error *err)
{
    const size_t n = a->node_ids.n;
    for (size_t i = 0; i < n; i++)
        places[i] = (place){a->tree_ids.v[i], a->node_ids.v[i], (uint32_t)i};
    qsort(places, n, sizeof(*places), by_place);
    for (size_t i = 1; i < n; i++)
        if (by_place(&places[i - 1], &places[i]) == 0)
            return nf_fail(err, NF_EFORMAT, WHERE, "node %lld of tree %lld is there twice",
                           (long long)places[i].node, (long long)places[i].tree);
    return NF_OK;
}

/* The root of a tree is its node that comes first; trees are in the order of their roots. The
 * places are sorted by tree. root[] first serves as marks, one a node. */
static void find_roots(krn_trees *t, const place *places)
{
    for (size_t i = 0; i < t->n_nodes;) {
        uint32_t first = places[i].at;
        const int64_t tree = places[i].tree;
        for (; i < t->n_nodes && places[i].tree == tree; i++)
            if (places[i].at < first) first = places[i].at;
        t->root[first] = 1;
    }
    for (size_t i = 0; i < t->n_nodes; i++)
        if (t->root[i]) t->root[t->n_trees++] = (uint32_t)i;
}

static nf_status put_nodes(krn_trees *t, const krn_trees_classic *a, const place *places,
                           nf_error *err)
{
    nf_status st = NF_OK;
    for (size_t i = 0; i < t->n_nodes && st == NF_OK; i++) {
        krn_tree_node *n = &t->node[i];
        const bool missing = a->missing_true.n && a->missing_true.v[i] == 1;
        if (a->modes[i] == KRN_TREE_MEMBER)
            return nf_fail(err, NF_EFORMAT, WHERE, "node %zu has the mode of another version", i);
        st = krn_trees_put_node(t, i, a->modes[i], a->feature_ids.v[i], missing, err);
        n->split = krn_real_at(&a->values, i);
        if (n->mode == KRN_TREE_LEAF) continue;
        const place *yes = find(places, t->n_nodes, a->tree_ids.v[i], a->true_ids.v[i]);
        const place *no = find(places, t->n_nodes, a->tree_ids.v[i], a->false_ids.v[i]);
        if (!yes || !no)
            return nf_fail(err, NF_EFORMAT, WHERE, "a child of node %lld of tree %lld is missing",
                           (long long)a->node_ids.v[i], (long long)a->tree_ids.v[i]);
        n->yes = yes->at;
        n->no = no->at;
    }
    return st;
}

/* Looks up the node of every weight; at[i]: its position, UINT32_MAX for a branch, whose weights
 * count for nothing. Counts them in the leaves. */
static nf_status find_weights(krn_trees *t, uint32_t *at, const krn_trees_classic *a,
                              const place *places, nf_error *err)
{
    for (size_t i = 0; i < a->weights.n; i++) {
        const int64_t tree = a->weight_trees.v[i], id = a->weight_ids.v[i];
        const place *p = find(places, t->n_nodes, tree, a->weight_nodes.v[i]);
        if (!p || id < 0 || (uint64_t)id >= t->n_outputs)
            return nf_fail(err, NF_EFORMAT, WHERE,
                           "weight %zu: no node %lld of tree %lld, or no "
                           "output %lld",
                           i, (long long)a->weight_nodes.v[i], (long long)tree, (long long)id);
        krn_tree_node *n = &t->node[p->at];
        /* onnxruntime takes the first weight only where there is one output */
        const bool counts = n->mode == KRN_TREE_LEAF && (t->n_outputs > 1 || n->no == 0);
        at[i] = counts ? p->at : UINT32_MAX;
        n->no += counts;
    }
    return NF_OK;
}

static void put_weights(krn_trees *t, const uint32_t *at, const krn_trees_classic *a)
{
    uint32_t first = 0;
    for (size_t i = 0; i < t->n_nodes; i++) {
        krn_tree_node *n = &t->node[i];
        if (n->mode != KRN_TREE_LEAF) continue;
        n->yes = first;
        first += n->no;
        n->no = 0; /* counted again below */
    }
    for (size_t i = 0; i < a->weights.n; i++) {
        if (at[i] == UINT32_MAX) continue;
        krn_tree_node *n = &t->node[at[i]];
        const uint32_t to = n->yes + n->no++;
        t->weight[to] = krn_real_at(&a->weights, i);
        t->weight_id[to] = (uint32_t)a->weight_ids.v[i];
    }
    /* with one output a leaf that has no weight counts as 0: the spare place behind the weights */
    for (size_t i = 0; i < t->n_nodes && t->n_outputs == 1; i++)
        if (t->node[i].mode == KRN_TREE_LEAF && t->node[i].no == 0) {
            t->node[i].yes = (uint32_t)a->weights.n;
            t->node[i].no = 1;
        }
}

/* What the rules of the binary classifier ask of the whole list of weights. */
static void sum_up_weights(krn_trees *t, const krn_trees_classic *a)
{
    bool same = a->weights.n > 0;
    t->all_positive = true;
    for (size_t i = 0; i < a->weights.n; i++) {
        if (krn_real_at(&a->weights, i) < 0) t->all_positive = false;
        if (a->weight_ids.v[i] != a->weight_ids.v[0]) same = false;
    }
    t->one_column = same && t->n_outputs == 2;
}

static nf_status check_counts(const krn_trees_classic *a, nf_error *err)
{
    const size_t n = a->node_ids.n, w = a->weights.n;
    if (a->tree_ids.n != n || a->feature_ids.n != n || a->true_ids.n != n || a->false_ids.n != n ||
        a->n_modes != n || a->values.n != n || (a->missing_true.n && a->missing_true.n != n))
        return nf_fail(err, NF_EFORMAT, WHERE, "attributes of nodes have different lengths");
    if (a->weight_trees.n != w || a->weight_nodes.n != w || a->weight_ids.n != w)
        return nf_fail(err, NF_EFORMAT, WHERE, "attributes of weights have different lengths");
    const bool one_for_two = a->classifier && a->n_outputs == 2 && a->base.n == 1;
    if (a->base.n && a->base.n != a->n_outputs && !one_for_two)
        return nf_fail(err, NF_EFORMAT, WHERE, "%zu base values for %zu outputs", a->base.n,
                       a->n_outputs);
    if ((unsigned)a->aggregate > KRN_AGGREGATE_MAX || (unsigned)a->post > KRN_POST_PROBIT)
        return nf_fail(err, NF_EFORMAT, WHERE, "unknown aggregate or transform");
    return NF_OK;
}

static nf_status build(krn_trees *t, place *places, uint32_t *at, const krn_trees_classic *a,
                       nf_error *err)
{
    nf_status st = sort_places(places, a, err);
    if (st == NF_OK) st = put_nodes(t, a, places, err);
    if (st == NF_OK) st = find_weights(t, at, a, places, err);
    if (st != NF_OK) return st;
    find_roots(t, places);
    put_weights(t, at, a);
    sum_up_weights(t, a);
    return krn_trees_check_paths(t, err);
}

nf_status krn_trees_from_classic(krn_trees *out, const krn_trees_classic *a, nf_error *err)
{
    *out = (krn_trees){.aggregate = a->aggregate, .post = a->post, .classifier = a->classifier};
    nf_status st = check_counts(a, err);
    if (st == NF_OK)
        st = krn_trees_alloc(out, a->node_ids.n, a->weights.n, &a->base, a->n_outputs, err);
    if (st != NF_OK) return st;
    place *places = nf_alloc_array(out->n_nodes, sizeof(*places), NF_MEM_MISC);
    uint32_t *at = nf_alloc_array(a->weights.n + 1, sizeof(*at), NF_MEM_MISC);
    st = NF_ENOMEM;
    if (places && at)
        st = build(out, places, at, a, err);
    else
        nf_note(err, st, WHERE, "no memory to sort %zu nodes", out->n_nodes);
    nf_free(places);
    nf_free(at);
    return st;
}
