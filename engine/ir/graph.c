/* graph.c - building the graph: tensors, nodes, inputs and outputs. Layer: ir. Thread rule: one
 * owner. */
#include "engine/ir/graph.h"

#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>

static const char *const op_names[] = {
#define X(name, least, most, outs, rule, types) #name,
    IR_OP_MAP(X)
#undef X
};

const char *ir_op_name(ir_op op)
{
    return (unsigned)op < IR_OP_COUNT ? op_names[op] : "UNKNOWN";
}

bool ir_is_product(ir_op op)
{
    return op == IR_CONV_2D || op == IR_DEPTHWISE_CONV_2D || op == IR_FULLY_CONNECTED;
}

int32_t ir_packed_from(ir_op op)
{
    static const int32_t from[IR_OP_COUNT] = {
        [IR_CONV_2D] = 1,         [IR_DEPTHWISE_CONV_2D] = 1, [IR_FULLY_CONNECTED] = 1,
        [IR_TREE_CLASSIFIER] = 2, [IR_TREE_REGRESSOR] = 2,    [IR_TREE_ENSEMBLE] = 2,
        [IR_SVM_CLASSIFIER] = 2,  [IR_SVM_REGRESSOR] = 2,
    };
    return from[op] ? from[op] : INT32_MAX;
}

bool ir_is_flow(ir_op op)
{
    return op == IR_IF || op == IR_WHILE || op == IR_LOOP || op == IR_SCAN;
}

const ir_graph *ir_body(const ir_graph *g, const ir_node *node, int k)
{
    const int32_t at = node->attr.flow.body[k];
    return at >= 0 && (size_t)at < g->n_bodies ? g->bodies[at] : NULL;
}

bool ir_is_move(ir_op op)
{
    static const char *const types[] = {
#define X(name, least, most, outs, rule, types) #types,
        IR_OP_MAP(X)
#undef X
    };
    return op == IR_CONCATENATION || op == IR_SPLIT || strcmp(types[op], "move") == 0;
}

bool ir_has_effect(ir_op op)
{
    return op == IR_ASSIGN;
}

ir_clamp ir_no_clamp(void)
{
    return (ir_clamp){-INFINITY, INFINITY};
}

nf_status ir_graph_create(ir_graph **out, nf_error *err)
{
    *out = nf_alloc(sizeof(**out), NF_MEM_GRAPH);
    return *out ? NF_OK : nf_fail(err, NF_ENOMEM, "graph", "no memory for a graph");
}

static void fini_tensor(ir_tensor *t)
{
    nf_free(t->name);
    nf_free(t->quant.scale);
    nf_free(t->quant.zero);
    nf_free(t->data);
    nf_free(t->text);
}

void ir_node_fini(ir_node *node)
{
    nf_free(node->in);
    nf_free(node->out);
    node->in = node->out = NULL;
}

void ir_graph_destroy(ir_graph **g)
{
    if (!g || !*g) return;
    ir_graph *x = *g;
    for (size_t i = 0; i < x->n_tensors; i++)
        fini_tensor(&x->tensors[i]);
    for (size_t i = 0; i < x->n_nodes; i++)
        ir_node_fini(&x->nodes[i]);
    for (size_t i = 0; i < x->n_bodies; i++)
        ir_graph_destroy(&x->bodies[i]);
    ir_about_fini(&x->about);
    nf_free(x->bodies);
    nf_free(x->tensors);
    nf_free(x->nodes);
    nf_free(x->inputs);
    nf_free(x->outputs);
    nf_free(x);
    *g = NULL;
}

/* Makes room for one more element: doubles, so that n additions copy O(n). */
static nf_status grow(void **items, size_t *cap, size_t n, size_t size, nf_error *err)
{
    if (n < *cap) return NF_OK;
    const size_t want = *cap ? *cap * 2 : 16;
    void *more = nf_realloc(*items, want * size, NF_MEM_GRAPH);
    if (!more) return nf_fail(err, NF_ENOMEM, "graph", "no memory for %zu entries", want);
    *items = more;
    *cap = want;
    return NF_OK;
}

