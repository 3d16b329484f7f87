/* op_rnn.c - LSTM, GRU and RNN: the products of x for all steps at once, then step by step those of
 * the state. Layer: plan. Thread rule: run functions touch only their step's memory. */
#include "engine/plan/gemm.h"
#include "engine/plan/nn.h"
#include "engine/plan/rnn.h"

#include <math.h>
#include <string.h>

/* What a run works on, of one direction at a time. */
typedef struct rnn {
    rnn_size z;
    size_t t, n;           /* steps and rows */
    size_t step_t, step_n; /* of rows of x: from step to step, from row to row */
    size_t floats;         /* of weights in the scratch */
    size_t bias_elems;
} rnn;

typedef struct walk {
    const plan_step *s;
    const rnn *r;
    const rnn_pack *k;
    size_t d, at; /* direction, and where its weights begin */
    bool reverse;
    float *sums; /* [t * n, gates * h]: products of x */
    float *own;  /* [n, gates * h]: those of the state, which is h [n, out] and c [n, h] */
    float *h, *c;
    float *more; /* [n, h] */
} walk;

PLAN_BIND(plan_bind_rnn)
{
    const ir_node *node = s->layer->node;
    const bool parts = node->op == IR_UNIDIRECTIONAL_SEQUENCE_LSTM;
    const ir_rnn *p = &node->attr.rnn;
    const int32_t h = parts ? 18 : 5, c = parts ? 19 : 6;
    nf_status st;
    (void)out;
    if ((st = plan_bind_alloc(s, sizeof(rnn), err))) return st;
    rnn *r = s->bound;
    r->z = plan_rnn_size(node, &in[parts ? 2 : 1], &in[parts ? 6 : 2]);
    r->t = in[0].dim[p->batch_first ? 1 : 0];
    r->n = in[0].dim[p->batch_first ? 0 : 1];
    r->step_t = p->batch_first ? 1 : r->n;
    r->step_n = p->batch_first ? r->t : 1;
    r->floats = s->layer->own ? 0 : plan_rnn_floats(&r->z);
    const size_t gh = r->z.gates * r->z.h;
    const size_t state = r->z.d * r->n * r->z.out, cell = r->z.d * r->n * r->z.h;
    r->bias_elems = !parts && node->n_in > 3 ? in[3].elems : 0;
    const bool lengths = !parts && node->n_in > 4 && node->in[4] >= 0;
    if ((node->n_in > h && node->in[h] >= 0 && in[h].elems != state) ||
        (node->n_in > c && node->in[c] >= 0 && in[c].elems != cell) ||
        (lengths && in[4].elems != r->n) ||
        (!parts && r->bias_elems && r->bias_elems != r->z.d * gh &&
         r->bias_elems != 2 * r->z.d * gh) ||
        (!parts && node->n_in > 7 && node->in[7] >= 0 && in[7].elems != 3 * r->z.d * r->z.h))
        return nf_fail(err, NF_EINVAL, ir_op_name(node->op),
                       "states, lengths or a bias that do not fit %zu rows", r->n);
    s->scratch_bytes =
        (r->floats + (r->t + 1) * r->n * gh + r->n * (r->z.out + 2 * r->z.h)) * sizeof(float);
    s->macs = (uint64_t)r->t * r->n * r->z.d * gh * (r->z.in + r->z.out);
    return NF_OK;
}

/* Steps of row i: its length, within those that there are. */
static size_t steps_of(const plan_step *s, size_t i)
{
    const rnn *r = s->bound;
    const plan_layer *l = s->layer;
    int64_t length;
    if (l->node->op == IR_UNIDIRECTIONAL_SEQUENCE_LSTM || l->node->n_in < 5 || !s->in[4])
        return r->t;
    if (plan_in(l, l->owner->g, 4)->dtype == ENG_I64)
        length = ((const int64_t *)s->in[4])[i];
    else
        length = ((const int32_t *)s->in[4])[i];
    if (length >= 0 && length <= (int64_t)r->t) return (size_t)length;
    plan_fail(s, NF_EINVAL, ir_op_name(l->node->op), "length %lld of %zu steps", (long long)length,
              r->t);
    return 0;
}

