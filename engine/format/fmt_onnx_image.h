/* fmt_onnx_image.h - what the ONNX operators on images share. Layer: format (inside).
 * ONNX images are [n, c, axes..] and its weights [out, in, axes..]; the graph's are [n, axes.., c]
 * and [out, axes.., in], so there is a TRANSPOSE before and behind each operator; a pass removes
 * those that meet. An image of one axis is one of two whose first has size 1. */
#ifndef FMT_ONNX_IMAGE_H
#define FMT_ONNX_IMAGE_H

#include "engine/format/fmt_onnx.h"

/** Input i as an image with its channels last, of 2 or 3 axes. NF_EUNSUPPORTED: other ranks. */
nf_status fmt_onnx_image_in(int32_t *image, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i);

/** The same of a tensor. */
nf_status fmt_onnx_image_of(int32_t *image, fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t x);

/** Result i of the node, of `rank` dimensions, from an image with its channels last; nothing when
 * nobody wants it. */
nf_status fmt_onnx_image_out(fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i, int32_t image,
                             int rank);

/** The same to a new tensor. */
nf_status fmt_onnx_image_back(int32_t *y, fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t image,
                              int rank);

/** Weights of input i [a, b, axes..] as [a, axes.., b], or [b, axes.., a] when `swapped`, or
 * [1, axes.., a] when `depthwise` (b is 1). *stored: the file has them. */
typedef enum fmt_onnx_order { FMT_ONNX_FIRST, FMT_ONNX_SWAPPED, FMT_ONNX_DEPTHWISE } fmt_onnx_order;
nf_status fmt_onnx_weights(int32_t *w, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                           fmt_onnx_order order, size_t i);

/** Dimensions of input i, whether stored or computed. */
nf_status fmt_onnx_dims(int *rank, int64_t *dim, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i);

/** Strides, dilations, pads, group and kernel_shape of an operator over `axes` axes, 1 to 3. */
nf_status fmt_onnx_nd(ir_nd *w, fmt_onnx_ctx *o, const fmt_onnx_node *n, int axes);

/** Up to `most` numbers 0 (or 1) to INT32_MAX of an attribute; `absent` when it is not there. */
nf_status fmt_onnx_sizes(int32_t *out, size_t want, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                         const char *name, int32_t absent);

/** One axis becomes two, the first of size 1. */
void fmt_onnx_widen(ir_nd *w);

/** The same window over two axes. */
ir_window fmt_onnx_window(const ir_nd *w);

#endif /* FMT_ONNX_IMAGE_H */
