/* resize.h - sizes and scales of a RESIZE. Layer: ir. Thread rule: no shared state. */
#ifndef IR_RESIZE_H
#define IR_RESIZE_H

#include "engine/ir/graph.h"

/** The result's shape from that of x, which stands in *out, and the scale of each axis: by the n
 * factors `by`, or when that is NULL to the n sizes. False when they are out of range. */
bool ir_resize_sizes(ir_shape *out, double *scale, const ir_resize *r, const float *by,
                     const int64_t *size, int n);

#endif /* IR_RESIZE_H */
