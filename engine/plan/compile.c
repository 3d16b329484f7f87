/* compile.c - a verified graph into a model: kernels chosen, weights packed. Layer: plan.
 * Thread rule: the reference count is atomic; all else is written before anyone else sees it. */
#include "engine/plan/compiled.h"

#include "engine/base/mem.h"

#include <string.h>

#define DEFAULT_MAX_ARENA ((size_t)1 << 30)
#define MAX_WORK          ((uint64_t)100000000000) /* elementary steps a row: minutes of one core */

static nf_status prepare(plan_graph *pg, ir_graph *g, const plan_env *env, nf_error *err)
{
    nf_status st = NF_OK;
    pg->g = g;
    pg->layers = nf_alloc_array(g->n_nodes + 1, sizeof(*pg->layers), NF_MEM_GRAPH);
    pg->bodies = nf_alloc_array(g->n_bodies + 1, sizeof(*pg->bodies), NF_MEM_GRAPH);
    if (!pg->layers || !pg->bodies)
        return nf_fail(err, NF_ENOMEM, "compile", "no memory for %zu ops", g->n_nodes);
    for (size_t i = 0; i < g->n_bodies && !st; i++)
        st = prepare(&pg->bodies[i], g->bodies[i], env, err);
    for (size_t i = 0; i < g->n_nodes && !st; i++) {
        st = plan_layer_init(&pg->layers[i], pg, &g->nodes[i], env, err);
        if (!st) st = ir_spend(g, pg->layers[i].weight_bytes, err);
    }
    return st;
}

static void fini_graph(plan_graph *pg)
{
    if (!pg->g) return;
    for (size_t i = 0; pg->layers && i < pg->g->n_nodes; i++)
        plan_layer_fini(&pg->layers[i]);
    for (size_t i = 0; pg->bodies && i < pg->g->n_bodies; i++)
        fini_graph(&pg->bodies[i]);
    nf_free(pg->layers);
    nf_free(pg->bodies);
}

/* Operand k is read by steps: it has not been packed into something else. */
static bool is_read(const plan_layer *l, int32_t k)
{
    const bool loose = l->kernel->kind == PLAN_LOOSE; /* packs nothing */
    return (loose || k < ir_packed_from(l->node->op)) && (k >= 32 || !(l->packed >> k & 1));
}

/* Packed weights have been copied: what no step reads as it is in the file goes. */
static nf_status drop_packed(ir_graph *g, const plan_graph *pg, nf_error *err)
{
    bool *read = nf_alloc_array(g->n_tensors + 1, sizeof(*read), NF_MEM_GRAPH);
    if (!read) return nf_fail(err, NF_ENOMEM, "compile", "no memory");
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *n = &g->nodes[i];
        for (int32_t k = 0; k < n->n_in; k++)
            if (n->in[k] >= 0 && is_read(&pg->layers[i], k)) read[n->in[k]] = true;
    }
    for (size_t i = 0; i < g->n_outputs; i++)
        read[g->outputs[i]] = true;
    for (size_t t = 0; t < g->n_tensors; t++)
        if (!read[t]) {
            nf_free(g->tensors[t].data);
            g->tensors[t].data = NULL;
        }
    nf_free(read);
    nf_status st = NF_OK;
    for (size_t i = 0; i < g->n_bodies && !st; i++)
        st = drop_packed(g->bodies[i], &pg->bodies[i], err);
    return st;
}

static nf_status describe_io(eng_io **out, const ir_graph *g, const int32_t *index, size_t n,
                             nf_error *err)
{
    *out = nf_alloc_array(n + 1, sizeof(**out), NF_MEM_GRAPH);
    if (!*out) return nf_fail(err, NF_ENOMEM, "compile", "no memory");
    for (size_t i = 0; i < n; i++) {
        const ir_tensor *t = &g->tensors[index[i]];
        eng_io *io = &(*out)[i];
        *io = (eng_io){.name = t->name, .dtype = t->dtype, .rank = t->rank};
        io->quantized = t->quant.n == 1;
        io->scale = io->quantized ? t->quant.scale[0] : 1;
        io->zero_point = io->quantized ? t->quant.zero[0] : 0;
        for (int k = 0; k < ENG_MAX_RANK; k++)
            io->dim[k] = t->dim[k] < 0 ? -1 : t->dim[k];
        io->batched = t->rank > 0 && (t->dim[0] == IR_BATCH || t->dim[0] == 1);
        if (io->batched) io->dim[0] = 1;
        io->open = false;
        for (int k = 0; k < io->rank; k++)
            io->open |= io->dim[k] < 0;
        io->open |= io->rank < 0;
        if (!io->open && !ir_elems(&io->row_elems, t, 1))
            return nf_fail(err, NF_ETOOLARGE, t->name, "has too many elements");
    }
    return NF_OK;
}

