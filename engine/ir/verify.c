/* verify.c - checks all that the engine relies on, and fills in the shapes. Layer: ir.
 * Thread rule: one owner. */
#include "engine/ir/verify.h"

#include "engine/base/mem.h"

static bool in_range(const ir_graph *g, int32_t tensor)
{
    return tensor >= 0 && (size_t)tensor < g->n_tensors;
}

/* A tensor that no node computes: every dimension known, content complete. */
static nf_status check_given(const ir_tensor *t, bool constant, nf_error *err)
{
    size_t n = 0;
    nf_status st;
    if (t->rank < 0 || t->rank > ENG_MAX_RANK || (unsigned)t->dtype >= ENG_DTYPE_COUNT)
        return nf_fail(err, NF_EFORMAT, t->name, "rank %d, expected 0 to %d", t->rank,
                       ENG_MAX_RANK);
    for (int i = 0; i < t->rank; i++) {
        const bool open = !constant && ((i == 0 && t->dim[i] == IR_BATCH) || t->dim[i] == IR_FREE);
        if (t->dim[i] < (constant ? 0 : 1) && !open)
            return nf_fail(err, NF_EFORMAT, t->name, "dimension %d is %lld, expected 1 or more", i,
                           (long long)t->dim[i]);
    }
    ir_tensor least = {.rank = t->rank};
    for (int i = 0; i < t->rank; i++)
        least.dim[i] = t->dim[i] < 0 ? 1 : t->dim[i];
    if (!ir_elems(&n, &least, 1))
        return nf_fail(err, NF_ETOOLARGE, t->name, "has over %zu elements", IR_MAX_ELEMS);
    if ((st = ir_check_quant(t, err))) return st;
    if (t->data && t->bytes != n * eng_dtype_size(t->dtype))
        return nf_fail(err, NF_EFORMAT, t->name, "constant has %zu bytes, its shape needs %zu",
                       t->bytes, n * eng_dtype_size(t->dtype));
    return NF_OK;
}

/* known[tensor]: 0 nothing, 1 graph input or constant, 2 computed. */
static nf_status check_inputs(const ir_graph *g, uint8_t *known, nf_error *err)
{
    nf_status st;
    if (g->n_inputs == 0 && !g->body)
        return nf_fail(err, NF_EUNSUPPORTED, "graph", "has no inputs");
    for (size_t i = 0; i < g->n_tensors; i++) {
        const ir_tensor *t = &g->tensors[i];
        if (!t->data && !t->variable) continue;
        if ((st = check_given(t, true, err))) return st;
        known[i] = 1;
    }
    for (size_t i = 0; i < g->n_inputs; i++) {
        if (!in_range(g, g->inputs[i]))
            return nf_fail(err, NF_EFORMAT, "graph", "input %zu names tensor %d of %zu", i,
                           g->inputs[i], g->n_tensors);
        const ir_tensor *t = &g->tensors[g->inputs[i]];
        if (known[g->inputs[i]])
            return nf_fail(err, NF_EFORMAT, t->name, "is an input twice, or a constant too");
        if ((st = check_given(t, false, err))) return st;
        known[g->inputs[i]] = 1;
    }
    return NF_OK;
}

static nf_status claim(const ir_graph *g, int32_t *maker, const uint8_t *known, size_t node,
                       int32_t out, nf_error *err)
{
    const char *op = ir_op_name(g->nodes[node].op);
    if (!in_range(g, out))
        return nf_fail(err, NF_EFORMAT, "graph", "node %zu writes tensor %d of %zu", node, out,
                       g->n_tensors);
    if (known[out])
        return nf_fail(err, NF_EFORMAT, g->tensors[out].name, "%s writes an input or a constant",
                       op);
    if (maker[out] != IR_NONE)
        return nf_fail(err, NF_EFORMAT, g->tensors[out].name, "is written by two nodes");
    maker[out] = (int32_t)node;
    return NF_OK;
}

static nf_status check_reads(const ir_graph *g, const ir_node *node, nf_error *err)
{
    for (int32_t k = 0; k < node->n_in; k++)
        if (node->in[k] != IR_NONE && !in_range(g, node->in[k]))
            return nf_fail(err, NF_EFORMAT, g->tensors[node->out[0]].name,
                           "input %d of %s names tensor %d of %zu", k, ir_op_name(node->op),
                           node->in[k], g->n_tensors);
    return NF_OK;
}

static nf_status find_makers(const ir_graph *g, int32_t *maker, const uint8_t *known, nf_error *err)
{
    nf_status st;
    for (size_t i = 0; i < g->n_tensors; i++)
        maker[i] = IR_NONE;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *node = &g->nodes[i];
        for (int32_t k = 0; k < node->n_out; k++) {
            if (k > 0 && node->out[k] == IR_NONE) continue;
            if ((st = claim(g, maker, known, i, node->out[k], err))) return st;
        }
        if ((st = check_reads(g, node, err))) return st;
    }
    return NF_OK;
}

/* What the file says about a result against what the rule says. A file that was written for one row
 * may say 1 where the graph has a batch. */
