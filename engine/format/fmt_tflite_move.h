/* fmt_tflite_move.h - what the readers of TensorFlow Lite's moving operators share. Layer: format
 * (inside). */
#ifndef FMT_TFLITE_MOVE_H
#define FMT_TFLITE_MOVE_H

#include "engine/format/fmt_tflite.h"

/** The graph's tensor for input i of the operator. */
nf_status fmt_tfl_end(int32_t *out, fmt_tfl *t, const fmt_tfl_op *op, size_t i);

/** The one number of constant input i, an axis of any tensor. */
nf_status fmt_tfl_axis(int *out, fmt_tfl *t, const fmt_tfl_op *op, size_t i);

/** A tensor between nodes with the type and scale of tensor `like`. */
nf_status fmt_tfl_temp_like(int32_t *out, fmt_tfl *t, int32_t like, const char *suffix);

/** A node of one result. */
nf_status fmt_tfl_node(ir_node **node, fmt_tfl *t, ir_op kind, const int32_t *in, int32_t n_in,
                       int32_t out);

/** One element of `dtype` whose bytes are 0. */
nf_status fmt_tfl_new_zero(int32_t *out, fmt_tfl *t, eng_dtype dtype);

nf_status fmt_tfl_broadcast_args(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_broadcast_to(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_embedding(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_fill(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_gather(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_gather_nd(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_one_hot(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_range(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_rank(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_scatter_nd(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_segment_sum(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_shape(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_sparse_to_dense(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_top_k(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_unique(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_where(fmt_tfl *t, const fmt_tfl_op *op);
nf_status fmt_tfl_zeros_like(fmt_tfl *t, const fmt_tfl_op *op);

#endif /* FMT_TFLITE_MOVE_H */
