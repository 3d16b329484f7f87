/* op_svdf.c - SVDF: a product of features, and a memory of each for the last steps. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/gemm.h"
#include "engine/plan/nn.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_nn.h"
#include "engine/kernels/krn_rnn.h"

#include <string.h>

typedef struct svdf {
    float *feature; /* [in, filters] */
    float *time;    /* [filters, memory] */
    size_t in, filters, memory;
} svdf;

static void free_svdf(void *own)
{
    nf_free(((svdf *)own)->feature);
}

/* Stored floats, or bytes with one scale, as floats. */
static nf_status read_floats(float *to, const ir_tensor *t, size_t n, nf_error *err)
{
    krn_type type;
    if (t->data && t->dtype == ENG_F32) {
        memcpy(to, t->data, n * sizeof(*to));
        return NF_OK;
    }
    if (!t->data || t->quant.n != 1 || !plan_krn_type(&type, t->dtype))
        return nf_fail(err, NF_EUNSUPPORTED, t->name, "SVDF with weights of %s that are %s",
                       eng_dtype_oip(t->dtype), t->data ? "stored" : "computed");
    const krn_scales q = {t->quant.scale, t->quant.zero, 1, n};
    krn_dequantize_ref(to, t->data, type, 1, &q);
    return NF_OK;
}

PLAN_PREPARE(plan_svdf)
{
    const ir_tensor *f = plan_in(l, g, 1), *t = plan_in(l, g, 2), *b = plan_in(l, g, 3);
    nf_status st;
    (void)env;
    if (plan_in(l, g, 0)->dtype != ENG_F32 || plan_in(l, g, 4)->dtype != ENG_F32 ||
        (b && b->dtype != ENG_F32) || plan_out(l, g, 0)->dtype != ENG_F32)
        return nf_fail(err, NF_EUNSUPPORTED, plan_out(l, g, 0)->name,
                       "SVDF with a state, bias or result that is not FP32");
    svdf *own = nf_alloc(sizeof(*own), NF_MEM_WEIGHTS);
    if (!own) return nf_fail(err, NF_ENOMEM, f->name, "no memory");
    l->own = own;
    l->own_fini = free_svdf;
    *own =
        (svdf){.in = (size_t)f->dim[1], .filters = (size_t)f->dim[0], .memory = (size_t)t->dim[1]};
    const size_t features = own->in * own->filters, times = own->filters * own->memory;
    own->feature = nf_alloc_array(features + times, sizeof(float), NF_MEM_WEIGHTS);
    float *plain = nf_alloc_array(features, sizeof(float), NF_MEM_GRAPH);
    st = own->feature && plain ? NF_OK : nf_fail(err, NF_ENOMEM, f->name, "no memory");
    if (!st) st = read_floats(plain, f, features, err);
    if (!st) krn_swap_ref(own->feature, plain, sizeof(float), own->filters, own->in);
    nf_free(plain);
    if (st) return st;
    own->time = own->feature + features;
    l->weight_bytes = (features + times) * sizeof(float);
    return read_floats(own->time, t, times, err);
}

/* Scratch: the features of all rows, and their states. */
PLAN_BIND(plan_bind_svdf)
{
    const svdf *own = s->layer->own;
    const ir_node *n = s->layer->node;
    const size_t rows = in[0].dim[0], units = own->filters / (size_t)n->attr.axis.number;
    (void)out;
    if (in[4].elems != rows * own->filters * own->memory || (n->in[3] >= 0 && in[3].elems != units))
        return nf_fail(err, NF_EINVAL, "SVDF", "a state or bias that does not fit %zu rows", rows);
    s->u.dense.rows = rows;
    s->scratch_bytes = rows * own->filters * (1 + own->memory) * sizeof(float);
    s->macs = (uint64_t)rows * own->filters * (own->in + own->memory);
    return NF_OK;
}

PLAN_RUN(plan_run_svdf)
{
    const svdf *own = s->layer->own;
    const size_t rows = s->u.dense.rows, rank = (size_t)s->layer->node->attr.axis.number;
    const size_t width = own->filters * own->memory;
    float *now = s->scratch, *state = now + rows * own->filters;
    const krn_svdf p = {own->filters / rank, rank, own->memory, own->time, s->in[3]};
    plan_gemm_f32(s->layer, rows, own->filters, own->in)(now, s->a, own->feature, rows,
                                                         own->filters, own->in);
    memcpy(state, s->in[4], rows * width * sizeof(float));
    for (size_t i = 0; i < rows; i++)
        krn_f32_svdf_ref((float *)s->y + i * p.units, state + i * width, now + i * own->filters,
                         &p);
    if (s->layer->node->n_out > 1 && s->out[1])
        memcpy(s->out[1], state, rows * width * sizeof(float));
}