static krn_gate gate_at(const walk *w, size_t i, size_t per_direction)
{
    const ir_rnn *p = &w->s->layer->node->attr.rnn;
    const size_t at = w->d * per_direction + i;
    return (krn_gate){(krn_gate_kind)p->act[at], p->alpha[at], p->beta[at], w->s->layer->f32.curve};
}

/* Rows i whose sequence is not over at step `step`; their place in x and y. */
static bool active(size_t *time, const walk *w, size_t i, size_t step)
{
    const size_t steps = steps_of(w->s, i);
    if (step >= steps) return false;
    *time = w->reverse ? steps - 1 - step : step;
    return true;
}

static float *sums_at(const walk *w, size_t i, size_t time)
{
    return w->sums + (i * w->r->step_n + time * w->r->step_t) * w->r->z.gates * w->r->z.h;
}

static void add(const walk *w, float *y, const float *x, size_t n)
{
    const krn_f32_operands o = {y, x, 1, 1, -INFINITY, INFINITY, 0, 0};
    w->s->layer->f32.binary(y, &o, 1, n, KRN_F32_ADD);
}

/* The output of row i at that time, which is its new state. */
static void put(const walk *w, size_t i, size_t time)
{
    const rnn *r = w->r;
    const bool first = w->s->layer->node->attr.rnn.batch_first;
    const size_t place =
        first ? (i * r->t + time) * r->z.d + w->d : (time * r->z.d + w->d) * r->n + i;
    if (w->s->out[0])
        memcpy((float *)w->s->out[0] + place * r->z.out, w->h + i * r->z.out,
               r->z.out * sizeof(float));
}

/* own[n, cols] = from[n, out] times a block of the recurrent weights. */
static void recur(const walk *w, float *own, const float *from, const float *weights, size_t cols)
{
    const rnn *r = w->r;
    plan_gemm_f32(w->s->layer, r->n, cols, r->z.out)(own, from, weights, r->n, cols, r->z.out);
}

static void project(const walk *w, float *to, const float *y)
{
    const rnn_size *z = &w->r->z;
    const ir_rnn *p = &w->s->layer->node->attr.rnn;
    if (!w->k->has_proj) {
        memcpy(to, y, z->out * sizeof(*to));
        return;
    }
    plan_gemm_f32(w->s->layer, 1, z->out, z->h)(to, y, w->k->proj, 1, z->out, z->h);
    add(w, to, w->k->proj_b, z->out);
    krn_f32_clip_ref(to, z->out, p->proj_clip);
}

static void step_lstm(const walk *w, size_t step)
{
    const rnn_size *z = &w->r->z;
    const ir_rnn *a = &w->s->layer->node->attr.rnn;
    const krn_lstm p = {.h = z->h,
                        .gate = gate_at(w, 0, 3),
                        .cell = gate_at(w, 1, 3),
                        .out = gate_at(w, 2, 3),
                        .peephole = w->k->has_peephole ? w->k->peephole + w->at : NULL,
                        .norm = w->k->has_norm ? w->k->norm : NULL,
                        .norm_bias = w->k->b,
                        .clip = a->clip,
                        .cell_clip = a->cell_clip,
                        .couple = (int)a->couple};
    recur(w, w->own, w->h, w->k->r + w->at, 4 * z->h);
    for (size_t i = 0; i < w->r->n; i++) {
        size_t time;
        if (!active(&time, w, i, step)) continue;
        float *sums = sums_at(w, i, time), *y = w->more + i * z->h;
        add(w, sums, w->own + i * 4 * z->h, 4 * z->h);
        krn_f32_lstm_ref(y, w->c + i * z->h, sums, &p);
        project(w, w->h + i * z->out, y);
        put(w, i, time);
    }
}

