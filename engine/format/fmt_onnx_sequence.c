/* fmt_onnx_sequence.c - ONNX: sequences of tensors. Layer: format. Thread rule: no shared state.
 *
 * A sequence is a list that the reader keeps: its length and every place in it must be known while
 * the file is read. Sequences as inputs or outputs of the model, or from a loop, are refused. */
#include "engine/format/fmt_onnx_move.h"

#include "engine/base/mem.h"

#define AT_END INT64_MAX /* the place when none is given */

static nf_status get_list(const fmt_onnx_value **out, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    *out = fmt_onnx_value_of(o, fmt_onnx_in(o, n, 0));
    if (*out && (*out)->kind == FMT_ONNX_LIST) return NF_OK;
    return nf_fail(o->err, NF_EUNSUPPORTED, o->where,
                   "a sequence that is not made of tensors known by number");
}

/* The node's result becomes a list of n tensors, not filled in yet. */
static nf_status new_list(fmt_onnx_value **out, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                          size_t count)
{
    fmt_onnx_value *v = fmt_onnx_result(o, n);
    nf_status st;
    if (!v) return nf_fail(o->err, NF_EFORMAT, o->where, "has no result");
    if (count > IR_MAX_ENDS)
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "a sequence of %zu tensors", count);
    if ((st = fmt_onnx_spend(o, count * sizeof(*v->items)))) return st;
    v->items = nf_alloc_array(count + 1, sizeof(*v->items), NF_MEM_GRAPH);
    if (!v->items) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu tensors", count);
    v->n_items = count;
    v->kind = FMT_ONNX_LIST;
    *out = v;
    return NF_OK;
}

/* A place in a list of limits[0], at most limits[1]. */
static nf_status read_place(size_t *out, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t input,
                            const size_t limits[2])
{
    int64_t place = AT_END;
    size_t count;
    nf_status st;
    if (fmt_onnx_in(o, n, input) != IR_NONE &&
        (st = fmt_onnx_numbers(&place, &count, 1, o, fmt_onnx_in(o, n, input))))
        return st;
    const int64_t size = (int64_t)limits[0], most = (int64_t)limits[1];
    if (place == AT_END) place = most;
    if (place < -size || place > most || most < 0)
        return nf_fail(o->err, NF_EFORMAT, o->where, "place %lld of a sequence of %lld",
                       (long long)place, (long long)size);
    *out = (size_t)(place < 0 ? place + size : place);
    return NF_OK;
}

static nf_status read_empty(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    fmt_onnx_value *v;
    return new_list(&v, o, n, 0);
}

static nf_status read_construct(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    fmt_onnx_value *v;
    nf_status st = new_list(&v, o, n, n->n_in);
    for (size_t i = 0; i < n->n_in && !st; i++)
        st = fmt_onnx_use(&v->items[i], o, fmt_onnx_in(o, n, i));
    return st;
}

static nf_status read_insert(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const fmt_onnx_value *from;
    fmt_onnx_value *v;
    int32_t item;
    size_t at;
    nf_status st;
    if ((st = get_list(&from, o, n)) ||
        (st = read_place(&at, o, n, 2, (size_t[]){from->n_items, from->n_items})) ||
        (st = fmt_onnx_use(&item, o, fmt_onnx_in(o, n, 1))) ||
        (st = new_list(&v, o, n, from->n_items + 1)))
        return st;
    for (size_t i = 0; i < v->n_items; i++)
        v->items[i] = i == at ? item : from->items[i - (i > at)];
    return NF_OK;
}

static nf_status none_there(const fmt_onnx_ctx *o)
{
    return nf_fail(o->err, NF_EFORMAT, o->where, "an element of an empty sequence");
}

static nf_status read_erase(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const fmt_onnx_value *from;
    fmt_onnx_value *v;
    size_t at;
    nf_status st;
    if ((st = get_list(&from, o, n))) return st;
    if (from->n_items == 0) return none_there(o);
    if ((st = read_place(&at, o, n, 1, (size_t[]){from->n_items, from->n_items - 1})) ||
        (st = new_list(&v, o, n, from->n_items - 1)))
        return st;
    for (size_t i = 0; i < v->n_items; i++)
        v->items[i] = from->items[i + (i >= at)];
    return NF_OK;
}

static nf_status read_at(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const fmt_onnx_value *from;
    fmt_onnx_value *v = fmt_onnx_result(o, n);
    size_t at;
    int32_t y;
    nf_status st;
    if ((st = get_list(&from, o, n))) return st;
    if (from->n_items == 0) return none_there(o);
    if ((st = read_place(&at, o, n, 1, (size_t[]){from->n_items, from->n_items - 1}))) return st;
    if (!v) return NF_OK;
    if (!v->is_output) {
        v->tensor = from->items[at];
        return NF_OK;
    }
    if ((st = fmt_onnx_out(&y, o, n, o->g->tensors[from->items[at]].dtype))) return st;
    return fmt_onnx_emit(o, IR_IDENTITY, &from->items[at], 1, y, NULL);
}

static nf_status read_length(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const fmt_onnx_value *from;
    fmt_onnx_value *v = fmt_onnx_result(o, n);
    nf_status st;
    if ((st = get_list(&from, o, n)) || !v) return st;
    return fmt_onnx_new_ints(&v->tensor, o, (int64_t[]){(int64_t)from->n_items}, 1, 0);
}

