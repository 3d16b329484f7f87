/* move_ref.c - copies of boxes, padding, diagonals in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_move.h"

#include <string.h>

void krn_steps(ptrdiff_t *step, const size_t *dim, int rank)
{
    ptrdiff_t next = 1;
    for (int i = rank - 1; i >= 0; i--) {
        step[i] = next;
        next *= (ptrdiff_t)dim[i];
    }
}

void krn_box_join(krn_box *b)
{
    int n = 0; /* axes kept so far */
    for (int i = 0; i < b->rank; i++) {
        const ptrdiff_t d = (ptrdiff_t)b->dim[i];
        if (d == 1) continue;
        const bool follows =
            n > 0 && b->step_y[n - 1] == d * b->step_y[i] && b->step_x[n - 1] == d * b->step_x[i];
        const int at = follows ? n - 1 : n++;
        b->dim[at] = follows ? b->dim[at] * b->dim[i] : b->dim[i];
        b->step_y[at] = b->step_y[i];
        b->step_x[at] = b->step_x[i];
    }
    b->rank = n;
}

#define COPY_STEPS(bytes)                                                                          \
    for (size_t i = 0; i < n; i++)                                                                 \
    memcpy(y + (ptrdiff_t)i * sy, x + (ptrdiff_t)i * sx, (bytes))

/* n pieces of `size` bytes, sy and sx bytes apart; sizes that are known make it quick. */
static void copy_line(char *y, ptrdiff_t sy, const char *x, ptrdiff_t sx, size_t n, size_t size)
{
    if (size == 1)
        COPY_STEPS(1);
    else if (size == 2)
        COPY_STEPS(2);
    else if (size == 4)
        COPY_STEPS(4);
    else if (size == 8)
        COPY_STEPS(8);
    else if (size == 16)
        COPY_STEPS(16);
    else if (size == 32)
        COPY_STEPS(32);
    else
        COPY_STEPS(size);
}

/* The box's steps are bytes here. */
static void copy_box(char *y, const char *x, size_t size, const krn_box *b, int axis)
{
    const ptrdiff_t sy = b->step_y[axis], sx = b->step_x[axis];
    if (axis == b->rank - 1) {
        copy_line(y, sy, x, sx, b->dim[axis], size);
        return;
    }
    for (ptrdiff_t i = 0; i < (ptrdiff_t)b->dim[axis]; i++)
        copy_box(y + i * sy, x + i * sx, size, b, axis + 1);
}

void krn_box_ref(void *y, const void *x, size_t size, const krn_box *b)
{
    krn_box joined = *b;
    for (int i = 0; i < b->rank; i++)
        if (b->dim[i] == 0) return;
    krn_box_join(&joined);
    const int last = joined.rank - 1;
    const bool dense = last >= 0 && joined.step_y[last] == 1 && joined.step_x[last] == 1;
    for (int i = 0; i <= last; i++) {
        joined.step_y[i] *= (ptrdiff_t)size;
        joined.step_x[i] *= (ptrdiff_t)size;
    }
    if (dense) size *= joined.dim[--joined.rank]; /* a run of elements is one piece */
    if (joined.rank == 0)
        memcpy(y, x, size);
    else
        copy_box(y, x, size, &joined, 0);
}

