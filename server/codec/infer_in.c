/* infer_in.c - decodes Open Inference Protocol requests in JSON. Layer: server/codec. Thread rule:
 * no shared state. Source: Open Inference Protocol v2, REST. */
#include "server/codec/codec.h"
#include "server/codec/tensor_in.h"
#include "server/wire/wire.h"

typedef struct infer {
    srv_json j;
    srv_call *call;
    const eng_info *info;
    uint32_t seen; /* inputs that came */
    bool has_rows; /* call->rows is known */
} infer;

/* One tensor of "inputs", before its data is read. */
typedef struct infer_tensor {
    nf_span name, datatype;
    size_t dim[SRV_NEST_MOST];
    int rank;
    bool has_name, has_type, has_shape, has_data;
    srv_json data; /* bookmark: the value of "data" */
} infer_tensor;

/* A handler of one key of an object; `into` is what that object fills. */
typedef struct infer_key {
    const char *name;
    nf_status (*read)(infer *r, void *into);
} infer_key;

/* Walks an object with the keys of `table`; others are passed over. */
static nf_status read_object(infer *r, const infer_key *table, size_t n, void *into)
{
    srv_json_list list;
    uint32_t seen = 0;
    bool more;
    nf_status st = srv_json_open(&r->j, &list, '{');
    while (!st && !(st = srv_json_next(&r->j, &list, &more)) && more) {
        nf_span key;
        size_t i = 0;
        if ((st = srv_json_key_of(&r->j, &key))) break;
        while (i < n && !nf_span_is(key, table[i].name))
            i++;
        if (i < n && seen & 1u << i)
            return nf_fail(r->j.err, NF_EINVAL, "request body", "key '%s' is given twice",
                           table[i].name);
        if (i < n) seen |= 1u << i;
        st = i < n ? table[i].read(r, into) : srv_json_skip(&r->j);
    }
    return st;
}

static nf_status refuse_if_true(infer *r, const char *what)
{
    bool on = true;
    const nf_status st = srv_json_bool_of(&r->j, &on);
    if (st || !on) return st;
    return nf_fail(r->j.err, NF_ENOTIMPL, what, "binary tensors are not supported: use JSON data");
}

static nf_status binary_size(infer *r, void *into)
{
    (void)into;
    return nf_fail(r->j.err, NF_ENOTIMPL, WIRE_KEY_BINARY_SIZE,
                   "binary tensors are not supported: use JSON data");
}

static nf_status shared_memory(infer *r, void *into)
{
    (void)into;
    return nf_fail(r->j.err, NF_ENOTIMPL, WIRE_KEY_SHARED_MEMORY, "there is no shared memory");
}

static nf_status binary_data(infer *r, void *into)
{
    (void)into;
    return refuse_if_true(r, WIRE_KEY_BINARY_DATA);
}

static nf_status binary_output(infer *r, void *into)
{
    (void)into;
    return refuse_if_true(r, WIRE_KEY_BINARY_OUTPUT);
}

static nf_status classification(infer *r, void *into)
{
    (void)into;
    return nf_fail(r->j.err, NF_ENOTIMPL, "classification", "is not supported");
}

static nf_status input_name(infer *r, void *into)
{
    infer_tensor *t = into;
    t->has_name = true;
    return srv_json_string_of(&r->j, &t->name);
}

static nf_status input_datatype(infer *r, void *into)
{
    infer_tensor *t = into;
    t->has_type = true;
    return srv_json_string_of(&r->j, &t->datatype);
}

static nf_status input_shape(infer *r, void *into)
{
    infer_tensor *t = into;
    srv_json_list list;
    srv_number number;
    bool more;
    t->has_shape = true;
    nf_status st = srv_json_open(&r->j, &list, '[');
    while (!st && !(st = srv_json_next(&r->j, &list, &more)) && more) {
        if ((st = srv_json_number_of(&r->j, &number))) break;
        if (!number.is_whole || number.whole < 0)
            return srv_json_expected(&r->j, "dimensions of at least 0 before it");
        if (t->rank == ENG_MAX_RANK)
            return nf_fail(r->j.err, NF_EINVAL, WIRE_KEY_SHAPE, "more than %d dimensions",
                           ENG_MAX_RANK);
        t->dim[t->rank++] = (size_t)number.whole;
    }
    return st;
}

static nf_status input_parameters(infer *r, void *into)
{
    static const infer_key keys[] = {{WIRE_KEY_BINARY_SIZE, binary_size},
                                     {WIRE_KEY_SHARED_MEMORY, shared_memory}};
    return read_object(r, keys, NF_COUNT(keys), into);
}

static nf_status input_data(infer *r, void *into)
{
    infer_tensor *t = into;
    t->has_data = true;
    t->data = r->j; /* read when datatype and shape are known: they may stand behind it */
    return srv_json_skip(&r->j);
}