static bool has_variables(const ir_graph *g)
{
    for (size_t t = 0; t < g->n_tensors; t++)
        if (g->tensors[t].variable) return true;
    return false;
}

static bool only_rows_open(const ir_tensor *t)
{
    if (t->rank < 1 || t->dim[0] != IR_BATCH) return false;
    for (int i = 1; i < t->rank; i++)
        if (t->dim[i] < 0) return false;
    return true;
}

/* How requests meet the shapes of the graph. */
static eng_shapes shapes_of(const ir_graph *g)
{
    bool rows = true, fixed = true;
    for (size_t i = 0; i < g->n_inputs; i++) {
        rows &= only_rows_open(&g->tensors[g->inputs[i]]);
        fixed &= ir_shape_known(&g->tensors[g->inputs[i]]);
    }
    for (size_t i = 0; i < g->n_outputs; i++) {
        rows &= only_rows_open(&g->tensors[g->outputs[i]]);
        fixed &= ir_shape_known(&g->tensors[g->outputs[i]]);
    }
    return rows ? ENG_SHAPES_ROWS : fixed ? ENG_SHAPES_FIXED : ENG_SHAPES_OPEN;
}

static void describe_place(eng_step_info *s, const plan_program *p, const ir_node *n, size_t i)
{
    const plan_shape *shape = &p->shapes[n->out[0]];
    const uint8_t *at = p->place[n->out[0]];
    s->rank = shape->rank;
    s->macs = p->bound[i].macs;
    s->out_bytes = shape->elems * eng_dtype_size(s->dtype);
    if (at >= p->arena && at < p->arena + p->arena_bytes) s->arena_offset = (size_t)(at - p->arena);
    for (int k = 0; k < shape->rank; k++)
        s->dim[k] = (int64_t)shape->dim[k];
}

/* p is NULL where shapes depend on values. */
static void describe_step(eng_step_info *s, const eng_model *m, const plan_program *p, size_t i)
{
    const ir_node *n = &m->graph->nodes[i];
    const ir_tensor *y = &m->graph->tensors[n->out[0]];
    *s = (eng_step_info){.op = ir_op_name(n->op),
                         .kernel = m->top.layers[i].kernel_name,
                         .output = y->name,
                         .dtype = y->dtype,
                         .quantized = y->quant.n == 1,
                         .weight_bytes = m->top.layers[i].weight_bytes};
    s->scale = s->quantized ? y->quant.scale[0] : 1;
    s->zero_point = s->quantized ? y->quant.zero[0] : 0;
    if (p) describe_place(s, p, n, i);
}

/* A product whose weights could be of 4 bits; *four: they are. */
static bool may_be_four(bool *four, const eng_model *m, size_t i)
{
    const ir_node *n = &m->graph->nodes[i];
    if (n->op != IR_CONV_2D && n->op != IR_FULLY_CONNECTED) return false;
    *four = n->in[1] >= 0 && m->graph->tensors[n->in[1]].bits == 4;
    return true;
}

