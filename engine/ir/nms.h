/* nms.h - parameters of NON_MAX_SUPPRESSION, which the number of its results depends on.
 * Layer: ir. Thread rule: no shared state. */
#ifndef IR_NMS_H
#define IR_NMS_H

#include "engine/ir/graph.h"
#include "engine/kernels/krn_nms.h"

/** Fills p but for the number of boxes; in, type: the operands (NULL: left out). */
void ir_nms_open(krn_nms *p, const void *const in[5], const eng_dtype type[5], bool center);

#endif /* IR_NMS_H */