/* FP32 in real units for what JSON cannot hold as it is, or the tensor's own type; FP16 and BF16
 * have no form in JSON. */
static nf_status read_datatype(eng_dtype *out, const eng_io *io, nf_span text, nf_error *err)
{
    const eng_dtype wire = srv_wire_dtype(io);
    const bool half = io->dtype == ENG_F16 || io->dtype == ENG_BF16;
    *out = nf_span_is(text, eng_dtype_oip(wire)) ? wire : io->dtype;
    if (nf_span_is(text, eng_dtype_oip(*out)) && (*out == wire || !half)) return NF_OK;
    return nf_fail(err, NF_EINVAL, io->name, "expected datatype %s%s%s, got '%.*s'",
                   eng_dtype_oip(wire), io->dtype == wire || half ? "" : " or ",
                   io->dtype == wire || half ? "" : eng_dtype_oip(io->dtype),
                   (int)(text.len < 32 ? text.len : 32), text.s);
}

static nf_status shape_product(size_t *out, const infer_tensor *t, nf_error *err)
{
    *out = 1;
    for (int i = 0; i < t->rank; i++)
        if (!nf_mul_size(out, *out, t->dim[i]))
            return nf_fail(err, NF_EINVAL, WIRE_KEY_SHAPE, "has too many elements");
    return NF_OK;
}

/* One input more: where rows are counted, all have as many. */
static nf_status count_rows(infer *r, const eng_io *io, size_t rows)
{
    const bool whole = r->info->shapes == ENG_SHAPES_OPEN;
    if (whole && io->rank >= 0 && !io->batched) return NF_OK;
    if (r->has_rows && rows != r->call->rows && !whole)
        return nf_fail(r->j.err, NF_EINVAL, io->name, "has %zu rows, the input before it %zu", rows,
                       r->call->rows);
    if (!r->has_rows) r->call->rows = rows;
    r->has_rows = true;
    return NF_OK;
}

/* Reads the data at the bookmark and checks it against shape and model. */
static nf_status read_data(infer *r, infer_tensor *t, size_t index)
{
    const eng_io *io = &r->info->inputs[index];
    srv_tensor values = {.may_be_empty = true};
    eng_view *v = &r->call->in[index];
    size_t product, rows;
    nf_error *err = r->j.err;
    nf_status st;
    if ((st = read_datatype(&values.dtype, io, t->datatype, err)) ||
        (st = shape_product(&product, t, err)) ||
        (st = srv_fit(v, &rows, io, t->dim, t->rank, product, err)) ||
        (st = srv_tensor_read(&values, &t->data, io->name)))
        return st;
    if (values.count != product)
        return nf_fail(err, NF_EINVAL, io->name, "shape says %zu values, data has %zu", product,
                       values.count);
    v->dtype = values.dtype;
    v->data = values.data;
    v->bytes = values.count * eng_dtype_size(values.dtype);
    return count_rows(r, io, rows);
}

static nf_status check_members(const infer_tensor *t, nf_error *err)
{
    const char *missing = !t->has_name    ? WIRE_KEY_NAME
                          : !t->has_type  ? WIRE_KEY_DATATYPE
                          : !t->has_shape ? WIRE_KEY_SHAPE
                          : !t->has_data  ? WIRE_KEY_DATA
                                          : NULL;
    if (!missing) return NF_OK;
    return nf_fail(err, NF_EINVAL, WIRE_KEY_INPUTS, "an input has no '%s'", missing);
}

static nf_status read_input(infer *r)
{
    static const infer_key keys[] = {{WIRE_KEY_NAME, input_name},
                                     {WIRE_KEY_DATATYPE, input_datatype},
                                     {WIRE_KEY_SHAPE, input_shape},
                                     {WIRE_KEY_PARAMETERS, input_parameters},
                                     {WIRE_KEY_DATA, input_data}};
    infer_tensor t = {0};
    bool alias;
    nf_error *err = r->j.err;
    nf_status st;
    if ((st = read_object(r, keys, NF_COUNT(keys), &t)) || (st = check_members(&t, err))) return st;
    const int i = srv_input_find(&alias, r->info, t.name);
    r->call->by_alias |= alias;
    if (i < 0 || r->seen & 1u << i)
        return nf_fail(err, NF_EINVAL, WIRE_KEY_INPUTS, "'%.*s' %s",
                       (int)(t.name.len < 64 ? t.name.len : 64), t.name.s,
                       i < 0 ? "is no input of the model" : "is given twice");
    if ((st = read_data(r, &t, (size_t)i))) return st;
    r->seen |= 1u << i;
    return NF_OK;
}

