/* trees_avx512.c - tree ensembles, AVX512: sixteen rows a vector, the nodes of a crown in
 * registers. Layer: kernels. Thread rule: pure functions. */
#define LANES 16
#include "engine/kernels/x86/trees_body.h"

typedef struct crown { /* the first 64 nodes of one tree */
    __m512 split[4];
    __m512i feature[4];
} crown;

static inline crown load_crown(const krn_trees_quick *q, size_t tree)
{
    const float *s = q->split + tree * q->width;
    const uint32_t *f = q->feature + tree * q->width;
    crown c;
    for (size_t i = 0; i < 4; i++) { /* a narrow crown is read again, and not asked */
        const size_t at = i * LANES < q->width ? i * LANES : 0;
        c.split[i] = _mm512_loadu_ps(s + at);
        c.feature[i] = _mm512_loadu_si512(f + at);
    }
    return c;
}

/* Lanes whose answer is no. nan_yes: those whose NaN is a yes. */
static inline __mmask16 compare(const lanes *l, __m512 v, __m512 split, __mmask16 nan_yes)
{
    const __mmask16 no = _mm512_cmp_ps_mask(v, split, _CMP_NLE_UQ);
    if (!l->nans) return no;
    return no & (__mmask16) ~(nan_yes & _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q));
}

/* Each lane at its own node. */
static inline __mmask16 says_no(const lanes *l, __m512 split, __m512i feature)
{
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i at = _mm512_add_epi32(_mm512_slli_epi32(feature, 6), lane);
    const __m512 v = _mm512_i32gather_ps(at, l->x, 4);
    return compare(l, v, split, _mm512_movepi32_mask(feature));
}

/* All lanes at the same node, i of a crown: no gather. */
static inline __mmask16 all_say_no(const lanes *l, const float *split, const uint32_t *feature,
                                   size_t i)
{
    const uint32_t f = feature[i] & ~KRN_TREES_NAN_YES;
    const __m512 v = _mm512_loadu_ps(l->x + (size_t)f * KRN_TREES_BLOCK);
    const __mmask16 nan_yes = feature[i] & KRN_TREES_NAN_YES ? 0xffff : 0;
    return compare(l, v, _mm512_set1_ps(split[i]), nan_yes);
}

static inline __mmask16 choose(__mmask16 no, __mmask16 if_yes, __mmask16 if_no)
{
    return (__mmask16)((no & if_no) | (if_yes & ~no));
}

static inline __m512i down(__m512i i, __mmask16 no)
{
    const __m512i twice = _mm512_add_epi32(i, i);
    return _mm512_mask_add_epi32(twice, no, twice, _mm512_set1_epi32(1));
}

/* The first three levels ask all their seven nodes: that costs less than three gathers. */
static inline __m512i through_three(const lanes *l, const float *s, const uint32_t *f)
{
    const __mmask16 a = all_say_no(l, s, f, 1);
    const __mmask16 b = choose(a, all_say_no(l, s, f, 2), all_say_no(l, s, f, 3));
    const __mmask16 yes = choose(b, all_say_no(l, s, f, 4), all_say_no(l, s, f, 5));
    const __mmask16 no = choose(b, all_say_no(l, s, f, 6), all_say_no(l, s, f, 7));
    return down(down(down(_mm512_set1_epi32(1), a), b), choose(a, yes, no));
}

/* Levels 0 to 3 stand in the first register, 4 in the second, 5 in the other two. A tree of fewer
 * levels ends where it ends: whatever child it would go on to is the same leaf. */
static inline __m512i through_crown(const lanes *l, const crown *c, const float *s,
                                    const uint32_t *f, size_t depth, size_t levels)
{
    __m512i i = depth < 3 ? _mm512_set1_epi32(1) : through_three(l, s, f);
    for (size_t d = depth < 3 ? 0 : 3; d < depth && d < levels && d < 4; d++)
        i = down(i, says_no(l, _mm512_permutexvar_ps(i, c->split[0]),
                            _mm512_permutexvar_epi32(i, c->feature[0])));
    if (depth > 4 && levels > 4)
        i = down(i, says_no(l, _mm512_permutexvar_ps(i, c->split[1]),
                            _mm512_permutexvar_epi32(i, c->feature[1])));
    if (depth > 5 && levels > 5)
        i = down(i, says_no(l, _mm512_permutex2var_ps(c->split[2], i, c->split[3]),
                            _mm512_permutex2var_epi32(c->feature[2], i, c->feature[3])));
    if (levels < depth) i = _mm512_sll_epi32(i, _mm_cvtsi32_si128((int)(depth - levels)));
    return _mm512_sub_epi32(i, _mm512_set1_epi32(1 << depth));
}

/* table[i], of 1 << depth entries: of 64 two pairs of registers, and the pair by bit 5. */
static inline __m512i look_up(const uint32_t *table, __m512i i, size_t depth)
{
    if (depth != KRN_TREES_CROWN) return _mm512_i32gather_epi32(i, table, 4);
    const __m512i low =
        _mm512_permutex2var_epi32(_mm512_loadu_si512(table), i, _mm512_loadu_si512(table + LANES));
    const __m512i high = _mm512_permutex2var_epi32(_mm512_loadu_si512(table + 2 * LANES), i,
                                                   _mm512_loadu_si512(table + 3 * LANES));
    const __mmask16 is_high = _mm512_test_epi32_mask(i, _mm512_set1_epi32(32));
    return _mm512_mask_mov_epi32(low, is_high, high);
}

/* From step to step until every lane stands on its leaf; its bits. */
static inline __m512i walk_below(const lanes *l, const krn_tree_step *step, __m512i at)
{
    while (_mm512_movepi32_mask(at) != 0xffff) { /* KRN_TREES_LEAF is the sign, shifted out below */
        const __m512i word = _mm512_slli_epi32(at, 2);
        const __m512 split = _mm512_i32gather_ps(word, step, 4);
        const __m512i feature = _mm512_i32gather_epi32(word, &step->feature, 4);
        const __mmask16 no = says_no(l, split, feature);
        const __m512i child = _mm512_mask_add_epi32(word, no, word, _mm512_set1_epi32(1));
        at = _mm512_i32gather_epi32(child, &step->next[0], 4);
    }
    return _mm512_i32gather_epi32(_mm512_slli_epi32(at, 2), step, 4);
}

/* One tree for the rows of up to four vectors. */
static inline void add_tree(float *sums, const lanes *l, size_t groups, const krn_trees *t,
                            size_t tree, size_t depth, size_t levels)
{
    const krn_trees_quick *q = &t->quick;
    const float *s = q->split + tree * q->width;
    const uint32_t *f = q->feature + tree * q->width;
    const crown c = load_crown(q, tree);
    for (size_t g = 0; g < groups; g++) {
        const __m512i i = through_crown(&l[g], &c, s, f, depth, levels);
        __m512i leaf = look_up(q->exit + (tree << depth), i, depth);
        if (levels > depth) leaf = walk_below(&l[g], q->step, leaf);
        if (q->target) {
            float *to = sums + q->target[tree] * KRN_TREES_BLOCK + g * LANES;
            _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), _mm512_castsi512_ps(leaf)));
            continue;
        }
        uint32_t number[LANES];
        _mm512_storeu_si512(number, leaf);
        add_rows(sums + g * LANES * q->stride, number, q);
    }
}

KRN_DECL_TREES_F32(krn_trees_f32_avx512)
{
    trees_f32(z, label, x, rows, cols, t, scratch);
}
