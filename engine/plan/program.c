/* program.c - shapes, liveness, addresses and steps. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/program.h"

#include "engine/base/mem.h"
#include "engine/plan/arena.h"

/* What is needed while a program is made. */
typedef struct builder {
    plan_program *p;
    const ir_graph *g;
    const plan_layer *layers;
    const plan_limits *limits;
    plan_step *steps;   /* [n_nodes]: bound, views too */
    int32_t *root;      /* [n_tensors]: whose memory a tensor lies in */
    plan_block *blocks; /* [n_tensors] values, then [n_nodes] scratch */
} builder;

static nf_status shape_all(builder *b, nf_error *err)
{
    for (size_t t = 0; t < b->g->n_tensors; t++) {
        const ir_tensor *from = &b->g->tensors[t];
        plan_shape *to = &b->p->shapes[t];
        to->rank = from->rank;
        for (int i = 0; i < from->rank; i++)
            to->dim[i] = (size_t)(from->dim[i] == IR_BATCH ? b->limits->batch : from->dim[i]);
        if (!ir_elems(&to->elems, from, b->limits->batch))
            return nf_fail(err, NF_ETOOLARGE, from->name, "has too many elements");
    }
    return NF_OK;
}

static nf_status bind_all(builder *b, nf_error *err)
{
    nf_status st;
    for (size_t i = 0; i < b->g->n_nodes; i++) {
        const ir_node *n = &b->g->nodes[i];
        plan_shape in[2] = {{0}};
        plan_step *s = &b->steps[i];
        for (int k = 0; k < 2 && k < n->n_in; k++)
            if (n->in[k] >= 0) in[k] = b->p->shapes[n->in[k]];
        s->layer = &b->layers[i];
        s->run = s->layer->kernel->run;
        s->macs = plan_macs(b->g, n, &b->p->shapes[n->out]);
        b->p->macs += s->macs;
        if ((st = s->layer->kernel->bind(s, in, &b->p->shapes[n->out], err))) return st;
    }
    return NF_OK;
}

/* A view lies where its source lies; nothing is copied. */
static void find_roots(builder *b)
{
    for (size_t t = 0; t < b->g->n_tensors; t++)
        b->root[t] = (int32_t)t;
    for (size_t i = 0; i < b->g->n_nodes; i++) {
        const ir_node *n = &b->g->nodes[i];
        if (n->op == IR_RESHAPE && !b->g->tensors[n->in[0]].data)
            b->root[n->out] = b->root[n->in[0]];
    }
}

static void live_until(builder *b, int32_t tensor, uint32_t step)
{
    plan_block *k = &b->blocks[b->root[tensor]];
    if (k->bytes && step > k->last) k->last = step;
}

static void born_at(builder *b, int32_t tensor, uint32_t step)
{
    plan_block *k = &b->blocks[b->root[tensor]];
    if (k->bytes || b->g->tensors[tensor].data) return; /* a view, or a constant */
    k->bytes = b->p->shapes[tensor].elems * eng_dtype_size(b->g->tensors[tensor].dtype);
    k->first = k->last = step;
}

/* Step 0 is the filling of the inputs, step i + 1 is node i. */
static void find_lives(builder *b)
{
    const ir_graph *g = b->g;
    const uint32_t end = (uint32_t)g->n_nodes + 1;
    for (size_t i = 0; i < g->n_inputs; i++)
        born_at(b, g->inputs[i], 0);
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *n = &g->nodes[i];
        plan_block *scratch = &b->blocks[g->n_tensors + i];
        born_at(b, n->out, (uint32_t)i + 1);
        for (int32_t k = 0; k < n->n_in; k++)
            if (n->in[k] >= 0) live_until(b, n->in[k], (uint32_t)i + 1);
        *scratch = (plan_block){b->steps[i].scratch_bytes, (uint32_t)i + 1, (uint32_t)i + 1, 0};
    }
    for (size_t i = 0; i < g->n_outputs; i++)
        live_until(b, g->outputs[i], end);
    for (size_t t = 0; t < g->n_tensors && b->limits->keep_all; t++)
        b->blocks[t].last = end;
}

