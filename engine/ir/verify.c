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
        const bool batch = i == 0 && !constant && t->dim[i] == IR_BATCH;
        if (t->dim[i] < 1 && !batch)
            return nf_fail(err, NF_EFORMAT, t->name, "dimension %d is %lld, expected 1 or more", i,
                           (long long)t->dim[i]);
    }
    if (!ir_elems(&n, t, 1))
        return nf_fail(err, NF_ETOOLARGE, t->name, "has over %zu elements", IR_MAX_ELEMS);
    if ((st = ir_check_quant(t, err))) return st;
    if (constant && t->bytes != n * eng_dtype_size(t->dtype))
        return nf_fail(err, NF_EFORMAT, t->name, "constant has %zu bytes, its shape needs %zu",
                       t->bytes, n * eng_dtype_size(t->dtype));
    return NF_OK;
}

/* known[tensor]: 0 nothing, 1 graph input or constant, 2 computed. */
static nf_status check_inputs(const ir_graph *g, uint8_t *known, nf_error *err)
{
    nf_status st;
    if (g->n_inputs == 0) return nf_fail(err, NF_EUNSUPPORTED, "graph", "has no inputs");
    for (size_t i = 0; i < g->n_tensors; i++) {
        if (!g->tensors[i].data) continue;
        if ((st = check_given(&g->tensors[i], true, err))) return st;
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

static nf_status find_makers(const ir_graph *g, int32_t *maker, const uint8_t *known, nf_error *err)
{
    for (size_t i = 0; i < g->n_tensors; i++)
        maker[i] = IR_NONE;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *node = &g->nodes[i];
        if (!in_range(g, node->out))
            return nf_fail(err, NF_EFORMAT, "graph", "node %zu writes tensor %d of %zu", i,
                           node->out, g->n_tensors);
        const char *name = g->tensors[node->out].name;
        if (known[node->out])
            return nf_fail(err, NF_EFORMAT, name, "%s writes an input or a constant",
                           ir_op_name(node->op));
        if (maker[node->out] != IR_NONE)
            return nf_fail(err, NF_EFORMAT, name, "is written by two nodes");
        maker[node->out] = (int32_t)i;
        for (int32_t k = 0; k < node->n_in; k++)
            if (node->in[k] != IR_NONE && !in_range(g, node->in[k]))
                return nf_fail(err, NF_EFORMAT, name, "input %d of %s names tensor %d of %zu", k,
                               ir_op_name(node->op), node->in[k], g->n_tensors);
    }
    return NF_OK;
}

/* What the file says about a result against what the rule says. A file that was written for one row
 * may say 1 where the graph has a batch. */
static nf_status take_shape(ir_tensor *t, const int64_t dim[], int rank, nf_error *err)
{
    bool same = t->rank == 0 || t->rank == rank;
    for (int i = 0; same && i < t->rank; i++)
        same = t->dim[i] == dim[i] || (i == 0 && t->dim[0] == 1 && dim[0] == IR_BATCH);
    if (!same) {
        for (int i = 0; i < t->rank && i < rank; i++)
            if (t->dim[i] != dim[i])
                return nf_fail(err, NF_EFORMAT, t->name,
                               "the file says dimension %d is %lld, its operator gives %lld", i,
                               (long long)t->dim[i], (long long)dim[i]);
        return nf_fail(err, NF_EFORMAT, t->name, "the file says rank %d, its operator gives %d",
                       t->rank, rank);
    }
    t->rank = rank;
    memcpy(t->dim, dim, sizeof(t->dim));
    return NF_OK;
}

static nf_status check_node(ir_graph *g, const ir_node *node, uint8_t *known, const int32_t *maker,
                            nf_error *err)
{
    int64_t dim[ENG_MAX_RANK];
    int rank;
    nf_status st;
    for (int32_t i = 0; i < node->n_in; i++)
        if (node->in[i] != IR_NONE && !known[node->in[i]])
            return nf_fail(err, NF_EFORMAT, g->tensors[node->in[i]].name,
                           "is read by %s, but nothing produces it", ir_op_name(node->op));
    if ((st = ir_infer_shape(dim, &rank, g, node, err))) return st;
    if ((st = take_shape(&g->tensors[node->out], dim, rank, err))) return st;
    if ((st = ir_check_quant(&g->tensors[node->out], err))) return st;
    known[node->out] = 2;
    return ir_check_node(g, node, maker, err);
}

static nf_status check_outputs(const ir_graph *g, const uint8_t *known, nf_error *err)
{
    if (g->n_outputs == 0) return nf_fail(err, NF_EFORMAT, "graph", "has no outputs");
    for (size_t i = 0; i < g->n_outputs; i++) {
        if (!in_range(g, g->outputs[i]))
            return nf_fail(err, NF_EFORMAT, "graph", "output %zu names tensor %d of %zu", i,
                           g->outputs[i], g->n_tensors);
        const char *name = g->tensors[g->outputs[i]].name;
        if (known[g->outputs[i]] == 0)
            return nf_fail(err, NF_EFORMAT, name, "is an output, but nothing produces it");
        if (known[g->outputs[i]] == 1)
            return nf_fail(err, NF_EUNSUPPORTED, name,
                           "is an output, but also an input or a constant");
    }
    return NF_OK;
}

nf_status ir_graph_verify(ir_graph *g, nf_error *err)
{
    nf_status st;
    uint8_t *known = nf_alloc(g->n_tensors, NF_MEM_GRAPH);
    int32_t *maker = nf_alloc_array(g->n_tensors, sizeof(*maker), NF_MEM_GRAPH);
    if (!known || !maker) {
        st = nf_fail(err, NF_ENOMEM, "graph", "no memory to verify %zu tensors", g->n_tensors);
        goto done;
    }
    if ((st = check_inputs(g, known, err))) goto done;
    if ((st = find_makers(g, maker, known, err))) goto done;
    if ((st = ir_sort_nodes(g, maker, err))) goto done;
    for (size_t i = 0; i < g->n_nodes; i++)
        if ((st = check_node(g, &g->nodes[i], known, maker, err))) goto done;
    st = check_outputs(g, known, err);
done:
    nf_free(known);
    nf_free(maker);
    return st;
}
