/* fmt_tflite_tensor.c - tensors of a TensorFlow Lite file: shape, type, scales, constants.
 * Layer: format. Thread rule: one owner. */
#include "engine/format/fmt_tflite.h"

#include "engine/base/mem.h"

#define NAME_MOST 256 /* bytes of a tensor's name that are kept */
#define TYPE_INT4 17  /* of the schema's TensorType */

static const struct {
    const char *name;
    int dtype; /* -1: not supported */
} types[] = {
    {"FLOAT32", ENG_F32}, {"FLOAT16", ENG_F16},  {"INT32", ENG_I32},     {"UINT8", ENG_U8},
    {"INT64", ENG_I64},   {"STRING", -1},        {"BOOL", ENG_BOOL},     {"INT16", ENG_I16},
    {"COMPLEX64", -1},    {"INT8", ENG_I8},      {"FLOAT64", ENG_F64},   {"COMPLEX128", -1},
    {"UINT64", ENG_U64},  {"RESOURCE", ENG_I32}, {"VARIANT", -1},        {"UINT32", ENG_U32},
    {"UINT16", ENG_U16},  {"INT4", ENG_I8},      {"BFLOAT16", ENG_BF16}, {"INT2", -1},
    {"UINT4", -1},
};

static nf_status spend(fmt_tfl *t, size_t bytes)
{
    if (bytes > t->left)
        return nf_fail(t->err, NF_ETOOLARGE, "tflite",
                       "the file's tensors share their content so often that they do not fit");
    t->left -= bytes;
    return NF_OK;
}

static nf_status find_type(eng_dtype *out, int *bits, fmt_tfl *t, fmt_table table, const char *name)
{
    const uint8_t type = fmt_fb_u8(&t->fb, table, 1, 0);
    if (type >= NF_COUNT(types))
        return nf_fail(t->err, NF_EFORMAT, name, "element type %u, expected 0 to %zu", type,
                       NF_COUNT(types) - 1);
    if (types[type].dtype < 0)
        return nf_fail(t->err, NF_EUNSUPPORTED, name, "element type %s", types[type].name);
    *out = (eng_dtype)types[type].dtype;
    *bits = type == TYPE_INT4 ? 4 : 0;
    return NF_OK;
}

static nf_status read_shape(fmt_tfl *t, ir_tensor *x, fmt_table table, bool input)
{
    const fmt_vector shape = fmt_fb_vector(&t->fb, table, 0, 4);
    const fmt_vector sign = fmt_fb_vector(&t->fb, table, 7, 4); /* -1 where it may change */
    if (shape.n > ENG_MAX_RANK)
        return nf_fail(t->err, NF_EUNSUPPORTED, x->name, "%zu dimensions, at most %d", shape.n,
                       ENG_MAX_RANK);
    if (sign.n && sign.n != shape.n)
        return nf_fail(t->err, NF_EFORMAT, x->name, "shape of rank %zu, signature of rank %zu",
                       shape.n, sign.n);
    x->rank = (int)shape.n;
    for (int i = 0; i < x->rank; i++) {
        const bool open = input && sign.n && fmt_vec_i32(sign, (size_t)i) == -1;
        x->dim[i] = fmt_vec_i32(shape, (size_t)i);
        if (x->dim[i] < (input ? 1 : 0))
            return nf_fail(t->err, NF_EFORMAT, x->name, "dimension %d is %lld", i,
                           (long long)x->dim[i]);
        if (open && i > 0) x->dim[i] = IR_FREE;
        if (open && i == 0 && x->dim[0] == 1) x->dim[0] = IR_BATCH;
    }
    return NF_OK;
}

