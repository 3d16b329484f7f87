/* trees_ref.c - tree ensembles in plain C: what every quick version has to equal. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_trees.h"

#include <math.h>

static bool is_member(const krn_trees *t, size_t set, double v)
{
    size_t low = t->set[set], high = t->set[set + 1];
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (t->member[mid] == v) return true;
        if (t->member[mid] < v)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

/* Floats are compared as doubles: both are exact, so the answer is the same. */
static bool says_yes(const krn_trees *t, const krn_tree_node *n, double v)
{
    switch (n->mode) {
    case KRN_TREE_LEQ:
        return v <= n->split;
    case KRN_TREE_LT:
        return v < n->split;
    case KRN_TREE_GTE:
        return v >= n->split;
    case KRN_TREE_GT:
        return v > n->split;
    case KRN_TREE_EQ:
        return v == n->split;
    case KRN_TREE_NEQ:
        return v != n->split;
    default:
        return is_member(t, (size_t)n->split, v);
    }
}

#define REAL     float
#define NAME(x)  x##_f32
#define POST     krn_post_f32_ref
#define REF_NAME krn_trees_f32_ref
#include "engine/kernels/ref/trees_row.h"

#define REAL     double
#define NAME(x)  x##_f64
#define POST     krn_post_f64_ref
#define REF_NAME krn_trees_f64_ref
#include "engine/kernels/ref/trees_row.h"
