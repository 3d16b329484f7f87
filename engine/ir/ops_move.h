/* ops_move.h - operators that move values: slices, gathers, padding, joins. Layer: ir.
 * A row is explained in ops.h. Parameters that are inputs are INT32 or INT64.
 *
 * axis, batch_dims, number and flag are those of attr.axis; mode and size those of attr.misc.
 * SPLIT: x, sizes?; axis. Without sizes equal parts, of which the last may be smaller.
 * SLICE: x, starts, ends, axes?, steps?; flag: ends are sizes. STRIDED_SLICE: attr.strided.
 * PAD: x, pads, value?, axes?; mode; misc.flag: pads are [before, after] of each axis, else all
 *   `before` and then all `after`. Without a value: what is 0 in real units.
 * SCATTER_ELEMENTS: size[0] is the axis. SCATTER_ND, GATHER_ND: indices [.., k].
 * ONE_HOT: indices, depth, on, off; flag: negative indices count from the end.
 * REVERSE_SEQUENCE: x, lengths; axis: of time, batch_dims: of the sequences.
 * SPACE_TO_DEPTH, DEPTH_TO_SPACE: size[0] is the block; misc.flag: [n, c, h, w]; misc.flag2: a
 *   channel is (c, row, column) and not (row, column, c).
 * SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND: x, blocks [k], pads or crops [k, 2].
 * TOP_K: x, k; axis; flag: the smallest. Results: values, places.
 * UNIQUE: axis; flag: of all elements; flag2: in the order in which they are met. Results: values,
 *   where each is first, which one each element is, how often each is there.
 * NON_ZERO: flag: [n, rank], else [rank, n]. COMPRESS: x, condition; axis; flag: of all elements.
 * TRILU: x, k?; flag: upper. EYE_LIKE: number is the diagonal.
 * SQUEEZE: where the shape is known, a RESHAPE does it and keeps a batch of 1. */
#ifndef IR_OPS_MOVE_H
#define IR_OPS_MOVE_H

/* Modes of PAD, as krn_pad_mode has them, and of the SCATTERs, as krn_scatter. */
enum { IR_PAD_VALUE, IR_PAD_REFLECT, IR_PAD_EDGE, IR_PAD_WRAP, IR_PAD_SYMMETRIC };
enum { IR_SCATTER_SET, IR_SCATTER_ADD, IR_SCATTER_MUL, IR_SCATTER_MAX, IR_SCATTER_MIN };

#define IR_MOVE_MAP(X)                                                                             \
    X(CONCATENATION, 1, 0, 1, concat, pair)                                                        \
    X(SPLIT, 1, 2, 0, split, any)                                                                  \
    X(SLICE, 3, 5, 1, slice, move)                                                                 \
    X(STRIDED_SLICE, 3, 4, 1, strided_slice, move) /* x, begin, end, strides? */                   \
    X(PAD, 2, 4, 1, pad, move)                                                                     \
    X(TILE, 2, 2, 1, tile, move)                                                                   \
    X(BROADCAST_TO, 2, 2, 1, broadcast_to, move)        /* both ways, as NumPy does */             \
    X(GATHER, 2, 2, 1, gather, move)                    /* x, indices; axis, batch_dims */         \
    X(GATHER_ND, 2, 2, 1, gather_nd, move)              /* x, indices; batch_dims */               \
    X(GATHER_ELEMENTS, 2, 2, 1, gather_elements, move)  /* x, indices; axis */                     \
    X(SCATTER_ELEMENTS, 3, 3, 1, scatter_elements, any) /* x, indices, updates; mode */            \
    X(SCATTER_ND, 3, 3, 1, scatter_nd, any)             /* x, indices, updates; mode */            \
    X(ONE_HOT, 4, 4, 1, one_hot, any)                                                              \
    X(RANGE, 3, 3, 1, range, pair) /* start, limit, delta */                                       \
    X(EYE_LIKE, 1, 1, 1, eye_like, any)                                                            \
    X(ZEROS_LIKE, 1, 1, 1, same, any)                                                              \
    X(REVERSE_V2, 2, 2, 1, reverse, move) /* x, axes */                                            \
    X(REVERSE_SEQUENCE, 2, 2, 1, reverse_sequence, move)                                           \
    X(SPACE_TO_DEPTH, 1, 1, 1, space_to_depth, move)                                               \
    X(DEPTH_TO_SPACE, 1, 1, 1, depth_to_space, move)                                               \
    X(SPACE_TO_BATCH_ND, 3, 3, 1, space_to_batch, move)                                            \
    X(BATCH_TO_SPACE_ND, 3, 3, 1, batch_to_space, move)                                            \
    X(TOP_K, 2, 2, 2, top_k, any)                                                                  \
    X(UNIQUE, 1, 1, 4, unique, any)                                                                \
    X(NON_ZERO, 1, 1, 1, non_zero, index)                                                          \
    X(COMPRESS, 2, 2, 1, compress, move)                                                           \
    X(TRILU, 1, 2, 1, trilu, move)                                                                 \
    X(SIZE, 1, 1, 1, size_of, index) /* the number of elements */                                  \
    X(SQUEEZE, 1, 2, 1, squeeze, move)                                                             \
    X(UNSQUEEZE, 2, 2, 1, unsqueeze, move)                                                         \
    X(DYNAMIC_UPDATE_SLICE, 3, 3, 1, update_slice, any) /* x, update, starts */                    \
    X(BROADCAST_ARGS, 2, 2, 1, broadcast_args, pair)    /* two shapes */                           \
    X(MATRIX_DIAG, 1, 1, 1, matrix_diag, move)                                                     \
    X(MATRIX_SET_DIAG, 2, 2, 1, matrix_set_diag, pair) /* x, diagonal */                           \
    X(SEGMENT_SUM, 2, 2, 1, segment_sum, elem)         /* x, ids in rising order */

#endif /* IR_OPS_MOVE_H */
