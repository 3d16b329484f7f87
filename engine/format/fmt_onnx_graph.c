/* fmt_onnx_graph.c - the lists of an ONNX graph: nodes, inputs, initializers, and what each name
 * stands for. Layer: format. Thread rule: one owner. */
#include "engine/format/fmt_onnx.h"

#include "engine/base/mem.h"
#include "engine/format/missing.h"

#include <stdlib.h>

#define REFS_MOST (4u * IR_MAX_TENSORS)

/* GraphProto */
enum { NODE = 1, INITIALIZER = 5, INPUT = 11, OUTPUT = 12, SPARSE_INITIALIZER = 15 };

nf_status fmt_onnx_broken(const fmt_onnx_ctx *o, const fmt_pb *p)
{
    return p->bad ? nf_fail(o->err, NF_EFORMAT, "onnx", "not a Protocol Buffer: %s", p->bad)
                  : NF_OK;
}

static nf_status no_memory(const fmt_onnx_ctx *o, size_t n)
{
    return nf_fail(o->err, NF_ENOMEM, "onnx", "no memory for %zu entries", n);
}

static nf_status count_refs(fmt_onnx_ctx *o, nf_bytes node)
{
    fmt_pb p = fmt_pb_open(node);
    fmt_field f;
    while (fmt_pb_next(&f, &p))
        if (f.wire == FMT_LENGTH && (f.number == 1 || f.number == 2)) o->n_refs++;
    return fmt_onnx_broken(o, &p);
}

static nf_status count_lists(fmt_onnx_ctx *o)
{
    fmt_pb p = fmt_pb_open(o->graph);
    fmt_field f;
    nf_status st;
    while (fmt_pb_next(&f, &p)) {
        if (f.wire != FMT_LENGTH) continue;
        if (f.number == SPARSE_INITIALIZER)
            return nf_fail(o->err, NF_EUNSUPPORTED, "onnx", "a sparse initializer");
        o->n_nodes += f.number == NODE;
        o->n_inputs += f.number == INPUT;
        o->n_consts += f.number == INITIALIZER;
        o->n_outputs += f.number == OUTPUT;
        if (f.number == NODE && (st = count_refs(o, f.bytes))) return st;
    }
    if (o->n_nodes > IR_MAX_NODES || o->n_refs > REFS_MOST || o->n_inputs > IR_MAX_TENSORS ||
        o->n_consts > IR_MAX_TENSORS || o->n_outputs > IR_MAX_TENSORS)
        return nf_fail(o->err, NF_ETOOLARGE, "onnx",
                       "%zu nodes, %zu names, %zu inputs, %zu initializers, %zu outputs",
                       o->n_nodes, o->n_refs, o->n_inputs, o->n_consts, o->n_outputs);
    return fmt_onnx_broken(o, &p);
}

/* Field `number` of a node into refs; the inputs first, then the outputs. */
static size_t add_refs(fmt_onnx_ctx *o, nf_bytes message, uint32_t number, size_t at)
{
    fmt_pb p = fmt_pb_open(message);
    fmt_field f;
    size_t n = 0;
    while (fmt_pb_next(&f, &p))
        if (fmt_pb_is(&f, number, FMT_LENGTH))
            o->refs[at + n++] = (fmt_onnx_ref){fmt_pb_text(&f), IR_NONE};
    return n;
}

static void name_node(fmt_onnx_node *n, nf_bytes message)
{
    fmt_pb p = fmt_pb_open(message);
    fmt_field f;
    *n = (fmt_onnx_node){.message = message, .op = {"", 0}, .domain = {"", 0}};
    while (fmt_pb_next(&f, &p)) {
        if (fmt_pb_is(&f, 4, FMT_LENGTH)) n->op = fmt_pb_text(&f);
        if (fmt_pb_is(&f, 7, FMT_LENGTH)) n->domain = fmt_pb_text(&f);
    }
}

static size_t add_node(fmt_onnx_ctx *o, fmt_onnx_node *n, nf_bytes message, size_t at)
{
    name_node(n, message);
    n->first = at;
    n->n_in = add_refs(o, message, 1, at);
    n->n_out = add_refs(o, message, 2, at + n->n_in);
    return at + n->n_in + n->n_out;
}

static void note_missing(fmt_missing *m, const fmt_onnx_node *n)
{
    char text[2 * FMT_MISSING_NAME], domain[FMT_MISSING_NAME], op[FMT_MISSING_NAME];
    size_t at = 0;
    fmt_printable(domain, sizeof(domain), n->domain);
    fmt_printable(op, sizeof(op), n->op);
    if (domain[0] && strcmp(domain, "ai.onnx") != 0) {
        at = strlen(domain);
        memcpy(text, domain, at);
        text[at++] = '.';
    }
    memcpy(text + at, op, strlen(op) + 1);
    fmt_missing_add(m, (nf_span){text, strlen(text)});
}

