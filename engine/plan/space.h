/* space.h - what the ops with a window over 1 to 3 axes share. Layer: plan (inside). */
#ifndef PLAN_SPACE_H
#define PLAN_SPACE_H

#include "engine/plan/layer.h"

#include "engine/kernels/krn_space.h"

/** The window over an image [n, axes.., c] that gives `out`; kernel[a->n] in pixels. */
void plan_space_bind(krn_space *s, const ir_nd *a, const plan_shape *image, const plan_shape *out,
                     const int32_t *kernel);

#endif /* PLAN_SPACE_H */
