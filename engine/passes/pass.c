/* pass.c - the table of passes, and what they share. Layer: passes. */
#include "engine/passes/pass.h"

#include "engine/base/mem.h"

#include <math.h>

static bool wants_float(const eng_options *o)
{
    if (o->precision == ENG_PREC_AUTO) return o->mode == ENG_MODE_CLOUD;
    return o->precision == ENG_PREC_FP32;
}

static bool keeps_integers(const eng_options *o)
{
    return !wants_float(o);
}

static bool always(const eng_options *o)
{
    (void)o;
    return true;
}

static const struct {
    nf_status (*run)(ir_graph *g, const eng_options *o, nf_error *err);
    bool (*when)(const eng_options *o);
} passes[] = {
    /* NULL: constants are folded */
    {pass_rows, always},
    {pass_layout, always},
    {pass_fuse_clamp, always},
    {pass_fuse_moves, keeps_integers},
    {pass_fuse_qdq, keeps_integers},
    {pass_dequantize, wants_float},
    {pass_fuse_clamp, wants_float},
    {NULL, always},
    {pass_quantize_weights, eng_wants_int8},
    {pass_sweep, always},
};

nf_status pass_run_all(ir_graph *g, const eng_options *o, const pass_folder *folder, nf_error *err)
{
    nf_status st = NF_OK;
    ir_make_room(g);
    for (size_t i = 0; i < g->n_bodies && !st; i++)
        st = pass_run_all(g->bodies[i], o, folder, err);
    if (!st) st = folder->fold(g, folder->with, true, err);
    if (!st) st = ir_graph_verify(g, err);
    for (size_t i = 0; i < NF_COUNT(passes) && !st; i++) {
        if (!passes[i].when(o)) continue;
        st = passes[i].run ? passes[i].run(g, o, err) : folder->fold(g, folder->with, false, err);
    }
    return st ? st : ir_graph_verify(g, err);
}

nf_status pass_index_init(pass_index *x, const ir_graph *g, nf_error *err)
{
    x->maker = nf_alloc_array(g->n_tensors + 1, sizeof(int32_t), NF_MEM_GRAPH);
    x->uses = nf_alloc_array(g->n_tensors + 1, sizeof(int32_t), NF_MEM_GRAPH);
    if (!x->maker || !x->uses) {
        pass_index_fini(x);
        return nf_fail(err, NF_ENOMEM, "passes", "no memory for %zu tensors", g->n_tensors);
    }
    for (size_t t = 0; t < g->n_tensors; t++)
        x->maker[t] = -1;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *n = &g->nodes[i];
        if (n->dead) continue;
        for (int32_t k = 0; k < n->n_out; k++)
            if (n->out[k] >= 0) x->maker[n->out[k]] = (int32_t)i;
        for (int32_t k = 0; k < n->n_in; k++)
            if (n->in[k] >= 0) x->uses[n->in[k]]++;
    }
    for (size_t i = 0; i < g->n_outputs; i++)
        x->uses[g->outputs[i]]++;
    return NF_OK;
}

void pass_index_fini(pass_index *x)
{
    nf_free(x->maker);
    nf_free(x->uses);
    *x = (pass_index){0};
}

ir_node *pass_maker(const ir_graph *g, const pass_index *x, const ir_node *n, int i, ir_op op)
{
    if (i >= n->n_in || n->in[i] < 0 || x->maker[n->in[i]] < 0) return NULL;
    ir_node *m = &g->nodes[x->maker[n->in[i]]];
    return m->op == op && !m->dead ? m : NULL;
}

ir_node *pass_only_maker(const ir_graph *g, const pass_index *x, const ir_node *n, int i, ir_op op)
{
    ir_node *m = pass_maker(g, x, n, i, op);
    return m && x->uses[n->in[i]] == 1 ? m : NULL;
}

size_t pass_channel(const ir_tensor *t, size_t i)
{
    if (t->quant.n <= 1) return 0;
    size_t inner = 1; /* elements behind the quantized axis */
    for (int k = t->quant.axis + 1; k < t->rank; k++)
        inner *= (size_t)t->dim[k];
    return i / inner % t->quant.n;
}

void pass_narrow(ir_clamp *to, ir_clamp later)
{
    to->low = fminf(fmaxf(to->low, later.low), later.high);
    to->high = fminf(fmaxf(to->high, later.low), later.high);
}

bool pass_all_finite(const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(v[i])) return false;
    return true;
}

