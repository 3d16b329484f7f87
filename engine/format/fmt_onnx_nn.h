/* fmt_onnx_nn.h - readers of the table in fmt_onnx_nn.c. Layer: format (inside). */
#ifndef FMT_ONNX_NN_H
#define FMT_ONNX_NN_H

#include "engine/format/fmt_onnx.h"

/* Values of a quantization. */
typedef struct fmt_onnx_linear {
    int32_t scale, zero; /* zero: IR_NONE = 0 */
    int64_t axis, block;
} fmt_onnx_linear;

/** Adds QUANTIZE_LINEAR or DEQUANTIZE_LINEAR from tensor x to y. */
nf_status fmt_onnx_linear_node(fmt_onnx_ctx *o, ir_op op, const fmt_onnx_linear *p, int32_t x,
                               int32_t y);
/** The same, by QUANTIZE or DEQUANTIZE when the file says all that they need: passes know these. */
nf_status fmt_onnx_quantize_to(fmt_onnx_ctx *o, const fmt_onnx_linear *p, int32_t x, int32_t y);
nf_status fmt_onnx_dequantize_to(fmt_onnx_ctx *o, const fmt_onnx_linear *p, int32_t x, int32_t y);

/** Input i as floats, by the scale and zero point in inputs i + 1 and i + 2; several scales run
 * along `axis`. */
nf_status fmt_onnx_real(int32_t *y, fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i,
                        int64_t axis);
/** The node's result from floats, by the scale and zero point in inputs i and i + 1. */
nf_status fmt_onnx_real_out(fmt_onnx_ctx *o, const fmt_onnx_node *n, size_t i, int32_t real);

/** Element type of a zero point; UINT8 when there is none. */
nf_status fmt_onnx_zero_type(eng_dtype *out, fmt_onnx_ctx *o, int32_t zero);

nf_status fmt_onnx_dynamic_quantize(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_nms(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_attention(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_conv_integer(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_conv_transpose(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_global_lp_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_global_max_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_lp_pool(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_matmul_integer(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_max_unpool(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_group_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_instance_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_layer_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_lp_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_lrn(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_mvn(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_resize(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_rms_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_upsample(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_qlinear_conv(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_qlinear_matmul(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_qlinear_sigmoid(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_qlinear_leaky_relu(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_qlinear_softmax(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_qlinear_add(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_qlinear_mul(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_qlinear_mean(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_qlinear_global_mean(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_qlinear_concat(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_qgemm(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_matmul_nbits(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_matmul_integer_to_float(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_dynamic_matmul(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_fused_matmul(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_bias_gelu(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_fast_gelu(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_quick_gelu(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_skip_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_skip_rms_norm(fmt_onnx_ctx *o, const fmt_onnx_node *n);
nf_status fmt_onnx_dynamic_lstm(fmt_onnx_ctx *o, const fmt_onnx_node *n);

/** The mean pool that the node asks for, of floats x [n, c, axes..] to a new tensor; whole: over
 * all of each image. */
nf_status fmt_onnx_mean_of(int32_t *y, fmt_onnx_ctx *o, const fmt_onnx_node *n, int32_t x,
                           bool whole);

#endif /* FMT_ONNX_NN_H */
