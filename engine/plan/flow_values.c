/* flow_values.c - control flow whose shapes depend on values: a body is made, with values, for each
 * trip. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/flow.h"

#include "engine/base/clock.h"

#include <string.h>

typedef struct value {
    plan_shape shape;
    const void *data;
    void *owned; /* block of the heap that data lies in; NULL = borrowed */
} value;

/* One node at work. */
typedef struct work {
    plan_builder *b;
    size_t node;
    const ir_node *n;
    plan_shape *shapes; /* of the operands of a body */
    const void **values;
    value *state;   /* carried */
    value *stacked; /* by result; data grows */
    size_t trips;
    nf_error *err;
} work;

static plan_heap *heap_of(const work *w)
{
    return &w->b->p->heap;
}

static nf_status no_memory(const work *w)
{
    return nf_fail(w->err, NF_ENOMEM, "program", "no memory for the values of a loop");
}

static nf_status make_work(work *w)
{
    const size_t ends = (size_t)(w->n->n_in + w->n->n_out) + 2;
    w->shapes = plan_heap_alloc(heap_of(w), ends * sizeof(*w->shapes));
    w->values = plan_heap_alloc(heap_of(w), ends * sizeof(*w->values));
    w->state = plan_heap_alloc(heap_of(w), ends * sizeof(*w->state));
    w->stacked = plan_heap_alloc(heap_of(w), ends * sizeof(*w->stacked));
    return w->shapes && w->values && w->state && w->stacked ? NF_OK : no_memory(w);
}

static value operand(const work *w, int32_t i)
{
    const int32_t t = w->n->in[i];
    return (value){w->b->p->shapes[t], w->b->tensors[t].data, NULL};
}

static void set_input(work *w, size_t at, const value *v)
{
    w->shapes[at] = v->shape;
    w->values[at] = v->data;
}

static void drop(work *w, value *v)
{
    plan_heap_drop(heap_of(w), v->owned);
    *v = (value){0};
}

/* A copy of result k of a body: the body goes, the value stays. */
static nf_status take_result(value *v, work *w, const plan_program *p, const ir_graph *g, size_t k)
{
    const int32_t t = g->outputs[k];
    const size_t bytes = p->shapes[t].elems * plan_flow_elem(g, t);
    value fresh = {.shape = p->shapes[t], .owned = plan_heap_alloc(heap_of(w), bytes + 1)};
    if (!fresh.owned) return no_memory(w);
    memcpy(fresh.owned, p->place[t], bytes);
    fresh.data = fresh.owned;
    drop(w, v);
    *v = fresh;
    return NF_OK;
}

/* Appends result k of a body to the stack of node result i. */
static nf_status push_result(work *w, int32_t i, const plan_program *p, const ir_graph *g, size_t k)
{
    const int32_t t = g->outputs[k];
    const plan_shape *slice = &p->shapes[t];
    value *v = &w->stacked[i];
    const size_t bytes = slice->elems * plan_flow_elem(g, t), have = w->trips * bytes;
    plan_shape s = {.rank = slice->rank + 1, .dim = {w->trips + 1}};
    if (s.rank > ENG_MAX_RANK || !nf_mul_size(&s.elems, slice->elems, w->trips + 1) ||
        s.elems > IR_MAX_ELEMS)
        return nf_fail(w->err, NF_ETOOLARGE, g->tensors[t].name, "a stack of %zu slices",
                       w->trips + 1);
    memcpy(s.dim + 1, slice->dim, (size_t)slice->rank * sizeof(*s.dim));
    if (v->owned && (v->shape.rank != s.rank ||
                     memcmp(v->shape.dim + 1, s.dim + 1, (size_t)slice->rank * sizeof(*s.dim))))
        return nf_fail(w->err, NF_EINVAL, g->tensors[t].name, "slices of different shapes");
    if ((w->trips & (w->trips - 1)) == 0) { /* full: 1, 2, 4 … slices fit */
        char *more = plan_heap_alloc(heap_of(w), (w->trips ? 2 * w->trips : 1) * bytes + 1);
        if (!more) return no_memory(w);
        if (have) memcpy(more, v->owned, have);
        plan_heap_drop(heap_of(w), v->owned);
        v->owned = more;
    }
    memcpy((char *)v->owned + have, p->place[t], bytes);
    v->shape = s;
    v->data = v->owned;
    return NF_OK;
}

