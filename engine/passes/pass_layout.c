/* pass_layout.c - moves transposes until they cancel. Layer: passes.
 * A reader of a channels-first format puts one before and one behind every convolution; between two
 * convolutions they meet once the elementwise ops between them have changed places with them. */
#include "engine/passes/pass.h"

#include <math.h>
#include <string.h>

static bool is_elementwise(ir_op op)
{
    return op == IR_CLAMP || op == IR_QUANTIZE || op == IR_DEQUANTIZE;
}

static bool per_tensor(const ir_tensor *t)
{
    return t->quant.n <= 1;
}

/* `mid` between two swapped nodes takes the kind of `kind` and the shape of `shape`. */
static nf_status retype(ir_graph *g, int32_t mid, int32_t kind, int32_t shape, nf_error *err)
{
    ir_tensor *t = &g->tensors[mid];
    const ir_tensor *k = &g->tensors[kind], *s = &g->tensors[shape];
    t->dtype = k->dtype;
    t->rank = s->rank;
    memcpy(t->dim, s->dim, sizeof(t->dim));
    return ir_set_quant(t, k->quant.n, k->quant.scale, k->quant.zero, k->quant.axis, err);
}

/* first: x -> mid, second: mid -> y. They change places; the tensor between them becomes what the
 * second one makes of x: of y's kind and x's shape, or of x's kind and y's shape. */
static nf_status swap(ir_graph *g, ir_node *first, ir_node *second, bool second_changes_kind,
                      nf_error *err)
{
    const ir_op op = first->op;
    const ir_attr attr = first->attr;
    const int32_t x = first->in[0], mid = first->out[0], y = second->out[0];
    first->op = second->op;
    first->attr = second->attr;
    second->op = op;
    second->attr = attr;
    return second_changes_kind ? retype(g, mid, y, x, err) : retype(g, mid, x, y, err);
}

/* TRANSPOSE, elementwise -> elementwise, TRANSPOSE; one walk carries a transpose all the way. */
static nf_status sink(ir_graph *g, const pass_index *x, bool *changed, nf_error *err)
{
    nf_status st = NF_OK;
    for (size_t i = 0; i < g->n_nodes && !st; i++) {
        ir_node *n = &g->nodes[i];
        if (n->dead || !is_elementwise(n->op)) continue;
        ir_node *t = pass_only_maker(g, x, n, 0, IR_TRANSPOSE);
        if (!t || !per_tensor(&g->tensors[n->out[0]]) || !per_tensor(&g->tensors[t->in[0]]))
            continue;
        st = swap(g, t, n, true, err);
        *changed = true;
    }
    return st;
}

/* Two transposes in a row are one. */
static void compose(ir_graph *g, const pass_index *x, bool *changed)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        ir_node *n = &g->nodes[i];
        if (n->dead || n->op != IR_TRANSPOSE) continue;
        ir_node *t = pass_maker(g, x, n, 0, IR_TRANSPOSE);
        if (!t) continue;
        for (int k = 0; k < n->attr.transpose.rank; k++)
            n->attr.transpose.perm[k] = t->attr.transpose.perm[n->attr.transpose.perm[k]];
        /* an unread transpose would still count as a reader and keep others from moving */
        if (x->uses[n->in[0]] == 1) t->dead = true;
        n->in[0] = t->in[0];
        *changed = true;
    }
}

/* True when the axes that are not 1 keep their order: the bytes stay where they are. */
static bool moves_nothing(const ir_graph *g, const ir_node *n)
{
    const ir_tensor *in = &g->tensors[n->in[0]];
    int last = -1;
    for (int i = 0; i < n->attr.transpose.rank; i++) {
        const int from = n->attr.transpose.perm[i];
        if (in->dim[from] < 0 && (from > 0 || in->dim[from] != IR_BATCH)) return false; /* open */
        if (in->dim[from] == 1) continue;
        if (from < last) return false;
        last = from;
    }
    return true;
}

/* Ops that only choose among values: it is the same before and after DEQUANTIZE. */
static bool chooses(const ir_node *n)
{
    if (n->op == IR_TRANSPOSE || n->op == IR_RESHAPE) return true;
    return n->op == IR_MAX_POOL_2D && n->attr.window.clamp.low == -INFINITY &&
           n->attr.window.clamp.high == INFINITY;
}

/* DEQUANTIZE, chooser -> chooser, DEQUANTIZE: 8-bit ops then see 8 bits. */
static nf_status raise(ir_graph *g, const pass_index *x, bool *changed, nf_error *err)
{
    nf_status st = NF_OK;
    for (size_t i = 0; i < g->n_nodes && !st; i++) {
        ir_node *n = &g->nodes[i];
        if (n->dead || !chooses(n)) continue;
        ir_node *d = pass_only_maker(g, x, n, 0, IR_DEQUANTIZE);
        if (!d || g->tensors[d->in[0]].data || !per_tensor(&g->tensors[d->in[0]])) continue;
        st = swap(g, d, n, false, err);
        *changed = true;
    }
    return st;
}

/* Gives `to` the scale of `from`, if only that one has any. */
static nf_status share_quant(ir_tensor *to, const ir_tensor *from, nf_error *err)
{
    if (to->quant.n || from->quant.n != 1 || to->dtype != from->dtype) return NF_OK;
    return ir_set_quant(to, 1, from->quant.scale, from->quant.zero, 0, err);
}

/* Values mean the same on both sides of what only moves them; a file may say it on one. A source
 * that others read too may mean something else to them. */
static nf_status share_meaning(ir_graph *g, nf_error *err)
{
    pass_index x;
    nf_status st;
    if ((st = pass_index_init(&x, g, err))) return st;
    for (size_t k = 0; k < 2 * g->n_nodes && !st; k++) { /* forwards, then backwards */
        const ir_node *n = &g->nodes[k < g->n_nodes ? k : 2 * g->n_nodes - 1 - k];
        if (n->op != IR_RESHAPE && n->op != IR_TRANSPOSE) continue;
        ir_tensor *in = &g->tensors[n->in[0]], *out = &g->tensors[n->out[0]];
        if (k < g->n_nodes)
            st = share_quant(out, in, err);
        else if (x.uses[n->in[0]] == 1)
            st = share_quant(in, out, err);
    }
    pass_index_fini(&x);
    return st;
}

static nf_status repeat(ir_graph *g,
                        nf_status (*once)(ir_graph *g, const pass_index *x, bool *changed,
                                          nf_error *err),
                        nf_error *err)
{
    nf_status st = NF_OK;
    bool changed = true;
    /* every round moves something past a node for good; the bound is for hostile files */
    for (int round = 0; round < 64 && changed && !st; round++) {
        pass_index x;
        changed = false;
        if ((st = pass_index_init(&x, g, err))) break;
        st = once(g, &x, &changed, err);
        pass_index_fini(&x);
    }
    return st;
}

static nf_status sink_and_compose(ir_graph *g, const pass_index *x, bool *changed, nf_error *err)
{
    const nf_status st = sink(g, x, changed, err);
    if (!st) compose(g, x, changed);
    return st;
}

nf_status pass_layout(ir_graph *g, const eng_options *o, nf_error *err)
{
    (void)o;
    nf_status st = share_meaning(g, err);
    if (!st) st = repeat(g, sink_and_compose, err);
    for (size_t i = 0; i < g->n_nodes && !st; i++) {
        ir_node *n = &g->nodes[i];
        if (!n->dead && n->op == IR_TRANSPOSE && moves_nothing(g, n)) pass_make_view(g, n);
    }
    return st ? st : repeat(g, raise, err);
}
