/* fmt_onnx_attention.c - Attention of opset 23 and later, NonMaxSuppression. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_onnx_nn.h"

static nf_status read_options(ir_attr *attr, fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    int64_t q_heads, kv_heads, mode, causal;
    nf_status st;
    if ((st = fmt_onnx_int(&q_heads, o, n, "q_num_heads", 0))) return st;
    if ((st = fmt_onnx_int(&kv_heads, o, n, "kv_num_heads", 0))) return st;
    if ((st = fmt_onnx_int(&mode, o, n, "qk_matmul_output_mode", 0))) return st;
    if ((st = fmt_onnx_int(&causal, o, n, "is_causal", 0))) return st;
    if ((st = fmt_onnx_float(&attr->attention.scale, o, n, "scale", 0))) return st;
    if ((st = fmt_onnx_float(&attr->attention.softcap, o, n, "softcap", 0))) return st;
    if (q_heads < 0 || q_heads > INT32_MAX || kv_heads < 0 || kv_heads > INT32_MAX || mode < 0 ||
        mode > 3)
        return nf_fail(o->err, NF_EFORMAT, o->where, "%lld and %lld heads, mode %lld",
                       (long long)q_heads, (long long)kv_heads, (long long)mode);
    attr->attention.q_heads = (int32_t)q_heads;
    attr->attention.kv_heads = (int32_t)kv_heads;
    attr->attention.mode = (int32_t)mode;
    attr->attention.causal = causal != 0;
    return NF_OK;
}

nf_status fmt_onnx_attention(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.attention = {.mode = 0}};
    int32_t in[7], out[4], n_out = 1;
    nf_status st;
    if ((st = read_options(&attr, o, n))) return st;
    for (size_t i = 0; i < n->n_in; i++) {
        in[i] = IR_NONE;
        if ((i < 3 || fmt_onnx_in(o, n, i) != IR_NONE) &&
            (st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i))))
            return st;
    }
    for (int32_t i = 0; i < 4; i++) {
        if ((st = fmt_onnx_out_at(&out[i], o, n, (size_t)i, ENG_F32))) return st;
        if (out[i] != IR_NONE) n_out = i + 1;
    }
    if (out[0] == IR_NONE && (st = fmt_onnx_temp(&out[0], o, n, ":y", ENG_F32))) return st;
    return fmt_onnx_emit_ends(o, IR_ATTENTION, &(ir_ends){in, out, (int32_t)n->n_in, n_out}, &attr);
}

nf_status fmt_onnx_nms(fmt_onnx_ctx *o, const fmt_onnx_node *n)
{
    ir_attr attr = {.axis = {.axis = 0}};
    int64_t center;
    int32_t in[5], y;
    nf_status st;
    if ((st = fmt_onnx_int(&center, o, n, "center_point_box", 0))) return st;
    attr.axis.flag = center != 0;
    for (size_t i = 0; i < n->n_in; i++) {
        in[i] = IR_NONE;
        if ((i < 2 || fmt_onnx_in(o, n, i) != IR_NONE) &&
            (st = fmt_onnx_use(&in[i], o, fmt_onnx_in(o, n, i))))
            return st;
    }
    if ((st = fmt_onnx_out(&y, o, n, ENG_I64))) return st;
    return fmt_onnx_emit(o, IR_NON_MAX_SUPPRESSION, in, (int32_t)n->n_in, y, &attr);
}
