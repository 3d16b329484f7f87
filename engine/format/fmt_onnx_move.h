/* fmt_onnx_move.h - what the readers of ONNX's moving operators share. Layer: format (inside). */
#ifndef FMT_ONNX_MOVE_H
#define FMT_ONNX_MOVE_H

#include "engine/format/fmt_onnx.h"

#define FMT_ONNX_MOST_IN 5

/** A node of the first n_in inputs (what is left out: IR_NONE) with a result of x's type. */
nf_status fmt_onnx_moves(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, int32_t n_in,
                         const ir_attr *attr);

/** An attribute that is an axis of any tensor. NF_EFORMAT. */
nf_status fmt_onnx_axis(int *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                        int64_t absent);

/** Which of the texts (up to NULL) an attribute is; the first when it is not there.
 * NF_EUNSUPPORTED. */
nf_status fmt_onnx_choice(int *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, const char *name,
                          const char *const *choices);

nf_status fmt_onnx_compress(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_eye_like(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_gather(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_gather_elements(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_gather_nd(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_non_zero(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_one_hot(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_range(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_reverse_sequence(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_scatter_elements(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_scatter_nd(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_size_of(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_top_k(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_trilu(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_unique(fmt_onnx_ctx *o, const fmt_onnx_node *n);

#endif /* FMT_ONNX_MOVE_H */
