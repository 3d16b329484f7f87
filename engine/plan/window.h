/* window.h - a window of the graph as its kernels want it. Layer: plan. */
#ifndef PLAN_WINDOW_H
#define PLAN_WINDOW_H

#include "engine/plan/layer.h"

/** Sizes, strides and dilations, all but the kernel's own size and the padding. */
void plan_window_of(krn_window *w, const ir_window *a, const plan_shape *in, const plan_shape *out);

/** Padding before the image, once the kernel's size is known. */
void plan_window_pad(krn_window *w, const ir_window *a);

#endif /* PLAN_WINDOW_H */
