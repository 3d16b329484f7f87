/* q8.h - 8-bit layers packed for the instruction set of the machine. Layer: plan.
 * Thread rule: made while a model loads, then read-only. */
#ifndef PLAN_Q8_H
#define PLAN_Q8_H

#include "engine/kernels/krn_qs8_depth.h"
#include "engine/kernels/krn_qs8_real.h"
#include "engine/plan/layer.h"

/* Owned by its layer; what the kernels point to lies behind it, in the same memory. NULL in a layer
 * that runs the plain kernels. */
struct plan_q8 {
    krn_qs8_conv conv;
    krn_qs8_depth depth; /* of a DEPTHWISE_CONV_2D with as many inputs as outputs */
    bool is_depth;
    krn_qs8_out out; /* where sums become floats */
};

/** The images of a step, one after the other, through the tiles of l->q8->conv. */
void plan_run_conv_tiles(const plan_step *s);

/** Packs a product into l->q8, which stays NULL when there is no tier or it is not for it.
 * NF_ENOMEM.
 */
nf_status plan_pack_tiles(plan_layer *l, const ir_graph *g, const krn_qs8_source *s, nf_error *err);

/** Packs a TRANSPOSE_CONV whose plain kernel is ready, padded by `before` along its axes; l->q8
 * stays NULL where that kernel has to do it. NF_ENOMEM. */
nf_status plan_deconv_pack(plan_layer *l, const ir_graph *g, const ptrdiff_t before[2],
                           nf_error *err);

/** Bytes of scratch for plan_run_deconv_tiles, once s->u.window is filled. */
size_t plan_deconv_scratch(const plan_step *s);
void plan_run_deconv_tiles(const plan_step *s);

/** True where the size of an image is known only at run time: tiles are packed for one size. */
bool plan_is_open(const ir_tensor *t);

/** Packs a product of floats on 8-bit weights, [out_c] scales and biases: what is in l->product and
 * o beside the sums of weights. Leaves l->q8 NULL where no tiles are for it. NF_ENOMEM. */
nf_status plan_pack_sums(plan_layer *l, const ir_graph *g, const krn_qs8_out *o, nf_error *err);

/** Packs INT8 weights for the sums of their product; depth: one input for each output. Leaves l->q8
 * NULL where no tiles are for it. NF_ENOMEM. */
nf_status plan_pack_source(plan_layer *l, const ir_graph *g, const krn_qs8_source *s, bool depth,
                           nf_error *err);

/** The same for MATMUL_INTEGER and CONV_INTEGER, where their weights are constant INT8 numbers
 * without zero points. */
nf_status plan_pack_integer(plan_layer *l, const ir_graph *g, nf_error *err);

/** Binds a step of such a layer: `rows` matrix rows, or images. */
void plan_bind_integer(plan_step *s, size_t rows, bool is_image);

/** Binds a step of a layer packed by plan_pack_sums(): rows of a FULLY_CONNECTED, or images, whose
 * every pixel has a scale of its own or which have one each. */
void plan_bind_hybrid_rows(plan_step *s);
void plan_bind_hybrid_images(plan_step *s, bool each_pixel);

#endif /* PLAN_Q8_H */
