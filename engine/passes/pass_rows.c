/* pass_rows.c - rows that two views lose between them are found again. Layer: passes.
 *
 * A file may view [rows, 1] as [1, rows], cast that, and view it as [rows]. Taken one by one the
 * first view mixes the rows; taken together they change nothing. */
#include "engine/passes/pass.h"

static bool has_rows(const ir_tensor *t)
{
    return t->rank > 0 && t->dim[0] == IR_BATCH;
}

/* The target says itself how many elements go where: nothing is copied from the source's shape. */
static bool stands_alone(const ir_graph *g, const ir_node *n)
{
    const ir_tensor *to = n->n_in > 1 && n->in[1] >= 0 ? &g->tensors[n->in[1]] : NULL;
    if (n->attr.reshape.flatten || (to && (!to->data || to->dtype != ENG_I64))) return false;
    const int64_t *dim = to ? (const int64_t *)(const void *)to->data : n->attr.reshape.dim;
    const size_t rank = to ? to->bytes / sizeof(*dim) : (size_t)n->attr.reshape.rank;
    for (size_t i = 0; i < rank; i++)
        if (dim[i] == 0) return false;
    return true;
}

/* The view at the other end of the casts that n reads through, which nothing else reads. */
static const ir_node *first_view(const ir_graph *g, const pass_index *x, const ir_node *n)
{
    const ir_node *m = n;
    while (m->op != IR_RESHAPE || m == n) {
        const int32_t maker = x->maker[m->in[0]];
        const bool cast = maker >= 0 && g->nodes[maker].op == IR_CAST && !g->nodes[maker].dead;
        if (cast && x->uses[m->in[0]] != 1) return NULL;
        if (maker < 0 || g->nodes[maker].dead || (!cast && g->nodes[maker].op != IR_RESHAPE))
            return NULL;
        m = &g->nodes[maker];
    }
    return m;
}

static void take_shape(ir_tensor *to, const ir_tensor *from)
{
    to->rank = from->rank;
    memcpy(to->dim, from->dim, sizeof(to->dim));
}

/* n, or the cast next to the first view, reads what that one reads; shapes follow. */
static void join(ir_graph *g, const pass_index *x, ir_node *n, int32_t source, const ir_node *first)
{
    ir_node *m = n;
    while (m->in[0] != first->out[0]) {
        m = &g->nodes[x->maker[m->in[0]]];
        take_shape(&g->tensors[m->out[0]], &g->tensors[source]);
    }
    m->in[0] = source;
}

nf_status pass_rows(ir_graph *g, const eng_options *o, nf_error *err)
{
    pass_index x;
    bool changed = false;
    nf_status st;
    (void)o;
    if ((st = pass_index_init(&x, g, err))) return st;
    for (size_t i = 0; i < g->n_nodes; i++) {
        ir_node *n = &g->nodes[i];
        if (n->dead || n->op != IR_RESHAPE || has_rows(&g->tensors[n->out[0]])) continue;
        const ir_node *first = stands_alone(g, n) ? first_view(g, &x, n) : NULL;
        if (!first || !has_rows(&g->tensors[first->in[0]]) || g->tensors[first->in[0]].variable)
            continue;
        join(g, &x, n, first->in[0], first);
        changed = true;
    }
    pass_index_fini(&x);
    return changed ? ir_graph_verify(g, err) : NF_OK;
}