void pass_make_view(ir_graph *g, ir_node *n)
{
    const ir_tensor *x = &g->tensors[n->in[0]], *y = &g->tensors[n->out[0]];
    bool same = x->rank == y->rank;
    for (int i = 0; same && i < y->rank; i++)
        same = x->dim[i] == y->dim[i];
    n->op = same ? IR_IDENTITY : IR_RESHAPE;
    n->n_in = 1;
    n->attr = (ir_attr){0};
    if (same) return;
    n->attr.reshape.rank = y->rank;
    for (int i = 0; i < y->rank; i++)
        n->attr.reshape.dim[i] = y->dim[i] == IR_BATCH ? 0 : y->dim[i];
}

/* A node runs for the sake of its results, or to change a variable. */
static bool is_needed(const ir_node *n, const bool *needed)
{
    for (int32_t k = 0; k < n->n_out; k++)
        if (n->out[k] >= 0 && needed[n->out[k]]) return true;
    return ir_has_effect(n->op);
}

/* From the outputs to all that they depend on, from the last node to the first. */
static void mark(const ir_graph *g, bool *needed)
{
    for (size_t i = g->n_nodes; i-- > 0;) {
        const ir_node *n = &g->nodes[i];
        if (n->dead || !is_needed(n, needed)) continue;
        for (int32_t k = 0; k < n->n_in; k++)
            if (n->in[k] >= 0) needed[n->in[k]] = true;
    }
}

/* Constants that nobody reads any more give their bytes back. */
static void drop_constants(ir_graph *g, const bool *needed)
{
    for (size_t t = 0; t < g->n_tensors; t++)
        if (!needed[t] && g->tensors[t].data) {
            nf_free(g->tensors[t].data);
            g->tensors[t].data = NULL;
            g->tensors[t].bytes = 0;
        }
}

static bool same_tensor(const ir_tensor *a, const ir_tensor *b)
{
    if (a->dtype != b->dtype || a->rank != b->rank || a->quant.n != b->quant.n || a->quant.n > 1)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return a->quant.n == 0 ||
           (a->quant.scale[0] == b->quant.scale[0] && a->quant.zero[0] == b->quant.zero[0]);
}

bool *pass_outputs(const ir_graph *g)
{
    bool *is_output = nf_alloc_array(g->n_tensors + 1, sizeof(*is_output), NF_MEM_GRAPH);
    for (size_t i = 0; is_output && i < g->n_outputs; i++)
        is_output[g->outputs[i]] = true;
    return is_output;
}

/* A view that changes nothing: its readers read its source. Nodes are in order, so one walk with a
 * table of stand-ins reaches chains of them. */
static void skip_identities(ir_graph *g, int32_t *stand_in, const bool *is_output)
{
    for (size_t t = 0; t < g->n_tensors; t++)
        stand_in[t] = (int32_t)t;
    for (size_t i = 0; i < g->n_nodes; i++) {
        ir_node *n = &g->nodes[i];
        if (n->dead) continue;
        for (int32_t k = 0; k < n->n_in; k++)
            if (n->in[k] >= 0) n->in[k] = stand_in[n->in[k]];
        if ((n->op != IR_RESHAPE && n->op != IR_IDENTITY) || is_output[n->out[0]]) continue;
        if (g->tensors[n->in[0]].variable) continue; /* it may change while the view is read */
        if (!same_tensor(&g->tensors[n->in[0]], &g->tensors[n->out[0]])) continue;
        stand_in[n->out[0]] = n->in[0];
        n->dead = true;
    }
}

nf_status pass_sweep(ir_graph *g, const eng_options *o, nf_error *err)
{
    (void)o;
    int32_t *stand_in = nf_alloc_array(g->n_tensors + 1, sizeof(*stand_in), NF_MEM_GRAPH);
    bool *needed = pass_outputs(g);
    if (!stand_in || !needed) {
        nf_free(stand_in);
        nf_free(needed);
        return nf_fail(err, NF_ENOMEM, "passes", "no memory for %zu tensors", g->n_tensors);
    }
    skip_identities(g, stand_in, needed);
    nf_free(stand_in);
    mark(g, needed);
    size_t kept = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        ir_node *n = &g->nodes[i];
        if (n->dead || !is_needed(n, needed))
            ir_node_fini(n);
        else
            g->nodes[kept++] = *n;
    }
    g->n_nodes = kept;
    drop_constants(g, needed);
    nf_free(needed);
    return NF_OK;
}
