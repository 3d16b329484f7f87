/* rnn_pack.c - weights of recurrent operators in the order of their products. Layer: plan.
 * Thread rule: no shared state. */
#include "engine/plan/nn.h"
#include "engine/plan/rnn.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_nn.h"

#include <string.h>

static size_t gates_of(ir_op op)
{
    return op == IR_GRU ? 3 : op == IR_RNN ? 1 : 4;
}

rnn_size plan_rnn_size(const ir_node *n, const plan_shape *w, const plan_shape *r)
{
    const bool parts = n->op == IR_UNIDIRECTIONAL_SEQUENCE_LSTM;
    const size_t gates = gates_of(n->op), rows = w->dim[w->rank - 2];
    return (rnn_size){.d = parts ? 1 : (size_t)n->attr.rnn.directions,
                      .gates = gates,
                      .in = w->dim[w->rank - 1],
                      .h = parts ? rows : rows / gates,
                      .out = r->dim[r->rank - 1]};
}

/* Floats of one direction. */
static size_t one_direction(const rnn_size *z)
{
    const size_t gh = z->gates * z->h;
    return (z->in + z->out + 1) * gh + (z->h + 1) * z->out + 8 * z->h;
}

size_t plan_rnn_floats(const rnn_size *z)
{
    return z->d * one_direction(z);
}

void plan_rnn_place(rnn_pack *k, const rnn_size *z, float *block)
{
    const size_t gh = z->gates * z->h;
    k->block = block;
    k->step = one_direction(z);
    k->w = block;
    k->r = k->w + z->in * gh;
    k->b = k->r + z->out * gh;
    k->rb = k->b + gh;
    k->proj = k->rb + z->h;
    k->proj_b = k->proj + z->h * z->out;
    k->peephole = k->proj_b + z->out;
    k->norm = k->peephole + 3 * z->h;
}

/* b [gates * h] (+ recurrent [gates * h]) -> their sum; the candidate's recurrent part of a GRU
 * whose reset comes behind the product stays apart. */
static void pack_bias(float *b, float *rb, const float *from, bool twice, const ir_node *n,
                      const rnn_size *z)
{
    const size_t gh = z->gates * z->h;
    const bool apart = n->op == IR_GRU && n->attr.rnn.linear_before;
    memcpy(b, from, gh * sizeof(*b));
    for (size_t i = 0; twice && i < gh; i++) {
        if (apart && i >= 2 * z->h)
            rb[i - 2 * z->h] = from[gh + i];
        else
            b[i] += from[gh + i];
    }
}

static void pack_recurrent(float *to, const float *r, const rnn_size *z)
{
    const size_t first = z->gates == 3 ? 2 * z->h : z->gates * z->h;
    krn_swap_ref(to, r, sizeof(*to), first, z->out);
    if (z->gates == 3)
        krn_swap_ref(to + first * z->out, r + first * z->out, sizeof(*to), z->h, z->out);
}

void plan_rnn_pack(rnn_pack *k, const ir_node *n, const rnn_size *z, const float *const in[4],
                   size_t bias_elems)
{
    const size_t gh = z->gates * z->h;
    const bool twice = bias_elems == 2 * z->d * gh;
    memset(k->block, 0, plan_rnn_floats(z) * sizeof(*k->block));
    k->has_peephole = in[3] != NULL;
    for (size_t d = 0, at = 0; d < z->d; d++, at += k->step) {
        krn_swap_ref(k->w + at, in[0] + d * gh * z->in, sizeof(float), gh, z->in);
        pack_recurrent(k->r + at, in[1] + d * gh * z->out, z);
        if (in[2]) pack_bias(k->b + at, k->rb + at, in[2] + d * gh * (twice ? 2 : 1), twice, n, z);
        if (in[3]) memcpy(k->peephole + at, in[3] + d * 3 * z->h, 3 * z->h * sizeof(float));
    }
}

static void free_pack(void *own)
{
    nf_free(((rnn_pack *)own)->block);
}

static nf_status make_pack(rnn_pack **out, plan_layer *l, const rnn_size *z, nf_error *err)
{
    const size_t floats = plan_rnn_floats(z);
    rnn_pack *k = nf_alloc(sizeof(*k), NF_MEM_WEIGHTS);
    if (!k) return nf_fail(err, NF_ENOMEM, "rnn", "no memory");
    l->own = k;
    l->own_fini = free_pack;
    float *block = nf_alloc_array(floats, sizeof(*block), NF_MEM_WEIGHTS);
    if (!block) return nf_fail(err, NF_ENOMEM, "rnn", "no memory to pack %zu weights", floats);
    plan_rnn_place(k, z, block);
    l->weight_bytes = floats * sizeof(*block);
    *out = k;
    return NF_OK;
}

