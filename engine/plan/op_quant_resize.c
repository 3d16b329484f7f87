/* op_quant_resize.c - RESIZE of images of quantized values; nearest neighbours only move and stand
 * in op_resize.c. Layer: plan. Thread rule: run functions touch only their step's memory. */
#include "engine/kernels/krn_quant_resize.h"
#include "engine/plan/nn.h"
#include "engine/plan/quant.h"

PLAN_PREPARE(plan_q_resize)
{
    const ir_resize *r = &l->node->attr.resize;
    const ir_tensor *x = plan_in(l, g, 0);
    const bool known = r->place == IR_PLACE_ASYMMETRIC || r->place == IR_PLACE_ALIGN_CORNERS ||
                       r->place == IR_PLACE_HALF_PIXEL;
    const bool image = r->n_axes == 2 && r->axes[0] == 1 && r->axes[1] == 2 && x->rank == 4;
    krn_type type;
    nf_status st;
    if (r->mode == IR_NEAREST) return plan_resize(l, g, env, err);
    if ((st = plan_q_type(&type, x, err)) || (st = plan_same_quant(l, g, env, err))) return st;
    if (r->mode == IR_LINEAR && known && image && !r->antialias) return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, plan_out(l, g, 0)->name,
                   "RESIZE of quantized values in this mode");
}

static PLAN_RUN(run_linear)
{
    const krn_q_resize *r = s->bound;
    const size_t size = s->layer->elem_size;
    const size_t in = r->in_h * r->in_w * r->c * size, out = r->out_h * r->out_w * r->c * size;
    for (size_t b = 0; b < s->u.window.batch; b++)
        krn_q_resize_ref((char *)s->y + b * out, (const char *)s->a + b * in, r);
}

PLAN_BIND(plan_bind_q_resize)
{
    const plan_layer *l = s->layer;
    const ir_resize *a = &l->node->attr.resize;
    const krn_q_corner corner = a->place == IR_PLACE_ALIGN_CORNERS ? KRN_Q_ALIGNED
                                : a->place == IR_PLACE_HALF_PIXEL  ? KRN_Q_HALF_PIXEL
                                                                   : KRN_Q_ASYMMETRIC;
    nf_status st;
    if (a->mode == IR_NEAREST) {
        s->run = plan_run_resize;
        return plan_bind_resize(s, in, out, err);
    }
    if ((st = plan_bind_alloc(s, sizeof(krn_q_resize), err))) return st;
    krn_q_resize *r = s->bound;
    krn_q_place *places =
        plan_heap_alloc(s->heap, (out->dim[1] + out->dim[2]) * sizeof(*places) + 1);
    if (!places) return nf_fail(err, NF_ENOMEM, "RESIZE", "no memory for its places");
    krn_type type;
    plan_krn_type(&type, plan_in(l, l->owner->g, 0)->dtype);
    const bool fast = plan_q_fast(l) && type != KRN_I16;
    *r = (krn_q_resize){.type = type,
                        .in_h = in[0].dim[1],
                        .in_w = in[0].dim[2],
                        .out_h = out->dim[1],
                        .out_w = out->dim[2],
                        .c = out->dim[3],
                        .bits = fast ? 11 : 10,
                        .fast = fast,
                        .rows = places,
                        .columns = places + out->dim[1]};
    if (out->elems && (r->in_h == 0 || r->in_w == 0))
        return nf_fail(err, NF_EINVAL, "RESIZE", "an image of no pixels");
    krn_q_places(places, r->in_h, r->out_h, corner, fast);
    krn_q_places(places + out->dim[1], r->in_w, r->out_w, corner, fast);
    s->u.window.batch = in[0].dim[0];
    s->run = run_linear;
    return NF_OK;
}
