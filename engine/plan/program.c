/* program.c - liveness, addresses and steps. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/builder.h"

#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/kernels/krn_math.h"

#include <string.h>

static bool is_view(ir_op op)
{
    return op == IR_RESHAPE || op == IR_IDENTITY || op == IR_SQUEEZE || op == IR_UNSQUEEZE;
}

/* A view lies where its source lies; nothing is copied. */
static void find_roots(plan_builder *b)
{
    for (size_t t = 0; t < b->g->n_tensors; t++)
        b->root[t] = (int32_t)t;
    for (size_t i = 0; i < b->g->n_nodes; i++) {
        const ir_node *n = &b->g->nodes[i];
        if (is_view(n->op) && !b->tensors[n->in[0]].data && !b->g->tensors[n->in[0]].variable)
            b->root[n->out[0]] = b->root[n->in[0]];
    }
}

/* Whose memory a tensor lies in. */
static int32_t root_of(const plan_builder *b, int32_t t)
{
    while (b->root[t] != t)
        t = b->root[t];
    return t;
}

static void live_until(plan_builder *b, int32_t tensor, uint32_t step)
{
    plan_block *k = &b->blocks[root_of(b, tensor)];
    if (k->bytes && step > k->last) k->last = step;
}

static void born_at(plan_builder *b, int32_t tensor, uint32_t step)
{
    const ir_tensor *t = &b->tensors[tensor];
    plan_block *k = &b->blocks[root_of(b, tensor)];
    if (k->bytes || t->data || t->variable) return; /* a view, or it has a place already */
    k->bytes = b->p->shapes[tensor].elems * eng_dtype_size(t->dtype);
    k->first = k->last = step;
}

/* Step 0 is the filling of the inputs, step i + 1 is node i. */
static void find_lives(plan_builder *b)
{
    const ir_graph *g = b->g;
    const uint32_t end = (uint32_t)g->n_nodes + 1;
    for (size_t i = 0; i < g->n_inputs; i++)
        born_at(b, g->inputs[i], 0);
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *n = &g->nodes[i];
        plan_step *s = &b->p->bound[i];
        if (!s->run) continue; /* computed already */
        for (int32_t k = 0; k < n->n_out; k++)
            if (n->out[k] >= 0) born_at(b, n->out[k], (uint32_t)i + 1);
        for (int32_t k = 0; k < n->n_in; k++)
            if (n->in[k] >= 0) live_until(b, n->in[k], (uint32_t)i + 1);
        b->blocks[g->n_tensors + i] =
            (plan_block){s->scratch_bytes, (uint32_t)i + 1, (uint32_t)i + 1, 0};
    }
    for (size_t i = 0; i < g->n_outputs; i++)
        live_until(b, g->outputs[i], end);
    for (size_t t = 0; t < g->n_tensors && b->limits->keep_all; t++)
        b->blocks[t].last = end;
}

/* Kernels that read an element of an operand as large as the result before they write it. */
static bool works_in_place(const plan_layer *l)
{
    static const bool ops[IR_OP_COUNT] = {
#define X(name, lower) [IR_##name] = true,
        KRN_UNARY_MAP(X)
#undef X
            [IR_ADD] = true,
        [IR_SUB] = true,
        [IR_MUL] = true,
        [IR_DIV] = true,
        [IR_SQUARED_DIFFERENCE] = true,
        [IR_PRELU] = true,
        [IR_CLAMP] = true};
    return l->kernel->kind == PLAN_F32 && ops[l->node->op];
}

/* The result is one run, or rows of whole vectors: a vector cut short is stored with a mask, and
 * the next load beside it would wait until that has reached the cache. */
static bool has_whole_rows(const plan_builder *b, const ir_node *n)
{
    const plan_shape *y = &b->p->shapes[n->out[0]];
    bool one = true;
    for (int32_t k = 0; k < n->n_in; k++)
        one = one && n->in[k] >= 0 && b->p->shapes[n->in[k]].elems == y->elems;
    return one || (y->rank > 0 && y->dim[y->rank - 1] % 16 == 0);
}

/* A result takes the memory of an operand that nothing reads later; the memory of the graph's
 * inputs, filled in step 0, is left as it is. */
static void share_with_operands(plan_builder *b)
{
    for (size_t i = 0; i < b->g->n_nodes && !b->limits->keep_all; i++) {
        const ir_node *n = &b->g->nodes[i];
        const plan_step *s = &b->p->bound[i];
        if (!s->run || !works_in_place(s->layer) || !has_whole_rows(b, n)) continue;
        plan_block *y = &b->blocks[n->out[0]];
        for (int32_t k = 0; k < n->n_in && k < 2 && y->bytes; k++) {
            const int32_t root = n->in[k] >= 0 ? root_of(b, n->in[k]) : n->out[0];
            plan_block *x = &b->blocks[root];
            if (x == y || x->bytes != y->bytes || x->first == 0 || x->last != i + 1) continue;
            x->last = y->last;
            y->bytes = 0;
            b->root[n->out[0]] = root;
        }
    }
}

