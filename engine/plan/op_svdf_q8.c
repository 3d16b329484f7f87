/* op_svdf_q8.c - SVDF on INT8. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/kernels/krn_quant_rnn.h"
#include "engine/plan/quant.h"

#include "engine/base/mem.h"

#include <string.h>

typedef struct svdf {
    krn_q_svdf p;
    int8_t *feature; /* packed by krn_qs8_pack; NULL: too many inputs, the plain version runs */
    size_t n_pad, k_pad, value; /* bytes of a value of the state */
    krn_q_svdf_fn tail;
} svdf;

static void svdf_fini(void *own)
{
    nf_free(((svdf *)own)->feature);
}

static nf_status check(const plan_layer *l, const ir_graph *g, nf_error *err)
{
    const ir_tensor *x = plan_in(l, g, 0), *f = plan_in(l, g, 1), *t = plan_in(l, g, 2);
    const ir_tensor *b = plan_in(l, g, 3), *state = plan_in(l, g, 4), *y = plan_out(l, g, 0);
    const size_t filters = (size_t)f->dim[0];
    size_t n;
    if (!plan_q_matrix(f, ENG_I8, filters * (size_t)f->dim[1]) ||
        !plan_q_matrix(t, state->dtype, filters * (size_t)t->dim[1]) || x->dtype != ENG_I8 ||
        y->dtype != ENG_I8 || x->quant.n != 1 || y->quant.n != 1 || state->quant.n != 1 ||
        state->quant.zero[0] || (state->dtype != ENG_I16 && state->dtype != ENG_I8))
        return nf_fail(err, NF_EUNSUPPORTED, y->name,
                       "SVDF with operands other than INT8 and a state of INT16 or INT8");
    if (b && (!b->data || b->dtype != ENG_I32 || !ir_elems(&n, b, 1) ||
              n != filters / (size_t)l->node->attr.axis.number))
        return nf_fail(err, NF_EUNSUPPORTED, y->name,
                       "SVDF with a bias that is not constant INT32");
    return NF_OK;
}

static void read_svdf(krn_q_svdf *p, const plan_layer *l, const ir_graph *g)
{
    const ir_tensor *x = plan_in(l, g, 0), *f = plan_in(l, g, 1), *t = plan_in(l, g, 2);
    const ir_tensor *b = plan_in(l, g, 3), *state = plan_in(l, g, 4), *y = plan_out(l, g, 0);
    const double in = (double)x->quant.scale[0] * (double)f->quant.scale[0];
    const double out = (double)state->quant.scale[0] * (double)t->quant.scale[0];
    *p = (krn_q_svdf){.in = (size_t)f->dim[1],
                      .filters = (size_t)f->dim[0],
                      .rank = (size_t)l->node->attr.axis.number,
                      .memory = (size_t)t->dim[1],
                      .state_type = state->dtype == ENG_I16 ? KRN_I16 : KRN_I8,
                      .zero_x = x->quant.zero[0],
                      .zero = y->quant.zero[0],
                      .feature = (const int8_t *)f->data,
                      .time = t->data,
                      .bias = b ? (const int32_t *)(const void *)b->data : NULL,
                      .in_factor = krn_factor_of(in / (double)state->quant.scale[0]),
                      .out_factor = krn_factor_of(out / (double)y->quant.scale[0])};
    plan_q_limits(&p->low, &p->high, y, ir_no_clamp());
}

/* The features as the matrix product wants them; nothing reads the file's any more. */
static nf_status pack_features(svdf *u, plan_layer *l, nf_error *err)
{
    const krn_q_svdf *p = &u->p;
    u->n_pad = krn_round_up(p->filters, KRN_QS8_N);
    u->k_pad = krn_round_up(p->in, KRN_QS8_K);
    u->feature = nf_alloc(u->n_pad * u->k_pad, NF_MEM_WEIGHTS);
    if (!u->feature) return nf_fail(err, NF_ENOMEM, "svdf", "no memory for a layer");
    krn_qs8_pack(u->feature, p->feature, p->filters, p->in);
    l->packed = 1u << 1;
    l->weight_bytes = u->n_pad * u->k_pad;
    return NF_OK;
}

PLAN_PREPARE(plan_svdf_q8)
{
    nf_status st;
    if ((st = check(l, g, err))) return st;
    svdf *u = nf_alloc(sizeof(*u), NF_MEM_WEIGHTS);
    if (!u) return nf_fail(err, NF_ENOMEM, "svdf", "no memory for a layer");
    l->own = u;
    l->own_fini = svdf_fini;
    read_svdf(&u->p, l, g);
    u->value = u->p.state_type == KRN_I16 ? 2 : 1;
    u->tail = krn_q_svdf_choose(env->cpu);
    return u->p.in <= KRN_QS8_MAX_K ? pack_features(u, l, err) : NF_OK;
}

/* Scratch: the states of all rows, sums of one row, and its input, widened. */
PLAN_BIND(plan_bind_svdf_q8)
{
    const svdf *u = s->layer->own;
    const krn_q_svdf *p = &u->p;
    const size_t rows = in[0].dim[0], width = p->filters * p->memory;
    (void)out;
    if (in[4].elems != rows * width)
        return nf_fail(err, NF_EFORMAT, "svdf", "a state of %zu values for %zu rows", in[4].elems,
                       rows);
    s->u.dense.rows = rows;
    s->scratch_bytes = krn_round_up(rows * width * u->value, sizeof(int32_t)) +
                       u->n_pad * sizeof(int32_t) + u->k_pad * sizeof(int16_t);
    s->macs = (uint64_t)rows * p->filters * (p->in + p->memory);
    return NF_OK;
}

/* One row by the matrix product: its state comes from `from`, moved up by one value. */
static void run_row(int8_t *y, const int8_t *x, char *state, const char *from, const plan_step *s)
{
    const svdf *u = s->layer->own;
    const krn_q_svdf *p = &u->p;
    const size_t bytes = p->filters * p->memory * u->value;
    const size_t states = krn_round_up(s->u.dense.rows * bytes, sizeof(int32_t));
    int32_t *sums = (int32_t *)(void *)((char *)s->scratch + states);
    int16_t *wide = (int16_t *)(void *)(sums + u->n_pad);
    memcpy(state, from + u->value, bytes - u->value);
    krn_qs8_widen_ref(wide, (const uint8_t *)x, p->zero_x, false, 1, p->in, u->k_pad);
    s->layer->qs8.gemm(sums, wide, u->feature, 1, u->n_pad, u->k_pad);
    u->tail(y, state, sums, p);
}

PLAN_RUN(plan_run_svdf_q8)
{
    const svdf *u = s->layer->own;
    const krn_q_svdf *p = &u->p;
    const size_t rows = s->u.dense.rows, bytes = p->filters * p->memory * u->value;
    const char *from = s->in[4];
    for (size_t i = 0; i < rows; i++) {
        char *state = (char *)s->scratch + i * bytes;
        int8_t *y = (int8_t *)s->y + i * (p->filters / p->rank);
        const int8_t *x = (const int8_t *)s->a + i * p->in;
        if (u->feature) {
            run_row(y, x, state, from + i * bytes, s);
            continue;
        }
        memcpy(state, from + i * bytes, bytes);
        krn_q_svdf_step_ref(y, x, state, p);
    }
    if (s->layer->node->n_out > 1 && s->out[1]) memcpy(s->out[1], s->scratch, rows * bytes);
}
