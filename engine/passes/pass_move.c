/* pass_move.c - DEQUANTIZE, an op that moves elements, QUANTIZE to the same numbers: the op moves
 * the integers. Layer: passes. */
#include "engine/passes/pass.h"

static bool same_quant(const ir_tensor *a, const ir_tensor *b)
{
    return a->dtype == b->dtype && a->quant.n == 1 && b->quant.n == 1 &&
           a->quant.scale[0] == b->quant.scale[0] && a->quant.zero[0] == b->quant.zero[0];
}

/* PAD with 0 in real units needs no value: that is what it pads with. */
static bool pads_with_zero(const ir_graph *g, const ir_node *n)
{
    if (n->op != IR_PAD || n->n_in < 3 || n->in[2] < 0) return true;
    const ir_tensor *v = &g->tensors[n->in[2]];
    return v->data && v->dtype == ENG_F32 && v->bytes == sizeof(float) &&
           *(const float *)(const void *)v->data == 0;
}

/* Inputs that are moved: all of a CONCATENATION, else the first. */
static int32_t count_moved(const ir_node *n)
{
    return n->op == IR_CONCATENATION ? n->n_in : 1;
}

/* All that n moves comes from integers with the scale of y. */
static bool moves_integers(const ir_graph *g, const pass_index *x, const ir_node *n,
                           const ir_tensor *y)
{
    for (int32_t i = 0; i < count_moved(n); i++) {
        const ir_node *d = pass_maker(g, x, n, i, IR_DEQUANTIZE);
        if (!d || !same_quant(&g->tensors[d->in[0]], y)) return false;
    }
    return pads_with_zero(g, n);
}

static void fuse_one(ir_graph *g, pass_index *x, ir_node *q)
{
    if (x->maker[q->in[0]] < 0 || x->uses[q->in[0]] != 1) return;
    ir_node *n = &g->nodes[x->maker[q->in[0]]];
    if (n->dead || !ir_is_move(n->op) || n->n_out != 1) return;
    if (!moves_integers(g, x, n, &g->tensors[q->out[0]])) return;
    for (int32_t i = 0; i < count_moved(n); i++)
        n->in[i] = pass_maker(g, x, n, i, IR_DEQUANTIZE)->in[0];
    if (n->op == IR_PAD && n->n_in > 2) n->in[2] = IR_NONE;
    n->out[0] = q->out[0];
    x->maker[n->out[0]] = (int32_t)(n - g->nodes);
    q->dead = true;
}

nf_status pass_fuse_moves(ir_graph *g, const eng_options *o, nf_error *err)
{
    pass_index x;
    nf_status st;
    (void)o;
    if ((st = pass_index_init(&x, g, err))) return st;
    for (size_t i = 0; i < g->n_nodes; i++)
        if (!g->nodes[i].dead && g->nodes[i].op == IR_QUANTIZE) fuse_one(g, &x, &g->nodes[i]);
    pass_index_fini(&x);
    return NF_OK;
}