static void *place_of(const plan_builder *b, size_t t)
{
    const plan_block *k = &b->blocks[root_of(b, (int32_t)t)];
    if (b->tensors[t].data) return b->tensors[t].data;  /* constant, computed, or a variable */
    if (b->p->shapes[t].elems == 0) return b->p->arena; /* empty: an address that is none's */
    return k->bytes ? b->p->arena + k->offset : NULL;
}

static nf_status lay_out(plan_builder *b, nf_error *err)
{
    plan_program *p = b->p;
    plan_sizes sizes;
    nf_status st = plan_arena_apart(b->blocks, b->g->n_tensors, b->g->n_nodes, &sizes, err);
    if (st) return st;
    p->arena_bytes = sizes.total;
    p->arena_bound = sizes.bound;
    p->values_bytes = sizes.values_total;
    p->values_bound = sizes.values_bound;
    if (p->arena_bytes > b->limits->max_arena)
        return nf_fail(err, NF_EBUDGET, "arena", "activations need %zu bytes, the limit is %zu",
                       p->arena_bytes, b->limits->max_arena);
    p->arena = nf_alloc(p->arena_bytes + 1, NF_MEM_ARENA);
    if (!p->arena)
        return nf_fail(err, NF_ENOMEM, "arena", "no memory for %zu bytes", p->arena_bytes);
    for (size_t t = 0; t < b->g->n_tensors; t++)
        p->place[t] = place_of(b, t);
    return NF_OK;
}

static void address_all(plan_builder *b)
{
    const ir_graph *g = b->g;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *n = &g->nodes[i];
        plan_step *s = &b->p->bound[i];
        if (!s->run) continue;
        for (int32_t k = 0; k < n->n_in; k++)
            s->in[k] = n->in[k] >= 0 ? b->p->place[n->in[k]] : NULL;
        for (int32_t k = 0; k < n->n_out; k++)
            s->out[k] = n->out[k] >= 0 ? b->p->place[n->out[k]] : NULL;
        s->a = n->n_in > 0 ? s->in[0] : NULL;
        s->b = n->n_in > 1 ? s->in[1] : NULL;
        s->y = s->out[0];
        s->scratch = b->p->arena + b->blocks[g->n_tensors + i].offset;
        if (is_view(n->op) && s->y == s->a)
            s->run = NULL;
        else
            b->p->steps[b->p->n_steps++] = *s;
    }
}

static size_t most_ends(const ir_graph *g)
{
    size_t most = 1;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const size_t ends = (size_t)(g->nodes[i].n_in + g->nodes[i].n_out);
        most = ends > most ? ends : most;
    }
    return most;
}

static nf_status allocate(plan_builder *b, nf_error *err)
{
    const size_t nt = b->g->n_tensors, nn = b->g->n_nodes, ends = most_ends(b->g);
    plan_program *p = b->p;
    p->n_tensors = nt;
    p->steps = nf_alloc_array(nn + 1, sizeof(*p->steps), NF_MEM_GRAPH);
    p->bound = nf_alloc_array(nn + 1, sizeof(*p->bound), NF_MEM_GRAPH);
    p->place = nf_alloc_array(nt + 1, sizeof(*p->place), NF_MEM_GRAPH);
    p->shapes = nf_alloc_array(nt + 1, sizeof(*p->shapes), NF_MEM_GRAPH);
    b->tensors = nf_alloc_array(nt + 1, sizeof(*b->tensors), NF_MEM_GRAPH);
    b->results = nf_alloc_array(ends, sizeof(*b->results), NF_MEM_GRAPH);
    b->ends = nf_alloc_array(ends, sizeof(*b->ends), NF_MEM_GRAPH);
    b->computed = nf_alloc_array(nt + 1, sizeof(*b->computed), NF_MEM_GRAPH);
    b->root = nf_alloc_array(nt + 1, sizeof(*b->root), NF_MEM_GRAPH);
    b->blocks = nf_alloc_array(nt + nn + 1, sizeof(*b->blocks), NF_MEM_GRAPH);
    if (p->steps && p->bound && p->place && p->shapes && b->tensors && b->results && b->ends &&
        b->computed && b->root && b->blocks)
        return NF_OK;
    return nf_fail(err, NF_ENOMEM, "program", "no memory for %zu steps", nn);
}

