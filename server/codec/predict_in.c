/* predict_in.c - decodes predict bodies. Layer: server/codec. Thread rule: no shared state.
 * Source: TensorFlow Serving's REST API, row and column format. */
#include "server/codec/codec.h"
#include "server/codec/tensor_in.h"
#include "server/wire/wire.h"

typedef struct decoder {
    srv_json j;
    srv_call *call;
    const eng_info *info;
    uint32_t seen;      /* inputs that came, one bit each */
    srv_tensor *tensor; /* one for each input, in the arena */
    srv_tensor *first;  /* where shapes are open: of each input, the first named instance's */
    size_t n;           /* named instances so far */
    bool has_rows;      /* call->rows is known */
} decoder;

static nf_status unknown_input(decoder *d, nf_span name)
{
    return nf_fail(d->j.err, NF_EINVAL, "request body", "the model has no input '%.*s'",
                   (int)(name.len < 64 ? name.len : 64), name.s);
}

static nf_status all_inputs(decoder *d, uint32_t seen)
{
    for (size_t i = 0; i < d->info->n_inputs; i++)
        if (!(seen & 1u << i))
            return nf_fail(d->j.err, NF_EINVAL, "request body", "missing named input '%s'",
                           d->info->inputs[i].name);
    return NF_OK;
}

/* The input behind the next key; refuses unknown and repeated ones. */
static nf_status named_input(size_t *out, decoder *d, uint32_t *seen)
{
    nf_span key;
    bool alias;
    const nf_status st = srv_json_key_of(&d->j, &key);
    if (st) return st;
    const int i = srv_input_find(&alias, d->info, key);
    d->call->by_alias |= alias;
    if (i < 0) return unknown_input(d, key);
    if (*seen & 1u << i)
        return nf_fail(d->j.err, NF_EINVAL, "request body", "input '%.*s' is given twice",
                       (int)(key.len < 64 ? key.len : 64), key.s);
    *seen |= 1u << i;
    *out = (size_t)i;
    return NF_OK;
}

/* Fits the value that is now in the tensor of input i: of that shape, `count` elements in all. */
static nf_status place(decoder *d, size_t i, const size_t *dim, int rank, size_t count)
{
    const eng_io *io = &d->info->inputs[i];
    const bool whole = d->info->shapes == ENG_SHAPES_OPEN;
    size_t rows;
    const nf_status st = srv_fit(&d->call->in[i], &rows, io, dim, rank, count, d->j.err);
    if (st) return st;
    if (whole && io->rank >= 0 && !io->batched) {
        if (rows != 1)
            return nf_fail(d->j.err, NF_EINVAL, io->name, "takes one value a request, got %zu",
                           rows);
        return NF_OK;
    }
    if (d->has_rows && rows != d->call->rows && !whole)
        return nf_fail(d->j.err, NF_EINVAL, io->name, "has %zu rows, the input before it %zu", rows,
                       d->call->rows);
    if (!d->has_rows) d->call->rows = rows;
    d->has_rows = true;
    return NF_OK;
}

/* A value of one row; where shapes are open, of the shape that the first instance had. */
static nf_status check_row(decoder *d, size_t i)
{
    const eng_io *io = &d->info->inputs[i];
    const srv_tensor *t = &d->tensor[i];
    size_t rows;
    if (d->info->shapes == ENG_SHAPES_OPEN) {
        if (d->n == 0) d->first[i] = *t;
        if (d->first[i].rank == t->rank &&
            memcmp(d->first[i].dim, t->dim, (size_t)t->rank * sizeof(*t->dim)) == 0)
            return NF_OK;
        return nf_fail(d->j.err, NF_EINVAL, io->name,
                       "instance %zu has another shape than the first one: ask for it alone", d->n);
    }
    if (srv_tensor_last(t) == io->row_elems &&
        (t->rank == 0 || srv_is_one_row(io, t->dim, t->rank)))
        return NF_OK;
    const nf_status st = srv_rows_of(&rows, io, t->dim, t->rank, srv_tensor_last(t), d->j.err);
    if (st || rows == 1) return st;
    return nf_fail(d->j.err, NF_EINVAL, io->name, "expected one row, got %zu", rows);
}

/* {"a": value, "b": value}: one row of each input. */
static nf_status read_instance(decoder *d)
{
    srv_json_list list;
    uint32_t seen = 0;
    bool more;
    nf_status st = srv_json_open(&d->j, &list, '{');
    while (!st && !(st = srv_json_next(&d->j, &list, &more)) && more) {
        size_t i;
        if ((st = named_input(&i, d, &seen))) break;
        st = srv_tensor_read(&d->tensor[i], &d->j, d->info->inputs[i].name);
        if (!st) st = check_row(d, i);
    }
    return st ? st : all_inputs(d, seen);
}

/* All instances have been read: their values lie behind one another. */
static nf_status stack(decoder *d)
{
    nf_status st = NF_OK;
    for (size_t i = 0; i < d->info->n_inputs && !st; i++) {
        const srv_tensor *t = &d->tensor[i];
        size_t dim[SRV_NEST_MOST + 1] = {d->n, d->info->inputs[i].row_elems};
        if (d->info->shapes != ENG_SHAPES_OPEN) { /* each has been looked at */
            st = place(d, i, dim, 2, t->count);
            continue;
        }
        memcpy(dim + 1, t->dim, (size_t)t->rank * sizeof(*dim));
        if (t->rank == SRV_NEST_MOST)
            st = nf_fail(d->j.err, NF_EINVAL, d->info->inputs[i].name, "has too many dimensions");
        else
            st = place(d, i, dim, t->rank + 1, t->count);
    }
    return st;
}

