/* op_flow.c - IF, WHILE, LOOP and SCAN over bodies of fixed shapes. Layer: plan.
 * Thread rule: run functions touch only their step's memory. */
#include "engine/plan/flow.h"

#include "engine/base/clock.h"

#include <string.h>

/* What a step of control flow keeps. */
typedef struct flow {
    const ir_graph *g[2];
    plan_program *p[2]; /* of the bodies; NULL where it cannot be chosen */
    int64_t trips;      /* LOOP with stacks, SCAN: known while binding; else -1 */
    void **state;       /* carried values */
    size_t *bytes;      /* of one carried value or slice, by result */
    size_t *in_bytes;   /* of each operand, or of its slice */
} flow;

static void destroy(void *program)
{
    plan_program *p = program;
    plan_program_destroy(&p);
}

nf_status plan_flow_child(plan_program **out, plan_builder *b, size_t node, int k,
                          const plan_shape *shapes, const void *const *values, nf_error *err)
{
    const int32_t body = b->g->nodes[node].attr.flow.body[k];
    plan_limits l = *b->limits;
    nf_status st;
    l.shapes = shapes;
    l.values = values;
    l.keep_all = false;
    l.vars = NULL;
    if ((st = plan_program_create(out, &b->pg->bodies[body], &l, err))) return st;
    if (values || plan_heap_keep(&b->p->heap, *out, destroy)) return NF_OK;
    return nf_fail(err, NF_ENOMEM, "program", "no memory for a body");
}

static nf_status waits(plan_builder *b, size_t node, nf_error *err)
{
    const ir_node *n = &b->g->nodes[node];
    return nf_fail(err, NF_ENOTIMPL, b->g->tensors[n->out[0]].name,
                   "the shapes of this %s depend on values", ir_op_name(n->op));
}

static bool same_shape(const plan_shape *a, const plan_shape *b)
{
    if (a->rank != b->rank) return false;
    return memcmp(a->dim, b->dim, (size_t)a->rank * sizeof(*a->dim)) == 0;
}

static const plan_shape *result_of(const flow *f, int k, size_t i)
{
    return &f->p[k]->shapes[f->g[k]->outputs[i]];
}

static nf_status set_result(plan_builder *b, const ir_node *n, int32_t i, const plan_shape *shape)
{
    if (n->out[i] == IR_NONE) return NF_OK;
    ir_tensor *t = &b->tensors[n->out[i]];
    b->p->shapes[n->out[i]] = *shape;
    t->rank = shape->rank;
    for (int k = 0; k < shape->rank; k++)
        t->dim[k] = (int64_t)shape->dim[k];
    return NF_OK;
}

/* A stack of `trips` slices. */
static nf_status set_stack(plan_builder *b, const ir_node *n, int32_t i, const plan_shape *slice,
                           size_t trips, nf_error *err)
{
    plan_shape s = {.rank = slice->rank + 1, .dim = {trips}};
    if (s.rank > ENG_MAX_RANK || !nf_mul_size(&s.elems, slice->elems, trips) ||
        s.elems > IR_MAX_ELEMS)
        return nf_fail(err, NF_ETOOLARGE, b->g->tensors[n->out[0]].name, "a stack of %zu slices",
                       trips);
    memcpy(s.dim + 1, slice->dim, (size_t)slice->rank * sizeof(*s.dim));
    return set_result(b, n, i, &s);
}

static nf_status make_state(flow *f, plan_builder *b, const ir_node *n, nf_error *err)
{
    const size_t ends = (size_t)(n->n_in + n->n_out);
    f->state = plan_heap_alloc(&b->p->heap, ends * sizeof(*f->state));
    f->bytes = plan_heap_alloc(&b->p->heap, ends * sizeof(*f->bytes));
    f->in_bytes = plan_heap_alloc(&b->p->heap, ends * sizeof(*f->in_bytes));
    if (!f->state || !f->bytes || !f->in_bytes)
        return nf_fail(err, NF_ENOMEM, "program", "no memory for a loop");
    for (int32_t i = 0; i < n->n_in; i++)
        if (n->in[i] >= 0)
            f->in_bytes[i] = b->p->shapes[n->in[i]].elems * plan_flow_elem(b->g, n->in[i]);
    return NF_OK;
}

