/* fmt_onnx_nn.h - readers of the table in fmt_onnx_nn.c. Layer: format (inside). */
#ifndef FMT_ONNX_NN_H
#define FMT_ONNX_NN_H

#include "engine/format/fmt_onnx.h"

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

#endif /* FMT_ONNX_NN_H */
