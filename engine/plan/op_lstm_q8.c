/* op_lstm_q8.c - UNIDIRECTIONAL_SEQUENCE_LSTM on INT8 with a cell of 16 bits. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/kernels/krn_qs8_lstm.h"
#include "engine/plan/quant.h"

#include "engine/base/mem.h"

#include <string.h>

/* Inputs of the operator; those of gates in the order input, forget, cell, output. */
enum { X = 0, W = 1, R = 5, PEEPHOLE = 9, BIAS = 12, PROJ = 16, PROJ_BIAS, STATE, CELL, NORM };

typedef struct lstm {
    krn_q_lstm p;
    int64_t *bias;       /* [4, cells] */
    krn_qs8_lstm packed; /* for vectors, where there are any: p's weights are then gone */
    void *memory;        /* that packed points into, or NULL */
} lstm;

static nf_status refuse(const plan_layer *l, const ir_graph *g, const char *why, nf_error *err)
{
    return nf_fail(err, NF_EUNSUPPORTED, plan_out(l, g, 0)->name, "%s with %s",
                   ir_op_name(l->node->op), why);
}

static krn_factor effective(const ir_tensor *w, float scale, float gate_scale)
{
    return krn_factor_of((double)(w->quant.scale[0] * scale / gate_scale));
}

/* What a gate has beside its two products. */
static nf_status read_extras(krn_q_gate *to, int i, float unit, const plan_layer *l,
                             const ir_graph *g, nf_error *err)
{
    const ir_tensor *norm = plan_in(l, g, NORM + i);
    const ir_tensor *hole =
        i == KRN_GATE_CELL ? NULL : plan_in(l, g, PEEPHOLE + (i == KRN_GATE_OUTPUT ? 2 : i));
    const size_t cells = (size_t)plan_in(l, g, W + 1)->dim[0];
    if ((norm && !plan_q_matrix(norm, ENG_I16, cells)) ||
        (hole && !plan_q_matrix(hole, ENG_I16, cells)))
        return refuse(l, g, "peepholes or norms that are not constant INT16", err);
    if (hole) {
        to->peephole = (const int16_t *)(const void *)hole->data;
        to->peephole_factor = effective(hole, plan_in(l, g, CELL)->quant.scale[0], unit);
    }
    if (norm) {
        const float least = 10000 * norm->quant.scale[0];
        to->norm = (const int16_t *)(const void *)norm->data;
        to->norm_factor = krn_factor_of((double)norm->quant.scale[0]);
        to->least_variance = least > 1 ? (int32_t)fminf(least, 1e9f) : 1;
    }
    return NF_OK;
}

static nf_status read_gate(lstm *u, int i, const plan_layer *l, const ir_graph *g, nf_error *err)
{
    krn_q_lstm *p = &u->p;
    krn_q_gate *to = &p->gate[i];
    const ir_tensor *w = plan_in(l, g, W + i), *r = plan_in(l, g, R + i);
    const ir_tensor *b = plan_in(l, g, BIAS + i);
    const float own = l->node->attr.rnn.inner_scale[i];
    const float unit = plan_in(l, g, NORM + i) && own > 0 ? own : 1.0f / 4096; /* Q3.12 */
    size_t n;
    if (i == KRN_GATE_INPUT && p->coupled) return NF_OK;
    if (!plan_q_matrix(w, ENG_I8, p->cells * p->in) || !plan_q_matrix(r, ENG_I8, p->cells * p->out))
        return refuse(l, g, "weights that are not constant INT8 about 0", err);
    if (!b || !b->data || b->dtype != ENG_I32 || !ir_elems(&n, b, 1) || n != p->cells)
        return refuse(l, g, "a bias that is not constant INT32", err);
    for (size_t c = 0; c < p->cells; c++)
        u->bias[(size_t)i * p->cells + c] = ((const int32_t *)(const void *)b->data)[c];
    *to = (krn_q_gate){.w = (const int8_t *)w->data,
                       .r = (const int8_t *)r->data,
                       .bias = u->bias + (size_t)i * p->cells,
                       .w_factor = effective(w, plan_in(l, g, X)->quant.scale[0], unit),
                       .r_factor = effective(r, plan_in(l, g, STATE)->quant.scale[0], unit)};
    return read_extras(to, i, unit, l, g, err);
}

