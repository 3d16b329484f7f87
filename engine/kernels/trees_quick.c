/* trees_quick.c - the layout that the quick tree evaluators read. Layer: kernels. Thread rule: one
 * thread lays out one ensemble. */
#include "engine/kernels/cpu.h"
#include "engine/kernels/krn_trees.h"

#include "engine/base/bytes.h"
#include "engine/base/mem.h"

#include <math.h>
#include <string.h>

#define WHERE     "tree layout"
#define MIN_WIDTH 16 /* one register of the widest vectors */

static uint32_t position(const krn_trees *t, uint32_t at)
{
    return t->node[at].mode == KRN_TREE_LEAF ? at | KRN_TREES_LEAF : at;
}

/* x <= split with the answer's children; the other three modes are brought to it. */
static void canonical(krn_tree_step *out, const krn_trees *t, const krn_tree_node *n)
{
    const bool swap = n->mode == KRN_TREE_GT || n->mode == KRN_TREE_GTE;
    const bool strict = n->mode == KRN_TREE_LT || n->mode == KRN_TREE_GTE;
    float split = (float)n->split;
    if (swap && isnan(split))
        split = INFINITY; /* never greater: always on the other side */
    else if (strict && split == -INFINITY)
        split = NAN; /* nothing is less */
    else if (strict)
        split = nextafterf(split, -INFINITY);
    const bool nan_yes = swap ? !n->missing_is_yes : n->missing_is_yes;
    *out = (krn_tree_step){
        .split = split,
        .feature = n->feature | (nan_yes ? KRN_TREES_NAN_YES : 0),
        .next = {position(t, swap ? n->no : n->yes), position(t, swap ? n->yes : n->no)}};
}

/* The modes, sums and sizes that the layout can express. */
static bool fits(const krn_trees *t)
{
    if (t->depth == 0 || t->aggregate > KRN_AGGREGATE_SUM || t->n_outputs > 4096) return false;
    if (t->n_features > 1u << 20) return false; /* lanes address features with 32 bits */
    for (size_t i = 0; i < t->n_nodes; i++) {
        const krn_tree_node *n = &t->node[i];
        const bool leaf = n->mode == KRN_TREE_LEAF;
        if (!leaf && (n->mode > KRN_TREE_GT || n->split != (double)(float)n->split) &&
            !isnan(n->split))
            return false;
        for (size_t w = n->yes; leaf && w < (size_t)n->yes + n->no; w++)
            if (t->weight[w] != (double)(float)t->weight[w]) return false;
    }
    return true;
}

static size_t width_of(size_t depth)
{
    return (size_t)1 << depth < MIN_WIDTH ? MIN_WIDTH : (size_t)1 << depth;
}

/* Levels of the crowns: no more than the deepest tree has, and no more memory than eight times the
 * nodes, for a file of many small trees or of one tree many times; 0 = not even one level. */
static size_t crown_depth(const krn_trees *t)
{
    size_t d = t->depth < KRN_TREES_CROWN ? t->depth : KRN_TREES_CROWN;
    while (d > 0 && t->n_trees * width_of(d) > 8 * t->n_nodes + 4096)
        d--;
    return d;
}

/* One weight a leaf, one output a tree; or, second, a weight of every leaf for each output. */
static bool single_leaves(const krn_trees *t)
{
    for (size_t i = 0; i < t->n_trees; i++)
        if (t->only[t->root[i]] == UINT32_MAX) return false;
    return true;
}

static bool full_leaves(const krn_trees *t, uint8_t *seen)
{
    for (size_t i = 0; i < t->n_nodes; i++) {
        const krn_tree_node *n = &t->node[i];
        if (n->mode != KRN_TREE_LEAF) continue;
        if (n->no != t->n_outputs) return false;
        memset(seen, 0, t->n_outputs);
        for (size_t w = n->yes; w < (size_t)n->yes + n->no; w++)
            if (seen[t->weight_id[w]]++) return false;
    }
    return true;
}