nf_status ir_add_tensor(int32_t *index, ir_graph *g, const char *name, size_t name_len,
                        eng_dtype dtype, nf_error *err)
{
    char number[32];
    nf_status st;
    if (name_len == 0) { /* a name that can be shown, and asked for */
        name_len = (size_t)snprintf(number, sizeof(number), "tensor_%zu", g->n_tensors);
        name = number;
    }
    if (g->n_tensors >= IR_MAX_TENSORS)
        return nf_fail(err, NF_ETOOLARGE, "graph", "over %d tensors", IR_MAX_TENSORS);
    if ((st = grow((void **)&g->tensors, &g->cap_tensors, g->n_tensors, sizeof(*g->tensors), err)))
        return st;
    char *copy = nf_strdup(name, name_len, NF_MEM_GRAPH);
    if (!copy) return nf_fail(err, NF_ENOMEM, "graph", "no memory for a tensor name");
    ir_clean_text(copy, name_len);
    g->tensors[g->n_tensors] = (ir_tensor){.name = copy, .dtype = dtype};
    *index = (int32_t)g->n_tensors++;
    return NF_OK;
}

static bool zero_fits(eng_dtype dtype, int32_t zero)
{
    static const struct {
        int32_t least, most;
    } range[ENG_DTYPE_COUNT] = {
        [ENG_I8] = {INT8_MIN, INT8_MAX},
        [ENG_U8] = {0, UINT8_MAX},
        [ENG_I16] = {INT16_MIN, INT16_MAX},
        [ENG_I32] = {INT32_MIN, INT32_MAX},
    };
    return zero >= range[dtype].least && zero <= range[dtype].most;
}

static nf_status check_quant(const ir_tensor *t, size_t n, const float *scale, const int32_t *zero,
                             nf_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(scale[i]) || scale[i] <= 0)
            return nf_fail(err, NF_EFORMAT, t->name, "scale %zu is %g, expected a finite one > 0",
                           i, (double)scale[i]);
        if (zero && !zero_fits(t->dtype, zero[i]))
            return nf_fail(err, NF_EFORMAT, t->name, "zero point %zu is %d, which is not in %s", i,
                           zero[i], eng_dtype_oip(t->dtype));
    }
    return NF_OK;
}

nf_status ir_set_quant(ir_tensor *t, size_t n, const float *scale, const int32_t *zero, int axis,
                       nf_error *err)
{
    nf_status st;
    if ((st = check_quant(t, n, scale, zero, err))) return st;
    float *s = nf_alloc_array(n, sizeof(*s), NF_MEM_GRAPH);
    int32_t *z = nf_alloc_array(n, sizeof(*z), NF_MEM_GRAPH);
    if (!s || !z) {
        nf_free(s);
        nf_free(z);
        return nf_fail(err, NF_ENOMEM, t->name, "no memory for %zu scales", n);
    }
    if (n) memcpy(s, scale, n * sizeof(*s));
    if (n && zero) memcpy(z, zero, n * sizeof(*z));
    nf_free(t->quant.scale);
    nf_free(t->quant.zero);
    t->quant = (ir_quant){n, axis, s, z};
    return NF_OK;
}

static nf_status check_content(const ir_tensor *t, size_t bytes, nf_error *err)
{
    size_t n;
    if (!ir_elems(&n, t, 1))
        return nf_fail(err, NF_ETOOLARGE, t->name, "constant of over %zu elements", IR_MAX_ELEMS);
    if (n * eng_dtype_size(t->dtype) != bytes)
        return nf_fail(err, NF_EFORMAT, t->name,
                       "constant has %zu bytes, its shape and type need %zu", bytes,
                       n * eng_dtype_size(t->dtype));
    return NF_OK;
}

