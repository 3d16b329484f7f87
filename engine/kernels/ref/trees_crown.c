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

uint32_t krn_tree_key_of(float v)
{
    uint32_t bits;
    const float zero = v + 0.0f; /* makes -0 to 0 */
    memcpy(&bits, &zero, sizeof(bits));
    const uint32_t key = bits >> 31 ? ~bits : bits | 0x80000000u;
    return v != v ? UINT32_MAX : key;
}

/* One row; keys: NULL where the row may hold a NaN that goes to yes, or has too many features. */
typedef struct row {
    const float *x;
    const uint32_t *keys;
} row;

/* 1 = no. Written without && and ||, which would become branches that cannot be predicted. */
static inline uint32_t says_no(const float *x, float split, uint32_t feature)
{
    const float v = x[feature & ~KRN_TREES_NAN_YES];
    const uint32_t no = !(v <= split), is_nan = v != v;
    return no & ~(is_nan & feature >> 31);
}

static inline uint32_t walk_below(const float *x, const krn_tree_step *step, uint32_t at)
{
    uint32_t leaf;
    while (!(at & KRN_TREES_LEAF))
        at = step[at].next[says_no(x, step[at].split, step[at].feature)];
    memcpy(&leaf, &step[at & ~KRN_TREES_LEAF].split, sizeof(leaf));
    return leaf;
}

/* Trees that go down side by side: a step waits for loads, and only other trees can fill the wait.
 */
#define ABREAST 8

/* The bits of a leaf's value, or its number, of n <= ABREAST trees from `tree` on. */
static inline void leaves_of(uint32_t *leaf, row r, const krn_trees_quick *q, size_t tree, size_t n,
                             size_t depth)
{
    const size_t width = (size_t)1 << depth < 16 ? 16 : (size_t)1 << depth;
    const krn_tree_key *key = q->key + tree * width;
    const uint32_t *exit = q->exit + (tree << depth);
    size_t i[ABREAST];
    for (size_t k = 0; k < n; k++)
        i[k] = 1;
    for (size_t d = 0; d < depth; d++)
        for (size_t k = 0; k < n; k++) {
            const krn_tree_key *node = &key[k * width + i[k]];
            i[k] = i[k] + i[k] + (node->key < r.keys[node->feature]);
        }
    for (size_t k = 0; k < n; k++)
        leaf[k] = exit[(k << depth) + i[k] - ((size_t)1 << depth)];
    for (size_t k = 0; k < n && q->step; k++)
        if (q->levels[tree + k] > depth) leaf[k] = walk_below(r.x, q->step, leaf[k]);
}

/* The same for one tree and a row without keys. */
static inline uint32_t leaf_of(const float *x, const krn_trees_quick *q, size_t tree)
{
    const float *split = q->split + tree * q->width;
    const uint32_t *feature = q->feature + tree * q->width;
    size_t i = 1;
    for (size_t d = 0; d < q->depth; d++)
        i = i + i + says_no(x, split[i], feature[i]);
    const uint32_t exit = q->exit[(tree << q->depth) + i - ((size_t)1 << q->depth)];
    return q->levels[tree] > q->depth ? walk_below(x, q->step, exit) : exit;
}

static inline float as_float(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof(f));
    return f;
}

/* stride: a whole number of fours, which compilers turn into vectors. */
static inline void add_row(float *restrict sums, const float *restrict leaf, size_t stride)
{
    for (size_t k = 0; k < stride; k += 4)
        for (size_t i = 0; i < 4; i++)
            sums[k + i] += leaf[k + i];
}

/* Adds the leaves of n trees from `tree` on to column 0 of a block of sums, in their order. */
static inline void add_leaves(float *sums, const uint32_t *leaf, size_t n, size_t tree,
                              const krn_trees *t)
{
    const krn_trees_quick *q = &t->quick;
    if (q->target && t->n_outputs == 1) {
        float sum = sums[0];
        for (size_t k = 0; k < n; k++)
            sum += as_float(leaf[k]);
        sums[0] = sum;
        return;
    }
    for (size_t k = 0; k < n; k++)
        if (q->target)
            sums[q->target[tree + k] * KRN_TREES_BLOCK] += as_float(leaf[k]);
        else
            add_row(sums, q->rows + leaf[k] * q->stride, q->stride);
}

static inline void add_trees(float *sums, row r, const krn_trees *t, size_t depth)
{
    uint32_t leaf[ABREAST];
    size_t i = 0;
    for (; i + ABREAST <= t->n_trees; i += ABREAST) {
        leaves_of(leaf, r, &t->quick, i, ABREAST, depth);
        add_leaves(sums, leaf, ABREAST, i, t);
    }
    for (; i < t->n_trees; i++) {
        leaves_of(leaf, r, &t->quick, i, 1, depth);
        add_leaves(sums, leaf, 1, i, t);
    }
}

static void add_trees_unkeyed(float *sums, const float *x, const krn_trees *t)
{
    for (size_t i = 0; i < t->n_trees; i++) {
        const uint32_t leaf = leaf_of(x, &t->quick, i);
        add_leaves(sums, &leaf, 1, i, t);
    }
}

static void one_row(float *sums, const float *x, const krn_trees *t)
{
    const krn_trees_quick *q = &t->quick;
    uint32_t *keys = (uint32_t *)(void *)(sums + KRN_TREES_BLOCK * q->stride);
    row r = {.x = x};
    if (q->key && !(q->nan_yes && krn_f32_has_nan(x, t->n_features))) {
        for (size_t i = 0; i < t->n_features; i++)
            keys[i] = krn_tree_key_of(x[i]);
        r.keys = keys;
    }
    if (q->rows) memset(sums, 0, q->stride * sizeof(*sums));
    for (size_t i = 0; i < t->n_outputs && q->target; i++)
        sums[i * KRN_TREES_BLOCK] = 0;
    if (!r.keys)
        add_trees_unkeyed(sums, x, t);
    else if (q->depth == KRN_TREES_CROWN)
        add_trees(sums, r, t, KRN_TREES_CROWN);
    else
        add_trees(sums, r, t, q->depth);
}

KRN_DECL_TREES_F32(krn_trees_f32_crown)
{
    for (size_t r = 0; r < rows; r++, z += t->n_outputs, x += cols) {
        one_row(scratch, x, t);
        krn_trees_finish_block(z, label ? label + r : NULL, scratch, 1, t);
    }
}