static nf_status lay_out(builder *b, nf_error *err)
{
    plan_program *p = b->p;
    nf_status st = plan_arena(b->blocks, b->g->n_tensors + b->g->n_nodes, &p->arena_bytes,
                              &p->arena_bound, err);
    if (st) return st;
    if (p->arena_bytes > b->limits->max_arena)
        return nf_fail(err, NF_EBUDGET, "arena", "activations need %zu bytes, the limit is %zu",
                       p->arena_bytes, b->limits->max_arena);
    p->arena = nf_alloc(p->arena_bytes + 1, NF_MEM_ARENA);
    if (!p->arena)
        return nf_fail(err, NF_ENOMEM, "arena", "no memory for %zu bytes", p->arena_bytes);
    for (size_t t = 0; t < b->g->n_tensors; t++) {
        const plan_block *k = &b->blocks[b->root[t]];
        p->place[t] = b->g->tensors[t].data ? b->g->tensors[t].data
                      : k->bytes            ? p->arena + k->offset
                                            : NULL;
    }
    return NF_OK;
}

static void address_all(builder *b)
{
    const ir_graph *g = b->g;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *n = &g->nodes[i];
        plan_step *s = &b->steps[i];
        s->a = b->p->place[n->in[0]];
        s->b = n->n_in > 1 && n->in[1] >= 0 ? b->p->place[n->in[1]] : NULL;
        s->y = b->p->place[n->out];
        s->scratch = b->p->arena + b->blocks[g->n_tensors + i].offset;
        if (s->y != s->a) b->p->steps[b->p->n_steps++] = *s;
    }
}

static nf_status allocate(builder *b, nf_error *err)
{
    const size_t nt = b->g->n_tensors, nn = b->g->n_nodes;
    plan_program *p = b->p;
    p->n_tensors = nt;
    p->steps = nf_alloc_array(nn + 1, sizeof(*p->steps), NF_MEM_GRAPH);
    p->place = nf_alloc_array(nt + 1, sizeof(*p->place), NF_MEM_GRAPH);
    p->shapes = nf_alloc_array(nt + 1, sizeof(*p->shapes), NF_MEM_GRAPH);
    b->steps = nf_alloc_array(nn + 1, sizeof(*b->steps), NF_MEM_GRAPH);
    b->root = nf_alloc_array(nt + 1, sizeof(*b->root), NF_MEM_GRAPH);
    b->blocks = nf_alloc_array(nt + nn + 1, sizeof(*b->blocks), NF_MEM_GRAPH);
    if (p->steps && p->place && p->shapes && b->steps && b->root && b->blocks) return NF_OK;
    return nf_fail(err, NF_ENOMEM, "program", "no memory for %zu steps", nn);
}

nf_status plan_program_create(plan_program **out, const ir_graph *g, const plan_layer *layers,
                              const plan_limits *limits, nf_error *err)
{
    builder b = {.g = g, .layers = layers, .limits = limits};
    nf_status st;
    *out = NULL;
    b.p = nf_alloc(sizeof(*b.p), NF_MEM_GRAPH);
    if (!b.p) return nf_fail(err, NF_ENOMEM, "program", "no memory");
    if ((st = allocate(&b, err)) || (st = shape_all(&b, err)) || (st = bind_all(&b, err)))
        goto done;
    find_roots(&b);
    find_lives(&b);
    if ((st = lay_out(&b, err))) goto done;
    address_all(&b);
    *out = b.p;
    b.p = NULL;
done:
    nf_free(b.steps);
    nf_free(b.root);
    nf_free(b.blocks);
    plan_program_destroy(&b.p);
    return st;
}

void plan_program_destroy(plan_program **p)
{
    if (!p || !*p) return;
    nf_free((*p)->steps);
    nf_free((*p)->place);
    nf_free((*p)->shapes);
    nf_free((*p)->arena);
    nf_free(*p);
    *p = NULL;
}
