/* op_nms.c - NON_MAX_SUPPRESSION. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/nn.h"

#include "engine/ir/nms.h"

typedef struct nms {
    size_t images, classes, n, rows; /* rows: of the result */
} nms;

PLAN_PREPARE(plan_nms)
{
    const ir_tensor *y = plan_out(l, g, 0);
    (void)env;
    if (y->dtype == ENG_I64 && plan_in(l, g, 1)->dtype == ENG_F32) return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "NON_MAX_SUPPRESSION to %s",
                   eng_dtype_oip(y->dtype));
}

/* Scratch: places and order of the boxes of one class. */
PLAN_BIND(plan_bind_nms)
{
    nf_status st;
    if ((st = plan_bind_alloc(s, sizeof(nms), err))) return st;
    nms *k = s->bound;
    *k = (nms){in[0].dim[0], in[1].dim[1], in[0].dim[1], out->dim[0]};
    for (int32_t i = 2; i < s->layer->node->n_in; i++)
        if (s->layer->node->in[i] >= 0 && in[i].elems != 1)
            return nf_fail(err, NF_EFORMAT, "NON_MAX_SUPPRESSION", "a limit of %zu numbers",
                           in[i].elems);
    s->scratch_bytes = 2 * k->n * sizeof(int32_t);
    return NF_OK;
}

PLAN_RUN(plan_run_nms)
{
    const nms *k = s->bound;
    const plan_layer *l = s->layer;
    int32_t *places = s->scratch;
    int64_t *y = s->y;
    const void *in[5];
    eng_dtype type[5];
    krn_nms p = {.n = k->n};
    size_t row = 0;
    for (int32_t i = 0; i < 5; i++) {
        const ir_tensor *t = plan_in(l, l->owner->g, i);
        in[i] = t ? s->in[i] : NULL;
        type[i] = t ? t->dtype : ENG_F32;
    }
    ir_nms_open(&p, in, type, l->node->attr.axis.flag);
    for (size_t i = 0; i < k->images * k->classes; i++) {
        const size_t image = i / k->classes;
        const size_t n = krn_f32_nms_ref(places, (const float *)in[0] + image * k->n * 4,
                                         (const float *)in[1] + i * k->n, places + k->n, &p);
        for (size_t b = 0; b < n && row < k->rows; b++, row++) {
            y[3 * row] = (int64_t)image;
            y[3 * row + 1] = (int64_t)(i % k->classes);
            y[3 * row + 2] = places[b];
        }
    }
}