/* Integer products, float products and float products on integer weights, counted. */
static eng_precision precision_of(const eng_model *m)
{
    size_t count[PLAN_KINDS] = {0}, fours = 0, eights = 0;
    for (size_t i = 0; i < m->graph->n_nodes; i++) {
        bool four;
        if (!m->steps[i].macs) continue;
        count[m->top.layers[i].kernel->kind]++;
        if (may_be_four(&four, m, i)) *(four ? &fours : &eights) += 1;
    }
    const bool f = count[PLAN_F32] > 0, q = count[PLAN_Q8] + count[PLAN_Q16] > 0,
               h = count[PLAN_HYBRID] > 0;
    if (f + q + h > 1) return ENG_PREC_MIXED;
    if (q && fours && !eights) return ENG_PREC_INT4;
    return h ? ENG_PREC_HYBRID : q ? ENG_PREC_INT8 : ENG_PREC_FP32;
}

/* A note for every input and output. */
static nf_status fill_notes(ir_graph *g, nf_error *err)
{
    ir_about *a = &g->about;
    const nf_status st = ir_about_notes(a, g->n_inputs, g->n_outputs, err);
    if (st) return st;
    if (a->n_in != g->n_inputs || a->n_out != g->n_outputs)
        return nf_fail(err, NF_EFORMAT, "notes",
                       "of %zu inputs and %zu outputs, there are %zu and %zu", a->n_in, a->n_out,
                       g->n_inputs, g->n_outputs);
    return NF_OK;
}

static void tell_about(eng_info *info, const ir_about *a)
{
    info->task = a->task;
    info->n_labels = a->n_labels;
    info->labels = a->labels;
    info->title = a->title ? a->title : "";
    info->about = a->text ? a->text : "";
    info->signature = a->signature ? a->signature : "";
    info->in_notes = a->in;
    info->out_notes = a->out;
}

static void sum_up(eng_model *m, const plan_program *p, const eng_options *o)
{
    const ir_graph *g = m->graph;
    eng_info *info = &m->info;
    const eng_shapes shapes = info->shapes;
    *info = (eng_info){.format = g->format,
                       .shapes = shapes,
                       .inputs = m->inputs,
                       .outputs = m->outputs,
                       .n_inputs = g->n_inputs,
                       .n_outputs = g->n_outputs,
                       .n_ops = g->n_nodes,
                       .macs = p ? p->macs : 0,
                       .arena_bytes = p ? p->arena_bytes : 0,
                       .arena_bound = p ? p->arena_bound : 0,
                       .values_bytes = p ? p->values_bytes : 0,
                       .values_bound = p ? p->values_bound : 0};
    tell_about(info, &g->about);
    for (size_t i = 0; i < g->n_nodes; i++)
        info->weight_bytes += m->steps[i].weight_bytes;
    for (size_t t = 0; t < g->n_tensors; t++)
        if (g->tensors[t].data) info->weight_bytes += g->tensors[t].bytes;
    info->precision = precision_of(m);
    info->arith = info->precision == ENG_PREC_FP32 ? ENG_ARITH_AUTO : o->arith;
}

static bool has_free_input(const ir_graph *g)
{
    for (size_t i = 0; i < g->n_inputs; i++)
        for (int k = 0; k < g->tensors[g->inputs[i]].rank; k++)
            if (g->tensors[g->inputs[i]].dim[k] == IR_FREE) return true;
    return false;
}

/* The sizes with which a model of open shapes is shown: the first that its operators take. */
static nf_status sample_program(plan_program **p, eng_model *m, nf_error *err)
{
    static const int64_t sizes[] = {1, 8, 32, 128, 512};
    nf_status st = NF_OK;
    for (size_t i = 0; i < NF_COUNT(sizes); i++) {
        nf_error why = {0};
        const plan_limits l = {.batch = 1, .open = sizes[i], .max_arena = m->max_arena};
        st = plan_program_create(p, &m->top, &l, &why);
        if (st != NF_EFORMAT || m->info.shapes != ENG_SHAPES_OPEN) {
            if (st && err) *err = why;
            return st;
        }
    }
    /* it takes sizes of its own: nothing can be shown, unless one row must do */
    return has_free_input(m->graph)
               ? NF_ENOTIMPL
               : nf_fail(err, NF_EFORMAT, "graph", "its operators do not take one row");
}

