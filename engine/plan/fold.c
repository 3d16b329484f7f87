/* fold.c - computes at load what no input has a part in. Layer: plan. Thread rule: one owner. */
#include "engine/plan/program.h"

#include "engine/base/mem.h"

#define FOLD_ENDS 32                /* inputs, or results, of a node that is folded */
#define FOLD_MOST ((size_t)1 << 24) /* bytes of one result */

typedef struct folder {
    ir_graph *g;
    plan_graph pg;
    const plan_env *env;
    bool only_shapes;
    bool *is_output;
    ir_shape *results;
    nf_error *err;
} folder;

static const ir_tensor *input(const folder *f, const ir_node *n, int32_t i)
{
    return n->in[i] == IR_NONE ? NULL : &f->g->tensors[n->in[i]];
}

/* A symbol may be moved, but not computed with: it may stand in what a kernel moves. */
static bool takes_symbol(const ir_node *n, int32_t i, const plan_layer *l)
{
    return l->kernel->kind == PLAN_ANY && (i == 0 || n->op == IR_CONCATENATION);
}

static bool can_compute(const folder *f, const ir_node *n, const plan_layer *l)
{
    for (int32_t i = 0; i < n->n_in; i++) {
        const ir_tensor *t = input(f, n, i);
        if (t && (!t->data || (t->symbolic && !takes_symbol(n, i, l)))) return false;
    }
    return true;
}

static bool constant_inputs(const folder *f, const ir_node *n)
{
    for (int32_t i = 0; i < n->n_in; i++)
        if (input(f, n, i) && !input(f, n, i)->data) return false;
    return true;
}

static nf_status take_shapes(folder *f, const ir_node *n)
{
    const nf_status st = ir_infer_shapes(f->results, f->g, f->g->tensors, n, f->err);
    for (int32_t i = 0; !st && i < n->n_out; i++) {
        if (n->out[i] == IR_NONE) continue;
        ir_tensor *t = &f->g->tensors[n->out[i]];
        t->rank = f->results[i].rank;
        memcpy(t->dim, f->results[i].dim, sizeof(t->dim));
    }
    return st;
}

/* Every result has a known shape of a size that is worth it, and none is an output. */
static bool results_fit(const folder *f, const ir_node *n)
{
    for (int32_t i = 0; i < n->n_out; i++) {
        size_t elems;
        if (n->out[i] == IR_NONE) continue;
        const ir_tensor *t = &f->g->tensors[n->out[i]];
        if (f->is_output[n->out[i]] || !ir_shape_known(t) || !ir_elems(&elems, t, 1) ||
            elems * eng_dtype_size(t->dtype) > FOLD_MOST)
            return false;
        const bool whole = t->dtype == ENG_I64 || t->dtype == ENG_I32 || t->dtype == ENG_BOOL;
        if (f->only_shapes && (!whole || t->quant.n)) return false;
    }
    return true;
}

/* A symbol among the inputs, and one in the result: it has been moved there. */
static bool has_symbol(const folder *f, const ir_node *n, const ir_tensor *t)
{
    bool from = n->op == IR_SHAPE, found = false;
    for (int32_t i = 0; i < n->n_in; i++)
        from |= input(f, n, i) && input(f, n, i)->symbolic;
    for (size_t i = 0; from && t->dtype == ENG_I64 && i < t->bytes / sizeof(int64_t); i++)
        found |= ((const int64_t *)(const void *)t->data)[i] == IR_SYMBOL;
    for (size_t i = 0; from && t->dtype == ENG_I32 && i < t->bytes / sizeof(int32_t); i++)
        found |= ((const int32_t *)(const void *)t->data)[i] == IR_SYMBOL_32;
    return found;
}

/* Strings point into the constants that they were moved from: those must stay, so they are not
 * folded. */
static nf_status give_data(folder *f, int32_t tensor, plan_step *s, int32_t i)
{
    ir_tensor *t = &f->g->tensors[tensor];
    size_t elems;
    nf_status st;
    ir_elems(&elems, t, 1);
    t->bytes = elems * eng_dtype_size(t->dtype);
    if ((st = ir_spend(f->g, t->bytes, f->err))) return st;
    t->data = nf_alloc(t->bytes + 1, NF_MEM_GRAPH);
    if (!t->data) return nf_fail(f->err, NF_ENOMEM, t->name, "no memory for %zu bytes", t->bytes);
    s->out[i] = t->data;
    return NF_OK;
}

static nf_status run_step(folder *f, ir_node *n, plan_layer *l, plan_step *s)
{
    nf_status st;
    plan_shape shapes[2 * FOLD_ENDS] = {{0}};
    for (int32_t i = 0; i < n->n_in; i++) {
        if (!input(f, n, i)) continue;
        plan_shape_of(&shapes[i], input(f, n, i));
        s->in[i] = input(f, n, i)->data;
    }
    for (int32_t i = 0; i < n->n_out; i++)
        if (n->out[i] >= 0) plan_shape_of(&shapes[n->n_in + i], &f->g->tensors[n->out[i]]);
    if ((st = l->kernel->bind(s, shapes, shapes + n->n_in, f->err))) return st;
    for (int32_t i = 0; i < n->n_out; i++)
        if (n->out[i] >= 0 && (st = give_data(f, n->out[i], s, i))) return st;
    s->scratch = plan_heap_alloc(s->heap, s->scratch_bytes + 1);
    if (!s->scratch) return nf_fail(f->err, NF_ENOMEM, "fold", "no memory for a step");
    s->a = n->n_in > 0 ? s->in[0] : NULL;
    s->b = n->n_in > 1 ? s->in[1] : NULL;
    s->y = s->out[0];
    s->run(s);
    if (s->fault->status && f->err) *f->err = s->fault->error;
    return s->fault->status;
}