void krn_fill_ref(void *y, const void *value, size_t size, size_t n)
{
    const char *v = value;
    char *to = y;
    const size_t all = n * size;
    if (all == 0) return;
    if (memcmp(v, v + 1, size - 1) == 0) { /* one byte again and again, as zeros are */
        memset(to, v[0], all);
        return;
    }
    memcpy(to, v, size);
    for (size_t done = size; done < all;) { /* what is there already, twice as much each time */
        const size_t more = done < all - done ? done : all - done;
        memcpy(to + done, to, more);
        done += more;
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Which element of n stands at i, which may lie before or behind them; -1: none. */
static int64_t source(int64_t i, int64_t n, krn_pad_mode mode)
{
    if (i >= 0 && i < n) return i;
    if (mode == KRN_PAD_VALUE || n == 0) return -1;
    if (mode == KRN_PAD_EDGE || n == 1) return i < 0 ? 0 : n - 1;
    const int64_t period = mode == KRN_PAD_WRAP ? n : mode == KRN_PAD_SYMMETRIC ? 2 * n : 2 * n - 2;
    const int64_t at = (i % period + period) % period;
    if (at < n) return at;
    return mode == KRN_PAD_SYMMETRIC ? period - 1 - at : period - at;
}

typedef struct walk {
    const krn_pad *p;
    const char *value;
    size_t size, step_y[KRN_RANK], step_x[KRN_RANK]; /* bytes */
    int last;   /* the axes behind it are the same on both sides */
    bool alike; /* the bytes of the value */
} walk;

static void fill_bytes(char *y, const walk *w, size_t bytes)
{
    if (w->alike)
        memset(y, w->value[0], bytes);
    else
        krn_fill_ref(y, w->value, w->size, bytes / w->size);
}

/* Along the last axis: the value, a run of x, and the value again. */
static void pad_line(char *y, const char *x, const walk *w)
{
    const krn_pad *p = w->p;
    const int64_t out = (int64_t)p->out[w->last], in = (int64_t)p->in[w->last];
    const int64_t before = p->before[w->last], from = before < 0 ? -before : 0;
    const int64_t lead = before < 0 ? 0 : least(before, out), run = least(in - from, out - lead);
    const size_t step = w->step_y[w->last], head = (size_t)lead * step;
    const size_t body = run > 0 ? (size_t)run * step : 0, all = (size_t)out * step;
    if (head) fill_bytes(y, w, head);
    if (body) memcpy(y + head, x + (size_t)from * step, body);
    if (head + body < all) fill_bytes(y + head + body, w, all - head - body);
}

/* y[0 .. out-1] along one axis; x is NULL where nothing of it stands. */
static void pad_axis(char *y, const char *x, const walk *w, int axis)
{
    const int64_t out = (int64_t)w->p->out[axis], in = (int64_t)w->p->in[axis];
    const size_t sy = w->step_y[axis], sx = w->step_x[axis];
    if (!x) {
        fill_bytes(y, w, (size_t)out * sy);
        return;
    }
    if (axis == w->last && w->p->mode == KRN_PAD_VALUE) {
        pad_line(y, x, w);
        return;
    }
    for (int64_t i = 0; i < out;) {
        const int64_t from = i - w->p->before[axis], at = source(from, in, w->p->mode);
        if (axis < w->last) {
            pad_axis(y + (size_t)i * sy, at < 0 ? NULL : x + (size_t)at * sx, w, axis + 1);
            i++;
            continue;
        }
        int64_t run = 1;
        if (at >= 0 && from == at) run = least(in - at, out - i);
        if (at < 0)
            fill_bytes(y + (size_t)i * sy, w, sy);
        else
            memcpy(y + (size_t)i * sy, x + (size_t)at * sx, (size_t)run * sy);
        i += run;
    }
}

void krn_pad_ref(void *y, const void *x, const void *value, size_t size, const krn_pad *p)
{
    walk w = {.p = p, .value = value, .size = size};
    w.alike = memcmp(w.value, w.value + 1, size - 1) == 0;
    size_t bytes_y = size, bytes_x = size;
    for (int i = p->rank - 1; i >= 0; i--) {
        w.step_y[i] = bytes_y;
        w.step_x[i] = bytes_x;
        bytes_y *= p->out[i];
        bytes_x *= p->in[i];
    }
    w.last = p->rank - 1;
    while (w.last > 0 && p->in[w.last] == p->out[w.last] && p->before[w.last] == 0)
        w.last--;
    if (p->rank == 0)
        memcpy(y, x, size);
    else if (bytes_y)
        pad_axis(y, bytes_x ? x : NULL, &w, 0);
}

void krn_one_hot_ref(void *y, const int64_t *at, const void *on, const void *off, size_t size,
                     const krn_one_hot *h)
{
    char *to = y;
    const int64_t depth = (int64_t)h->depth;
    krn_fill_ref(y, off, size, h->outer * h->depth * h->inner);
    for (size_t o = 0; o < h->outer; o++)
        for (size_t i = 0; i < h->inner; i++) {
            int64_t place = at[o * h->inner + i];
            if (h->wrap && place < 0) place += depth;
            if (place < 0 || place >= depth) continue;
            memcpy(to + ((o * h->depth + (size_t)place) * h->inner + i) * size, on, size);
        }
}

void krn_trilu_ref(void *y, const void *x, const void *zero, size_t size, const size_t dim[3],
                   int64_t k, bool upper)
{
    char *to = y;
    const int64_t cols = (int64_t)dim[2];
    memcpy(y, x, dim[0] * dim[1] * dim[2] * size);
    if (k > INT32_MAX) k = INT32_MAX;
    if (k < -INT32_MAX) k = -INT32_MAX;
    for (size_t r = 0; r < dim[0] * dim[1]; r++) {
        /* column c is above or on the diagonal where c - row >= k */
        int64_t edge = (int64_t)(r % dim[1]) + k + (upper ? 0 : 1);
        edge = edge < 0 ? 0 : edge > cols ? cols : edge;
        const int64_t from = upper ? 0 : edge, until = upper ? edge : cols;
        krn_fill_ref(to + (r * dim[2] + (size_t)from) * size, zero, size, (size_t)(until - from));
    }
}
