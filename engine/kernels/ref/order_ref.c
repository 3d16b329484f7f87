/* order_ref.c - sorting, the largest ones, the different ones, in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_order.h"

#include "engine/base/bytes.h"
#include "engine/base/half.h"

#include <math.h>
#include <string.h>

#define COMPARE(name, type)                                                                        \
    static int compare_##name(const void *a, const void *b)                                        \
    {                                                                                              \
        const type p = *(const type *)a, q = *(const type *)b;                                     \
        return (p > q) - (p < q);                                                                  \
    }

/* clang-format off */
#define WHOLE(X) /* name in krn_type, C type */                                                    \
    X(I8, int8_t)   X(U8, uint8_t)   X(I16, int16_t) X(U16, uint16_t)                              \
    X(I32, int32_t) X(U32, uint32_t) X(I64, int64_t) X(U64, uint64_t)
/* clang-format on */

WHOLE(COMPARE)

static int compare_real(double p, double q)
{
    if (isnan(p) || isnan(q)) return (int)(isnan(p) != 0) - (int)(isnan(q) != 0);
    return (p > q) - (p < q);
}

static int compare_F32(const void *a, const void *b)
{
    return compare_real((double)*(const float *)a, (double)*(const float *)b);
}

static int compare_F64(const void *a, const void *b)
{
    return compare_real(*(const double *)a, *(const double *)b);
}

static int compare_F16(const void *a, const void *b)
{
    return compare_real((double)nf_from_f16(*(const uint16_t *)a),
                        (double)nf_from_f16(*(const uint16_t *)b));
}

static double from_bf16(uint16_t h)
{
    const uint32_t bits = (uint32_t)h << 16;
    float f;
    memcpy(&f, &bits, sizeof(f));
    return (double)f;
}

static int compare_BF16(const void *a, const void *b)
{
    return compare_real(from_bf16(*(const uint16_t *)a), from_bf16(*(const uint16_t *)b));
}

krn_compare_fn krn_compare_of(krn_type type)
{
    static const krn_compare_fn table[KRN_TYPES] = {
        [KRN_F32] = compare_F32, [KRN_I8] = compare_I8,     [KRN_U8] = compare_U8,
        [KRN_I16] = compare_I16, [KRN_I32] = compare_I32,   [KRN_I64] = compare_I64,
        [KRN_BOOL] = compare_U8, [KRN_F64] = compare_F64,   [KRN_F16] = compare_F16,
        [KRN_U16] = compare_U16, [KRN_BF16] = compare_BF16, [KRN_U32] = compare_U32,
        [KRN_U64] = compare_U64,
    };
    return table[type];
}

int krn_compare_text(const void *a, const void *b)
{
    const nf_span *p = a, *q = b;
    const size_t n = p->len < q->len ? p->len : q->len;
    const int c = n ? memcmp(p->s, q->s, n) : 0;
    return c ? c : (p->len > q->len) - (p->len < q->len);
}

static int compare_items(const krn_items *t, size_t p, size_t q)
{
    const char *x = t->x;
    for (size_t o = 0; o < t->outer; o++)
        for (size_t i = 0; i < t->inner; i++) {
            const int c = t->compare(x + ((o * t->n + p) * t->inner + i) * t->size,
                                     x + ((o * t->n + q) * t->inner + i) * t->size);
            if (c) return c;
        }
    return 0;
}

/* Merges two sorted runs; of equal ones the first run's come first. */
static void merge(size_t *to, const size_t *a, size_t na, const size_t *b, size_t nb,
                  const krn_items *t)
{
    while (na && nb) {
        const bool first = compare_items(t, *a, *b) <= 0;
        *to++ = first ? *a++ : *b++;
        na -= first;
        nb -= !first;
    }
    memcpy(to, na ? a : b, (na + nb) * sizeof(*to));
}

void krn_sort_ref(size_t *order, size_t *room, const krn_items *items)
{
    const size_t n = items->n;
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t run = 1; run < n; run *= 2) {
        for (size_t at = 0; at < n; at += 2 * run) {
            const size_t na = run < n - at ? run : n - at;
            const size_t nb = run < n - at - na ? run : n - at - na;
            merge(room + at, order + at, na, order + at + na, nb, items);
        }
        memcpy(order, room, n * sizeof(*order));
    }
}

