/* builder.c - one walk over the nodes: the shape of each result, the content of what can be
 * computed at once, a bound step for the rest. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/flow.h"

#include "engine/base/clock.h"

#define EAGER_MOST 65536 /* elements of a result that is worth computing while binding */

void plan_shape_of(plan_shape *to, const ir_tensor *from)
{
    to->rank = from->rank;
    to->elems = 1;
    for (int i = 0; i < from->rank; i++) {
        to->dim[i] = (size_t)from->dim[i];
        to->elems *= to->dim[i];
    }
}

static bool is_known(const plan_builder *b, int32_t tensor)
{
    return tensor == IR_NONE || b->tensors[tensor].data;
}

static bool inputs_known(const plan_builder *b, const ir_node *n)
{
    if (n->op == IR_SHAPE) return true; /* its input's shape is known by now */
    for (int32_t i = 0; i < n->n_in; i++)
        if (!is_known(b, n->in[i])) return false;
    return true;
}

static bool touches_variable(const plan_builder *b, const ir_node *n)
{
    for (int32_t i = 0; i < n->n_in; i++)
        if (n->in[i] >= 0 && b->g->tensors[n->in[i]].variable) return true;
    return false;
}

/* The shapes of a node's results; NF_ENOTIMPL when they wait for values. */
static nf_status infer(plan_builder *b, const ir_node *n, nf_error *err)
{
    nf_status st;
    if ((st = ir_infer_shapes(b->results, b->g, b->tensors, n, err))) return st;
    for (int32_t i = 0; i < n->n_out; i++) {
        if (n->out[i] == IR_NONE) continue;
        ir_tensor *t = &b->tensors[n->out[i]];
        t->rank = b->results[i].rank;
        memcpy(t->dim, b->results[i].dim, sizeof(t->dim));
        if (!ir_shape_known(t))
            return nf_fail(err, NF_ENOTIMPL, t->name, "the shape of this %s depends on values",
                           ir_op_name(n->op));
        plan_shape_of(&b->p->shapes[n->out[i]], t);
    }
    return NF_OK;
}

static bool few_results(const plan_builder *b, const ir_node *n)
{
    for (int32_t i = 0; i < n->n_out; i++)
        if (n->out[i] >= 0 && b->p->shapes[n->out[i]].elems > EAGER_MOST) return false;
    return true;
}

static nf_status make_step(plan_builder *b, size_t node, nf_error *err)
{
    const ir_node *n = &b->g->nodes[node];
    plan_step *s = &b->p->bound[node];
    const size_t ends = (size_t)(n->n_in + n->n_out);
    const void **all = plan_heap_alloc(&b->p->heap, ends * sizeof(*all));
    if (!all) return nf_fail(err, NF_ENOMEM, "program", "no memory for a step");
    s->in = all;
    s->out = (void **)(uintptr_t)(all + n->n_in);
    s->layer = &b->pg->layers[node];
    s->run = s->layer->kernel->run;
    s->heap = &b->p->heap;
    s->fault = &b->p->fault;
    for (int32_t i = 0; i < n->n_in; i++) {
        b->ends[i] = n->in[i] >= 0 ? b->p->shapes[n->in[i]] : (plan_shape){0};
        s->in[i] = n->in[i] >= 0 ? b->tensors[n->in[i]].data : NULL;
    }
    for (int32_t i = 0; i < n->n_out; i++)
        b->ends[n->n_in + i] = n->out[i] >= 0 ? b->p->shapes[n->out[i]] : (plan_shape){0};
    s->macs = plan_macs(b->g, n, &b->p->shapes[n->out[0]]);
    return s->layer->kernel->bind(s, b->ends, b->ends + n->n_in, err);
}

static void set_short_names(plan_step *s, const ir_node *n)
{
    s->a = n->n_in > 0 ? s->in[0] : NULL;
    s->b = n->n_in > 1 ? s->in[1] : NULL;
    s->y = s->out[0];
}

