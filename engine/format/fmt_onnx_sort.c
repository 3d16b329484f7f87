/* fmt_onnx_sort.c - nodes into an order in which each one's inputs are there. Layer: format.
 * Thread rule: one owner. ONNX asks for such an order, but converters that add nodes afterwards put
 * them last. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/mem.h"

/* Kahn's algorithm. Readers of value v: to[first[v]] .. to[first[v + 1] - 1], once linked. */
typedef struct order {
    int32_t *maker; /* [n_values]: node, IR_NONE = given */
    size_t *first, *waits;
    int32_t *to, *queue;
    fmt_onnx_node *sorted;
} order;

static void find_makers(order *s, const fmt_onnx_ctx *o)
{
    for (size_t v = 0; v < o->n_values; v++)
        s->maker[v] = IR_NONE;
    for (size_t i = 0; i < o->n_nodes; i++) {
        const fmt_onnx_node *n = &o->nodes[i];
        for (size_t k = n->n_in; k < n->n_in + n->n_out; k++)
            if (o->refs[n->first + k].value != IR_NONE)
                s->maker[o->refs[n->first + k].value] = (int32_t)i;
    }
}

/* Value of input k of node n that a node makes, or IR_NONE. */
static int32_t made_input(const order *s, const fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t k)
{
    const int32_t v = o->refs[n->first + k].value;
    return v != IR_NONE && s->maker[v] != IR_NONE ? v : IR_NONE;
}

static bool in_order(const order *s, const fmt_onnx_ctx *o)
{
    for (size_t i = 0; i < o->n_nodes; i++)
        for (size_t k = 0; k < o->nodes[i].n_in; k++) {
            const int32_t v = made_input(s, o, &o->nodes[i], k);
            if (v != IR_NONE && s->maker[v] >= (int32_t)i) return false;
        }
    return true;
}

/* first[v + 1] counts v's readers, then becomes where they begin, then where they end. */
static void link_readers(order *s, const fmt_onnx_ctx *o)
{
    for (size_t i = 0; i < o->n_nodes; i++)
        for (size_t k = 0; k < o->nodes[i].n_in; k++) {
            const int32_t v = made_input(s, o, &o->nodes[i], k);
            if (v == IR_NONE) continue;
            s->first[v + 2]++;
            s->waits[i]++;
        }
    for (size_t v = 0; v < o->n_values; v++)
        s->first[v + 2] += s->first[v + 1];
    for (size_t i = 0; i < o->n_nodes; i++)
        for (size_t k = 0; k < o->nodes[i].n_in; k++) {
            const int32_t v = made_input(s, o, &o->nodes[i], k);
            if (v != IR_NONE) s->to[s->first[v + 1]++] = (int32_t)i;
        }
}

static size_t sort(order *s, const fmt_onnx_ctx *o)
{
    size_t ready = 0, done = 0;
    for (size_t i = 0; i < o->n_nodes; i++)
        if (s->waits[i] == 0) s->queue[ready++] = (int32_t)i;
    for (; done < ready; done++) {
        const fmt_onnx_node *n = &o->nodes[s->queue[done]];
        s->sorted[done] = *n;
        for (size_t k = n->n_in; k < n->n_in + n->n_out; k++) {
            const int32_t v = o->refs[n->first + k].value;
            if (v == IR_NONE) continue;
            for (size_t e = s->first[v]; e < s->first[v + 1]; e++)
                if (--s->waits[s->to[e]] == 0) s->queue[ready++] = s->to[e];
        }
    }
    return done;
}

static nf_status order_all(order *s, fmt_onnx_ctx *o)
{
    s->first = nf_alloc_array(o->n_values + 2, sizeof(*s->first), NF_MEM_GRAPH);
    s->waits = nf_alloc_array(o->n_nodes + 1, sizeof(*s->waits), NF_MEM_GRAPH);
    s->queue = nf_alloc_array(o->n_nodes + 1, sizeof(*s->queue), NF_MEM_GRAPH);
    s->to = nf_alloc_array(o->n_refs + 1, sizeof(*s->to), NF_MEM_GRAPH);
    s->sorted = nf_alloc_array(o->n_nodes + 1, sizeof(*s->sorted), NF_MEM_GRAPH);
    if (!s->first || !s->waits || !s->queue || !s->to || !s->sorted)
        return nf_fail(o->err, NF_ENOMEM, "onnx", "no memory to sort %zu nodes", o->n_nodes);
    link_readers(s, o);
    if (sort(s, o) != o->n_nodes)
        return nf_fail(o->err, NF_EFORMAT, "onnx", "the nodes form a cycle");
    nf_free(o->nodes);
    o->nodes = s->sorted;
    s->sorted = NULL;
    return NF_OK;
}

nf_status fmt_onnx_sort(fmt_onnx_ctx *o)
{
    order s = {0};
    nf_status st = NF_OK;
    s.maker = nf_alloc_array(o->n_values + 1, sizeof(*s.maker), NF_MEM_GRAPH);
    if (!s.maker) return nf_fail(o->err, NF_ENOMEM, "onnx", "no memory to sort the nodes");
    find_makers(&s, o);
    if (!in_order(&s, o)) st = order_all(&s, o);
    nf_free(s.maker);
    nf_free(s.first);
    nf_free(s.waits);
    nf_free(s.queue);
    nf_free(s.to);
    nf_free(s.sorted);
    return st;
}