static nf_status copy_quant(fmt_tfl *t, ir_tensor *x, fmt_vector scales, fmt_vector zeros, int axis)
{
    nf_status st;
    float *scale = nf_alloc_array(scales.n, sizeof(*scale), NF_MEM_GRAPH);
    int32_t *zero = nf_alloc_array(scales.n, sizeof(*zero), NF_MEM_GRAPH);
    if (!scale || !zero) {
        st = nf_fail(t->err, NF_ENOMEM, x->name, "no memory for %zu scales", scales.n);
        goto done;
    }
    for (size_t i = 0; i < scales.n; i++) {
        const int64_t z = zeros.n ? fmt_vec_i64(zeros, zeros.n == 1 ? 0 : i) : 0;
        scale[i] = fmt_vec_f32(scales, i);
        zero[i] = (int32_t)z;
        if (z != zero[i]) {
            st = nf_fail(t->err, NF_EFORMAT, x->name, "zero point %lld", (long long)z);
            goto done;
        }
    }
    st = ir_set_quant(x, scales.n, scale, zero, axis, t->err);
done:
    nf_free(scale);
    nf_free(zero);
    return st;
}

static nf_status read_quant(fmt_tfl *t, ir_tensor *x, fmt_table table)
{
    const fmt_table q = fmt_fb_sub(&t->fb, table, 4);
    const fmt_vector scales = fmt_fb_vector(&t->fb, q, 2, 4);
    const fmt_vector zeros = fmt_fb_vector(&t->fb, q, 3, 8);
    const int32_t axis = fmt_fb_i32(&t->fb, q, 6, 0);
    const bool integer =
        x->dtype == ENG_I8 || x->dtype == ENG_U8 || x->dtype == ENG_I16 || x->dtype == ENG_I32;
    nf_status st;
    if (fmt_fb_u8(&t->fb, q, 4, 0))
        return nf_fail(t->err, NF_EUNSUPPORTED, x->name, "a custom or blockwise quantization");
    if (scales.n == 0 || !integer) return fmt_tfl_check(t);
    if (zeros.n > 1 && zeros.n != scales.n)
        return nf_fail(t->err, NF_EFORMAT, x->name, "%zu scales and %zu zero points", scales.n,
                       zeros.n);
    if (scales.n > 1 && (axis < 0 || axis >= x->rank || x->dim[axis] != (int64_t)scales.n))
        return nf_fail(t->err, NF_EFORMAT, x->name, "%zu scales along dimension %d of %d", scales.n,
                       axis, x->rank);
    if ((st = spend(t, scales.n * 8))) return st;
    return copy_quant(t, x, scales, zeros, axis);
}

/* The constant's bytes: in the buffer's vector or, in large files, behind the flatbuffer. */
static nf_status find_content(nf_bytes *out, fmt_tfl *t, uint32_t buffer, const char *name)
{
    *out = (nf_bytes){0};
    if (buffer >= t->buffers.n && buffer > 0)
        return nf_fail(t->err, NF_EFORMAT, name, "buffer %u of %zu", buffer, t->buffers.n);
    if (buffer == 0) return NF_OK;
    const fmt_table table = fmt_fb_item(&t->fb, t->buffers, buffer);
    const fmt_vector data = fmt_fb_vector(&t->fb, table, 0, 1);
    const uint64_t offset = fmt_fb_u64(&t->fb, table, 1, 0), size = fmt_fb_u64(&t->fb, table, 2, 0);
    *out = (nf_bytes){data.items, data.n};
    if (offset > 1 && !nf_bytes_sub(out, t->fb.file, (size_t)offset, (size_t)size))
        return nf_fail(t->err, NF_EFORMAT, name, "buffer %u lies outside of the file", buffer);
    return fmt_tfl_check(t);
}

/* Two values a byte, the low one first; of an odd number the last high half is unused. */
static nf_status unpack_int4(fmt_tfl *t, ir_tensor *x, nf_bytes packed)
{
    size_t n;
    nf_status st;
    if (!ir_elems(&n, x, 1) || packed.len != (n + 1) / 2)
        return nf_fail(t->err, NF_EFORMAT, x->name, "%zu bytes of INT4 do not fit the shape",
                       packed.len);
    if ((st = spend(t, n))) return st;
    int8_t *values = nf_alloc(n, NF_MEM_GRAPH);
    if (!values) return nf_fail(t->err, NF_ENOMEM, x->name, "no memory for %zu values", n);
    for (size_t i = 0; i < n; i++) {
        const int half = (packed.data[i / 2] >> (i % 2 ? 4 : 0)) & 15;
        values[i] = (int8_t)(half < 8 ? half : half - 16);
    }
    return ir_take_data(x, (uint8_t *)values, n, t->err);
}