/* With values: the node that reads each tensor last; the graph's outputs stay. */
static nf_status find_last_reads(plan_builder *b, nf_error *err)
{
    b->last_read = nf_alloc_array(b->g->n_tensors + 1, sizeof(*b->last_read), NF_MEM_GRAPH);
    if (!b->last_read) return nf_fail(err, NF_ENOMEM, "program", "no memory");
    for (size_t i = 0; i < b->g->n_nodes; i++)
        for (int32_t k = 0; k < b->g->nodes[i].n_in; k++)
            if (b->g->nodes[i].in[k] >= 0) b->last_read[b->g->nodes[i].in[k]] = (int32_t)i;
    for (size_t i = 0; i < b->g->n_outputs; i++)
        b->last_read[b->g->outputs[i]] = -1;
    return NF_OK;
}

/* A variable begins as the real number 0, which in 8 bits is its zero point: TensorFlow Lite too
 * leaves wider ones at 0. */
static void clear(void *place, const ir_tensor *t, size_t bytes)
{
    const bool byte = (t->dtype == ENG_I8 || t->dtype == ENG_U8) && t->quant.n == 1;
    memset(place, byte ? (uint8_t)t->quant.zero[0] : 0, bytes);
}

static nf_status give_variable(plan_builder *b, size_t t, nf_error *err)
{
    ir_tensor *v = &b->tensors[t];
    v->bytes = b->p->shapes[t].elems * eng_dtype_size(v->dtype);
    if (b->limits->vars) {
        v->data = b->limits->vars->place[t];
        return NF_OK;
    }
    void *place;
    const nf_status st = plan_builder_take(&place, b, v->bytes, v->name, err);
    if (st) return st;
    v->data = place;
    clear(v->data, v, v->bytes);
    return NF_OK;
}

static nf_status set_input(plan_builder *b, size_t i, nf_error *err)
{
    ir_tensor *t = &b->tensors[b->g->inputs[i]];
    if (b->limits->shapes) t->rank = b->limits->shapes[i].rank;
    for (int k = 0; k < t->rank; k++) {
        if (b->limits->shapes)
            t->dim[k] = (int64_t)b->limits->shapes[i].dim[k];
        else if (t->dim[k] < 0)
            t->dim[k] = t->dim[k] == IR_BATCH ? b->limits->batch : b->limits->open;
    }
    size_t n;
    if (!ir_elems(&n, t, 1)) return nf_fail(err, NF_ETOOLARGE, t->name, "has too many elements");
    plan_shape_of(&b->p->shapes[b->g->inputs[i]], t);
    if (b->limits->values) t->data = (uint8_t *)(uintptr_t)b->limits->values[i];
    return NF_OK;
}

/* The number of rows that IR_BATCH stands for. */
static int64_t batch_of(const plan_builder *b)
{
    for (size_t i = 0; b->limits->shapes && i < b->g->n_inputs; i++) {
        const ir_tensor *t = &b->g->tensors[b->g->inputs[i]];
        if (t->rank > 0 && t->dim[0] == IR_BATCH) return (int64_t)b->limits->shapes[i].dim[0];
    }
    return b->limits->batch;
}

/* A constant made of a shape, with the rows of this program in the place of IR_SYMBOL. */
static nf_status fill_symbols(plan_builder *b, size_t t, nf_error *err)
{
    const ir_tensor *from = &b->g->tensors[t];
    void *to = plan_heap_alloc(&b->p->heap, from->bytes + 1);
    if (!to) return nf_fail(err, NF_ENOMEM, from->name, "no memory for %zu bytes", from->bytes);
    memcpy(to, from->data, from->bytes);
    int64_t *wide = to;
    int32_t *narrow = to;
    for (size_t i = 0; from->dtype == ENG_I64 && i < from->bytes / sizeof(*wide); i++)
        if (wide[i] == IR_SYMBOL) wide[i] = batch_of(b);
    for (size_t i = 0; from->dtype == ENG_I32 && i < from->bytes / sizeof(*narrow); i++)
        if (narrow[i] == IR_SYMBOL_32) narrow[i] = (int32_t)batch_of(b);
    b->tensors[t].data = to;
    return NF_OK;
}