/* The gates of all rows; then, of rows that go on, the candidate. */
static void step_gru(const walk *w, size_t step)
{
    const rnn_size *z = &w->r->z;
    const bool linear = w->s->layer->node->attr.rnn.linear_before;
    const krn_gru p = {z->h, gate_at(w, 0, 2), gate_at(w, 1, 2), w->s->layer->node->attr.rnn.clip};
    const float *candidate = w->k->r + w->at + 2 * z->h * z->out;
    float *part = w->own + w->r->n * 2 * z->h; /* [n, h], behind the gates */
    size_t time;
    recur(w, w->own, w->h, w->k->r + w->at, 2 * z->h);
    for (size_t i = 0; i < w->r->n; i++) {
        if (!active(&time, w, i, step)) continue;
        float *sums = sums_at(w, i, time);
        add(w, sums, w->own + i * 2 * z->h, 2 * z->h);
        krn_f32_gru_gates_ref(linear ? NULL : w->more + i * z->h, sums, w->h + i * z->h, &p);
    }
    recur(w, part, linear ? w->h : w->more, candidate, z->h);
    for (size_t i = 0; i < w->r->n; i++) {
        if (!active(&time, w, i, step)) continue;
        if (linear) add(w, part + i * z->h, w->k->rb + w->at, z->h);
        krn_f32_gru_ref(w->h + i * z->h, sums_at(w, i, time), part + i * z->h, linear, &p);
        put(w, i, time);
    }
}

static void step_rnn(const walk *w, size_t step)
{
    const rnn_size *z = &w->r->z;
    const krn_gate gate = gate_at(w, 0, 1);
    recur(w, w->own, w->h, w->k->r + w->at, z->h);
    for (size_t i = 0; i < w->r->n; i++) {
        size_t time;
        if (!active(&time, w, i, step)) continue;
        float *sums = sums_at(w, i, time);
        add(w, sums, w->own + i * z->h, z->h);
        krn_f32_clip_ref(sums, z->h, w->s->layer->node->attr.rnn.clip);
        krn_f32_gate_ref(sums, z->h, &gate);
        memcpy(w->h + i * z->h, sums, z->h * sizeof(*sums));
        put(w, i, time);
    }
}

/* The usual curves without anything else, for which there are kernels; *p: what they take. */
static bool is_usual(krn_cells *p, const walk *w)
{
    const plan_layer *l = w->s->layer;
    const ir_rnn *a = &l->node->attr.rnn;
    const rnn_size *z = &w->r->z;
    const size_t curves = l->node->op == IR_GRU ? 2 : 3;
    *p = (krn_cells){.n = z->h,
                     .b = w->k->b + w->at,
                     .rb = a->linear_before ? w->k->rb + w->at : NULL,
                     .clip = a->cell_clip > 0 ? a->cell_clip : INFINITY};
    if (l->node->op == IR_RNN || a->clip > 0 || a->couple != 0 || w->k->has_peephole ||
        w->k->has_norm || w->k->has_proj || z->out != z->h ||
        l->f32.lstm_cells == krn_f32_lstm_cells_ref)
        return false;
    for (size_t i = 0; i < curves; i++)
        if ((krn_gate_kind)a->act[w->d * curves + i] != (i ? KRN_GATE_TANH : KRN_GATE_SIGMOID))
            return false;
    return true;
}

static void usual_lstm(const walk *w, size_t step, const krn_cells *p)
{
    const size_t h = p->n;
    size_t time;
    recur(w, w->own, w->h, w->k->r + w->at, 4 * h);
    for (size_t i = 0; i < w->r->n; i++) {
        if (!active(&time, w, i, step)) continue;
        w->s->layer->f32.lstm_cells(w->h + i * h, w->c + i * h, sums_at(w, i, time),
                                    w->own + i * 4 * h, p);
        put(w, i, time);
    }
}

static void usual_gru(const walk *w, size_t step, const krn_cells *p)
{
    const krn_f32 *k = &w->s->layer->f32;
    const size_t h = p->n;
    const float *r = w->k->r + w->at;
    float *part = w->own + w->r->n * 2 * h; /* [n, h], behind the gates */
    size_t time;
    recur(w, w->own, w->h, r, 2 * h);
    for (size_t i = 0; i < w->r->n; i++)
        if (active(&time, w, i, step))
            k->gru_reset(w->more + i * h, sums_at(w, i, time), w->own + i * 2 * h, w->h + i * h, p);
    recur(w, part, p->rb ? w->h : w->more, r + 2 * h * h, h);
    for (size_t i = 0; i < w->r->n; i++) {
        if (!active(&time, w, i, step)) continue;
        k->gru_cells(w->h + i * h, sums_at(w, i, time), w->more + i * h, part + i * h, p);
        put(w, i, time);
    }
}

