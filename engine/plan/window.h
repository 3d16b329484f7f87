/* window.h - a window of the graph as its kernels want it. Layer: plan. */
#ifndef PLAN_WINDOW_H
#define PLAN_WINDOW_H

#include "engine/plan/layer.h"

/** A window between images [h, w, c]. */
krn_window plan_window_of(const ir_window *a, const size_t in[3], const size_t out[3],
                          size_t kernel_h, size_t kernel_w);

/** A column of pixels as the row that it is in memory: signals over time come as columns, and a row
 * is where kernels find neighbours that share what they read. Only where weights are not packed by
 * lines of the kernel, or packed for this window. */
krn_window plan_window_as_row(krn_window w);

/** Fills s->u.window but for its tile: sizes, strides, padding, for a kernel of that size. An empty
 * result has no images. */
void plan_window_bind(plan_step *s, const plan_shape *in, const plan_shape *out, size_t kernel_h,
                      size_t kernel_w);

#endif /* PLAN_WINDOW_H */
