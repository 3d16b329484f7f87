/* detect_ref.c - boxes of a detector, in plain C. Layer: kernels. Thread rule: pure functions.
 * Source of the formulas: Liu et al., SSD: Single Shot MultiBox Detector, 2016. */
#include "engine/kernels/krn_detect.h"

#include "engine/kernels/krn_nms.h"

#include <math.h>
#include <string.h>

/* A row of the result before it is written. */
typedef struct pick {
    int32_t box, column; /* column: among the classes, without the background */
    float score;
} pick;

typedef struct work {
    float *boxes, *one; /* [n, 4] corners, [n] scores of one class */
    int32_t *places, *order;
    pick *kept, *merged; /* [most]: regular only */
} work;

size_t krn_detect_room(const krn_detect *p)
{
    const size_t lists = p->regular ? 2 * p->most * sizeof(pick) : 0;
    return p->n * (5 * sizeof(float) + 2 * sizeof(int32_t)) + lists;
}

static work split(void *room, const krn_detect *p)
{
    work w;
    w.kept = room;
    w.merged = w.kept + (p->regular ? p->most : 0);
    w.boxes = (float *)(w.merged + (p->regular ? p->most : 0));
    w.one = w.boxes + 4 * p->n;
    w.places = (int32_t *)(w.one + p->n);
    w.order = w.places + p->n;
    return w;
}

static void decode(float *box, const float *x, const float *anchor, const float *scale)
{
    for (int i = 0; i < 2; i++) {
        const double size = (double)anchor[2 + i];
        const float middle = (float)((double)x[i] / (double)scale[i] * size + (double)anchor[i]);
        const float half = (float)(0.5 * exp((double)x[2 + i] / (double)scale[2 + i]) * size);
        box[i] = middle - half;
        box[2 + i] = middle + half;
    }
}

/* The scores of box i without the background. */
static const float *row_of(const float *scores, size_t i, const krn_detect *p)
{
    return scores + i * p->columns + (p->columns - p->classes);
}

static size_t suppress(const work *w, size_t most, const krn_detect *p)
{
    /* The next float below makes "above" of "from .. on". */
    const krn_nms nms = {
        .n = p->n, .most = (int64_t)most, .iou = p->iou, .score = nextafterf(p->score, -INFINITY)};
    return krn_f32_nms_ref(w->places, w->boxes, w->one, w->order, &nms);
}

static void write_row(const krn_detect_out *y, size_t at, const work *w, pick v)
{
    memcpy(y->boxes + 4 * at, w->boxes + 4 * v.box, 4 * sizeof(float));
    y->classes[at] = (float)v.column;
    y->scores[at] = v.score;
}

/* The best class behind `last` in falling order of score, equal ones as they come; -1: none. */
static int32_t next_class(const float *row, size_t classes, int32_t last)
{
    int32_t best = -1;
    for (int32_t c = 0; c < (int32_t)classes; c++) {
        const bool left = last < 0 || row[c] < row[last] || (row[c] == row[last] && c > last);
        if (left && (best < 0 || row[c] > row[best])) best = c;
    }
    return best;
}

static size_t detect_fast(const krn_detect_out *y, const float *scores, const work *w,
                          const krn_detect *p)
{
    for (size_t i = 0; i < p->n; i++)
        w->one[i] = row_of(scores, i, p)[next_class(row_of(scores, i, p), p->classes, -1)];
    const size_t chosen = suppress(w, p->most, p);
    for (size_t k = 0; k < chosen; k++) {
        const float *row = row_of(scores, (size_t)w->places[k], p);
        int32_t c = -1;
        for (size_t i = 0; i < p->per_box && i < p->classes; i++) {
            c = next_class(row, p->classes, c);
            if (c < 0) break; /* the rest are not numbers */
            write_row(y, k * p->per_box + i, w, (pick){w->places[k], c, row[c]});
        }
    }
    return chosen;
}

/* Puts n boxes of one class between those kept; equal scores as they come. */
static size_t merge(work *w, size_t kept, size_t n, int32_t column, size_t most)
{
    size_t from = 0, k = 0, to = 0;
    while (to < most && (from < kept || k < n)) {
        const bool old = k == n || (from < kept && w->kept[from].score >= w->one[w->places[k]]);
        if (old) {
            w->merged[to++] = w->kept[from++];
        } else {
            w->merged[to++] = (pick){w->places[k], column, w->one[w->places[k]]};
            k++;
        }
    }
    pick *spare = w->kept;
    w->kept = w->merged;
    w->merged = spare;
    return to;
}

static size_t detect_regular(const krn_detect_out *y, const float *scores, work *w,
                             const krn_detect *p)
{
    const size_t most = p->per_class < p->most ? p->per_class : p->most;
    size_t kept = 0;
    for (size_t c = 0; c < p->classes; c++) {
        for (size_t i = 0; i < p->n; i++)
            w->one[i] = row_of(scores, i, p)[c];
        const size_t n = suppress(w, most, p);
        if (n) kept = merge(w, kept, n, (int32_t)c, p->most);
    }
    for (size_t k = 0; k < kept; k++)
        write_row(y, k, w, w->kept[k]);
    return kept;
}

void krn_f32_detect_ref(const krn_detect_out *y, const float *x, const float *scores,
                        const float *anchors, void *room, const krn_detect *p)
{
    const size_t rows = p->most * p->per_box;
    work w = split(room, p);
    memset(y->boxes, 0, rows * 4 * sizeof(float));
    memset(y->classes, 0, rows * sizeof(float));
    memset(y->scores, 0, rows * sizeof(float));
    for (size_t i = 0; i < p->n; i++)
        decode(w.boxes + 4 * i, x + i * p->coords, anchors + 4 * i, p->scale);
    *y->count =
        (float)(p->regular ? detect_regular(y, scores, &w, p) : detect_fast(y, scores, &w, p));
}