/* Carried values come back from body k, result `at` on, as they went in (operand `from` on). */
static nf_status keep_carried(flow *f, plan_builder *b, size_t node, int k, const int32_t at[2],
                              nf_error *err)
{
    const ir_node *n = &b->g->nodes[node];
    const int32_t kept = n->op == IR_WHILE ? n->n_in : n->attr.flow.kept;
    for (int32_t i = 0; i < kept; i++) {
        const plan_shape *back = result_of(f, k, (size_t)(at[0] + i));
        if (!same_shape(back, &b->p->shapes[n->in[at[1] + i]])) return waits(b, node, err);
        set_result(b, n, i, back);
        f->bytes[i] = f->in_bytes[at[1] + i];
        f->state[i] = plan_heap_alloc(&b->p->heap, f->bytes[i] + 1);
        if (!f->state[i]) return nf_fail(err, NF_ENOMEM, "program", "no memory for a loop");
    }
    return NF_OK;
}

static nf_status stack_results(flow *f, plan_builder *b, const ir_node *n, size_t at, nf_error *err)
{
    nf_status st;
    for (int32_t i = n->attr.flow.kept; i < n->n_out; i++) {
        const plan_shape *slice = result_of(f, 0, at + (size_t)i);
        f->bytes[i] = slice->elems * plan_flow_elem(f->g[0], f->g[0]->outputs[at + (size_t)i]);
        if ((st = set_stack(b, n, i, slice, (size_t)f->trips, err))) return st;
    }
    return NF_OK;
}

static nf_status make_if(flow *f, plan_builder *b, size_t node, const plan_shape *shapes,
                         nf_error *err)
{
    const ir_node *n = &b->g->nodes[node];
    const uint8_t *condition = b->tensors[n->in[0]].data;
    const int only = condition ? (*condition ? 0 : 1) : -1;
    nf_status st;
    for (int k = 0; k < 2; k++)
        if ((only < 0 || only == k) &&
            (st = plan_flow_child(&f->p[k], b, node, k, shapes + 1, NULL, err)))
            return st;
    const int k = f->p[0] ? 0 : 1;
    for (int32_t i = 0; i < n->n_out; i++) {
        const plan_shape *s = result_of(f, k, (size_t)i);
        if (only < 0 && !same_shape(s, result_of(f, 1, (size_t)i))) return waits(b, node, err);
        set_result(b, n, i, s);
        f->bytes[i] = s->elems * plan_flow_elem(f->g[k], f->g[k]->outputs[i]);
    }
    return NF_OK;
}

static nf_status make_while(flow *f, plan_builder *b, size_t node, const plan_shape *shapes,
                            nf_error *err)
{
    nf_status st;
    for (int k = 0; k < 2; k++)
        if ((st = plan_flow_child(&f->p[k], b, node, k, shapes, NULL, err))) return st;
    return keep_carried(f, b, node, 1, (const int32_t[]){0, 0}, err);
}

/* The number of trips, if it does not depend on what the body computes; else -1. */
static int64_t known_trips(const flow *f, const plan_builder *b, const ir_node *n)
{
    const plan_program *p = f->p[0];
    const uint8_t *go_on = p->place[f->g[0]->outputs[0]];
    const bool passed = go_on == p->place[f->g[0]->inputs[1]];
    const bool in_arena = go_on >= p->arena && go_on < p->arena + p->arena_bytes;
    const uint8_t *first = n->in[1] >= 0 ? b->tensors[n->in[1]].data : NULL;
    const uint8_t *most = n->in[0] >= 0 ? b->tensors[n->in[0]].data : NULL;
    int64_t trips;
    if (n->in[1] >= 0 && !first) return -1;
    if (first && !*first) return 0;
    if (!most || (!passed && (in_arena || !*go_on))) return -1;
    memcpy(&trips, most, sizeof(trips));
    return trips < 0 ? 0 : trips;
}

static nf_status make_loop(flow *f, plan_builder *b, size_t node, const plan_shape *shapes,
                           nf_error *err)
{
    const ir_node *n = &b->g->nodes[node];
    nf_status st;
    if ((st = plan_flow_child(&f->p[0], b, node, 0, shapes, NULL, err))) return st;
    if ((st = keep_carried(f, b, node, 0, (const int32_t[]){1, 2}, err))) return st;
    f->trips = known_trips(f, b, n);
    if (n->n_out == n->attr.flow.kept) return NF_OK;
    if (f->trips < 0 || f->trips > FLOW_TRIPS_MOST) return waits(b, node, err);
    return stack_results(f, b, n, 1, err);
}