static size_t count_leaves(const krn_trees *t)
{
    size_t leaves = 0;
    for (size_t i = 0; i < t->n_nodes; i++)
        leaves += t->node[i].mode == KRN_TREE_LEAF;
    return leaves;
}

static bool alloc_layout(krn_trees *t, bool single)
{
    krn_trees_quick *q = &t->quick;
    const size_t leaves = count_leaves(t);
    q->width = width_of(q->depth);
    q->stride = single ? t->n_outputs : t->n_outputs <= 4 ? 4 : (t->n_outputs + 7) / 8 * 8;
    q->split = nf_alloc_array(t->n_trees * q->width, sizeof(*q->split), NF_MEM_WEIGHTS);
    q->feature = nf_alloc_array(t->n_trees * q->width, sizeof(*q->feature), NF_MEM_WEIGHTS);
    if (t->n_features <= KRN_TREES_KEYS)
        q->key = nf_alloc_array(t->n_trees * q->width, sizeof(*q->key), NF_MEM_WEIGHTS);
    q->levels = nf_alloc_array(t->n_trees, sizeof(*q->levels), NF_MEM_WEIGHTS);
    q->exit = nf_alloc_array(t->n_trees << q->depth, sizeof(*q->exit), NF_MEM_WEIGHTS);
    q->step = nf_alloc_array(t->n_nodes, sizeof(*q->step), NF_MEM_WEIGHTS);
    if (single)
        q->target = nf_alloc_array(t->n_trees, sizeof(*q->target), NF_MEM_WEIGHTS);
    else
        q->rows = nf_alloc_array(leaves * q->stride, sizeof(*q->rows), NF_MEM_WEIGHTS);
    if (t->n_features <= KRN_TREES_KEYS && !q->key) return false;
    return q->split && q->feature && q->levels && q->exit && q->step && (q->target || q->rows);
}

static void put_leaf(krn_trees *t, uint32_t at)
{
    const krn_tree_node *n = &t->node[at];
    krn_tree_step *s = &t->quick.step[at];
    *s = (krn_tree_step){.next = {at | KRN_TREES_LEAF, at | KRN_TREES_LEAF}};
    if (!t->quick.rows) {
        s->split = n->no ? (float)t->weight[n->yes] : 0;
        return;
    }
    const uint32_t number = n->yes / (uint32_t)t->n_outputs;
    memcpy(&s->split, &number, sizeof(number));
    for (size_t w = n->yes; w < (size_t)n->yes + n->no; w++)
        t->quick.rows[number * t->quick.stride + t->weight_id[w]] = (float)t->weight[w];
}

static void put_steps(krn_trees *t)
{
    for (size_t i = 0; i < t->n_nodes; i++) {
        if (t->node[i].mode == KRN_TREE_LEAF) {
            put_leaf(t, (uint32_t)i);
            continue;
        }
        canonical(&t->quick.step[i], t, &t->node[i]);
        if (t->quick.step[i].feature & KRN_TREES_NAN_YES) t->quick.nan_yes = true;
    }
}

/* Levels of a crown that have a branch. Below its leaves both children are the leaf again, so that
 * an evaluator may stop earlier than the crown's end, and go on to any child. */
static uint8_t levels_of(const uint32_t *at, size_t depth)
{
    uint8_t levels = depth < KRN_TREES_AT_ONCE ? (uint8_t)depth : KRN_TREES_AT_ONCE;
    for (size_t d = levels; d <= depth; d++)
        for (size_t i = (size_t)1 << d; i < (size_t)2 << d; i++)
            if (!(at[i] & KRN_TREES_LEAF)) levels = (uint8_t)(d + 1);
    return levels;
}