static nf_status read_instance_objects(decoder *d)
{
    srv_json_list list;
    bool more;
    nf_status st = srv_json_open(&d->j, &list, '[');
    for (; !st && !(st = srv_json_next(&d->j, &list, &more)) && more; d->n++)
        st = read_instance(d);
    if (!st && d->n == 0) return nf_fail(d->j.err, NF_EINVAL, WIRE_KEY_INSTANCES, "there are none");
    return st ? st : stack(d);
}

static nf_status need_single_input(decoder *d, const char *key)
{
    if (d->info->n_inputs == 1) return NF_OK;
    return nf_fail(d->j.err, NF_EINVAL, key,
                   "the model has %zu inputs: expected objects with their names",
                   d->info->n_inputs);
}

/* A bare nest of arrays for the only input; its first dimension counts rows. */
static nf_status read_bare(decoder *d, const char *key)
{
    srv_tensor *t = &d->tensor[0];
    nf_status st = need_single_input(d, key);
    if (st || (st = srv_tensor_read(t, &d->j, d->info->inputs[0].name))) return st;
    return place(d, 0, t->dim, t->rank, t->count);
}

static nf_status read_instances(decoder *d)
{
    srv_json first = d->j; /* a look ahead at the first instance */
    srv_json_list list;
    d->call->row_form = true;
    const nf_status st = srv_json_open(&first, &list, '[');
    if (st) return st;
    const bool named = srv_json_peek(&first) == '{';
    return named ? read_instance_objects(d) : read_bare(d, WIRE_KEY_INSTANCES);
}

/* {"a": tensor, "b": tensor}, all with the same number of rows. */
static nf_status read_columns(decoder *d)
{
    srv_json_list list;
    bool more;
    nf_status st = srv_json_open(&d->j, &list, '{');
    while (!st && !(st = srv_json_next(&d->j, &list, &more)) && more) {
        size_t i;
        if ((st = named_input(&i, d, &d->seen))) break;
        srv_tensor *t = &d->tensor[i];
        if ((st = srv_tensor_read(t, &d->j, d->info->inputs[i].name))) break;
        st = place(d, i, t->dim, t->rank, t->count);
    }
    return st ? st : all_inputs(d, d->seen);
}

static bool holds_b64(srv_json look)
{
    srv_json_list list;
    nf_span key;
    bool more;
    look.err = NULL;
    return !srv_json_open(&look, &list, '{') && !srv_json_next(&look, &list, &more) && more &&
           !srv_json_key_of(&look, &key) && nf_span_is(key, WIRE_KEY_B64);
}

static nf_status read_inputs(decoder *d)
{
    d->call->row_form = false;
    if (srv_json_peek(&d->j) != '{' || holds_b64(d->j)) return read_bare(d, WIRE_KEY_INPUTS);
    return read_columns(d);
}

/* One member of the body. *values: how often "instances" or "inputs" came. */
static nf_status read_member(decoder *d, nf_span key, int *values)
{
    const bool instances = nf_span_is(key, WIRE_KEY_INSTANCES);
    nf_span ignored;
    if (instances || nf_span_is(key, WIRE_KEY_INPUTS)) {
        if (++*values > 1)
            return nf_fail(d->j.err, NF_EINVAL, "request body",
                           "expected one of 'instances' and 'inputs', once");
        return instances ? read_instances(d) : read_inputs(d);
    }
    if (nf_span_is(key, WIRE_KEY_SIGNATURE)) return srv_json_string_of(&d->j, &ignored);
    return srv_json_skip(&d->j);
}

static nf_status read_body(decoder *d)
{
    srv_json_list list;
    nf_span key;
    bool more;
    int values = 0;
    nf_status st = srv_json_open(&d->j, &list, '{');
    while (!st && !(st = srv_json_next(&d->j, &list, &more)) && more)
        if (!(st = srv_json_key_of(&d->j, &key))) st = read_member(d, key, &values);
    if (st || (st = srv_json_end(&d->j))) return st;
    if (!values)
        return nf_fail(d->j.err, NF_EINVAL, "request body", "missing 'instances' or 'inputs' key");
    return NF_OK;
}

nf_status srv_predict_decode(srv_call *call, const eng_info *info, nf_bytes body, srv_arena *arena,
                             nf_error *err)
{
    const char *text = (const char *)body.data;
    decoder d = {.j = {text, text, text + body.len, 0, arena, err}, .call = call, .info = info};
    call->info = info;
    call->rows = 1;
    call->has_id = false;
    call->n_asked = info->n_outputs;
    for (size_t i = 0; i < info->n_outputs; i++)
        call->asked[i] = (unsigned char)i;
    if (body.len == 0)
        return nf_fail(err, NF_EINVAL, "request body", "expected a JSON object, got nothing");
    d.tensor = srv_arena_alloc(arena, 2 * info->n_inputs * sizeof(*d.tensor));
    d.first = d.tensor + info->n_inputs;
    if (!d.tensor) return nf_fail(err, NF_ENOMEM, "request", "no memory for it");
    for (size_t i = 0; i < info->n_inputs; i++)
        d.tensor[i] = (srv_tensor){.dtype = srv_wire_dtype(&info->inputs[i]),
                                   .may_be_empty = info->shapes == ENG_SHAPES_OPEN};
    const nf_status st = read_body(&d);
    for (size_t i = 0; i < info->n_inputs && !st; i++) {
        const srv_tensor *t = &d.tensor[i];
        eng_view *v = &call->in[i];
        v->dtype = t->dtype;
        v->data = t->data;
        v->bytes = t->count * eng_dtype_size(t->dtype);
    }
    return st;
}
