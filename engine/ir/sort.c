/* sort.c - nodes into an order in which they can run, in linear time. Layer: ir.
 * Thread rule: one owner. */
#include "engine/ir/verify.h"

#include "engine/base/mem.h"

/* Kahn's algorithm. readers of node n: to[first[n]] .. to[first[n + 1] - 1]. */
typedef struct sorter {
    size_t *first;
    int32_t *to, *waits, *order; /* waits: inputs of a node that are not computed yet */
    ir_node *sorted;
} sorter;

static int32_t maker_of(const int32_t *maker, const ir_node *node, int32_t i)
{
    return node->in[i] == IR_NONE ? IR_NONE : maker[node->in[i]];
}

static bool in_order(const ir_graph *g, const int32_t *maker)
{
    for (size_t n = 0; n < g->n_nodes; n++)
        for (int32_t i = 0; i < g->nodes[n].n_in; i++)
            if (maker_of(maker, &g->nodes[n], i) >= (int32_t)n) return false;
    return true;
}

static size_t count_edges(sorter *s, const ir_graph *g, const int32_t *maker)
{
    size_t edges = 0;
    for (size_t n = 0; n < g->n_nodes; n++) {
        for (int32_t i = 0; i < g->nodes[n].n_in; i++) {
            const int32_t from = maker_of(maker, &g->nodes[n], i);
            if (from == IR_NONE) continue;
            s->first[from + 1]++;
            s->waits[n]++;
            edges++;
        }
    }
    for (size_t n = 0; n < g->n_nodes; n++)
        s->first[n + 1] += s->first[n];
    return edges;
}

/* Fills to[]; afterwards first[n] has moved to the end of n's readers. */
static void fill_readers(sorter *s, const ir_graph *g, const int32_t *maker)
{
    for (size_t n = 0; n < g->n_nodes; n++)
        for (int32_t i = 0; i < g->nodes[n].n_in; i++) {
            const int32_t from = maker_of(maker, &g->nodes[n], i);
            if (from != IR_NONE) s->to[s->first[from]++] = (int32_t)n;
        }
}

static size_t run_sort(sorter *s, size_t n_nodes)
{
    size_t done = 0, ready = 0;
    for (size_t n = 0; n < n_nodes; n++)
        if (s->waits[n] == 0) s->order[ready++] = (int32_t)n;
    for (; done < ready; done++) {
        const int32_t n = s->order[done];
        for (size_t e = n ? s->first[n - 1] : 0; e < s->first[n]; e++)
            if (--s->waits[s->to[e]] == 0) s->order[ready++] = s->to[e];
    }
    return done;
}

static nf_status cycle(const sorter *s, const ir_graph *g, nf_error *err)
{
    size_t n = 0;
    while (s->waits[n] == 0)
        n++;
    return nf_fail(err, NF_EFORMAT, g->tensors[g->nodes[n].out[0]].name,
                   "depends on itself: the graph has a cycle");
}

static nf_status sort_all(sorter *s, ir_graph *g, int32_t *maker, nf_error *err)
{
    const size_t n = g->n_nodes;
    s->first = nf_alloc_array(n + 1, sizeof(*s->first), NF_MEM_GRAPH);
    s->waits = nf_alloc_array(n, sizeof(*s->waits), NF_MEM_GRAPH);
    s->order = nf_alloc_array(n, sizeof(*s->order), NF_MEM_GRAPH);
    s->sorted = nf_alloc_array(g->cap_nodes, sizeof(*s->sorted), NF_MEM_GRAPH);
    if (!s->first || !s->waits || !s->order || !s->sorted)
        return nf_fail(err, NF_ENOMEM, "graph", "no memory to sort %zu nodes", n);
    s->to = nf_alloc_array(count_edges(s, g, maker), sizeof(*s->to), NF_MEM_GRAPH);
    if (!s->to) return nf_fail(err, NF_ENOMEM, "graph", "no memory to sort %zu nodes", n);
    fill_readers(s, g, maker);
    if (run_sort(s, n) != n) return cycle(s, g, err);
    for (size_t i = 0; i < n; i++) {
        s->sorted[i] = g->nodes[s->order[i]];
        for (int32_t k = 0; k < s->sorted[i].n_out; k++)
            if (s->sorted[i].out[k] != IR_NONE) maker[s->sorted[i].out[k]] = (int32_t)i;
    }
    nf_free(g->nodes);
    g->nodes = s->sorted;
    s->sorted = NULL;
    return NF_OK;
}

nf_status ir_sort_nodes(ir_graph *g, int32_t *maker, nf_error *err)
{
    if (in_order(g, maker)) return NF_OK;
    sorter s = {0};
    const nf_status st = sort_all(&s, g, maker, err);
    nf_free(s.first);
    nf_free(s.to);
    nf_free(s.waits);
    nf_free(s.order);
    nf_free(s.sorted);
    return st;
}