/* A SHAPE whose input has no open dimension but the batch. */
static nf_status fold_shape(folder *f, ir_node *n)
{
    const ir_tensor *x = input(f, n, 0);
    ir_tensor *y = &f->g->tensors[n->out[0]];
    const int first = n->attr.axis.axis;
    int64_t dim[ENG_MAX_RANK];
    int32_t narrow[ENG_MAX_RANK];
    nf_status st;
    if (x->rank < 0 || !results_fit(f, n)) return NF_OK;
    for (int64_t i = 0; i < y->dim[0]; i++) {
        dim[i] = x->dim[first + i] == IR_BATCH ? IR_SYMBOL : x->dim[first + i];
        if (dim[i] == IR_FREE || (dim[i] > INT32_MAX && y->dtype == ENG_I32)) return NF_OK;
        narrow[i] = dim[i] == IR_SYMBOL ? IR_SYMBOL_32 : (int32_t)dim[i];
    }
    const void *data = y->dtype == ENG_I64 ? (const void *)dim : narrow;
    const size_t bytes = (size_t)y->dim[0] * eng_dtype_size(y->dtype);
    if ((st = ir_set_data(y, (nf_bytes){data, bytes}, f->err))) return st;
    y->symbolic = has_symbol(f, n, y);
    n->dead = true;
    return NF_OK;
}

static nf_status compute(folder *f, ir_node *n, plan_layer *l)
{
    plan_heap heap = {0};
    plan_fault fault = {0};
    const void *in[FOLD_ENDS] = {0};
    void *out[FOLD_ENDS] = {0};
    plan_step s = {
        .run = l->kernel->run, .layer = l, .in = in, .out = out, .heap = &heap, .fault = &fault};
    const nf_status st = run_step(f, n, l, &s);
    plan_heap_fini(&heap);
    for (int32_t i = 0; !st && i < n->n_out; i++)
        if (n->out[i] >= 0)
            f->g->tensors[n->out[i]].symbolic = has_symbol(f, n, &f->g->tensors[n->out[i]]);
    n->dead = !st;
    return st;
}

static nf_status fold_node(folder *f, ir_node *n)
{
    plan_layer l;
    nf_error why = {0};
    nf_status st;
    if ((st = take_shapes(f, n))) return st;
    if (n->op == IR_SHAPE) return fold_shape(f, n);
    if (ir_is_flow(n->op) || !constant_inputs(f, n) || !results_fit(f, n) || ir_is_product(n->op))
        return NF_OK;
    if (n->n_in > FOLD_ENDS || n->n_out > FOLD_ENDS) return NF_OK;
    if (f->g->tensors[n->out[0]].dtype == ENG_STR) return NF_OK;
    /* A constant that no kernel takes may still go into a pass or a packed layer. */
    st = plan_layer_init(&l, &f->pg, n, f->env, &why);
    if (!st && can_compute(f, n, &l)) st = compute(f, n, &l);
    plan_layer_fini(&l);
    return st == NF_ENOMEM || !why.text[0] ? st : NF_OK;
}

static void drop_folded(ir_graph *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        if (g->nodes[i].dead)
            ir_node_fini(&g->nodes[i]);
        else
            g->nodes[kept++] = g->nodes[i];
    }
    g->n_nodes = kept;
}

static nf_status fold_all(folder *f)
{
    nf_status st = NF_OK;
    size_t most = 1;
    for (size_t i = 0; i < f->g->n_nodes; i++)
        most = (size_t)f->g->nodes[i].n_out > most ? (size_t)f->g->nodes[i].n_out : most;
    f->is_output = nf_alloc_array(f->g->n_tensors + 1, sizeof(bool), NF_MEM_GRAPH);
    f->results = nf_alloc_array(most, sizeof(*f->results), NF_MEM_GRAPH);
    if (!f->is_output || !f->results) return nf_fail(f->err, NF_ENOMEM, "fold", "no memory");
    for (size_t i = 0; i < f->g->n_outputs; i++)
        f->is_output[f->g->outputs[i]] = true;
    for (size_t i = 0; i < f->g->n_nodes && !st; i++)
        if (!f->g->nodes[i].dead) st = fold_node(f, &f->g->nodes[i]);
    return st;
}

nf_status plan_fold(ir_graph *g, const plan_env *env, bool only_shapes, nf_error *err)
{
    folder f = {.g = g, .pg = {.g = g}, .env = env, .only_shapes = only_shapes, .err = err};
    const nf_status st = fold_all(&f);
    nf_free(f.is_output);
    nf_free(f.results);
    drop_folded(g);
    return st;
}
