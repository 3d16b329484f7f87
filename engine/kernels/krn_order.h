/* krn_order.h - the order of elements: sorting, the largest, the different ones. Layer: kernels.
 * Thread rule: pure functions. */
#ifndef KRN_ORDER_H
#define KRN_ORDER_H

#include "engine/kernels/krn_cast.h"

/** Below 0, 0 or above 0, as a stands to b; NaN is above all. */
typedef int (*krn_compare_fn)(const void *a, const void *b);

krn_compare_fn krn_compare_of(krn_type type);

/** Of two nf_span, by their bytes. */
int krn_compare_text(const void *a, const void *b);

/* The n slices of x [outer, n, inner], compared element by element. */
typedef struct krn_items {
    const void *x;
    krn_compare_fn compare;
    size_t size, outer, n, inner;
} krn_items;

/** Fills order[n] with the places in rising order; equal ones keep theirs. room: n. */
void krn_sort_ref(size_t *order, size_t *room, const krn_items *items);

/* Different items, count of them. All lists have room for n. */
typedef struct krn_unique {
    size_t *first;   /* [count] where each is met first */
    size_t *inverse; /* [n] which one an item is */
    size_t *times;   /* [count] */
    size_t *order, *room;
} krn_unique;

#define KRN_UNIQUE_ROOM 5 /* lists of n */

/** Lays the lists out in room[KRN_UNIQUE_ROOM * n]. */
void krn_unique_in(krn_unique *u, size_t *room, size_t n);

/** Finds them, in rising order or as they are met. Gives their count. */
size_t krn_unique_ref(krn_unique *u, const krn_items *items, bool sorted);

/** places[outer, k, inner]: those of the k largest (or smallest) of x [outer, n, inner], the best
 * first; of equal ones the earlier. room: k; 0 < k <= n. */
typedef struct krn_top {
    krn_compare_fn compare;
    size_t size, outer, n, inner, k;
    bool smallest;
} krn_top;
void krn_top_k_ref(int64_t *places, const void *x, const krn_top *t, size_t *room);

/** How many of is[n] are not 0. */
size_t krn_count_ref(const uint8_t *is, size_t n);

/** Places of is[dim[0], .., dim[rank-1]] that are not 0: y [rank, count], or [count, rank]. */
void krn_non_zero_ref(int64_t *y, const uint8_t *is, const size_t *dim, int rank, size_t count,
                      bool rows);

#endif /* KRN_ORDER_H */