void krn_unique_in(krn_unique *u, size_t *room, size_t n)
{
    *u = (krn_unique){room, room + n, room + 2 * n, room + 3 * n, room + 4 * n};
}

/* Groups in rising order; inverse and times name them. */
static size_t find_groups(krn_unique *u, const krn_items *items)
{
    size_t count = 0;
    for (size_t i = 0; i < items->n; i++) {
        const size_t at = u->order[i];
        if (i == 0 || compare_items(items, u->order[i - 1], at)) {
            u->first[count] = at; /* the sort keeps equal ones in their order */
            u->times[count++] = 0;
        }
        u->inverse[at] = count - 1;
        u->times[count - 1]++;
    }
    return count;
}

/* The groups in the order in which they are met. */
static void order_by_first(krn_unique *u, size_t n, size_t count)
{
    size_t met = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t group = u->inverse[i];
        if (u->first[group] == i) u->room[group] = met++;
    }
    for (size_t g = 0; g < count; g++)
        u->order[u->room[g]] = u->times[g];
    memcpy(u->times, u->order, count * sizeof(*u->times));
    for (size_t g = 0; g < count; g++)
        u->order[u->room[g]] = u->first[g];
    memcpy(u->first, u->order, count * sizeof(*u->first));
    for (size_t i = 0; i < n; i++)
        u->inverse[i] = u->room[u->inverse[i]];
}

size_t krn_unique_ref(krn_unique *u, const krn_items *items, bool sorted)
{
    krn_sort_ref(u->order, u->room, items);
    const size_t count = find_groups(u, items);
    if (!sorted) order_by_first(u, items->n, count);
    return count;
}

/* One line of x, for a heap of places whose root is the worst of those kept. */
typedef struct line {
    const char *x;
    const krn_top *t;
} line;

static bool is_better(const line *l, size_t p, size_t q)
{
    const size_t step = l->t->inner * l->t->size;
    const int c = l->t->compare(l->x + p * step, l->x + q * step);
    if (c) return l->t->smallest ? c < 0 : c > 0;
    return p < q;
}

/* Lets the place at `i` sink until no worse one is below it. */
static void sink(size_t *heap, size_t n, size_t i, const line *l)
{
    for (;;) {
        size_t worst = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
            if (is_better(l, heap[worst], heap[child])) worst = child;
        if (worst == i) return;
        const size_t held = heap[i];
        heap[i] = heap[worst];
        heap[worst] = held;
        i = worst;
    }
}

static void top_of_line(int64_t *places, size_t *heap, const line *l)
{
    const size_t k = l->t->k;
    for (size_t i = 0; i < k; i++)
        heap[i] = i;
    for (size_t i = k / 2; i-- > 0;)
        sink(heap, k, i, l);
    for (size_t i = k; i < l->t->n; i++) {
        if (!is_better(l, i, heap[0])) continue;
        heap[0] = i;
        sink(heap, k, 0, l);
    }
    for (size_t left = k; left-- > 0;) { /* the worst leaves first, to the last place */
        places[left * l->t->inner] = (int64_t)heap[0];
        heap[0] = heap[left];
        sink(heap, left, 0, l);
    }
}

void krn_top_k_ref(int64_t *places, const void *x, const krn_top *t, size_t *room)
{
    for (size_t o = 0; o < t->outer; o++)
        for (size_t i = 0; i < t->inner; i++) {
            const line l = {(const char *)x + (o * t->n * t->inner + i) * t->size, t};
            top_of_line(places + o * t->k * t->inner + i, room, &l);
        }
}

size_t krn_count_ref(const uint8_t *is, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += is[i] != 0;
    return count;
}

void krn_non_zero_ref(int64_t *y, const uint8_t *is, const size_t *dim, int rank, size_t count,
                      bool rows)
{
    const size_t step = rows ? 1 : count;
    size_t n = 1, found = 0;
    for (int i = 0; i < rank; i++)
        n *= dim[i];
    for (size_t e = 0; e < n && found < count; e++) {
        if (!is[e]) continue;
        size_t left = e;
        for (int i = rank - 1; i >= 0; i--) {
            y[found * (rows ? (size_t)rank : 1) + (size_t)i * step] = (int64_t)(left % dim[i]);
            left /= dim[i];
        }
        found++;
    }
}