nf_status ir_take_data(ir_tensor *t, uint8_t *content, size_t bytes, nf_error *err)
{
    const nf_status st = check_content(t, bytes, err);
    if (st) {
        nf_free(content);
        return st;
    }
    nf_free(t->data);
    t->data = content;
    t->bytes = bytes;
    return NF_OK;
}

nf_status ir_set_data(ir_tensor *t, nf_bytes content, nf_error *err)
{
    nf_status st;
    if ((st = check_content(t, content.len, err))) return st;
    uint8_t *copy = nf_alloc(content.len, NF_MEM_GRAPH);
    if (!copy)
        return nf_fail(err, NF_ENOMEM, t->name, "no memory for %zu constant bytes", content.len);
    memcpy(copy, content.data, content.len);
    return ir_take_data(t, copy, content.len, err);
}

/* Bytes of all texts; false when their sum does not fit. */
static bool text_bytes(size_t *bytes, const nf_span *texts, size_t n)
{
    *bytes = 0;
    for (size_t i = 0; i < n; i++)
        if (!nf_add_size(bytes, *bytes, texts[i].len)) return false;
    return true;
}

nf_status ir_set_text(ir_tensor *t, const nf_span *texts, size_t n, nf_error *err)
{
    size_t bytes, at = 0;
    if (!text_bytes(&bytes, texts, n)) return nf_fail(err, NF_ETOOLARGE, t->name, "too much text");
    char *text = nf_alloc(bytes + 1, NF_MEM_GRAPH);
    nf_span *spans = nf_alloc_array(n + 1, sizeof(*spans), NF_MEM_GRAPH);
    if (!text || !spans) {
        nf_free(text);
        nf_free(spans);
        return nf_fail(err, NF_ENOMEM, t->name, "no memory for %zu texts", n);
    }
    for (size_t i = 0; i < n; i++) {
        spans[i] = (nf_span){text + at, texts[i].len};
        if (texts[i].len) memcpy(text + at, texts[i].s, texts[i].len);
        at += texts[i].len;
    }
    nf_free(t->text);
    t->text = text;
    return ir_take_data(t, (uint8_t *)spans, n * sizeof(*spans), err);
}

ir_clamp *ir_node_clamp(ir_node *node)
{
    static const size_t behind[IR_OP_COUNT] = {
        /* offset in ir_attr + 1; 0 = has none */
        [IR_CONV_2D] = offsetof(ir_attr, window.clamp) + 1,
        [IR_DEPTHWISE_CONV_2D] = offsetof(ir_attr, window.clamp) + 1,
        [IR_MAX_POOL_2D] = offsetof(ir_attr, window.clamp) + 1,
        [IR_AVERAGE_POOL_2D] = offsetof(ir_attr, window.clamp) + 1,
        [IR_FULLY_CONNECTED] = offsetof(ir_attr, dense.clamp) + 1,
        [IR_ADD] = offsetof(ir_attr, binary.clamp) + 1,
        [IR_SUB] = offsetof(ir_attr, binary.clamp) + 1,
        [IR_MUL] = offsetof(ir_attr, binary.clamp) + 1,
        [IR_DIV] = offsetof(ir_attr, binary.clamp) + 1,
        [IR_CLAMP] = offsetof(ir_attr, clamp) + 1,
    };
    const size_t at = behind[node->op];
    return at ? (ir_clamp *)((char *)&node->attr + at - 1) : NULL;
}

static int32_t *copy_indices(const int32_t *from, size_t n)
{
    int32_t *copy = nf_alloc_array(n, sizeof(*copy), NF_MEM_GRAPH);
    if (copy && n) memcpy(copy, from, n * sizeof(*copy));
    return copy;
}