static nf_status make_scan(flow *f, plan_builder *b, size_t node, plan_shape *shapes, nf_error *err)
{
    const ir_node *n = &b->g->nodes[node];
    const int32_t first = n->attr.flow.kept;
    nf_status st;
    f->trips = shapes[first].rank ? (int64_t)shapes[first].dim[0] : 0;
    for (int32_t i = first; i < first + n->attr.flow.sliced; i++) {
        plan_shape *s = &shapes[i];
        if (s->rank < 1 || s->dim[0] != (size_t)f->trips || f->trips == 0)
            return nf_fail(err, NF_EFORMAT, b->g->tensors[n->out[0]].name,
                           "SCAN over stacks of different heights, or of none");
        s->elems /= s->dim[0];
        f->in_bytes[i] /= s->dim[0];
        memmove(s->dim, s->dim + 1, (size_t)--s->rank * sizeof(*s->dim));
    }
    if ((st = plan_flow_child(&f->p[0], b, node, 0, shapes, NULL, err))) return st;
    if ((st = keep_carried(f, b, node, 0, (const int32_t[]){0, 0}, err))) return st;
    return stack_results(f, b, n, 0, err);
}

static nf_status make(flow *f, plan_builder *b, size_t node, plan_shape *shapes, nf_error *err)
{
    switch (b->g->nodes[node].op) {
    case IR_IF:
        return make_if(f, b, node, shapes, err);
    case IR_WHILE:
        return make_while(f, b, node, shapes, err);
    case IR_LOOP:
        return make_loop(f, b, node, shapes, err);
    default:
        return make_scan(f, b, node, shapes, err);
    }
}

nf_status plan_flow_make(plan_builder *b, size_t node, nf_error *err)
{
    const ir_node *n = &b->g->nodes[node];
    flow *f = plan_heap_alloc(&b->p->heap, sizeof(*f));
    plan_shape *shapes = plan_heap_alloc(&b->p->heap, (size_t)(n->n_in + 1) * sizeof(plan_shape));
    nf_status st;
    if (!f || !shapes) return nf_fail(err, NF_ENOMEM, "program", "no memory for a loop");
    for (int k = 0; k < 2; k++)
        f->g[k] = ir_body(b->g, n, k);
    f->trips = -1;
    for (int32_t i = 0; i < n->n_in; i++)
        shapes[i] = n->in[i] >= 0 ? b->p->shapes[n->in[i]] : (plan_shape){.elems = 1};
    if ((st = make_state(f, b, n, err)) || (st = make(f, b, node, shapes, err))) return st;
    plan_heap_drop(&b->p->heap, shapes);
    b->p->bound[node].bound = f;
    return NF_OK;
}

/* Input i of body k gets its value; inputs that the body does not read have no place. */
static void give(const flow *f, int k, size_t i, const void *value, size_t bytes)
{
    void *to = f->p[k]->place[f->g[k]->inputs[i]];
    if (to) memcpy(to, value, bytes);
}

static const void *result(const flow *f, int k, size_t i)
{
    return f->p[k]->place[f->g[k]->outputs[i]];
}

/* False when it failed; the fault is then that of the step. */
static bool run_body(const plan_step *s, const flow *f, int k)
{
    nf_error err = {0};
    const nf_status st = plan_program_run(f->p[k], &err);
    if (st) plan_fail(s, st, err.where, "%s", err.text);
    return !st;
}

static bool within_limits(const plan_step *s, int64_t trip, uint64_t begin)
{
    if (trip < FLOW_TRIPS_MOST && (trip % 64 || nf_now_us() - begin < FLOW_TIME_US)) return true;
    plan_fail(s, NF_ETIMEOUT, ir_op_name(s->layer->node->op), "over %d trips or %d s",
              FLOW_TRIPS_MOST, FLOW_TIME_US / 1000000);
    return false;
}

PLAN_BIND(plan_bind_flow)
{
    (void)s, (void)in, (void)out, (void)err; /* plan_flow_make has done it */
    return NF_OK;
}

PLAN_RUN(plan_run_if)
{
    const flow *f = s->bound;
    const ir_node *n = s->layer->node;
    const int k = *(const uint8_t *)s->a ? 0 : 1;
    for (int32_t i = 1; i < n->n_in; i++)
        give(f, k, (size_t)i - 1, s->in[i], f->in_bytes[i]);
    const bool ok = run_body(s, f, k);
    for (int32_t i = 0; ok && i < n->n_out; i++)
        if (s->out[i]) memcpy(s->out[i], result(f, k, (size_t)i), f->bytes[i]);
}