static nf_status read_projection(krn_q_lstm *p, float hidden, const plan_layer *l,
                                 const ir_graph *g, nf_error *err)
{
    const ir_tensor *w = plan_in(l, g, PROJ), *b = plan_in(l, g, PROJ_BIAS);
    size_t n;
    if (!w) return p->cells == p->out ? NF_OK : refuse(l, g, "more cells than outputs", err);
    if (!plan_q_matrix(w, ENG_I8, p->out * p->cells) ||
        (b && (!b->data || b->dtype != ENG_I32 || !ir_elems(&n, b, 1) || n != p->out)))
        return refuse(l, g, "a projection that is not constant", err);
    p->proj = (const int8_t *)w->data;
    p->proj_b = b ? (const int32_t *)(const void *)b->data : NULL;
    p->proj_factor = effective(w, hidden, plan_in(l, g, STATE)->quant.scale[0]);
    return NF_OK;
}

static int32_t clip_of(float clip, float scale, float most)
{
    return clip > 0 ? (int32_t)fminf(clip / scale, most) : 0;
}

static nf_status read_states(lstm *u, const plan_layer *l, const ir_graph *g, nf_error *err)
{
    const ir_tensor *x = plan_in(l, g, X), *h = plan_in(l, g, STATE), *c = plan_in(l, g, CELL);
    const ir_tensor *y = plan_out(l, g, 0), *w = plan_in(l, g, W + 1), *r = plan_in(l, g, R + 1);
    krn_q_lstm *p = &u->p;
    int exponent;
    if (!h || !c || !w || !r || w->rank != 2 || r->rank != 2 || h->dtype != ENG_I8 ||
        h->quant.n != 1 || c->dtype != ENG_I16 || c->quant.n != 1 || y->dtype != ENG_I8 ||
        x->dtype != ENG_I8 || x->quant.n != 1)
        return refuse(l, g, "operands other than INT8 and a cell of INT16", err);
    if (frexpf(c->quant.scale[0], &exponent) != 0.5f || exponent - 1 < -15 || exponent - 1 > -9)
        return refuse(l, g, "a cell whose scale is not 2^-15 .. 2^-9", err);
    const float own = l->node->attr.rnn.inner_scale[4];
    const float inner = own > 0 ? own : h->quant.scale[0];
    const double hidden = ldexp(1, -15) / (double)inner * ldexp(1, -15);
    *p = (krn_q_lstm){
        .in = (size_t)w->dim[1],
        .cells = (size_t)w->dim[0],
        .out = (size_t)r->dim[1],
        .type = KRN_I8,
        .zero_x = x->quant.zero[0],
        .zero = h->quant.zero[0],
        .zero_hidden = own > 0 ? l->node->attr.rnn.inner_zero : h->quant.zero[0],
        .coupled = !plan_in(l, g, W),
        .power = exponent - 1,
        .cell_clip = clip_of(l->node->attr.rnn.cell_clip, c->quant.scale[0], INT16_MAX),
        .proj_clip = clip_of(l->node->attr.rnn.proj_clip, h->quant.scale[0], INT8_MAX),
        .hidden = krn_factor_of((double)(float)hidden)};
    return read_projection(p, inner, l, g, err);
}

static void lstm_fini(void *own)
{
    nf_free(((lstm *)own)->bias);
    nf_free(((lstm *)own)->memory);
}

static void drop_bias(lstm *u)
{
    nf_free(u->bias);
    u->bias = NULL;
}

/* Weights and biases for vectors: nothing reads the file's any more. */
static nf_status pack(lstm *u, plan_layer *l, const krn_qs8_lstm_tier *tier, nf_error *err)
{
    const size_t bytes = krn_qs8_lstm_bytes(tier, &u->p);
    u->memory = nf_alloc(bytes, NF_MEM_WEIGHTS);
    if (!u->memory) return nf_fail(err, NF_ENOMEM, "lstm", "no memory for a layer");
    krn_qs8_lstm_pack(&u->packed, tier, &u->p, u->memory);
    drop_bias(u);
    l->packed = ((1u << (R + KRN_GATES)) - (1u << W)) | ((1u << (BIAS + KRN_GATES)) - (1u << BIAS));
    l->weight_bytes = bytes;
    l->kernel_name = tier->name;
    return NF_OK;
}