static nf_status read_content(fmt_tfl *t, ir_tensor *x, fmt_table table)
{
    nf_bytes content;
    nf_status st;
    const uint32_t buffer = (uint32_t)fmt_fb_i32(&t->fb, table, 2, 0);
    if ((st = find_content(&content, t, buffer, x->name))) return st;
    if (x->bits && content.len == 0)
        return nf_fail(t->err, NF_EUNSUPPORTED, x->name, "INT4 values that the model computes");
    if (content.len == 0) return NF_OK;
    if (x->bits) return unpack_int4(t, x, content);
    if ((st = spend(t, content.len))) return st;
    return ir_set_data(x, content, t->err);
}

static nf_status read_tensor(fmt_tfl *t, int32_t index, bool input)
{
    const fmt_table table = fmt_fb_item(&t->fb, t->tensors, (size_t)index);
    nf_span name = fmt_fb_text(&t->fb, table, 3);
    int32_t at;
    nf_status st;
    if ((st = fmt_tfl_check(t))) return st;
    if (name.len > NAME_MOST) name.len = NAME_MOST;
    if ((st = spend(t, name.len))) return st;
    if ((st = ir_add_tensor(&at, t->g, name.s, name.len, ENG_F32, t->err))) return st;
    ir_tensor *x = &t->g->tensors[at];
    t->map[index] = at + 1;
    if ((st = find_type(&x->dtype, &x->bits, t, table, x->name))) return st;
    x->variable = !input && fmt_fb_u8(&t->fb, table, 5, 0) != 0;
    if (fmt_fb_has(fmt_fb_sub(&t->fb, table, 6)))
        return nf_fail(t->err, NF_EUNSUPPORTED, x->name, "a sparse tensor");
    if ((st = read_shape(t, x, table, input))) return st;
    if ((st = read_quant(t, x, table))) return st;
    if ((st = read_content(t, x, table))) return st;
    return fmt_tfl_check(t);
}

static nf_status find_tensor(int32_t *out, fmt_tfl *t, int32_t index, bool input)
{
    nf_status st;
    if (index < 0 || (size_t)index >= t->tensors.n)
        return nf_fail(t->err, NF_EFORMAT, "tflite", "tensor %d of %zu", index, t->tensors.n);
    if (!t->map[index] && (st = read_tensor(t, index, input))) return st;
    *out = t->map[index] - 1;
    return NF_OK;
}

nf_status fmt_tfl_tensor(int32_t *out, fmt_tfl *t, int32_t index)
{
    return find_tensor(out, t, index, false);
}

nf_status fmt_tfl_input(int32_t *out, fmt_tfl *t, int32_t index)
{
    return find_tensor(out, t, index, true);
}

nf_status fmt_tfl_ints(int64_t *out, size_t *n, size_t most, fmt_tfl *t, int32_t index)
{
    int32_t at;
    nf_status st;
    if ((st = fmt_tfl_tensor(&at, t, index))) return st;
    const ir_tensor *x = &t->g->tensors[at];
    if (!x->data)
        return nf_fail(t->err, NF_EUNSUPPORTED, x->name,
                       "a shape or an axis that the model computes");
    if (x->dtype != ENG_I32 && x->dtype != ENG_I64)
        return nf_fail(t->err, NF_EFORMAT, x->name, "expected INT32 or INT64, got %s",
                       eng_dtype_oip(x->dtype));
    *n = x->bytes / eng_dtype_size(x->dtype);
    if (*n > most)
        return nf_fail(t->err, NF_EUNSUPPORTED, x->name, "%zu dimensions, at most %zu", *n, most);
    const fmt_vector v = {x->data, *n};
    for (size_t i = 0; i < *n; i++)
        out[i] = x->dtype == ENG_I32 ? fmt_vec_i32(v, i) : fmt_vec_i64(v, i);
    return NF_OK;
}
