/* move.h - the pieces of table_move.c, and what they share. Layer: plan (inside). */
#ifndef PLAN_MOVE_H
#define PLAN_MOVE_H

#include "engine/kernels/krn_move.h"
#include "engine/kernels/krn_order.h"
#include "engine/plan/layer.h"

#define PLAN_ELEM_MOST 16 /* bytes of the largest element */

/* Loops from x + at_x to y + at_y; in s->bound. */
typedef struct plan_box {
    krn_box box;
    ptrdiff_t at_x, at_y; /* elements */
} plan_box;

/* Shapes of the first and last input and of the result; in s->bound. */
typedef struct plan_ends {
    plan_shape first, last, out;
} plan_ends;

/** Appends a loop. */
void plan_box_add(plan_box *b, size_t dim, ptrdiff_t step_y, ptrdiff_t step_x);

/** Copies from input i to result 0. */
void plan_box_run(const plan_step *s, int32_t i, const plan_box *b);

/** Input i, n numbers of it, as INT64: itself, or converted into `room`. */
const int64_t *plan_ints(const plan_step *s, int32_t i, size_t n, int64_t *room);

/** The same while binding. NF_EUNSUPPORTED when they are not known, or over `most`. */
nf_status plan_bound_ints(int64_t *out, size_t most, const plan_step *s, int32_t i,
                          const plan_shape *shape, nf_error *err);

/** The element that is 0 in real units. */
void plan_zero(uint8_t out[PLAN_ELEM_MOST], const ir_tensor *t);

/** Product of dim[from .. until-1]. */
size_t plan_span(const plan_shape *s, int from, int until);

/** Axis -rank .. rank-1 as 0 .. rank-1; the shape rule has checked it. */
int plan_axis(int64_t axis, int rank);

PLAN_PREPARE(plan_move_check); /* all results, and inputs that are joined, are of x's type */
PLAN_PREPARE(plan_scatter_check);
PLAN_PREPARE(plan_one_hot_check);
PLAN_PREPARE(plan_eye_check);
PLAN_PREPARE(plan_top_k_check);
PLAN_PREPARE(plan_unique_check);
PLAN_PREPARE(plan_number_check);
PLAN_PREPARE(plan_segment_check);
PLAN_PREPARE(plan_pad_check);

PLAN_BIND(plan_bind_concat);
PLAN_BIND(plan_bind_split);
PLAN_BIND(plan_bind_slice);
PLAN_BIND(plan_bind_pad);
PLAN_BIND(plan_bind_repeat);
PLAN_BIND(plan_bind_reverse);
PLAN_BIND(plan_bind_blocks);
PLAN_BIND(plan_bind_space_to_batch);
PLAN_BIND(plan_bind_batch_to_space);
PLAN_BIND(plan_bind_update_slice);
PLAN_BIND(plan_bind_diag);
PLAN_BIND(plan_bind_gather);
PLAN_BIND(plan_bind_gather_nd);
PLAN_BIND(plan_bind_elements);
PLAN_BIND(plan_bind_scatter_nd);
PLAN_BIND(plan_bind_one_hot);
PLAN_BIND(plan_bind_trilu);
PLAN_BIND(plan_bind_reverse_sequence);
PLAN_BIND(plan_bind_top_k);
PLAN_BIND(plan_bind_unique);
PLAN_BIND(plan_bind_non_zero);
PLAN_BIND(plan_bind_compress);
PLAN_BIND(plan_bind_shapes);

PLAN_RUN(plan_run_concat);
PLAN_RUN(plan_run_split);
PLAN_RUN(plan_run_slice);
PLAN_RUN(plan_run_pad);
PLAN_RUN(plan_run_reverse);
PLAN_RUN(plan_run_space_to_batch);
PLAN_RUN(plan_run_batch_to_space);
PLAN_RUN(plan_run_update_slice);
PLAN_RUN(plan_run_diag);
PLAN_RUN(plan_run_gather);
PLAN_RUN(plan_run_gather_nd);
PLAN_RUN(plan_run_gather_elements);
PLAN_RUN(plan_run_scatter_elements);
PLAN_RUN(plan_run_scatter_nd);
PLAN_RUN(plan_run_one_hot);
PLAN_RUN(plan_run_trilu);
PLAN_RUN(plan_run_reverse_sequence);
PLAN_RUN(plan_run_range);
PLAN_RUN(plan_run_eye);
PLAN_RUN(plan_run_zeros);
PLAN_RUN(plan_run_top_k);
PLAN_RUN(plan_run_unique);
PLAN_RUN(plan_run_non_zero);
PLAN_RUN(plan_run_compress);
PLAN_RUN(plan_run_size);
PLAN_RUN(plan_run_broadcast_args);
PLAN_RUN(plan_run_segment_sum);

#endif /* PLAN_MOVE_H */