static void give_result(work *w, int32_t i, const value *v)
{
    const int32_t t = w->n->out[i];
    if (t == IR_NONE) return;
    ir_tensor *x = &w->b->tensors[t];
    w->b->p->shapes[t] = v->shape;
    x->rank = v->shape.rank;
    for (int k = 0; k < v->shape.rank; k++)
        x->dim[k] = (int64_t)v->shape.dim[k];
    x->bytes = v->shape.elems * plan_flow_elem(w->b->g, t);
    x->data = (uint8_t *)(uintptr_t)v->data;
    w->b->computed[t] = v->owned != NULL;
}

static nf_status check_limits(const work *w, size_t trip, uint64_t begin)
{
    if (trip < FLOW_TRIPS_MOST && nf_now_us() - begin < FLOW_TIME_US) return NF_OK;
    return nf_fail(w->err, NF_ETIMEOUT, ir_op_name(w->n->op), "over %d trips or %d s",
                   FLOW_TRIPS_MOST, FLOW_TIME_US / 1000000);
}

static nf_status compute_if(work *w)
{
    const value condition = operand(w, 0);
    const int k = *(const uint8_t *)condition.data ? 0 : 1;
    const ir_graph *g = ir_body(w->b->g, w->n, k);
    plan_program *p = NULL;
    nf_status st;
    for (int32_t i = 1; i < w->n->n_in; i++) {
        const value v = operand(w, i);
        set_input(w, (size_t)i - 1, &v);
    }
    st = plan_flow_child(&p, w->b, w->node, k, w->shapes, w->values, w->err);
    for (int32_t i = 0; i < w->n->n_out && !st; i++) {
        value v = {0};
        if (!(st = take_result(&v, w, p, g, (size_t)i))) give_result(w, i, &v);
    }
    plan_program_destroy(&p);
    return st;
}

static nf_status while_trip(work *w, bool *go_on)
{
    const ir_graph *g = ir_body(w->b->g, w->n, 1), *test = ir_body(w->b->g, w->n, 0);
    plan_program *p = NULL;
    nf_status st;
    for (int32_t i = 0; i < w->n->n_in; i++)
        set_input(w, (size_t)i, &w->state[i]);
    if ((st = plan_flow_child(&p, w->b, w->node, 0, w->shapes, w->values, w->err))) return st;
    *go_on = *(const uint8_t *)p->place[test->outputs[0]];
    plan_program_destroy(&p);
    if (!*go_on) return NF_OK;
    st = plan_flow_child(&p, w->b, w->node, 1, w->shapes, w->values, w->err);
    for (int32_t i = 0; i < w->n->n_in && !st; i++)
        st = take_result(&w->state[i], w, p, g, (size_t)i);
    plan_program_destroy(&p);
    return st;
}

static nf_status compute_while(work *w)
{
    const uint64_t begin = nf_now_us();
    bool go_on = true;
    nf_status st = NF_OK;
    for (int32_t i = 0; i < w->n->n_in; i++)
        w->state[i] = operand(w, i);
    for (size_t trip = 0; go_on && !st; trip++)
        if (!(st = check_limits(w, trip, begin))) st = while_trip(w, &go_on);
    for (int32_t i = 0; i < w->n->n_out && !st; i++)
        give_result(w, i, &w->state[i]);
    return st;
}

/* Results of a body from `at` on: carried, then slices. */
static nf_status take_trip(work *w, const plan_program *p, size_t at)
{
    const ir_graph *g = ir_body(w->b->g, w->n, 0);
    nf_status st = NF_OK;
    for (int32_t i = 0; i < w->n->n_out && !st; i++) {
        if (i < w->n->attr.flow.kept)
            st = take_result(&w->state[i], w, p, g, at + (size_t)i);
        else
            st = push_result(w, i, p, g, at + (size_t)i);
    }
    w->trips++;
    return st;
}

