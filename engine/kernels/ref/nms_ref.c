/* nms_ref.c - choosing boxes that do not overlap, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_nms.h"

#include <math.h>

typedef struct box {
    float top, left, bottom, right;
} box;

static box box_of(const float *b, bool center)
{
    if (center) return (box){b[1] - b[3] / 2, b[0] - b[2] / 2, b[1] + b[3] / 2, b[0] + b[2] / 2};
    const bool down = b[0] < b[2], across = b[1] < b[3];
    return (box){down ? b[0] : b[2], across ? b[1] : b[3], down ? b[2] : b[0],
                 across ? b[3] : b[1]};
}

static float area(box b)
{
    return (b.bottom - b.top) * (b.right - b.left);
}

/* Common area over the area of both. */
static float overlap(box a, box b)
{
    const float top = a.top > b.top ? a.top : b.top, left = a.left > b.left ? a.left : b.left;
    const float bottom = a.bottom < b.bottom ? a.bottom : b.bottom;
    const float right = a.right < b.right ? a.right : b.right;
    if (area(a) <= 0 || area(b) <= 0 || bottom <= top || right <= left) return 0;
    const float common = (bottom - top) * (right - left);
    return common / (area(a) + area(b) - common);
}

static bool before(const float *scores, int32_t a, int32_t b)
{
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
}

/* Moves order[i] down until it stands before both below it; the last one rises to the top. */
static void sink(int32_t *order, size_t n, size_t i, const float *scores)
{
    for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && before(scores, order[child + 1], order[child])) child++;
        if (!before(scores, order[child], order[i])) return;
        const int32_t moved = order[i];
        order[i] = order[child];
        order[child] = moved;
        i = child;
    }
}

static bool is_free(const float *boxes, const int32_t *places, size_t chosen, int32_t at,
                    const krn_nms *p)
{
    const box b = box_of(boxes + 4 * at, p->center);
    for (size_t i = 0; i < chosen; i++)
        if (overlap(b, box_of(boxes + 4 * places[i], p->center)) > p->iou) return false;
    return true;
}

/* Fills the heap with the boxes whose score counts. */
static size_t make_heap(int32_t *order, const float *scores, const krn_nms *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        if (scores[i] > p->score) order[n++] = (int32_t)i;
    for (size_t i = n / 2; i-- > 0;)
        sink(order, n, i, scores);
    return n;
}

size_t krn_f32_nms_ref(int32_t *places, const float *boxes, const float *scores, int32_t *order,
                       const krn_nms *p)
{
    size_t n = make_heap(order, scores, p), chosen = 0;
    while (n > 0 && (int64_t)chosen < p->most) {
        const int32_t best = order[0];
        order[0] = order[--n];
        sink(order, n, 0, scores);
        if (is_free(boxes, places, chosen, best, p)) places[chosen++] = best;
    }
    return chosen;
}

/* Lowers the score of `at` by the boxes chosen since it was last looked at, the newest first; false
 * when it is out. */
static bool lower(float *score, box b, const float *boxes, const int32_t *places, size_t n,
                  const krn_nms *p, float sigma)
{
    for (size_t i = n; i-- > 0 && *score > p->score;) {
        const float common = overlap(b, box_of(boxes + 4 * places[i], p->center));
        if (common > p->iou) return false;
        if (sigma > 0) *score *= expf(-0.5f / sigma * common * common);
    }
    return *score > p->score;
}

size_t krn_f32_soft_nms_ref(int32_t *places, const float *boxes, float *scores, int32_t *order,
                            int32_t *seen, const krn_nms *p, float sigma)
{
    size_t n = make_heap(order, scores, p), chosen = 0;
    for (size_t i = 0; i < p->n; i++)
        seen[i] = 0;
    while (n > 0 && (int64_t)chosen < p->most) {
        const int32_t best = order[0];
        const float before_it = scores[best];
        const size_t old = (size_t)seen[best];
        const bool in = lower(&scores[best], box_of(boxes + 4 * best, p->center), boxes,
                              places + old, chosen - old, p, sigma);
        seen[best] = (int32_t)chosen;
        const bool same = scores[best] >= before_it;
        if (in && same) places[chosen++] = best;
        if (!in || same) order[0] = order[--n];
        sink(order, n, 0, scores);
    }
    return chosen;
}