static nf_status bad_type(const plan_layer *l, const ir_tensor *t, nf_error *err)
{
    return nf_fail(err, NF_EUNSUPPORTED, t->name, "%s with an operand or result of %s",
                   ir_op_name(l->node->op), eng_dtype_oip(t->dtype));
}

/* Floats everywhere but in the lengths. */
static nf_status check_types(const plan_layer *l, const ir_graph *g, nf_error *err)
{
    for (int32_t i = 0; i < l->node->n_in; i++) {
        const ir_tensor *t = plan_in(l, g, i);
        const bool whole = i == 4 && t && (t->dtype == ENG_I32 || t->dtype == ENG_I64);
        if (t && t->dtype != ENG_F32 && !whole) return bad_type(l, t, err);
        if (t && i == 4 && !whole) return bad_type(l, t, err);
    }
    for (int32_t i = 0; i < l->node->n_out; i++) {
        const ir_tensor *t = plan_out(l, g, i);
        if (t && t->dtype != ENG_F32) return bad_type(l, t, err);
    }
    return NF_OK;
}

PLAN_PREPARE(plan_rnn)
{
    static const int32_t places[] = {1, 2, 3, 7};
    const float *in[4];
    plan_shape w, r;
    size_t bias = 0;
    rnn_pack *k;
    nf_status st;
    (void)env;
    if ((st = check_types(l, g, err))) return st;
    for (size_t i = 0; i < 4; i++) {
        const ir_tensor *t = plan_in(l, g, places[i]);
        if (t && !t->data) return NF_OK; /* packed in each run */
        in[i] = t ? (const float *)(const void *)t->data : NULL;
    }
    plan_shape_of(&w, plan_in(l, g, 1));
    plan_shape_of(&r, plan_in(l, g, 2));
    const rnn_size z = plan_rnn_size(l->node, &w, &r);
    if (plan_in(l, g, 3)) ir_elems(&bias, plan_in(l, g, 3), 1);
    if (in[2] && bias != z.d * z.gates * z.h && bias != 2 * z.d * z.gates * z.h)
        return nf_fail(err, NF_EFORMAT, plan_in(l, g, 3)->name, "a bias of %zu values", bias);
    if (in[3] && (ir_elems(&bias, plan_in(l, g, 7), 1), bias != 3 * z.d * z.h))
        return nf_fail(err, NF_EFORMAT, plan_in(l, g, 7)->name, "peepholes of %zu values", bias);
    if ((st = make_pack(&k, l, &z, err))) return st;
    if (plan_in(l, g, 3)) ir_elems(&bias, plan_in(l, g, 3), 1);
    plan_rnn_pack(k, l->node, &z, in, bias);
    return NF_OK;
}

/* A part of TensorFlow Lite's LSTM as floats: stored as they are, or as bytes with scales. */
static nf_status read_part(float *to, size_t n, const plan_layer *l, const ir_tensor *t,
                           nf_error *err)
{
    krn_type type;
    size_t elems;
    if (!t->data || !ir_elems(&elems, t, 1) || elems != n)
        return nf_fail(err, NF_EUNSUPPORTED, t->name, "a part of %s of the wrong size, or computed",
                       ir_op_name(l->node->op));
    if (t->dtype == ENG_F32) {
        memcpy(to, t->data, n * sizeof(*to));
        return NF_OK;
    }
    const bool rows = t->quant.n > 1 && t->quant.axis == 0;
    if (!plan_krn_type(&type, t->dtype) || t->quant.n < 1 || (t->quant.n > 1 && !rows))
        return bad_type(l, t, err);
    const krn_scales q = {t->quant.scale, t->quant.zero, t->quant.n, n / t->quant.n};
    krn_dequantize_ref(to, t->data, type, 1, &q);
    return NF_OK;
}

/* The gates of the file stand in the order i f c o, those of the pack i o f c. */
static const int32_t part_of[] = {0, 3, 1, 2};