/* The operators of graphs in the attributes of a node, which the reader of the node will read. */
static void note_nested(fmt_missing *m, nf_bytes node, int depth)
{
    fmt_field attribute, graph, f;
    if (depth > FMT_ONNX_DEPTH) return;
    for (fmt_pb a = fmt_pb_open(node); fmt_pb_next(&attribute, &a);) {
        if (!fmt_pb_is(&attribute, 5, FMT_LENGTH)) continue;
        for (fmt_pb p = fmt_pb_open(attribute.bytes); fmt_pb_next(&graph, &p);) {
            if (!fmt_pb_is(&graph, 6, FMT_LENGTH)) continue;
            for (fmt_pb n = fmt_pb_open(graph.bytes); fmt_pb_next(&f, &n);) {
                fmt_onnx_node inner;
                if (!fmt_pb_is(&f, NODE, FMT_LENGTH)) continue;
                name_node(&inner, f.bytes);
                if (!fmt_onnx_op(&inner)) note_missing(m, &inner);
                note_nested(m, f.bytes, depth + 1);
            }
        }
    }
}

nf_status fmt_onnx_read_nodes(fmt_onnx_ctx *o)
{
    fmt_missing missing = {0};
    fmt_field f;
    size_t node = 0, ref = 0;
    nf_status st;
    if ((st = count_lists(o))) return st;
    o->nodes = nf_alloc_array(o->n_nodes, sizeof(*o->nodes), NF_MEM_GRAPH);
    o->refs = nf_alloc_array(o->n_refs, sizeof(*o->refs), NF_MEM_GRAPH);
    if (!o->nodes || !o->refs) return no_memory(o, o->n_nodes + o->n_refs);
    for (fmt_pb p = fmt_pb_open(o->graph); fmt_pb_next(&f, &p);) {
        if (!fmt_pb_is(&f, NODE, FMT_LENGTH)) continue;
        ref = add_node(o, &o->nodes[node], f.bytes, ref);
        if (!fmt_onnx_op(&o->nodes[node])) note_missing(&missing, &o->nodes[node]);
        if (!o->parent) note_nested(&missing, f.bytes, 1);
        node++;
    }
    return fmt_missing_check(&missing, "onnx", o->err);
}

static int by_text(nf_span a, nf_span b)
{
    const int d = memcmp(a.s, b.s, a.len < b.len ? a.len : b.len);
    return d ? d : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *a, const void *b)
{
    const fmt_onnx_name *x = a, *y = b;
    const int d = by_text(x->name, y->name);
    return d ? d : (x->value > y->value) - (x->value < y->value);
}

/* Of equal names only an input that an initializer gives a default is allowed. */
static nf_status sort_names(fmt_onnx_ctx *o)
{
    const size_t first_made = o->n_inputs + o->n_consts;
    for (size_t i = 0; i < o->n_values; i++)
        o->names[i] = (fmt_onnx_name){o->values[i].name, (int32_t)i};
    qsort(o->names, o->n_values, sizeof(*o->names), by_name);
    for (size_t i = 1; i < o->n_values; i++) {
        const size_t a = (size_t)o->names[i - 1].value, b = (size_t)o->names[i].value;
        char text[64];
        if (o->names[i].name.len == 0 || by_text(o->names[i - 1].name, o->names[i].name) != 0)
            continue;
        if (a >= o->n_inputs || b < o->n_inputs || b >= first_made)
            return nf_fail(o->err, NF_EFORMAT, fmt_printable(text, sizeof(text), o->names[i].name),
                           "is defined twice");
        o->values[a].shadowed = true;
    }
    return NF_OK;
}

