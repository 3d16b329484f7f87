/* trees_avx2.c - tree ensembles, AVX2: eight rows a vector, the first levels of a crown in
 * registers. Layer: kernels. Thread rule: pure functions. */
#define LANES 8
#include "engine/kernels/x86/trees_body.h"

static inline __m256i gather(const void *base, __m256i at)
{
    return _mm256_i32gather_epi32(base, at, 4);
}

/* All ones in lanes whose answer is no. nan_yes: in those whose NaN is a yes. */
static inline __m256i compare(const lanes *l, __m256 v, __m256 split, __m256i nan_yes)
{
    const __m256i no = _mm256_castps_si256(_mm256_cmp_ps(v, split, _CMP_NLE_UQ));
    if (!l->nans) return no;
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    return _mm256_andnot_si256(_mm256_and_si256(is_nan, nan_yes), no);
}

/* Each lane at its own node. */
static inline __m256i says_no(const lanes *l, __m256 split, __m256i feature)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i at = _mm256_add_epi32(_mm256_slli_epi32(feature, 6), lane);
    return compare(l, _mm256_i32gather_ps(l->x, at, 4), split, _mm256_srai_epi32(feature, 31));
}

/* All lanes at the same node, i of a crown: no gather. */
static inline __m256i all_say_no(const lanes *l, const float *split, const uint32_t *feature,
                                 size_t i)
{
    const uint32_t f = feature[i] & ~KRN_TREES_NAN_YES;
    const __m256 v = _mm256_loadu_ps(l->x + (size_t)f * KRN_TREES_BLOCK);
    const __m256i nan_yes = _mm256_set1_epi32(-(int)(feature[i] >> 31));
    return compare(l, v, _mm256_set1_ps(split[i]), nan_yes);
}

static inline __m256i choose(__m256i no, __m256i if_yes, __m256i if_no)
{
    return _mm256_or_si256(_mm256_and_si256(no, if_no), _mm256_andnot_si256(no, if_yes));
}

static inline __m256i down(__m256i i, __m256i no)
{
    return _mm256_sub_epi32(_mm256_add_epi32(i, i), no);
}

/* The first three levels ask all their seven nodes: that costs less than three gathers. */
static inline __m256i through_three(const lanes *l, const float *s, const uint32_t *f)
{
    const __m256i a = all_say_no(l, s, f, 1);
    const __m256i b = choose(a, all_say_no(l, s, f, 2), all_say_no(l, s, f, 3));
    const __m256i yes = choose(b, all_say_no(l, s, f, 4), all_say_no(l, s, f, 5));
    const __m256i no = choose(b, all_say_no(l, s, f, 6), all_say_no(l, s, f, 7));
    return down(down(down(_mm256_set1_epi32(1), a), b), choose(a, yes, no));
}

/* Level 3 stands in one register; those below are gathered. A tree of fewer levels ends where it
 * ends: whatever child it would go on to is the same leaf. */
static inline __m256i through_crown(const lanes *l, const float *s, const uint32_t *f, size_t depth,
                                    size_t levels)
{
    __m256i i = depth < 3 ? _mm256_set1_epi32(1) : through_three(l, s, f);
    for (size_t d = 0; d < depth && depth < 3; d++)
        i = down(i, says_no(l, _mm256_i32gather_ps(s, i, 4), gather(f, i)));
    if (depth > 3 && levels > 3) {
        const __m256i all = _mm256_loadu_si256((const __m256i *)(const void *)(f + LANES));
        const __m256 split = _mm256_permutevar8x32_ps(_mm256_loadu_ps(s + LANES), i);
        i = down(i, says_no(l, split, _mm256_permutevar8x32_epi32(all, i)));
    }
    for (size_t d = 4; d < depth && d < levels; d++)
        i = down(i, says_no(l, _mm256_i32gather_ps(s, i, 4), gather(f, i)));
    if (levels < depth) i = _mm256_sll_epi32(i, _mm_cvtsi32_si128((int)(depth - levels)));
    return _mm256_sub_epi32(i, _mm256_set1_epi32(1 << depth));
}

/* From step to step until every lane stands on its leaf; its bits. */
static inline __m256i walk_below(const lanes *l, const krn_tree_step *step, __m256i at)
{
    while (_mm256_movemask_ps(_mm256_castsi256_ps(at)) != 0xff) { /* the sign is KRN_TREES_LEAF */
        const __m256i word = _mm256_slli_epi32(at, 2);            /* without it */
        const __m256 split = _mm256_i32gather_ps(&step->split, word, 4);
        const __m256i no = says_no(l, split, gather(&step->feature, word));
        at = gather(&step->next[0], _mm256_sub_epi32(word, no));
    }
    return gather(&step->split, _mm256_slli_epi32(at, 2));
}

/* One tree for the rows of up to eight vectors. */
static inline void add_tree(float *sums, const lanes *l, size_t groups, const krn_trees *t,
                            size_t tree, size_t depth, size_t levels)
{
    const krn_trees_quick *q = &t->quick;
    const float *s = q->split + tree * q->width;
    const uint32_t *f = q->feature + tree * q->width;
    for (size_t g = 0; g < groups; g++) {
        const __m256i i = through_crown(&l[g], s, f, depth, levels);
        __m256i leaf = gather(q->exit + (tree << depth), i);
        if (levels > depth) leaf = walk_below(&l[g], q->step, leaf);
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

KRN_DECL_TREES_F32(krn_trees_f32_avx2)
{
    trees_f32(z, label, x, rows, cols, t, scratch);
}
