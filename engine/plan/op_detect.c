/* op_detect.c - NON_MAX_SUPPRESSION_V5, DETECTION_POSTPROCESS. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/nn.h"

#include "engine/kernels/krn_detect.h"
#include "engine/kernels/krn_nms.h"

#include <math.h>

static nf_status check_type(const plan_layer *l, const ir_graph *g, int32_t i, eng_dtype want,
                            nf_error *err)
{
    const ir_tensor *y = i < l->node->n_out ? plan_out(l, g, i) : NULL;
    if (!y || y->dtype == want) return NF_OK;
    return nf_fail(err, NF_EUNSUPPORTED, y->name, "%s to %s, expected %s", ir_op_name(l->node->op),
                   eng_dtype_oip(y->dtype), eng_dtype_oip(want));
}

PLAN_PREPARE(plan_nms_v5)
{
    static const eng_dtype types[] = {ENG_I32, ENG_F32, ENG_I32};
    nf_status st;
    (void)env;
    for (int32_t i = 0; i < 3; i++)
        if ((st = check_type(l, g, i, types[i], err))) return st;
    return NF_OK;
}

typedef struct nms_v5 {
    size_t n, most;
} nms_v5;

/* Scratch: scores, places, order and what each box has seen. */
PLAN_BIND(plan_bind_nms_v5)
{
    nf_status st;
    if (in[0].dim[0] != in[1].dim[0] || in[0].dim[1] != 4 || in[0].dim[0] > INT32_MAX)
        return nf_fail(err, NF_EFORMAT, "NON_MAX_SUPPRESSION_V5", "%zu boxes and %zu scores",
                       in[0].dim[0], in[1].dim[0]);
    if ((st = plan_bind_alloc(s, sizeof(nms_v5), err))) return st;
    nms_v5 *k = s->bound;
    *k = (nms_v5){in[0].dim[0], out->dim[0]};
    s->scratch_bytes = k->n * (sizeof(float) + 3 * sizeof(int32_t));
    return NF_OK;
}

PLAN_RUN(plan_run_nms_v5)
{
    const nms_v5 *k = s->bound;
    const int32_t n_in = s->layer->node->n_in, n_out = s->layer->node->n_out;
    const float *from = s->b;
    float *scores = s->scratch, *kept = n_out > 1 ? s->out[1] : NULL;
    int32_t *places = (int32_t *)(scores + k->n), *count = n_out > 2 ? s->out[2] : NULL;
    int32_t *y = s->y;
    /* Here an overlap of iou is already too much: the next float below says so. */
    const krn_nms p = {.n = k->n,
                       .most = (int64_t)k->most,
                       .iou = nextafterf(*(const float *)s->in[3], -INFINITY),
                       .score = *(const float *)s->in[4]};
    const float sigma = n_in > 5 && s->in[5] ? *(const float *)s->in[5] : 0;
    memcpy(scores, from, k->n * sizeof(*scores));
    const size_t n =
        krn_f32_soft_nms_ref(places, s->a, scores, places + k->n, places + 2 * k->n, &p, sigma);
    for (size_t i = 0; i < k->most; i++) {
        if (y) y[i] = i < n ? places[i] : 0;
        if (kept) kept[i] = i < n ? scores[places[i]] : 0;
    }
    if (count) *count = (int32_t)n;
}

PLAN_PREPARE(plan_detect)
{
    nf_status st;
    (void)env;
    for (int32_t i = 0; i < 4; i++) {
        if (i >= l->node->n_out || !plan_out(l, g, i))
            return nf_fail(err, NF_EUNSUPPORTED, "DETECTION_POSTPROCESS", "result %d is left out",
                           i);
        if ((st = check_type(l, g, i, ENG_F32, err))) return st;
    }
    return NF_OK;
}

typedef struct detect {
    size_t images;
    krn_detect p;
} detect;

PLAN_BIND(plan_bind_detect)
{
    const plan_layer *l = s->layer;
    const size_t classes = (size_t)l->node->attr.detect.classes, columns = in[1].dim[2];
    nf_status st;
    (void)out;
    const bool fits = in[0].dim[0] == in[1].dim[0] && in[0].dim[1] == in[1].dim[1] &&
                      in[0].dim[1] == in[2].dim[0] && in[0].dim[2] >= 4 && in[2].dim[1] == 4 &&
                      (columns == classes || columns == classes + 1) && in[0].dim[1] <= INT32_MAX;
    if (!fits)
        return nf_fail(err, NF_EFORMAT, "DETECTION_POSTPROCESS",
                       "%zu boxes, %zu scores of %zu classes and %zu anchors", in[0].dim[1],
                       in[1].dim[1], columns, in[2].dim[0]);
    if ((st = plan_bind_alloc(s, sizeof(detect), err))) return st;
    detect *k = s->bound;
    k->images = in[0].dim[0];
    k->p = (krn_detect){.n = in[0].dim[1],
                        .coords = in[0].dim[2],
                        .columns = columns,
                        .classes = classes,
                        .most = (size_t)l->node->attr.detect.most,
                        .per_box = (size_t)l->node->attr.detect.per_box,
                        .per_class = (size_t)l->node->attr.detect.per_class,
                        .regular = l->node->attr.detect.regular,
                        .score = l->node->attr.detect.score,
                        .iou = l->node->attr.detect.iou};
    memcpy(k->p.scale, l->node->attr.detect.scale, sizeof(k->p.scale));
    s->scratch_bytes = krn_detect_room(&k->p);
    return NF_OK;
}

PLAN_RUN(plan_run_detect)
{
    const detect *k = s->bound;
    const size_t rows = k->p.most * k->p.per_box;
    const float *x = s->in[0], *scores = s->in[1], *anchors = s->in[2];
    for (size_t i = 0; i < k->images; i++) {
        const krn_detect_out y = {(float *)s->out[0] + i * rows * 4, (float *)s->out[1] + i * rows,
                                  (float *)s->out[2] + i * rows, (float *)s->out[3] + i};
        krn_f32_detect_ref(&y, x + i * k->p.n * k->p.coords, scores + i * k->p.n * k->p.columns,
                           anchors, s->scratch, &k->p);
    }
}
