/* trees_avx2.c - tree ensembles, AVX2: eight rows a vector, the first levels of a crown in
 * registers. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/krn_trees.h"

#include <immintrin.h>
#include <string.h>

#define LANES 8
#define FEW   7 /* rows that go one by one: a vector would be too empty to pay */

typedef struct lanes { /* eight rows */
    const float *x;
    __m256i from; /* where each row begins */
    bool nans;
} lanes;

static inline __m256i gather(const void *base, __m256i at)
{
    return _mm256_i32gather_epi32(base, at, 4);
}

/* All ones in lanes whose answer is no. */
static inline __m256i says_no(const lanes *l, __m256 split, __m256i feature)
{
    const __m256i nan_yes = _mm256_set1_epi32((int)KRN_TREES_NAN_YES);
    const __m256i at = _mm256_add_epi32(l->from, _mm256_andnot_si256(nan_yes, feature));
    const __m256 v = _mm256_i32gather_ps(l->x, at, 4);
    const __m256i no = _mm256_castps_si256(_mm256_cmp_ps(v, split, _CMP_NLE_UQ));
    if (!l->nans) return no;
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    return _mm256_andnot_si256(_mm256_and_si256(is_nan, _mm256_srai_epi32(feature, 31)), no);
}

static inline __m256i down(__m256i i, __m256i no)
{
    return _mm256_sub_epi32(_mm256_add_epi32(i, i), no);
}

/* Levels 0 to 2 stand in one register, level 3 in the next; the others are gathered. */
static inline __m256i through_crown(const lanes *l, const float *s, const uint32_t *f, size_t depth)
{
    __m256i i = _mm256_set1_epi32(1);
    for (size_t d = 0; d < depth && d < 4; d++) {
        const size_t at = d < 3 ? 0 : LANES;
        const __m256 split = _mm256_permutevar8x32_ps(_mm256_loadu_ps(s + at), i);
        const __m256i all = _mm256_loadu_si256((const __m256i *)(const void *)(f + at));
        i = down(i, says_no(l, split, _mm256_permutevar8x32_epi32(all, i)));
    }
    for (size_t d = 4; d < depth; d++)
        i = down(i, says_no(l, _mm256_i32gather_ps(s, i, 4), gather(f, i)));
    return _mm256_sub_epi32(i, _mm256_set1_epi32(1 << depth));
}

/* From step to step until every lane stands on its leaf; its bits. */
static inline __m256i walk_below(const lanes *l, const krn_tree_step *step, __m256i at)
{
    for (;;) {
        const __m256i word = _mm256_slli_epi32(at, 2);
        const __m256 split = _mm256_i32gather_ps(&step->split, word, 4);
        const __m256i no = says_no(l, split, gather(&step->feature, word));
        const __m256i next = gather(&step->next[0], _mm256_sub_epi32(word, no));
        const __m256i same = _mm256_cmpeq_epi32(next, at);
        if (_mm256_movemask_epi8(same) == -1) return _mm256_castps_si256(split);
        at = next;
    }
}

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

/* One tree for the rows of up to eight vectors. */
static inline void add_tree(float *sums, const lanes *l, size_t groups, const krn_trees *t,
                            size_t tree, size_t depth)
{
    const krn_trees_quick *q = &t->quick;
    const float *s = q->split + tree * q->width;
    const uint32_t *f = q->feature + tree * q->width;
    for (size_t g = 0; g < groups; g++) {
        const __m256i i = through_crown(&l[g], s, f, depth);
        __m256i leaf = gather(q->exit + (tree << depth), i);
        if (q->below) leaf = walk_below(&l[g], q->step, leaf);
        if (q->target) {
            float *to = sums + q->target[tree] * KRN_TREES_BLOCK + g * LANES;
            _mm256_storeu_ps(to, _mm256_add_ps(_mm256_loadu_ps(to), _mm256_castsi256_ps(leaf)));
            continue;
        }
        uint32_t number[LANES];
        _mm256_storeu_si256((__m256i *)(void *)number, leaf);
        add_rows(sums + g * LANES * q->stride, number, q);
    }
}

/* Lanes behind the last row read the last row again. */
static lanes lanes_of(const float *x, size_t rows, size_t cols, bool nans)
{
    uint32_t from[LANES];
    for (size_t i = 0; i < LANES; i++)
        from[i] = (uint32_t)((i < rows ? i : rows - 1) * cols);
    return (lanes){x, _mm256_loadu_si256((const __m256i *)(const void *)from), nans};
}

static void block(float *sums, const float *x, size_t rows, size_t cols, const krn_trees *t)
{
    const krn_trees_quick *q = &t->quick;
    lanes l[KRN_TREES_BLOCK / LANES];
    size_t groups = 0;
    const bool nans = q->nan_yes && krn_f32_has_nan(x, rows * cols);
    memset(sums, 0, KRN_TREES_BLOCK * q->stride * sizeof(*sums));
    for (size_t r = 0; r < rows; r += LANES)
        l[groups++] = lanes_of(x + r * cols, rows - r, cols, nans);
    for (size_t i = 0; i < t->n_trees; i++)
        if (q->depth == KRN_TREES_CROWN)
            add_tree(sums, l, groups, t, i, KRN_TREES_CROWN);
        else
            add_tree(sums, l, groups, t, i, q->depth);
}

KRN_DECL_TREES_F32(krn_trees_f32_avx2)
{
    for (size_t r = 0; r < rows; r += KRN_TREES_BLOCK) {
        const size_t n = rows - r < KRN_TREES_BLOCK ? rows - r : KRN_TREES_BLOCK;
        float *to = z + r * t->n_outputs;
        int64_t *labels = label ? label + r : NULL;
        if (n <= FEW || cols > 1u << 24) { /* offsets of eight rows stay in 32 bits */
            krn_trees_f32_crown(to, labels, x + r * cols, n, cols, t, scratch);
            continue;
        }
        block(scratch, x + r * cols, n, cols, t);
        krn_trees_finish_block(to, labels, scratch, n, t);
    }
}
