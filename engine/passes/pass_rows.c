/* pass_rows.c - rows that a file seems to mix, and does not. Layer: passes.
 *
 * The label of a classifier is an element of a list that each row picks: PICK_COLUMNS says [1,
 * rows], and a view behind it, and perhaps a cast, says [rows]. Taken one by one the first mixes
 * the rows; taken together they keep them apart, so that the model takes any number of rows. */
#include "engine/passes/pass.h"

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

/* Of one row of columns each row of the batch picks one. */
static bool picks_apart(const ir_graph *g, const ir_node *n)
{
    const ir_tensor *list = &g->tensors[n->in[0]], *places = &g->tensors[n->in[1]];
    bool one = !n->attr.ml.flag && list->data && places->rank > 0 && places->dim[0] == IR_BATCH;
    for (int i = 0; one && i < list->rank - 1; i++)
        one = list->dim[i] == 1;
    for (int i = 1; one && i < places->rank; i++)
        one = places->dim[i] == 1;
    return one;
}

/* The pick that view n reads, perhaps through casts; nothing else may read what is between. */
static ir_node *find_pick(ir_graph *g, const pass_index *x, const ir_node *n)
{
    for (const ir_node *m = n;;) {
        const int32_t maker = x->maker[m->in[0]];
        if (maker < 0 || g->nodes[maker].dead || x->uses[m->in[0]] != 1) return NULL;
        if (g->nodes[maker].op == IR_PICK_COLUMNS) return &g->nodes[maker];
        if (g->nodes[maker].op != IR_CAST) return NULL;
        m = &g->nodes[maker];
    }
}

/* Everything between has the shape of the places. */
static void keep_apart(ir_graph *g, const pass_index *x, const ir_node *n, ir_node *pick)
{
    const ir_tensor *places = &g->tensors[pick->in[1]];
    pick->attr.ml.flag = true;
    for (const ir_node *m = n; m != pick;) {
        ir_tensor *t = &g->tensors[m->in[0]];
        t->rank = places->rank;
        memcpy(t->dim, places->dim, sizeof(t->dim));
        m = &g->nodes[x->maker[m->in[0]]];
    }
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
        if (n->dead || n->op != IR_RESHAPE || !stands_alone(g, n)) continue;
        ir_node *pick = find_pick(g, &x, n);
        if (!pick || !picks_apart(g, pick)) continue;
        keep_apart(g, &x, n, pick);
        changed = true;
    }
    pass_index_fini(&x);
    return changed ? ir_graph_verify(g, err) : NF_OK;
}