static nf_status describe(eng_model *m, const eng_options *o, nf_error *err)
{
    const ir_graph *g = m->graph;
    plan_program *p = NULL;
    nf_error why = {0};
    nf_status st;
    if ((st = fill_notes(m->graph, err)) ||
        (st = describe_io(&m->inputs, g, g->inputs, g->n_inputs, err)) ||
        (st = describe_io(&m->outputs, g, g->outputs, g->n_outputs, err)))
        return st;
    m->steps = nf_alloc_array(g->n_nodes + 1, sizeof(*m->steps), NF_MEM_GRAPH);
    if (!m->steps) return nf_fail(err, NF_ENOMEM, "compile", "no memory");
    st = sample_program(&p, m, &why);
    if (st == NF_ENOTIMPL) m->info.shapes = ENG_SHAPES_OPEN; /* only values decide */
    m->eager = st == NF_ENOTIMPL;
    if (st && !m->eager) {
        if (err) *err = why;
        return st;
    }
    for (size_t i = 0; i < g->n_nodes; i++)
        describe_step(&m->steps[i], m, p, i);
    sum_up(m, p, o);
    plan_program_destroy(&p);
    return NF_OK;
}

/* Elementary steps of one row, at most MAX_WORK: products, taps of a pool, else one an element. */
static uint64_t work_of(const ir_graph *g, const ir_node *n, const plan_shape *out)
{
    const bool pool = n->op == IR_MAX_POOL_2D || n->op == IR_AVERAGE_POOL_2D;
    const uint64_t taps =
        pool ? (uint64_t)n->attr.window.kernel_h * (uint64_t)n->attr.window.kernel_w : 1;
    uint64_t work = MAX_WORK;
    if (ir_is_product(n->op))
        work = plan_macs(g, n, out);
    else if (__builtin_mul_overflow((uint64_t)out->elems, taps, &work))
        work = MAX_WORK;
    return work < MAX_WORK ? work : MAX_WORK;
}

/* A few hundred bytes can ask for years of pooling: such a file is refused. */
static nf_status check_work(const ir_graph *g, nf_error *err)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *n = &g->nodes[i];
        plan_shape out = {0};
        if (!ir_elems(&out.elems, &g->tensors[n->out[0]], 1)) out.elems = 1; /* open */
        sum += work_of(g, n, &out);
        if (sum >= MAX_WORK)
            return nf_fail(err, NF_EBUDGET, g->tensors[n->out[0]].name,
                           "one row would take more than %llu steps", (unsigned long long)MAX_WORK);
    }
    return NF_OK;
}

nf_status plan_compile(eng_model **out, ir_graph *take_graph, const eng_options *o,
                       const plan_env *env, nf_error *err)
{
    nf_status st;
    *out = NULL;
    eng_model *m = nf_alloc(sizeof(*m), NF_MEM_GRAPH);
    if (!m) {
        ir_graph_destroy(&take_graph);
        return nf_fail(err, NF_ENOMEM, "compile", "no memory for a model");
    }
    atomic_init(&m->refs, 1);
    m->graph = take_graph;
    m->real = env->qs8.real;
    m->max_arena = o->max_arena ? o->max_arena : DEFAULT_MAX_ARENA;
    m->info.shapes = shapes_of(take_graph);
    m->batched = m->info.shapes == ENG_SHAPES_ROWS && !has_variables(take_graph);
    if ((st = check_work(m->graph, err)) || (st = prepare(&m->top, m->graph, env, err)) ||
        (st = drop_packed(m->graph, &m->top, err)) || (st = describe(m, o, err)))
        eng_model_unref(&m);
    *out = m;
    return st;
}

eng_model *eng_model_ref(eng_model *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void eng_model_unref(eng_model **m)
{
    eng_model *dead = m ? *m : NULL;
    if (m) *m = NULL;
    if (!dead || atomic_fetch_sub_explicit(&dead->refs, 1, memory_order_acq_rel) != 1) return;
    fini_graph(&dead->top);
    ir_graph_destroy(&dead->graph);
    nf_free(dead->steps);
    nf_free(dead->inputs);
    nf_free(dead->outputs);
    nf_free(dead);
}

const eng_info *eng_model_info(const eng_model *m)
{
    return &m->info;
}

void eng_model_step(eng_step_info *out, const eng_model *m, size_t i)
{
    *out = m->steps[i];
}