static nf_status loop_trip(work *w, bool *go_on)
{
    const ir_graph *g = ir_body(w->b->g, w->n, 0);
    const int64_t trip = (int64_t)w->trips;
    const uint8_t yes = 1;
    plan_program *p = NULL;
    nf_status st;
    set_input(w, 0, &(value){.shape = {.elems = 1}, .data = &trip});
    set_input(w, 1, &(value){.shape = {.elems = 1}, .data = &yes});
    for (int32_t i = 2; i < w->n->n_in; i++) {
        const value v = i - 2 < w->n->attr.flow.kept ? w->state[i - 2] : operand(w, i);
        set_input(w, (size_t)i, &v);
    }
    if ((st = plan_flow_child(&p, w->b, w->node, 0, w->shapes, w->values, w->err))) return st;
    *go_on = *(const uint8_t *)p->place[g->outputs[0]];
    st = take_trip(w, p, 1);
    plan_program_destroy(&p);
    return st;
}

/* A stack of no slices: its other dimensions are those that the body shows by itself. */
static void empty_stack(work *w, int32_t i, const ir_tensor *slice)
{
    plan_shape s = {.rank = slice->rank < 0 ? 1 : slice->rank + 1};
    for (int k = 1; k < s.rank; k++)
        s.dim[k] = slice->dim[k - 1] < 0 ? 0 : (size_t)slice->dim[k - 1];
    w->stacked[i] = (value){.shape = s, .owned = plan_heap_alloc(heap_of(w), 1)};
    w->stacked[i].data = w->stacked[i].owned;
}

static nf_status finish(work *w, size_t at)
{
    const ir_graph *g = ir_body(w->b->g, w->n, 0);
    for (int32_t i = 0; i < w->n->n_out; i++) {
        const bool kept = i < w->n->attr.flow.kept;
        if (!kept && !w->trips) empty_stack(w, i, &g->tensors[g->outputs[at + (size_t)i]]);
        const value *v = kept ? &w->state[i] : &w->stacked[i];
        if (!v->data) return no_memory(w);
        give_result(w, i, v);
    }
    return NF_OK;
}

static nf_status compute_loop(work *w)
{
    const uint64_t begin = nf_now_us();
    int64_t most = INT64_MAX;
    bool go_on = w->n->in[1] < 0 || *(const uint8_t *)operand(w, 1).data;
    nf_status st = NF_OK;
    if (w->n->in[0] >= 0) memcpy(&most, operand(w, 0).data, sizeof(most));
    for (int32_t i = 0; i < w->n->attr.flow.kept; i++)
        w->state[i] = operand(w, 2 + i);
    while (go_on && (int64_t)w->trips < most && !st)
        if (!(st = check_limits(w, w->trips, begin))) st = loop_trip(w, &go_on);
    return st ? st : finish(w, 1);
}

static value slice_of(const work *w, int32_t i, size_t trip)
{
    value v = operand(w, i);
    const size_t size = plan_flow_elem(w->b->g, w->n->in[i]);
    v.shape.elems /= v.shape.dim[0];
    v.data = (const char *)v.data + trip * v.shape.elems * size;
    memmove(v.shape.dim, v.shape.dim + 1, (size_t)--v.shape.rank * sizeof(*v.shape.dim));
    return v;
}

static nf_status compute_scan(work *w)
{
    const int32_t kept = w->n->attr.flow.kept, sliced = kept + w->n->attr.flow.sliced;
    const size_t trips = operand(w, kept).shape.dim[0]; /* plan_flow_make has compared them */
    const uint64_t begin = nf_now_us();
    plan_program *p = NULL;
    nf_status st = NF_OK;
    for (int32_t i = 0; i < kept; i++)
        w->state[i] = operand(w, i);
    while (w->trips < trips && !st) {
        if ((st = check_limits(w, w->trips, begin))) break;
        for (int32_t i = 0; i < w->n->n_in; i++) {
            const value v = i < kept     ? w->state[i]
                            : i < sliced ? slice_of(w, i, w->trips)
                                         : operand(w, i);
            set_input(w, (size_t)i, &v);
        }
        st = plan_flow_child(&p, w->b, w->node, 0, w->shapes, w->values, w->err);
        if (!st) st = take_trip(w, p, 0);
        plan_program_destroy(&p);
    }
    return st ? st : finish(w, 0);
}

nf_status plan_flow_compute(plan_builder *b, size_t node, nf_error *err)
{
    work w = {.b = b, .node = node, .n = &b->g->nodes[node], .err = err};
    nf_status st;
    if ((st = make_work(&w))) return st;
    switch (w.n->op) {
    case IR_IF:
        return compute_if(&w);
    case IR_WHILE:
        return compute_while(&w);
    case IR_LOOP:
        return compute_loop(&w);
    default:
        return compute_scan(&w);
    }
}