static nf_status take_shape(ir_tensor *t, const ir_shape *s, nf_error *err)
{
    bool same = t->rank <= 0 || s->rank == IR_RANK_FREE || t->rank == s->rank;
    for (int i = 0; same && s->rank != IR_RANK_FREE && i < t->rank; i++)
        same = t->dim[i] == s->dim[i] || t->dim[i] < 0 || s->dim[i] == IR_FREE ||
               (i == 0 && t->dim[0] == 1 && s->dim[0] == IR_BATCH);
    if (!same) {
        for (int i = 0; i < t->rank && i < s->rank; i++)
            if (t->dim[i] != s->dim[i])
                return nf_fail(err, NF_EFORMAT, t->name,
                               "the file says dimension %d is %lld, its operator gives %lld", i,
                               (long long)t->dim[i], (long long)s->dim[i]);
        return nf_fail(err, NF_EFORMAT, t->name, "the file says rank %d, its operator gives %d",
                       t->rank, s->rank);
    }
    t->rank = s->rank;
    memcpy(t->dim, s->dim, sizeof(t->dim));
    return NF_OK;
}

/* A target that is known becomes an attribute, and dropped or added axes a target; rows that stay
 * in front are copied, whatever number the file had for them, so that any batch can run. */
static void settle_reshape(const ir_graph *g, ir_node *n)
{
    const ir_tensor *y = &g->tensors[n->out[0]];
    const ir_tensor *to = n->n_in > 1 && n->in[1] != IR_NONE ? &g->tensors[n->in[1]] : NULL;
    const bool axes = n->op == IR_SQUEEZE || n->op == IR_UNSQUEEZE;
    if ((n->op != IR_RESHAPE && !axes) || (to && !to->data) || y->rank < 1) return;
    if (!axes && n->attr.reshape.flatten) return;
    const bool rows = y->dim[0] == IR_BATCH;
    for (int i = rows ? 1 : 0; i < y->rank; i++)
        if (y->dim[i] < 0) return;
    n->op = IR_RESHAPE;
    n->n_in = 1;
    n->attr = (ir_attr){.reshape = {.rank = y->rank}};
    memcpy(n->attr.reshape.dim, y->dim, sizeof(y->dim));
    if (rows) n->attr.reshape.dim[0] = 0;
    n->attr.reshape.zero = !rows;
}

static nf_status check_node(ir_graph *g, ir_node *node, uint8_t *known, const int32_t *maker,
                            ir_shape *shapes, nf_error *err)
{
    nf_status st;
    for (int32_t i = 0; i < node->n_in; i++)
        if (node->in[i] != IR_NONE && !known[node->in[i]])
            return nf_fail(err, NF_EFORMAT, g->tensors[node->in[i]].name,
                           "is read by %s, but nothing produces it", ir_op_name(node->op));
    if ((st = ir_infer_shapes(shapes, g, g->tensors, node, err))) return st;
    for (int32_t k = 0; k < node->n_out; k++) {
        if (node->out[k] == IR_NONE) continue;
        ir_tensor *t = &g->tensors[node->out[k]];
        if ((st = take_shape(t, &shapes[k], err)) || (st = ir_check_quant(t, err))) return st;
        known[node->out[k]] = 2;
    }
    settle_reshape(g, node);
    return ir_check_node(g, node, maker, err);
}

static nf_status check_outputs(const ir_graph *g, const uint8_t *known, nf_error *err)
{
    if (g->n_outputs == 0 && !g->body) return nf_fail(err, NF_EFORMAT, "graph", "has no outputs");
    for (size_t i = 0; i < g->n_outputs; i++) {
        if (!in_range(g, g->outputs[i]))
            return nf_fail(err, NF_EFORMAT, "graph", "output %zu names tensor %d of %zu", i,
                           g->outputs[i], g->n_tensors);
        const char *name = g->tensors[g->outputs[i]].name;
        if (known[g->outputs[i]] == 0)
            return nf_fail(err, NF_EFORMAT, name, "is an output, but nothing produces it");
        if (known[g->outputs[i]] == 1 && !g->body)
            return nf_fail(err, NF_EUNSUPPORTED, name,
                           "is an output, but also an input or a constant");
    }
    return NF_OK;
}

static size_t most_results(const ir_graph *g)
{
    size_t most = 1;
    for (size_t i = 0; i < g->n_nodes; i++)
        if ((size_t)g->nodes[i].n_out > most) most = (size_t)g->nodes[i].n_out;
    return most;
}

static nf_status verify(ir_graph *g, uint8_t *known, int32_t *maker, ir_shape *shapes,
                        nf_error *err)
{
    nf_status st;
    if ((st = check_inputs(g, known, err))) return st;
    if ((st = find_makers(g, maker, known, err))) return st;
    if ((st = ir_sort_nodes(g, maker, err))) return st;
    for (size_t i = 0; i < g->n_nodes; i++)
        if ((st = check_node(g, &g->nodes[i], known, maker, shapes, err))) return st;
    return check_outputs(g, known, err);
}

nf_status ir_graph_verify(ir_graph *g, nf_error *err)
{
    nf_status st;
    uint8_t *known = nf_alloc(g->n_tensors, NF_MEM_GRAPH);
    int32_t *maker = nf_alloc_array(g->n_tensors, sizeof(*maker), NF_MEM_GRAPH);
    ir_shape *shapes = nf_alloc_array(most_results(g), sizeof(*shapes), NF_MEM_GRAPH);
    if (known && maker && shapes)
        st = verify(g, known, maker, shapes, err);
    else
        st = nf_fail(err, NF_ENOMEM, "graph", "no memory to verify %zu tensors", g->n_tensors);
    nf_free(known);
    nf_free(maker);
    nf_free(shapes);
    return st;
}