static void put_crown(krn_trees *t, size_t tree)
{
    krn_trees_quick *q = &t->quick;
    uint32_t at[2 << KRN_TREES_CROWN];
    const size_t n = (size_t)1 << q->depth;
    at[1] = position(t, t->root[tree]);
    for (size_t i = 1; i < n; i++) {
        const krn_tree_step *s = &q->step[at[i] & ~KRN_TREES_LEAF];
        const bool leaf = at[i] & KRN_TREES_LEAF;
        q->split[tree * q->width + i] = leaf ? 0 : s->split; /* a leaf goes on to itself */
        q->feature[tree * q->width + i] = s->feature;
        if (q->key)
            q->key[tree * q->width + i] = (krn_tree_key){
                isnan(s->split) ? 0 : krn_tree_key_of(s->split), s->feature & ~KRN_TREES_NAN_YES};
        at[2 * i] = s->next[0];
        at[2 * i + 1] = s->next[1];
    }
    q->levels[tree] = levels_of(at, q->depth);
    for (size_t i = n; i < 2 * n; i++) {
        uint32_t *exit = &q->exit[(tree << q->depth) + i - n];
        if (q->levels[tree] > q->depth)
            *exit = at[i];
        else
            memcpy(exit, &q->step[at[i] & ~KRN_TREES_LEAF].split, sizeof(*exit));
    }
}

static void lay_out(krn_trees *t)
{
    krn_trees_quick *q = &t->quick;
    put_steps(t);
    for (size_t i = 0; i < t->n_trees; i++) {
        put_crown(t, i);
        if (!q->target) continue;
        q->target[i] = t->only[t->root[i]];
        q->has[q->target[i]] = 1;
    }
    if (q->rows) memset(q->has, 1, t->n_outputs);
    if (t->depth > q->depth) return;
    nf_free(q->step);
    q->step = NULL;
}

nf_status krn_trees_quicken(krn_trees *t, nf_error *err)
{
    krn_trees_quick *q = &t->quick;
    if (!fits(t)) return NF_OK;
    q->has = nf_alloc_array(t->n_outputs, 1, NF_MEM_WEIGHTS);
    if (!q->has) return nf_fail(err, NF_ENOMEM, WHERE, "no memory");
    const bool single = single_leaves(t);
    if (!single && !full_leaves(t, q->has)) return NF_OK;
    memset(q->has, 0, t->n_outputs);
    q->depth = crown_depth(t);
    if (q->depth == 0) return NF_OK;
    if (alloc_layout(t, single)) {
        lay_out(t);
        return NF_OK;
    }
    q->depth = 0;
    return nf_fail(err, NF_ENOMEM, WHERE, "no memory for %zu crowns", t->n_trees);
}

/* Behind the sums: the keys of one row, or a block with its rows as columns. */
size_t krn_trees_scratch(const krn_trees *t)
{
    if (t->quick.depth == 0) return t->n_outputs;
    const size_t sums = t->quick.stride * KRN_TREES_BLOCK * sizeof(float);
    const size_t wide = t->n_features <= KRN_TREES_TURNED ? KRN_TREES_BLOCK : 1;
    return sums + (t->quick.key ? t->n_features * wide * sizeof(float) : 0);
}

float *krn_trees_turned(const krn_trees *t, void *scratch)
{
    return (float *)scratch + t->quick.stride * KRN_TREES_BLOCK;
}

krn_trees_f32_fn krn_trees_pick(const krn_trees *t, unsigned cpu, const char **name)
{
    *name = t->quick.depth ? "crown" : "plain";
    if (!t->quick.depth) return krn_trees_f32_ref;
#if defined(__x86_64__)
    if (cpu & KRN_CPU_AVX512) {
        *name = "avx512";
        return krn_trees_f32_avx512;
    }
    if (cpu & KRN_CPU_AVX2) {
        *name = "avx2";
        return krn_trees_f32_avx2;
    }
#else
    (void)cpu;
#endif
    return krn_trees_f32_crown;
}