static void all_steps(const walk *w)
{
    const ir_op op = w->s->layer->node->op;
    const rnn *r = w->r;
    krn_cells p;
    if (is_usual(&p, w)) {
        for (size_t step = 0; step < r->t; step++)
            (op == IR_GRU ? usual_gru : usual_lstm)(w, step, &p);
        return;
    }
    krn_f32_tail_ref(w->sums, w->k->has_norm ? NULL : w->k->b + w->at, r->t * r->n,
                     r->z.gates * r->z.h, -INFINITY, INFINITY);
    for (size_t step = 0; step < r->t; step++)
        (op == IR_GRU ? step_gru : op == IR_RNN ? step_rnn : step_lstm)(w, step);
}

/* States of one direction, [n, width], between where they stand in a whole and a place of their
 * own; whole NULL: zeros, or nobody wants them. */
static void load_state(const walk *w, float *to, const float *whole, size_t width)
{
    const size_t n = w->r->n, d = w->r->z.d;
    const bool first = w->s->layer->node->attr.rnn.batch_first;
    for (size_t i = 0; i < n; i++) {
        const size_t at = first ? i * d + w->d : w->d * n + i;
        if (whole)
            memcpy(to + i * width, whole + at * width, width * sizeof(*to));
        else
            memset(to + i * width, 0, width * sizeof(*to));
    }
}

static void store_state(const walk *w, float *whole, const float *from, size_t width)
{
    const size_t n = w->r->n, d = w->r->z.d;
    const bool first = w->s->layer->node->attr.rnn.batch_first;
    for (size_t i = 0; whole && i < n; i++) {
        const size_t at = first ? i * d + w->d : w->d * n + i;
        memcpy(whole + at * width, from + i * width, width * sizeof(*from));
    }
}

static void one_direction(walk *w)
{
    const plan_step *s = w->s;
    const rnn *r = w->r;
    const ir_node *n = s->layer->node;
    const bool parts = n->op == IR_UNIDIRECTIONAL_SEQUENCE_LSTM;
    const int32_t h = parts ? 18 : 5, c = parts ? 19 : 6;
    const size_t gh = r->z.gates * r->z.h, rows = r->t * r->n;
    plan_gemm_f32(s->layer, rows, gh, r->z.in)(w->sums, s->a, w->k->w + w->at, rows, gh, r->z.in);
    load_state(w, w->h, n->n_in > h ? s->in[h] : NULL, r->z.out);
    load_state(w, w->c, n->n_in > c ? s->in[c] : NULL, r->z.h);
    all_steps(w);
    if (n->n_out > 1) store_state(w, s->out[1], w->h, r->z.out);
    if (n->n_out > 2) store_state(w, s->out[2], w->c, r->z.h);
}

/* Weights that the model computes are packed first. */
static const rnn_pack *packed(rnn_pack *k, const plan_step *s)
{
    const rnn *r = s->bound;
    const ir_node *n = s->layer->node;
    if (s->layer->own) return s->layer->own;
    const float *in[] = {s->in[1], s->in[2], n->n_in > 3 ? s->in[3] : NULL,
                         n->n_in > 7 ? s->in[7] : NULL};
    *k = (rnn_pack){0};
    plan_rnn_place(k, &r->z, s->scratch);
    plan_rnn_pack(k, n, &r->z, in, r->bias_elems);
    return k;
}

PLAN_RUN(plan_run_rnn)
{
    const rnn *r = s->bound;
    const ir_rnn *p = &s->layer->node->attr.rnn;
    const size_t gh = r->z.gates * r->z.h;
    float *base = (float *)s->scratch + r->floats;
    rnn_pack own;
    walk w = {.s = s, .r = r, .k = packed(&own, s), .sums = base};
    w.own = w.sums + r->t * r->n * gh;
    w.h = w.own + r->n * gh;
    w.c = w.h + r->n * r->z.out;
    w.more = w.c + r->n * r->z.h;
    if (s->out[0]) memset(s->out[0], 0, r->t * r->n * r->z.d * r->z.out * sizeof(float));
    for (w.d = 0; w.d < r->z.d; w.d++, w.at += w.k->step) {
        w.reverse = p->reverse || w.d == 1;
        memset(w.more, 0, r->n * r->z.h * sizeof(float));
        one_direction(&w);
    }
}