/* Matrix parts from input `first` on into the columns of `to` [cols, 4 * h]. */
static nf_status pack_parts(float *to, int32_t first, size_t cols, const plan_layer *l,
                            const ir_graph *g, const rnn_size *z, nf_error *err)
{
    float *part = nf_alloc_array(z->h * cols, sizeof(*part), NF_MEM_GRAPH);
    nf_status st = NF_OK;
    if (!part) return nf_fail(err, NF_ENOMEM, "rnn", "no memory for a gate");
    for (size_t gate = 0; gate < 4 && !st; gate++) {
        const ir_tensor *t = plan_in(l, g, first + part_of[gate]);
        if (!t) continue; /* the input gate of coupled gates */
        st = read_part(part, z->h * cols, l, t, err);
        for (size_t o = 0; o < z->h && !st; o++)
            for (size_t i = 0; i < cols; i++)
                to[(i * 4 + gate) * z->h + o] = part[o * cols + i];
    }
    nf_free(part);
    return st;
}

/* Vector parts from input `first` on, gate by gate; *has: at least one is there. */
static nf_status pack_vectors(float *to, bool *has, int32_t first, size_t gates,
                              const plan_layer *l, const rnn_size *z, nf_error *err)
{
    static const int32_t peepholes[] = {0, 2, 1}; /* i f o */
    nf_status st = NF_OK;
    *has = false;
    for (size_t gate = 0; gate < gates && !st; gate++) {
        const int32_t at = first + (gates == 3 ? peepholes[gate] : part_of[gate]);
        const ir_tensor *t = plan_in(l, l->owner->g, at);
        if (!t) continue;
        *has = true;
        st = read_part(to + gate * z->h, z->h, l, t, err);
    }
    return st;
}

static nf_status pack_projection(rnn_pack *k, const plan_layer *l, const ir_graph *g,
                                 const rnn_size *z, nf_error *err)
{
    const ir_tensor *w = plan_in(l, g, 16), *b = plan_in(l, g, 17);
    nf_status st;
    k->has_proj = w != NULL;
    if (!w) return NF_OK;
    float *part = nf_alloc_array(z->h * z->out, sizeof(*part), NF_MEM_GRAPH);
    if (!part) return nf_fail(err, NF_ENOMEM, "rnn", "no memory for a projection");
    st = read_part(part, z->h * z->out, l, w, err);
    if (!st) krn_swap_ref(k->proj, part, sizeof(*part), z->out, z->h);
    nf_free(part);
    return st || !b ? st : read_part(k->proj_b, z->out, l, b, err);
}

/* Inputs that have to be there: without an input gate all of its parts are left out. */
static nf_status check_parts(const plan_layer *l, const ir_graph *g, nf_error *err)
{
    static const int32_t needed[] = {2, 3, 4, 6, 7, 8, 13, 14, 15};
    const bool coupled = l->node->attr.rnn.couple == IR_COUPLE_INPUT;
    bool fits = coupled == !plan_in(l, g, 1) && coupled == !plan_in(l, g, 5);
    for (size_t i = 0; i < NF_COUNT(needed); i++)
        fits = fits && plan_in(l, g, needed[i]);
    for (int32_t i = 18; i < 20; i++)
        fits = fits && plan_in(l, g, i)->dtype == ENG_F32;
    if (fits && plan_in(l, g, 0)->dtype == ENG_F32 && plan_out(l, g, 0)->dtype == ENG_F32)
        return NF_OK;
    return nf_fail(err, NF_EFORMAT, plan_out(l, g, 0)->name,
                   "an LSTM that lacks one of its weights, or has states of another type");
}

PLAN_PREPARE(plan_sequence_lstm)
{
    plan_shape w, r;
    rnn_pack *k;
    bool has;
    nf_status st;
    (void)env;
    if ((st = check_parts(l, g, err))) return st;
    plan_shape_of(&w, plan_in(l, g, 2));
    plan_shape_of(&r, plan_in(l, g, 6));
    const rnn_size z = plan_rnn_size(l->node, &w, &r);
    if ((st = make_pack(&k, l, &z, err))) return st;
    if ((st = pack_parts(k->w, 1, z.in, l, g, &z, err))) return st;
    if ((st = pack_parts(k->r, 5, z.out, l, g, &z, err))) return st;
    if ((st = pack_vectors(k->peephole, &k->has_peephole, 9, 3, l, &z, err))) return st;
    if ((st = pack_vectors(k->b, &has, 12, 4, l, &z, err))) return st;
    if ((st = pack_vectors(k->norm, &k->has_norm, 20, 4, l, &z, err))) return st;
    return pack_projection(k, l, g, &z, err);
}