PLAN_PREPARE(plan_lstm_q8)
{
    lstm *u = nf_alloc(sizeof(*u), NF_MEM_WEIGHTS);
    const krn_qs8_lstm_tier *tier = krn_qs8_lstm_choose(env->cpu);
    nf_status st;
    if (!u) return nf_fail(err, NF_ENOMEM, "lstm", "no memory for a layer");
    l->own = u;
    l->own_fini = lstm_fini;
    if ((st = read_states(u, l, g, err))) return st;
    u->bias = nf_alloc_array(KRN_GATES * u->p.cells, sizeof(*u->bias), NF_MEM_WEIGHTS);
    if (!u->bias) return nf_fail(err, NF_ENOMEM, "lstm", "no memory for a layer");
    for (int i = 0; i < KRN_GATES; i++)
        if ((st = read_gate(u, i, l, g, err))) return st;
    if (tier && krn_qs8_lstm_fits(&u->p)) return pack(u, l, tier, err);
    l->weight_bytes = KRN_GATES * u->p.cells * (u->p.in + u->p.out + sizeof(int64_t));
    return NF_OK;
}

/* What a run works on beside the states, in bytes. */
static size_t work_bytes(const lstm *u)
{
    return krn_round_up(u->memory ? krn_qs8_lstm_scratch(&u->packed)
                                  : krn_q_lstm_scratch(&u->p) * sizeof(int16_t),
                        sizeof(int16_t));
}

/* Scratch: what a step works on, cells of all rows, then states of all rows. */
PLAN_BIND(plan_bind_lstm_q8)
{
    const lstm *u = s->layer->own;
    const bool rows_first = s->layer->node->attr.rnn.batch_first;
    const size_t rows = in[X].dim[rows_first ? 0 : 1];
    (void)out;
    if (in[STATE].elems != rows * u->p.out || in[CELL].elems != rows * u->p.cells)
        return nf_fail(err, NF_EFORMAT, "lstm", "states of %zu and %zu values for %zu rows",
                       in[STATE].elems, in[CELL].elems, rows);
    s->u.loop.dim[0] = rows;
    s->u.loop.dim[1] = in[X].dim[rows_first ? 1 : 0];
    s->scratch_bytes = work_bytes(u) + rows * (u->p.cells * sizeof(int16_t) + u->p.out);
    s->macs = (uint64_t)rows * s->u.loop.dim[1] * KRN_GATES * u->p.cells * (u->p.in + u->p.out);
    return NF_OK;
}

/* One row of x from its first point of time to its last, or back. */
static krn_qs8_lstm_row row_of(const plan_step *s, const krn_q_lstm *p, size_t b)
{
    const size_t rows = s->u.loop.dim[0], steps = s->u.loop.dim[1];
    const ir_rnn *a = &s->layer->node->attr.rnn;
    const size_t step = a->batch_first ? 1 : rows;
    const size_t first = (a->batch_first ? b * steps : b) + (a->reverse ? (steps - 1) * step : 0);
    const ptrdiff_t by = a->reverse ? -(ptrdiff_t)step : (ptrdiff_t)step;
    return (krn_qs8_lstm_row){.y = (int8_t *)s->y + first * p->out,
                              .x = (const int8_t *)s->a + first * p->in,
                              .y_step = by * (ptrdiff_t)p->out,
                              .x_step = by * (ptrdiff_t)p->in,
                              .steps = steps};
}

static void run_plain(krn_qs8_lstm_row r, int8_t *h, int16_t *cell, const krn_q_lstm *p,
                      int16_t *work)
{
    for (; r.steps; r.steps--, r.y += r.y_step, r.x += r.x_step)
        krn_q_lstm_step_ref(r.y, r.x, h, cell, p, work);
}

PLAN_RUN(plan_run_lstm_q8)
{
    const lstm *u = s->layer->own;
    const krn_q_lstm *p = &u->p;
    const size_t rows = s->u.loop.dim[0];
    int16_t *cells = (int16_t *)(void *)((char *)s->scratch + work_bytes(u));
    int8_t *states = (int8_t *)(void *)(cells + rows * p->cells);
    memcpy(cells, s->in[CELL], rows * p->cells * sizeof(*cells));
    memcpy(states, s->in[STATE], rows * p->out);
    for (size_t b = 0; b < rows; b++) {
        const krn_qs8_lstm_row r = row_of(s, p, b);
        int8_t *h = states + b * p->out;
        int16_t *cell = cells + b * p->cells;
        if (u->memory)
            u->packed.tier->run(&r, h, cell, &u->packed, s->scratch);
        else
            run_plain(r, h, cell, p, s->scratch);
    }
    if (s->layer->node->n_out > 1 && s->out[1]) memcpy(s->out[1], states, rows * p->out);
    if (s->layer->node->n_out > 2 && s->out[2])
        memcpy(s->out[2], cells, rows * p->cells * sizeof(*cells));
}
