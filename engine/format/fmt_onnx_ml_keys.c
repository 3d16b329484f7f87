/* fmt_onnx_ml_keys.c - ONNX: label encoders, category mappers and one-hot encoders, domain
 * ai.onnx.ml. Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx_ml.h"

#include "engine/base/mem.h"

/* 0 .. n - 1. */
static nf_status count_up(int32_t *tensor, fmt_onnx_ctx *o, size_t n)
{
    nf_status st = fmt_onnx_spend(o, n * sizeof(int64_t));
    if (st) return st;
    int64_t *v = nf_alloc_array(n + 1, sizeof(*v), NF_MEM_GRAPH);
    if (!v) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu numbers", n);
    for (size_t i = 0; i < n; i++)
        v[i] = (int64_t)i;
    st = fmt_onnx_new_ints(tensor, o, v, n, 1);
    nf_free(v);
    return st;
}

/* What a key stands for that is not in the table, in the type of the values. */
static nf_status read_other(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n,
                            eng_dtype type)
{
    float real;
    int64_t whole;
    nf_span text;
    nf_status st;
    if ((st = fmt_onnx_ml_tensor(tensor, o, n, "default_tensor")) || *tensor != IR_NONE) return st;
    if (type == ENG_STR) {
        if ((st = fmt_onnx_text(&text, o, n, "default_string"))) return st;
        if (!text.s) text = (nf_span){"_Unused", 7};
        return fmt_onnx_ml_one(tensor, o, type, &text);
    }
    if (type == ENG_F32) {
        if ((st = fmt_onnx_float(&real, o, n, "default_float", -0.0f))) return st;
        return fmt_onnx_ml_one(tensor, o, type, &real);
    }
    if ((st = fmt_onnx_int(&whole, o, n, "default_int64", -1))) return st;
    if ((st = fmt_onnx_ml_one(tensor, o, ENG_I64, &whole)) || type == ENG_I64) return st;
    return fmt_onnx_ml_cast(tensor, o, n, type);
}

/* One of keys_strings, keys_int64s, keys_floats, keys_tensor, or the same of values. */
static nf_status read_side(int32_t *tensor, fmt_onnx_ctx *o, const fmt_onnx_node *n, bool keys)
{
    nf_status st;
    if ((st = fmt_onnx_ml_texts(tensor, o, n, keys ? "keys_strings" : "values_strings")) ||
        *tensor != IR_NONE)
        return st;
    if ((st = fmt_onnx_ml_ints(tensor, o, n, keys ? "keys_int64s" : "values_int64s")) ||
        *tensor != IR_NONE)
        return st;
    if ((st = fmt_onnx_ml_floats(tensor, o, n, keys ? "keys_floats" : "values_floats")) ||
        *tensor != IR_NONE)
        return st;
    return fmt_onnx_ml_tensor(tensor, o, n, keys ? "keys_tensor" : "values_tensor");
}

static bool is_narrow(eng_dtype d)
{
    return d != ENG_STR && d != ENG_F32 && d != ENG_F64 && d != ENG_I64;
}

/* x and the keys in one of the types that tables have; results that are FP64 are FP32. */
static nf_status agree(int32_t in[4], fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const ir_tensor *t = o->g->tensors;
    nf_status st = NF_OK;
    if (is_narrow(t[in[0]].dtype) && t[in[0]].dtype == t[in[1]].dtype) {
        if ((st = fmt_onnx_ml_cast(&in[0], o, n, ENG_I64)) ||
            (st = fmt_onnx_ml_cast(&in[1], o, n, ENG_I64)))
            return st;
    } else if (t[in[0]].dtype == ENG_F32 && t[in[1]].dtype == ENG_F64) {
        st = fmt_onnx_ml_cast(&in[1], o, n, ENG_F32);
    }
    for (int i = 2; i < 4 && !st; i++)
        if (fmt_onnx_is_real(o->g->tensors[in[i]].dtype))
            st = fmt_onnx_ml_cast(&in[i], o, n, ENG_F32);
    return st;
}

/* in: x, keys, values; the other value is read here. */
static nf_status emit_map(int32_t in[4], fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int32_t y;
    nf_status st;
    if (in[1] == IR_NONE || in[2] == IR_NONE)
        return nf_fail(o->err, NF_EFORMAT, o->where, "has no keys, or no values");
    if ((st = read_other(&in[3], o, n, o->g->tensors[in[2]].dtype)) || (st = agree(in, o, n)) ||
        (st = fmt_onnx_out(&y, o, n, o->g->tensors[in[2]].dtype)))
        return st;
    return fmt_onnx_emit(o, IR_MAP_KEYS, in, 4, y, NULL);
}

/* The first version: texts to their places, or places to texts. */
static nf_status read_classes(int32_t in[4], fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    const bool texts = o->g->tensors[in[0]].dtype == ENG_STR;
    nf_status st;
    if ((st = fmt_onnx_ml_texts(&in[texts ? 1 : 2], o, n, "classes_strings"))) return st;
    if (in[texts ? 1 : 2] == IR_NONE)
        return nf_fail(o->err, NF_EFORMAT, o->where, "has neither keys nor classes");
    return count_up(&in[texts ? 2 : 1], o, (size_t)o->g->tensors[in[texts ? 1 : 2]].dim[0]);
}

nf_status fmt_onnx_ml_label_encoder(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int32_t in[4];
    nf_status st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0))) ||
        (st = read_side(&in[1], o, n, true)) || (st = read_side(&in[2], o, n, false)))
        return st;
    if (in[1] == IR_NONE && in[2] == IR_NONE && (st = read_classes(in, o, n))) return st;
    return emit_map(in, o, n);
}

nf_status fmt_onnx_ml_category_mapper(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int32_t in[4];
    nf_status st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0)))) return st;
    const int texts = o->g->tensors[in[0]].dtype == ENG_STR ? 1 : 2;
    if ((st = fmt_onnx_ml_texts(&in[texts], o, n, "cats_strings")) ||
        (st = fmt_onnx_ml_ints(&in[3 - texts], o, n, "cats_int64s")))
        return st;
    return emit_map(in, o, n);
}

nf_status fmt_onnx_ml_one_hot(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.ml = {.post = 0}};
    int64_t zeros;
    int32_t in[2], y;
    nf_status st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0))) ||
        (st = fmt_onnx_int(&zeros, o, n, "zeros", 1)) ||
        (st = fmt_onnx_ml_labels(&in[1], o, n, "cats_strings", "cats_int64s")))
        return st;
    /* numbers of any type are whole ones to the encoder */
    if (o->g->tensors[in[1]].dtype == ENG_I64 && o->g->tensors[in[0]].dtype != ENG_STR &&
        (st = fmt_onnx_ml_cast(&in[0], o, n, ENG_I64)))
        return st;
    attr.ml.flag = zeros != 0;
    if ((st = fmt_onnx_out(&y, o, n, ENG_F32))) return st;
    return fmt_onnx_emit(o, IR_ONE_HOT_KEYS, in, 2, y, &attr);
}