static void state_out(const plan_step *s, const flow *f, int32_t kept)
{
    for (int32_t i = 0; i < kept; i++)
        if (s->out[i]) memcpy(s->out[i], f->state[i], f->bytes[i]);
}

PLAN_RUN(plan_run_while)
{
    const flow *f = s->bound;
    const int32_t n = s->layer->node->n_in;
    const uint64_t begin = nf_now_us();
    for (int32_t i = 0; i < n; i++)
        memcpy(f->state[i], s->in[i], f->bytes[i]);
    for (int64_t trip = 0; within_limits(s, trip, begin); trip++) {
        for (int32_t i = 0; i < n; i++)
            give(f, 0, (size_t)i, f->state[i], f->bytes[i]);
        if (!run_body(s, f, 0) || !*(const uint8_t *)result(f, 0, 0)) break;
        for (int32_t i = 0; i < n; i++)
            give(f, 1, (size_t)i, f->state[i], f->bytes[i]);
        if (!run_body(s, f, 1)) break;
        for (int32_t i = 0; i < n; i++)
            memcpy(f->state[i], result(f, 1, (size_t)i), f->bytes[i]);
    }
    state_out(s, f, n);
}

/* One trip of LOOP: true when there may be another. */
static bool loop_trip(const plan_step *s, const flow *f, int64_t trip)
{
    const ir_node *n = s->layer->node;
    const int32_t kept = n->attr.flow.kept;
    const uint8_t yes = 1;
    give(f, 0, 0, &trip, sizeof(trip));
    give(f, 0, 1, &yes, sizeof(yes));
    for (int32_t i = 2; i < n->n_in; i++)
        give(f, 0, (size_t)i, i - 2 < kept ? f->state[i - 2] : s->in[i], f->in_bytes[i]);
    if (!run_body(s, f, 0)) return false;
    const bool go_on = *(const uint8_t *)result(f, 0, 0);
    for (int32_t i = 0; i < n->n_out; i++) {
        const void *from = result(f, 0, (size_t)i + 1);
        if (i < kept)
            memcpy(f->state[i], from, f->bytes[i]);
        else if (s->out[i])
            memcpy((char *)s->out[i] + (size_t)trip * f->bytes[i], from, f->bytes[i]);
    }
    return go_on;
}

PLAN_RUN(plan_run_loop)
{
    const flow *f = s->bound;
    const int32_t kept = s->layer->node->attr.flow.kept;
    const uint64_t begin = nf_now_us();
    int64_t most = INT64_MAX;
    bool go_on = !s->b || *(const uint8_t *)s->b;
    if (s->a) memcpy(&most, s->a, sizeof(most));
    if (f->trips >= 0) most = f->trips;
    for (int32_t i = 0; i < kept; i++)
        memcpy(f->state[i], s->in[2 + i], f->bytes[i]);
    for (int64_t trip = 0; go_on && trip < most && within_limits(s, trip, begin); trip++)
        go_on = loop_trip(s, f, trip);
    state_out(s, f, kept);
}

PLAN_RUN(plan_run_slices)
{
    const flow *f = s->bound;
    const ir_node *n = s->layer->node;
    const int32_t kept = n->attr.flow.kept, sliced = kept + n->attr.flow.sliced;
    const uint64_t begin = nf_now_us();
    for (int32_t i = 0; i < kept; i++)
        memcpy(f->state[i], s->in[i], f->bytes[i]);
    for (int64_t trip = 0; trip < f->trips && within_limits(s, trip, begin); trip++) {
        for (int32_t i = 0; i < n->n_in; i++) {
            const char *x = i < kept ? f->state[i] : s->in[i];
            const size_t skip = i >= kept && i < sliced ? (size_t)trip * f->in_bytes[i] : 0;
            give(f, 0, (size_t)i, x + skip, f->in_bytes[i]);
        }
        if (!run_body(s, f, 0)) break;
        for (int32_t i = 0; i < n->n_out; i++) {
            char *to = i < kept ? f->state[i] : s->out[i];
            const size_t skip = i < kept ? 0 : (size_t)trip * f->bytes[i];
            if (to) memcpy(to + skip, result(f, 0, (size_t)i), f->bytes[i]);
        }
    }
    state_out(s, f, kept);
}
