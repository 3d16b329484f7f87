/* q8.h - 8-bit layers packed for the instruction set of the machine. Layer: plan.
 * Thread rule: made while a model loads, then read-only. */
#ifndef PLAN_Q8_H
#define PLAN_Q8_H

#include "engine/kernels/krn_qs8_depth.h"
#include "engine/plan/layer.h"

/* Owned by its layer; what the kernels point to lies behind it, in the same memory. NULL in a layer
 * that runs the plain kernels. */
struct plan_q8 {
    krn_qs8_conv conv;
    krn_qs8_depth depth; /* of a DEPTHWISE_CONV_2D with as many inputs as outputs */
    bool is_depth;
};

/** The images of a step, one after the other, through the tiles of l->q8->conv. */
void plan_run_conv_tiles(const plan_step *s);

#endif /* PLAN_Q8_H */
