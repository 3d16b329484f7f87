/* pass_layout.c - moves transposes until they cancel. Layer: passes.
 * A reader of a channels-first format puts one before and one behind every convolution; between two
 * convolutions they meet once the elementwise ops between them have changed places with them. */
#include "engine/passes/pass.h"

#include <math.h>
#include <string.h>

/* The shape rules of ops_math.h: operators whose rule is `same` are elementwise. */
enum { RULE_same = 1, RULE_broadcast, RULE_reduce, RULE_cumulate, RULE_softmax };

static const uint8_t rules[IR_OP_COUNT] = {
#define X(name, least, most, outs, rule, types) [IR_##name] = RULE_##rule,
    IR_MATH_MAP(X)
#undef X
};

static bool is_elementwise(ir_op op)
{
    return op == IR_CLAMP || op == IR_QUANTIZE || op == IR_DEQUANTIZE || rules[op] == RULE_same;
}

static bool is_pairwise(const ir_node *n)
{
    const bool core = n->op == IR_ADD || n->op == IR_SUB || n->op == IR_MUL || n->op == IR_DIV;
    return n->n_in == 2 && (core || rules[n->op] == RULE_broadcast);
}

static bool per_tensor(const ir_tensor *t)
{
    return t->quant.n <= 1;
}

/* A transpose whose values mean the same on both sides. */
static bool keeps_meaning(const ir_graph *g, const ir_node *t)
{
    const ir_tensor *x = &g->tensors[t->in[0]], *y = &g->tensors[t->out[0]];
    return per_tensor(x) && x->quant.n == y->quant.n;
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
        if (!t || !per_tensor(&g->tensors[n->out[0]]) || !keeps_meaning(g, t)) continue;
        st = swap(g, t, n, true, err);
        *changed = true;
    }
    return st;
}

static bool is_one_number(const ir_tensor *t)
{
    size_t elems;
    return t->data && ir_elems(&elems, t, 1) && elems == 1;
}

static bool same_order(const ir_node *a, const ir_node *b)
{
    return a->attr.transpose.rank == b->attr.transpose.rank &&
           memcmp(a->attr.transpose.perm, b->attr.transpose.perm,
                  (size_t)a->attr.transpose.rank * sizeof(int)) == 0;
}

/* The transposes in front of both operands of n, alike; in the place of one there may be a constant
 * of one number (NULL). False when there are none that could move. */
static bool find_pair(ir_node *t[2], const ir_graph *g, const pass_index *x, const ir_node *n)
{
    for (int i = 0; i < 2; i++) {
        t[i] = pass_only_maker(g, x, n, i, IR_TRANSPOSE);
        if (!t[i] && !is_one_number(&g->tensors[n->in[i]])) return false;
        if (t[i] && !keeps_meaning(g, t[i])) return false;
    }
    const ir_node *any = t[0] ? t[0] : t[1];
    if (!any || (t[0] && t[1] && !same_order(t[0], t[1]))) return false;
    const ir_tensor *y = &g->tensors[n->out[0]];
    return per_tensor(y) && y->rank == any->attr.transpose.rank && any->attr.transpose.perm[0] == 0;
}

/* n and the later transpose change places, the other one goes; the tensor between them becomes what
 * n makes of the operands as they were. */
static nf_status lift_pair(ir_graph *g, ir_node *n, ir_node *t[2], nf_error *err)
{
    ir_node *first = t[0] && t[0] > t[1] ? t[0] : t[1];
    const ir_node was = *n;
    const int32_t mid = first->out[0];
    const ir_tensor *y = &g->tensors[n->out[0]];
    for (int i = 0; i < 2; i++) {
        if (!t[i]) continue;
        was.in[i] = t[i]->in[0];
        t[i]->dead = t[i] != first;
    }
    *n = (ir_node){.op = IR_TRANSPOSE,
                   .attr = first->attr,
                   .in = first->in,
                   .n_in = 1,
                   .out = was.out,
                   .n_out = 1};
    n->in[0] = mid;
    first->op = was.op;
    first->attr = was.attr;
    first->in = was.in;
    first->n_in = 2;
    int64_t dim[ENG_MAX_RANK];
    for (int i = 0; i < y->rank; i++)
        dim[n->attr.transpose.perm[i]] = y->dim[i];
    const nf_status st = retype(g, mid, n->out[0], n->out[0], err);
    memcpy(g->tensors[mid].dim, dim, (size_t)y->rank * sizeof(*dim));
    return st;
}

/* Sums of two branches, and numbers that are added to or multiplied with all of one. */
static nf_status sink_pairs(ir_graph *g, const pass_index *x, bool *changed, nf_error *err)
{
    nf_status st = NF_OK;
    for (size_t i = 0; i < g->n_nodes && !st; i++) {
        ir_node *n = &g->nodes[i], *t[2];
        if (n->dead || !is_pairwise(n) || n->in[0] == n->in[1] || !find_pair(t, g, x, n)) continue;
        if ((t[0] && t[0]->dead) || (t[1] && t[1]->dead)) continue;
        st = lift_pair(g, n, t, err);
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
    nf_status st = sink(g, x, changed, err);
    if (!st) st = sink_pairs(g, x, changed, err);
    if (!st) compose(g, x, changed);
    return st;
}

static bool is_alike(const ir_tensor *a, const ir_tensor *b)
{
    return a->dtype == b->dtype && a->quant.n == b->quant.n && per_tensor(a) &&
           (!a->quant.n ||
            (a->quant.scale[0] == b->quant.scale[0] && a->quant.zero[0] == b->quant.zero[0]));
}

/* Who reads a view that changes nothing reads what it shows: transposes that cancel leave such. A
 * variable may change before it is read again. */
static nf_status skip_views(ir_graph *g, nf_error *err)
{
    pass_index x;
    const nf_status st = pass_index_init(&x, g, err);
    for (size_t i = 0; i < g->n_nodes && !st; i++) {
        ir_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_in && !n->dead; k++) {
            const ir_node *view;
            while ((view = pass_maker(g, &x, n, k, IR_IDENTITY)) &&
                   !g->tensors[view->in[0]].variable &&
                   is_alike(&g->tensors[view->in[0]], &g->tensors[n->in[k]]))
                n->in[k] = view->in[0];
        }
    }
    pass_index_fini(&x);
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
    if (!st) st = skip_views(g, err);
    return st ? st : repeat(g, raise, err);
}
