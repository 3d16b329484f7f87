/* trees_crown.c - tree ensembles in the quick layout, portable C: no branch depends on the data
 * above a crown's end. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/krn_trees.h"

#include <math.h>
#include <string.h>

bool krn_f32_has_nan(const float *x, size_t n)
{
    int nans = 0;
    for (size_t i = 0; i < n; i++)
        nans |= x[i] != x[i];
    return nans;
}

void krn_trees_finish_block(float *z, int64_t *label, const float *sums, size_t rows,
                            const krn_trees *t)
{
    const krn_trees_quick *q = &t->quick;
    for (size_t r = 0; r < rows; r++, z += t->n_outputs) {
        for (size_t i = 0; i < t->n_outputs; i++)
            z[i] = q->rows ? sums[r * q->stride + i] : sums[i * KRN_TREES_BLOCK + r];
        krn_trees_finish_f32(z, q->has, label ? label + r : NULL, t);
    }
}

/* 1 = no. nans: the row may hold a NaN. */
static inline size_t says_no(const float *x, float split, uint32_t feature, bool nans)
{
    const float v = x[feature & ~KRN_TREES_NAN_YES];
    const bool yes = v <= split;
    return nans ? !(yes || (v != v && feature & KRN_TREES_NAN_YES)) : !yes;
}

static inline uint32_t walk_below(const float *x, const krn_tree_step *step, uint32_t at, bool nans)
{
    const krn_tree_step *s = &step[at];
    uint32_t leaf;
    for (uint32_t next; (next = s->next[says_no(x, s->split, s->feature, nans)]) != at; at = next)
        s = &step[next];
    memcpy(&leaf, &s->split, sizeof(leaf));
    return leaf;
}

/* The bits of a leaf's value, or its number. */
static inline uint32_t leaf_of(const float *x, const krn_trees_quick *q, size_t tree, size_t depth,
                               bool nans)
{
    const float *split = q->split + tree * q->width;
    const uint32_t *feature = q->feature + tree * q->width;
    size_t i = 1;
    for (size_t d = 0; d < depth; d++)
        i = 2 * i + says_no(x, split[i], feature[i], nans);
    const uint32_t exit = q->exit[(tree << depth) + i - ((size_t)1 << depth)];
    return q->below ? walk_below(x, q->step, exit, nans) : exit;
}

static inline float as_float(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof(f));
    return f;
}

/* stride: a whole number of fours, which compilers turn into vectors. */
static inline void add_row(float *restrict sums, const float *restrict row, size_t stride)
{
    for (size_t k = 0; k < stride; k += 4)
        for (size_t i = 0; i < 4; i++)
            sums[k + i] += row[k + i];
}

/* The sums of one row, into column 0 of a block of sums. */
static inline void add_trees(float *sums, const float *x, const krn_trees *t, size_t depth,
                             bool nans)
{
    const krn_trees_quick *q = &t->quick;
    if (t->n_outputs == 1 && q->target) {
        float sum = 0;
        for (size_t i = 0; i < t->n_trees; i++)
            sum += as_float(leaf_of(x, q, i, depth, nans));
        sums[0] = sum;
        return;
    }
    for (size_t i = 0; i < t->n_trees; i++) {
        const uint32_t leaf = leaf_of(x, q, i, depth, nans);
        if (q->target) {
            sums[q->target[i] * KRN_TREES_BLOCK] += as_float(leaf);
            continue;
        }
        add_row(sums, q->rows + leaf * q->stride, q->stride);
    }
}

static void one_row(float *sums, const float *x, const krn_trees *t)
{
    const krn_trees_quick *q = &t->quick;
    if (q->rows) memset(sums, 0, q->stride * sizeof(*sums));
    for (size_t i = 0; i < t->n_outputs && q->target; i++)
        sums[i * KRN_TREES_BLOCK] = 0;
    if (q->nan_yes && krn_f32_has_nan(x, t->n_features))
        add_trees(sums, x, t, q->depth, true);
    else if (q->depth == KRN_TREES_CROWN)
        add_trees(sums, x, t, KRN_TREES_CROWN, false);
    else
        add_trees(sums, x, t, q->depth, false);
}

KRN_DECL_TREES_F32(krn_trees_f32_crown)
{
    for (size_t r = 0; r < rows; r++, z += t->n_outputs, x += cols) {
        one_row(scratch, x, t);
        krn_trees_finish_block(z, label ? label + r : NULL, scratch, 1, t);
    }
}
