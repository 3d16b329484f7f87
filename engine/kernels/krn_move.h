/* krn_move.h - elements from one place to another, whatever they are. Layer: kernels.
 * Thread rule: pure functions. `size` is the bytes of one element; steps count elements. */
#ifndef KRN_MOVE_H
#define KRN_MOVE_H

#include "engine/kernels/krn_cast.h"

#define KRN_RANK     8
#define KRN_BOX_RANK 16

/* Loops over both sides; a step may be 0 (an element is used again) or negative. */
typedef struct krn_box {
    int rank;
    size_t dim[KRN_BOX_RANK];
    ptrdiff_t step_y[KRN_BOX_RANK], step_x[KRN_BOX_RANK];
} krn_box;

/** The same copies in as few loops as can be: axes of 1 dropped, axes that follow each other on
 * both sides joined. The last one is the innermost. */
void krn_box_join(krn_box *b);

/** y[sum i * step_y] = x[sum i * step_x] for every index i below dim. */
void krn_box_ref(void *y, const void *x, size_t size, const krn_box *b);

/** The same, quicker where the box is a transpose. */
void krn_box_copy(void *y, const void *x, size_t size, const krn_box *b);

/** Steps of a tensor in C order. */
void krn_steps(ptrdiff_t *step, const size_t *dim, int rank);

/** y[0 .. n-1] = *value. */
void krn_fill_ref(void *y, const void *value, size_t size, size_t n);

typedef enum krn_pad_mode {
    KRN_PAD_VALUE,
    KRN_PAD_REFLECT, /* c b | a b c | b a */
    KRN_PAD_EDGE,
    KRN_PAD_WRAP,
    KRN_PAD_SYMMETRIC /* b a | a b c | c b */
} krn_pad_mode;

typedef struct krn_pad {
    int rank;
    size_t in[KRN_RANK], out[KRN_RANK];
    int64_t before[KRN_RANK]; /* below 0: cut off */
    krn_pad_mode mode;
} krn_pad;

/** y has out's dimensions, x has in's; where x has nothing to repeat, *value stands. */
void krn_pad_ref(void *y, const void *x, const void *value, size_t size, const krn_pad *p);

#define KRN_ALL_FOUND SIZE_MAX

typedef struct krn_gather {
    size_t batch, outer, n, inner; /* x: [batch, outer, n, inner] */
    size_t m;                      /* at: [batch, m]; y: [batch, outer, m, inner] */
} krn_gather;

/** y = x at places along n; negative ones count from the end. Gives the first entry of `at` that
 * is out of range (zeros stand for it), or KRN_ALL_FOUND. */
size_t krn_gather_ref(void *y, const void *x, const int64_t *at, size_t size, const krn_gather *g);

typedef struct krn_tuples {
    size_t batch, m, inner; /* at: [batch, m, k]; y: [batch, m, inner] */
    int k;
    size_t dim[KRN_RANK]; /* x: [batch, dim[0] .. dim[k-1], inner] */
} krn_tuples;

/** y = x at k places each. Result as krn_gather_ref's: the place in [batch * m * k]. */
size_t krn_gather_nd_ref(void *y, const void *x, const int64_t *at, size_t size,
                         const krn_tuples *t);

typedef struct krn_elements {
    int rank, axis;
    size_t dim[KRN_RANK], at[KRN_RANK]; /* of x and of the indices */
} krn_elements;

/** y[i] = x[i with at[i] in the place of its axis]. */
size_t krn_gather_elements_ref(void *y, const void *x, const int64_t *at, size_t size,
                               const krn_elements *e);

typedef enum krn_scatter {
    KRN_SCATTER_SET,
    KRN_SCATTER_ADD,
    KRN_SCATTER_MUL,
    KRN_SCATTER_MAX,
    KRN_SCATTER_MIN
} krn_scatter;

/** y[0 .. n-1] = y op u. */
typedef void (*krn_update_fn)(void *y, const void *u, size_t n, size_t size);

/** NULL when there is none for the type. KRN_SCATTER_SET is there for all, KRN_TYPES too. */
krn_update_fn krn_update_of(krn_scatter how, krn_type type);

/** y, which holds x already, takes u at the places; results as above. */
size_t krn_scatter_elements_ref(void *y, const void *u, const int64_t *at, size_t size,
                                const krn_elements *e, krn_update_fn update);
size_t krn_scatter_nd_ref(void *y, const void *u, const int64_t *at, size_t size,
                          const krn_tuples *t, krn_update_fn update);

/** y[outer, depth, inner] = on where at[outer, inner] names the place, else off. */
typedef struct krn_one_hot {
    size_t outer, depth, inner;
    bool wrap; /* -1 is the last place */
} krn_one_hot;
void krn_one_hot_ref(void *y, const int64_t *at, const void *on, const void *off, size_t size,
                     const krn_one_hot *h);

/** Rows of [count, rows, cols]: keeps what is on and above diagonal k, or on and below it; the rest
 * is *zero. */
void krn_trilu_ref(void *y, const void *x, const void *zero, size_t size, const size_t dim[3],
                   int64_t k, bool upper);

#endif /* KRN_MOVE_H */