static nf_status read_inputs(infer *r, void *into)
{
    srv_json_list list;
    bool more;
    (void)into;
    nf_status st = srv_json_open(&r->j, &list, '[');
    while (!st && !(st = srv_json_next(&r->j, &list, &more)) && more)
        st = read_input(r);
    return st;
}

typedef struct infer_output {
    nf_span name, datatype;
    bool has_name, has_type;
} infer_output;

static nf_status output_name(infer *r, void *into)
{
    infer_output *o = into;
    o->has_name = true;
    return srv_json_string_of(&r->j, &o->name);
}

/* Ours: {"parameters": {"datatype": "INT8"}} asks for the quantized values themselves. */
static nf_status output_datatype(infer *r, void *into)
{
    infer_output *o = into;
    o->has_type = true;
    return srv_json_string_of(&r->j, &o->datatype);
}

static nf_status output_parameters(infer *r, void *into)
{
    static const infer_key keys[] = {{WIRE_KEY_BINARY_DATA, binary_data},
                                     {WIRE_KEY_SHARED_MEMORY, shared_memory},
                                     {"classification", classification},
                                     {WIRE_KEY_DATATYPE, output_datatype}};
    return read_object(r, keys, NF_COUNT(keys), into);
}

static nf_status read_output(infer *r)
{
    static const infer_key keys[] = {{WIRE_KEY_NAME, output_name},
                                     {WIRE_KEY_PARAMETERS, output_parameters}};
    infer_output o = {0};
    bool alias = false;
    nf_status st = read_object(r, keys, NF_COUNT(keys), &o);
    if (st) return st;
    const int i = o.has_name ? srv_output_find(&alias, r->info, o.name) : -1;
    r->call->by_alias |= alias;
    if (i < 0)
        return nf_fail(r->j.err, NF_EINVAL, WIRE_KEY_OUTPUTS, "'%.*s' is no output of the model",
                       (int)(o.name.len < 64 ? o.name.len : 64), o.name.len ? o.name.s : "");
    for (size_t k = 0; k < r->call->n_asked; k++)
        if (r->call->asked[k] == i)
            return nf_fail(r->j.err, NF_EINVAL, WIRE_KEY_OUTPUTS, "'%s' is asked for twice",
                           r->info->outputs[i].name);
    r->call->asked[r->call->n_asked++] = (unsigned char)i;
    if (!o.has_type) return NF_OK;
    r->call->out[i].bytes = 1; /* marks that the type is set */
    return read_datatype(&r->call->out[i].dtype, &r->info->outputs[i], o.datatype, r->j.err);
}

static nf_status read_outputs(infer *r, void *into)
{
    srv_json_list list;
    bool more;
    (void)into;
    nf_status st = srv_json_open(&r->j, &list, '[');
    while (!st && !(st = srv_json_next(&r->j, &list, &more)) && more)
        st = read_output(r);
    return st;
}

static nf_status read_id(infer *r, void *into)
{
    (void)into;
    r->call->has_id = true;
    return srv_json_string_of(&r->j, &r->call->id);
}

static nf_status read_parameters(infer *r, void *into)
{
    static const infer_key keys[] = {{WIRE_KEY_BINARY_OUTPUT, binary_output}};
    return read_object(r, keys, NF_COUNT(keys), into);
}

static void ask_for_all(srv_call *call)
{
    for (size_t i = 0; i < call->info->n_outputs; i++)
        call->asked[i] = (unsigned char)i;
    call->n_asked = call->info->n_outputs;
}

nf_status srv_infer_decode(srv_call *call, const eng_info *info, nf_bytes body, srv_arena *arena,
                           nf_error *err)
{
    static const infer_key keys[] = {{WIRE_KEY_ID, read_id},
                                     {WIRE_KEY_PARAMETERS, read_parameters},
                                     {WIRE_KEY_INPUTS, read_inputs},
                                     {WIRE_KEY_OUTPUTS, read_outputs}};
    const char *text = (const char *)body.data;
    infer r = {.j = {text, text, text + body.len, 0, arena, err}, .call = call, .info = info};
    nf_status st;
    call->info = info;
    call->rows = 1;
    call->n_asked = 0;
    call->has_id = false;
    if (body.len == 0)
        return nf_fail(err, NF_EINVAL, "request body", "expected a JSON object, got nothing");
    if ((st = read_object(&r, keys, NF_COUNT(keys), NULL)) || (st = srv_json_end(&r.j))) return st;
    for (size_t i = 0; i < info->n_inputs; i++)
        if (!(r.seen & 1u << i))
            return nf_fail(err, NF_EINVAL, WIRE_KEY_INPUTS, "missing input '%s'",
                           info->inputs[i].name);
    if (call->n_asked == 0) ask_for_all(call);
    return NF_OK;
}