/* The tensors before the walk: constants and variables as they are, inputs as the limits say. */
static nf_status set_tensors(plan_builder *b, nf_error *err)
{
    nf_status st;
    memcpy(b->tensors, b->g->tensors, b->g->n_tensors * sizeof(*b->tensors));
    for (size_t t = 0; t < b->g->n_tensors; t++) {
        /* packed weights have lost their data, but not their shape */
        if (ir_shape_known(&b->g->tensors[t])) plan_shape_of(&b->p->shapes[t], &b->g->tensors[t]);
        if (b->g->tensors[t].variable && (st = give_variable(b, t, err))) return st;
        const bool symbols = b->g->tensors[t].symbolic && b->g->tensors[t].data;
        if (symbols && (st = fill_symbols(b, t, err))) return st;
    }
    for (size_t i = 0; i < b->g->n_inputs; i++)
        if ((st = set_input(b, i, err))) return st;
    return b->limits->values ? find_last_reads(b, err) : NF_OK;
}

static nf_status build(plan_builder *b, nf_error *err)
{
    nf_status st;
    if ((st = allocate(b, err)) || (st = set_tensors(b, err)) || (st = plan_builder_walk(b, err)))
        return st;
    find_roots(b);
    find_lives(b);
    share_with_operands(b);
    if ((st = lay_out(b, err))) return st;
    address_all(b);
    return NF_OK;
}

nf_status plan_program_create(plan_program **out, const plan_graph *g, const plan_limits *limits,
                              nf_error *err)
{
    plan_builder b = {.pg = g, .g = g->g, .limits = limits};
    *out = NULL;
    b.p = nf_alloc(sizeof(*b.p), NF_MEM_GRAPH);
    if (!b.p) return nf_fail(err, NF_ENOMEM, "program", "no memory");
    const nf_status st = build(&b, err);
    if (!st) {
        *out = b.p;
        b.p = NULL;
    }
    nf_free(b.tensors);
    nf_free(b.results);
    nf_free(b.ends);
    nf_free(b.last_read);
    nf_free(b.computed);
    nf_free(b.root);
    nf_free(b.blocks);
    plan_program_destroy(&b.p);
    return st;
}

void plan_program_destroy(plan_program **p)
{
    if (!p || !*p) return;
    plan_heap_fini(&(*p)->heap);
    nf_free((*p)->steps);
    nf_free((*p)->bound);
    nf_free((*p)->place);
    nf_free((*p)->shapes);
    nf_free((*p)->arena);
    nf_free(*p);
    *p = NULL;
}

/* What a step said while the program ran; the next run starts without it. */
static nf_status take_fault(plan_program *p, nf_error *err)
{
    const nf_status st = p->fault.status;
    if (!st) return NF_OK;
    if (err) *err = p->fault.error;
    p->fault = (plan_fault){0};
    return st;
}

nf_status plan_program_run(plan_program *p, nf_error *err)
{
    for (size_t i = 0; i < p->n_steps; i++)
        p->steps[i].run(&p->steps[i]);
    return take_fault(p, err);
}

nf_status plan_program_profile(plan_program *p, const plan_graph *g, uint64_t *ns, nf_error *err)
{
    memset(ns, 0, g->g->n_nodes * sizeof(*ns));
    uint64_t before = nf_now_ns();
    for (size_t i = 0; i < p->n_steps; i++) {
        p->steps[i].run(&p->steps[i]);
        const uint64_t after = nf_now_ns();
        ns[p->steps[i].layer - g->layers] = after - before;
        before = after;
    }
    return take_fault(p, err);
}

nf_status plan_vars_init(plan_vars *v, const ir_graph *g, nf_error *err)
{
    *v = (plan_vars){.n_tensors = g->n_tensors};
    v->place = nf_alloc_array(g->n_tensors + 1, sizeof(*v->place), NF_MEM_ARENA);
    if (!v->place) return nf_fail(err, NF_ENOMEM, "session", "no memory for variables");
    for (size_t t = 0; t < g->n_tensors; t++) {
        size_t n;
        if (!g->tensors[t].variable || !ir_elems(&n, &g->tensors[t], 1)) continue;
        v->n++;
        v->place[t] = nf_alloc(n * eng_dtype_size(g->tensors[t].dtype) + 1, NF_MEM_ARENA);
        if (!v->place[t])
            return nf_fail(err, NF_ENOMEM, g->tensors[t].name, "no memory for a variable");
    }
    plan_vars_reset(v, g);
    return NF_OK;
}

void plan_vars_reset(const plan_vars *v, const ir_graph *g)
{
    for (size_t t = 0; t < v->n_tensors; t++) {
        size_t n;
        if (v->place[t] && ir_elems(&n, &g->tensors[t], 1))
            clear(v->place[t], &g->tensors[t], n * eng_dtype_size(g->tensors[t].dtype));
    }
}

void plan_vars_fini(plan_vars *v)
{
    for (size_t t = 0; v->place && t < v->n_tensors; t++)
        nf_free(v->place[t]);
    nf_free(v->place);
    *v = (plan_vars){0};
}