/* Each tensor with one more dimension of 1 at `axis`, or one less. */
static nf_status change_all(int32_t *items, size_t count, ir_op op, int64_t axis, fmt_onnx_ctx *o,
                            const fmt_onnx_node *n)
{
    int32_t axes;
    nf_status st = fmt_onnx_new_ints(&axes, o, &axis, 1, 1);
    for (size_t i = 0; i < count && !st; i++) {
        const int32_t in[] = {items[i], axes};
        st = fmt_onnx_temp(&items[i], o, n, ":item", o->g->tensors[in[0]].dtype);
        if (!st) st = fmt_onnx_emit(o, op, in, 2, items[i], NULL);
    }
    return st;
}

static nf_status concat(int32_t *items, const fmt_onnx_value *from, fmt_onnx_ctx *o,
                        const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    int64_t widens;
    int32_t y;
    nf_status st;
    if ((st = fmt_onnx_axis(&attr.axis.axis, o, n, "axis", 0)) ||
        (st = fmt_onnx_int(&widens, o, n, "new_axis", 0)) ||
        (widens && (st = change_all(items, from->n_items, IR_UNSQUEEZE, attr.axis.axis, o, n))) ||
        (st = fmt_onnx_out(&y, o, n, o->g->tensors[items[0]].dtype)))
        return st;
    return fmt_onnx_emit(o, IR_CONCATENATION, items, (int32_t)from->n_items, y, &attr);
}

static nf_status read_concat(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const fmt_onnx_value *from;
    nf_status st;
    if ((st = get_list(&from, o, n))) return st;
    if (from->n_items == 0) return none_there(o);
    int32_t *items = nf_alloc_array(from->n_items, sizeof(*items), NF_MEM_GRAPH);
    if (!items) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for a sequence");
    memcpy(items, from->items, from->n_items * sizeof(*items));
    st = concat(items, from, o, n);
    nf_free(items);
    return st;
}

/* How a tensor is split: the sizes of the parts as a constant, and how many. */
static nf_status read_sizes(int32_t *tensor, size_t *count, int64_t dim, fmt_onnx_ctx *o,
                            const fmt_onnx_node *n)
{
    const int32_t given = fmt_onnx_in(o, n, 1);
    const fmt_onnx_const *head = given == IR_NONE ? NULL : fmt_onnx_stored_head(o, given);
    int64_t list[256], each = 1;
    nf_status st;
    if (given != IR_NONE && (!head || head->rank > 0)) {
        if ((st = fmt_onnx_numbers(list, count, NF_COUNT(list), o, given))) return st;
        return fmt_onnx_new_ints(tensor, o, list, *count, 1);
    }
    if (given != IR_NONE && (st = fmt_onnx_numbers(&each, count, 1, o, given))) return st;
    if (each < 1 || dim < 1 || (dim + each - 1) / each > (int64_t)NF_COUNT(list))
        return nf_fail(o->err, NF_EUNSUPPORTED, o->where, "%lld elements in parts of %lld",
                       (long long)dim, (long long)each);
    *count = (size_t)((dim + each - 1) / each);
    for (size_t i = 0; i < *count; i++)
        list[i] = i + 1 < *count ? each : dim - each * ((int64_t)*count - 1);
    return fmt_onnx_new_ints(tensor, o, list, *count, 1);
}

static nf_status read_split(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    int64_t keeps;
    int32_t in[2];
    size_t count;
    fmt_onnx_value *v;
    nf_status st;
    if ((st = fmt_onnx_axis(&attr.axis.axis, o, n, "axis", 0)) ||
        (st = fmt_onnx_int(&keeps, o, n, "keepdims", 1)) ||
        (st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0))))
        return st;
    const ir_tensor *x = &o->g->tensors[in[0]];
    const int at = attr.axis.axis < 0 ? attr.axis.axis + x->rank : attr.axis.axis;
    if (at < 0 || at >= x->rank)
        return nf_fail(o->err, NF_EFORMAT, o->where, "axis %d of %d", attr.axis.axis, x->rank);
    attr.axis.axis = at;
    const eng_dtype dtype = x->dtype;
    if ((st = read_sizes(&in[1], &count, x->dim[at], o, n)) || (st = new_list(&v, o, n, count)))
        return st;
    for (size_t i = 0; i < count && !st; i++)
        st = fmt_onnx_temp(&v->items[i], o, n, ":part", dtype);
    if (st || count == 0) return st ? st : none_there(o);
    st = fmt_onnx_emit_ends(o, IR_SPLIT, &(ir_ends){in, v->items, 2, (int32_t)count}, &attr);
    if (st || keeps || fmt_onnx_in(o, n, 1) != IR_NONE) return st;
    return change_all(v->items, count, IR_SQUEEZE, at, o, n);
}

const fmt_onnx_row fmt_onnx_sequence_rows[] = {
    /* operator, inputs, reader */
    {"ConcatFromSequence", 1, 1, read_concat},
    {"SequenceAt", 2, 2, read_at},
    {"SequenceConstruct", 1, 0, read_construct},
    {"SequenceEmpty", 0, 0, read_empty},
    {"SequenceErase", 1, 2, read_erase},
    {"SequenceInsert", 2, 3, read_insert},
    {"SequenceLength", 1, 1, read_length},
    {"SplitToSequence", 1, 2, read_split},
    {.op = NULL},
};