nf_status plan_builder_take(void **out, plan_builder *b, size_t bytes, const char *name,
                            nf_error *err)
{
    const size_t most = b->limits->max_arena;
    *out = NULL;
    if (bytes > most || b->p->heap.bytes > most - bytes)
        return nf_fail(err, NF_EBUDGET, name, "values need over %zu bytes", most);
    *out = plan_heap_alloc(&b->p->heap, bytes + 1);
    return *out ? NF_OK : nf_fail(err, NF_ENOMEM, name, "no memory for %zu bytes", bytes);
}

/* Results go to the heap; a run that fails ends the walk. */
static nf_status compute(plan_builder *b, size_t node, nf_error *err)
{
    const ir_node *n = &b->g->nodes[node];
    plan_step *s = &b->p->bound[node];
    for (int32_t i = 0; i < n->n_out; i++) {
        if (n->out[i] == IR_NONE) continue;
        ir_tensor *t = &b->tensors[n->out[i]];
        t->bytes = b->p->shapes[n->out[i]].elems * eng_dtype_size(t->dtype);
        const nf_status st = plan_builder_take(&s->out[i], b, t->bytes, t->name, err);
        if (st) return st;
        t->data = s->out[i];
        b->computed[n->out[i]] = true;
    }
    const nf_status st =
        plan_builder_take(&s->scratch, b, s->scratch_bytes, ir_op_name(n->op), err);
    if (st) return st;
    set_short_names(s, n);
    s->run(s);
    s->run = NULL;
    plan_heap_drop(&b->p->heap, s->scratch);
    if (!b->p->fault.status) return NF_OK;
    if (err) *err = b->p->fault.error;
    return b->p->fault.status;
}

/* With values, what nobody reads any more is given back. */
static void drop_dead(plan_builder *b, size_t node)
{
    const ir_node *n = &b->g->nodes[node];
    for (int32_t i = 0; b->last_read && i < n->n_in; i++) {
        const int32_t t = n->in[i];
        if (t < 0 || b->last_read[t] != (int32_t)node || !b->computed[t]) continue;
        plan_heap_drop(&b->p->heap, b->tensors[t].data);
        b->computed[t] = false;
        b->tensors[t].data = NULL;
        b->last_read[t] = -1;
    }
}

/* A node without bodies: its rule knows the shapes. */
static nf_status plain_node(plan_builder *b, size_t i, nf_error *err)
{
    const ir_node *n = &b->g->nodes[i];
    nf_status st;
    if ((st = infer(b, n, err))) return st;
    const bool now =
        b->limits->values || (inputs_known(b, n) && few_results(b, n) && !touches_variable(b, n));
    if ((st = make_step(b, i, err))) return st;
    return now ? compute(b, i, err) : NF_OK;
}

/* A node with bodies: making them shows the shapes, or with values even the results. */
static nf_status flow_node(plan_builder *b, size_t i, nf_error *err)
{
    nf_error why = {0};
    nf_status st = plan_flow_make(b, i, &why);
    if (st == NF_ENOTIMPL && b->limits->values) return plan_flow_compute(b, i, err);
    if (st && err) *err = why;
    if (st || (st = make_step(b, i, err))) return st;
    return b->limits->values ? compute(b, i, err) : NF_OK;
}

nf_status plan_builder_walk(plan_builder *b, nf_error *err)
{
    nf_status st;
    for (size_t i = 0; i < b->g->n_nodes; i++) {
        const ir_node *n = &b->g->nodes[i];
        if ((st = (ir_is_flow(n->op) ? flow_node : plain_node)(b, i, err))) return st;
        b->p->macs += b->p->bound[i].macs;
        drop_dead(b, i);
        if (b->limits->deadline_us && nf_now_us() > b->limits->deadline_us)
            return nf_fail(err, NF_ETIMEOUT, b->tensors[n->out[0]].name,
                           "the model's time limit passed");
    }
    return NF_OK;
}