nf_status fmt_onnx_find(int32_t *value, fmt_onnx_ctx *o, nf_span name, const char *reader)
{
    size_t low = 0, high = o->n_sorted;
    char text[64];
    if (name.len == 0) return nf_fail(o->err, NF_EFORMAT, "onnx", "an output has no name");
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (by_text(o->names[mid].name, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == o->n_sorted || by_text(o->names[low].name, name) != 0) {
        const nf_status st = fmt_onnx_capture_name(value, o, name);
        if (st || *value != IR_NONE) return st;
        return nf_fail(o->err, NF_EFORMAT, fmt_printable(text, sizeof(text), name),
                       "is read by %s, but nothing produces it", reader);
    }
    if (o->values[o->names[low].value].shadowed) low++; /* the initializer stands behind it */
    *value = o->names[low].value;
    return NF_OK;
}

/* Names of inputs and outputs: field 1 of a ValueInfoProto. */
static nf_span info_name(nf_bytes info)
{
    fmt_pb p = fmt_pb_open(info);
    fmt_field f;
    nf_span name = {"", 0};
    while (fmt_pb_next(&f, &p))
        if (fmt_pb_is(&f, 1, FMT_LENGTH)) name = fmt_pb_text(&f);
    return name;
}

/* Inputs stand first, initializers behind them; their order is that of the file. */
static nf_status fill_given(fmt_onnx_ctx *o)
{
    size_t input = 0, constant = o->n_inputs;
    fmt_field f;
    nf_status st;
    for (fmt_pb p = fmt_pb_open(o->graph); fmt_pb_next(&f, &p);) {
        if (fmt_pb_is(&f, INPUT, FMT_LENGTH)) {
            o->values[input++] = (fmt_onnx_value){.name = info_name(f.bytes),
                                                  .tensor = IR_NONE,
                                                  .given = IR_NONE,
                                                  .permuted = IR_NONE};
        } else if (fmt_pb_is(&f, INITIALIZER, FMT_LENGTH)) {
            fmt_onnx_value *v = &o->values[constant++];
            *v = (fmt_onnx_value){
                .kind = FMT_ONNX_CONST, .tensor = IR_NONE, .given = IR_NONE, .permuted = IR_NONE};
            if ((st = fmt_onnx_head(&v->c, &v->name, o, f.bytes))) return st;
        }
    }
    for (size_t i = 0; i < constant; i++)
        if (o->values[i].name.len == 0)
            return nf_fail(o->err, NF_EFORMAT, "onnx", "an input or initializer has no name");
    return NF_OK;
}

static void fill_made(fmt_onnx_ctx *o)
{
    size_t at = o->n_inputs + o->n_consts;
    for (size_t i = 0; i < o->n_nodes; i++) {
        const fmt_onnx_node *n = &o->nodes[i];
        for (size_t k = n->first + n->n_in; k < n->first + n->n_in + n->n_out; k++) {
            if (o->refs[k].name.len == 0) continue;
            o->refs[k].value = (int32_t)at;
            o->values[at++] = (fmt_onnx_value){
                .name = o->refs[k].name, .tensor = IR_NONE, .given = IR_NONE, .permuted = IR_NONE};
        }
    }
}

static nf_status resolve(fmt_onnx_ctx *o)
{
    nf_status st;
    for (size_t i = 0; i < o->n_nodes; i++) {
        const fmt_onnx_node *n = &o->nodes[i];
        char op[48];
        fmt_printable(op, sizeof(op), n->op);
        for (size_t k = n->first; k < n->first + n->n_in; k++)
            if (o->refs[k].name.len &&
                (st = fmt_onnx_find(&o->refs[k].value, o, o->refs[k].name, op)))
                return st;
    }
    return NF_OK;
}

static nf_status mark_outputs(fmt_onnx_ctx *o)
{
    fmt_field f;
    nf_status st;
    for (fmt_pb p = fmt_pb_open(o->graph); fmt_pb_next(&f, &p);) {
        int32_t value;
        if (!fmt_pb_is(&f, OUTPUT, FMT_LENGTH)) continue;
        if ((st = fmt_onnx_find(&value, o, info_name(f.bytes), "the outputs"))) return st;
        o->values[value].is_output = true;
    }
    return NF_OK;
}

nf_status fmt_onnx_read_values(fmt_onnx_ctx *o)
{
    nf_status st;
    o->n_values = o->n_inputs + o->n_consts;
    for (size_t i = 0; i < o->n_nodes; i++)
        for (size_t k = 0; k < o->nodes[i].n_out; k++)
            o->n_values += o->refs[o->nodes[i].first + o->nodes[i].n_in + k].name.len != 0;
    if (o->n_values > IR_MAX_TENSORS)
        return nf_fail(o->err, NF_ETOOLARGE, "onnx", "%zu values, at most %d", o->n_values,
                       IR_MAX_TENSORS);
    o->n_sorted = o->n_values;
    o->cap_values = o->n_values + (o->parent ? o->n_refs + o->n_outputs : 0); /* and captures */
    o->values = nf_alloc_array(o->cap_values, sizeof(*o->values), NF_MEM_GRAPH);
    o->names = nf_alloc_array(o->n_values, sizeof(*o->names), NF_MEM_GRAPH);
    if (!o->values || !o->names) return no_memory(o, o->n_values);
    if ((st = fill_given(o))) return st;
    fill_made(o);
    if ((st = sort_names(o))) return st;
    if ((st = resolve(o))) return st;
    return mark_outputs(o);
}
