/* trees_body.h - what the tiers of tree ensembles share: rows in blocks that stand feature by
 * feature. Included after LANES; the tier defines add_tree(). Layer: kernels. Thread rule: pure
 * functions. */
#ifndef KRN_TREES_BODY_H
#define KRN_TREES_BODY_H

#include "engine/kernels/krn_trees.h"

#include <immintrin.h>
#include <string.h>

#define FEW 5 /* rows that go one by one: a vector would be too empty to pay */

typedef struct lanes { /* LANES rows of a block that stands feature by feature */
    const float *x;
    bool nans;
} lanes;

/* One tree for the rows of all vectors of a block: its first `levels` levels, and what lies
 * below them when these are more than a crown has. */
static inline void add_tree(float *sums, const lanes *l, size_t groups, const krn_trees *t,
                            size_t tree, size_t depth, size_t levels);

static inline void add_rows(float *sums, const uint32_t *leaf, const krn_trees_quick *q)
{
    for (size_t r = 0; r < LANES; r++, sums += q->stride) {
        const float *row = q->rows + (size_t)leaf[r] * q->stride;
        if (q->stride == 4) _mm_storeu_ps(sums, _mm_add_ps(_mm_loadu_ps(sums), _mm_loadu_ps(row)));
        for (size_t k = 0; k + 8 <= q->stride; k += 8)
            _mm256_storeu_ps(sums + k,
                             _mm256_add_ps(_mm256_loadu_ps(sums + k), _mm256_loadu_ps(row + k)));
    }
}

/* Four rows and four features at a time; rows behind the last one are the last one again. */
static void turn(float *to, const float *x, size_t rows, size_t cols, size_t n_features)
{
    for (size_t r = 0; r < (rows + LANES - 1) / LANES * LANES; r += 4) {
        const float *from[4];
        for (size_t k = 0; k < 4; k++)
            from[k] = x + (r + k < rows ? r + k : rows - 1) * cols;
        size_t f = 0;
        for (; f + 4 <= n_features; f += 4) {
            __m128 a = _mm_loadu_ps(from[0] + f), b = _mm_loadu_ps(from[1] + f);
            __m128 c = _mm_loadu_ps(from[2] + f), d = _mm_loadu_ps(from[3] + f);
            _MM_TRANSPOSE4_PS(a, b, c, d);
            _mm_storeu_ps(to + f * KRN_TREES_BLOCK + r, a);
            _mm_storeu_ps(to + (f + 1) * KRN_TREES_BLOCK + r, b);
            _mm_storeu_ps(to + (f + 2) * KRN_TREES_BLOCK + r, c);
            _mm_storeu_ps(to + (f + 3) * KRN_TREES_BLOCK + r, d);
        }
        for (; f < n_features; f++)
            for (size_t k = 0; k < 4; k++)
                to[f * KRN_TREES_BLOCK + r + k] = from[k][f];
    }
}

static void block(float *sums, const float *x, size_t rows, size_t cols, const krn_trees *t)
{
    const krn_trees_quick *q = &t->quick;
    lanes l[KRN_TREES_BLOCK / LANES];
    size_t groups = 0;
    float *turned = krn_trees_turned(t, sums);
    const bool nans = q->nan_yes && krn_f32_has_nan(x, rows * cols);
    memset(sums, 0, KRN_TREES_BLOCK * q->stride * sizeof(*sums));
    turn(turned, x, rows, cols, t->n_features);
    for (size_t r = 0; r < rows; r += LANES)
        l[groups++] = (lanes){turned + r, nans};
    for (size_t i = 0; i < t->n_trees; i++)
        if (q->depth == KRN_TREES_CROWN)
            add_tree(sums, l, groups, t, i, KRN_TREES_CROWN, q->levels[i]);
        else if (q->levels[i] > q->depth)
            add_tree(sums, l, groups, t, i, q->depth, q->depth + 1);
        else /* so flat that stopping early would not pay */
            add_tree(sums, l, groups, t, i, q->depth, q->depth);
}

static inline KRN_DECL_TREES_F32(trees_f32)
{
    for (size_t r = 0; r < rows; r += KRN_TREES_BLOCK) {
        const size_t n = rows - r < KRN_TREES_BLOCK ? rows - r : KRN_TREES_BLOCK;
        float *to = z + r * t->n_outputs;
        int64_t *labels = label ? label + r : NULL;
        if (n <= FEW || t->n_features > KRN_TREES_TURNED) {
            krn_trees_f32_crown(to, labels, x + r * cols, n, cols, t, scratch);
            continue;
        }
        block(scratch, x + r * cols, n, cols, t);
        krn_trees_finish_block(to, labels, scratch, n, t);
    }
}

#endif /* KRN_TREES_BODY_H */
