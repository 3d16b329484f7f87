/* fmt_onnx_ml_prepare.c - ONNX: preparation of features, domain ai.onnx.ml, and of text.
 * Layer: format. Thread rule: no shared state. */
#include "engine/format/fmt_onnx_ml.h"

#include "engine/base/mem.h"

/* One more result of the type of `in[0]`. */
static nf_status emit_like(fmt_onnx_ctx *o, const fmt_onnx_node *n, ir_op op, const int32_t *in,
                           int32_t n_in, const ir_attr *attr)
{
    int32_t y;
    const nf_status st = fmt_onnx_out(&y, o, n, o->g->tensors[in[0]].dtype);
    return st ? st : fmt_onnx_emit(o, op, in, n_in, y, attr);
}

nf_status fmt_onnx_ml_extractor(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int32_t in[2];
    nf_status st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0))) ||
        (st = fmt_onnx_use(&in[1], o, fmt_onnx_in(o, n, 1))) ||
        (st = fmt_onnx_ml_cast(&in[1], o, n, ENG_I64)))
        return st;
    return emit_like(o, n, IR_PICK_COLUMNS, in, 2, NULL);
}

nf_status fmt_onnx_ml_binarizer(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.ml = {.post = 0}};
    int32_t x;
    nf_status st;
    if ((st = fmt_onnx_ml_x(&x, o, n, false)) ||
        (st = fmt_onnx_float(&attr.ml.value, o, n, "threshold", 0)))
        return st;
    return emit_like(o, n, IR_BINARIZER, &x, 1, &attr);
}

static nf_status join(fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t *in)
{
    nf_status st;
    for (size_t i = 0; i < n->n_in; i++)
        if ((st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i))) ||
            (st = fmt_onnx_ml_cast(&in[i], o, n, ENG_F32)))
            return st;
    if ((st = fmt_onnx_ml_ints(&in[n->n_in], o, n, "inputdimensions"))) return st;
    if (in[n->n_in] == IR_NONE) return nf_fail(o->err, NF_EFORMAT, o->where, "no inputdimensions");
    return emit_like(o, n, IR_FEATURE_VECTORIZER, in, (int32_t)n->n_in + 1, NULL);
}

nf_status fmt_onnx_ml_vectorizer(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int32_t *in = nf_alloc_array(n->n_in + 1, sizeof(*in), NF_MEM_GRAPH);
    if (!in) return nf_fail(o->err, NF_ENOMEM, o->where, "no memory for %zu inputs", n->n_in);
    const nf_status st = join(o, n, in);
    nf_free(in);
    return st;
}

nf_status fmt_onnx_ml_imputer(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.ml = {.post = 0}};
    int32_t in[2];
    nf_status st;
    if ((st = fmt_onnx_ml_floats(&in[1], o, n, "imputed_value_floats"))) return st;
    if (in[1] != IR_NONE) {
        if ((st = fmt_onnx_ml_x(&in[0], o, n, false)) ||
            (st = fmt_onnx_float(&attr.ml.value, o, n, "replaced_value_float", 0)))
            return st;
    } else {
        if ((st = fmt_onnx_ml_ints(&in[1], o, n, "imputed_value_int64s")) ||
            (st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0))) ||
            (st = fmt_onnx_int(&attr.ml.whole, o, n, "replaced_value_int64", 0)))
            return st;
        if (in[1] == IR_NONE || o->g->tensors[in[0]].dtype != ENG_I64)
            return nf_fail(o->err, NF_EFORMAT, o->where, "no imputed values of its type");
    }
    return emit_like(o, n, IR_IMPUTER, in, 2, &attr);
}

nf_status fmt_onnx_ml_normalizer(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const char *const norms[] = {"MAX", "L1", "L2"};
    ir_attr attr = {.ml = {.post = 0}};
    int32_t x;
    nf_status st;
    if ((st = fmt_onnx_ml_x(&x, o, n, false)) ||
        (st = fmt_onnx_ml_word(&attr.ml.mode, o, n, "norm", norms, NF_COUNT(norms), 0)))
        return st;
    return emit_like(o, n, IR_NORMALIZER, &x, 1, &attr);
}

nf_status fmt_onnx_ml_scaler(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const float none[] = {0, 1};
    static const char *const names[] = {"offset", "scale"};
    int32_t in[3];
    nf_status st;
    if ((st = fmt_onnx_ml_x(&in[0], o, n, false))) return st;
    for (int i = 0; i < 2; i++) {
        if ((st = fmt_onnx_ml_floats(&in[i + 1], o, n, names[i]))) return st;
        if (in[i + 1] != IR_NONE) continue;
        if ((st = fmt_onnx_ml_one(&in[i + 1], o, ENG_F32, &none[i]))) return st;
    }
    return emit_like(o, n, IR_SCALER, in, 3, NULL);
}

/* Domain ai.onnx. */
nf_status fmt_onnx_string_normalizer(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    static const char *const letters[] = {"NONE", "LOWER", "UPPER"};
    ir_attr attr = {.ml = {.post = 0}};
    int32_t in[2];
    int64_t sensitive;
    nf_status st;
    if ((st = fmt_onnx_use(&in[0], o, fmt_onnx_in(o, n, 0))) ||
        (st = fmt_onnx_ml_word(&attr.ml.mode, o, n, "case_change_action", letters,
                               NF_COUNT(letters), IR_LETTERS_KEEP)) ||
        (st = fmt_onnx_int(&sensitive, o, n, "is_case_sensitive", 0)) ||
        (st = fmt_onnx_ml_texts(&in[1], o, n, "stopwords")))
        return st;
    attr.ml.flag = sensitive != 0;
    return emit_like(o, n, IR_STRING_NORMALIZER, in, 2, &attr);
}