nf_status ir_add_node_ends(ir_node **out, ir_graph *g, ir_op op, const ir_ends *ends, nf_error *err)
{
    nf_status st;
    if (g->n_nodes >= IR_MAX_NODES)
        return nf_fail(err, NF_ETOOLARGE, "graph", "over %d nodes", IR_MAX_NODES);
    if (ends->n_out < 1)
        return nf_fail(err, NF_EFORMAT, "graph", "%s has no result", ir_op_name(op));
    if ((st = grow((void **)&g->nodes, &g->cap_nodes, g->n_nodes, sizeof(*g->nodes), err)))
        return st;
    ir_node node = {.op = op, .n_in = ends->n_in, .n_out = ends->n_out};
    node.in = copy_indices(ends->in, (size_t)ends->n_in);
    node.out = copy_indices(ends->out, (size_t)ends->n_out);
    if (!node.in || !node.out) {
        ir_node_fini(&node);
        return nf_fail(err, NF_ENOMEM, "graph", "no memory for a node");
    }
    ir_clamp *clamp = ir_node_clamp(&node);
    if (clamp) *clamp = ir_no_clamp();
    g->nodes[g->n_nodes] = node;
    if (out) *out = &g->nodes[g->n_nodes];
    g->n_nodes++;
    return NF_OK;
}

nf_status ir_add_node(ir_node **out, ir_graph *g, ir_op op, const int32_t *in, int32_t n_in,
                      int32_t out_tensor, nf_error *err)
{
    return ir_add_node_ends(out, g, op, &(ir_ends){in, &out_tensor, n_in, 1}, err);
}

nf_status ir_add_body(int32_t *index, ir_graph *g, ir_graph *take_body, nf_error *err)
{
    const size_t bytes = (g->n_bodies + 1) * sizeof(ir_graph *);
    ir_graph **more = nf_realloc(g->bodies, bytes, NF_MEM_GRAPH);
    if (!more) {
        ir_graph_destroy(&take_body);
        return nf_fail(err, NF_ENOMEM, "graph", "no memory for a body");
    }
    g->bodies = more;
    g->bodies[g->n_bodies] = take_body;
    *index = (int32_t)g->n_bodies++;
    return NF_OK;
}

nf_status ir_set_io(ir_graph *g, const int32_t *in, size_t n_in, const int32_t *out, size_t n_out,
                    nf_error *err)
{
    int32_t *inputs = copy_indices(in, n_in), *outputs = copy_indices(out, n_out);
    if (!inputs || !outputs) {
        nf_free(inputs);
        nf_free(outputs);
        return nf_fail(err, NF_ENOMEM, "graph", "no memory for the inputs and outputs");
    }
    nf_free(g->inputs);
    nf_free(g->outputs);
    g->inputs = inputs;
    g->outputs = outputs;
    g->n_inputs = n_in;
    g->n_outputs = n_out;
    return NF_OK;
}

/* The largest honest copy is 32 times its original: a group of one INT8 weight, padded to a block.
 */
#define COPIES      64
#define SMALL_MODEL ((size_t)64 << 20)

void ir_make_room(ir_graph *g)
{
    size_t bytes = 0;
    for (size_t t = 0; t < g->n_tensors; t++)
        if (g->tensors[t].data) bytes += g->tensors[t].bytes;
    if (!nf_mul_size(&g->room, bytes, COPIES) || !nf_add_size(&g->room, g->room, SMALL_MODEL))
        g->room = SIZE_MAX;
}

nf_status ir_spend(ir_graph *g, size_t bytes, nf_error *err)
{
    if (bytes > g->room)
        return nf_fail(err, NF_EBUDGET, "graph",
                       "its nodes share constants so often that their copies do not fit");
    g->room -= bytes;
    return NF_OK;
}

bool ir_elems(size_t *out, const ir_tensor *t, int64_t batch)
{
    size_t n = 1;
    for (int i = 0; i < t->rank; i++) {
        const int64_t d = t->dim[i] == IR_BATCH && i == 0 ? batch : t->dim[i];
        if (d < 0 || !nf_mul_size(&n, n, (size_t)d) || n > IR_MAX_ELEMS) return false;
    }
    *out = n;
    return true;
}
