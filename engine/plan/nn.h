/* nn.h - the pieces of table_nn.c and table_rnn.c. Layer: plan (inside). */
#ifndef PLAN_NN_H
#define PLAN_NN_H

#include "engine/plan/layer.h"

PLAN_PREPARE(plan_matmul);
PLAN_PREPARE(plan_matmul_integer);
PLAN_PREPARE(plan_conv_any);
PLAN_PREPARE(plan_conv_nd);
PLAN_PREPARE(plan_conv_integer);
PLAN_PREPARE(plan_transpose_conv);
PLAN_PREPARE(plan_pool_nd);
PLAN_PREPARE(plan_unpool);
PLAN_PREPARE(plan_quant_linear);
PLAN_PREPARE(plan_dynamic_quantize);
PLAN_PREPARE(plan_attention);
PLAN_PREPARE(plan_nms);
PLAN_PREPARE(plan_nms_v5);
PLAN_PREPARE(plan_detect);
PLAN_PREPARE(plan_norm);
PLAN_PREPARE(plan_resize);
PLAN_PREPARE(plan_rnn);
PLAN_PREPARE(plan_sequence_lstm);
PLAN_PREPARE(plan_svdf);

PLAN_BIND(plan_bind_matmul);
PLAN_BIND(plan_bind_conv_any);
PLAN_BIND(plan_bind_conv_nd);
PLAN_BIND(plan_bind_conv_integer);
PLAN_BIND(plan_bind_dense_any);
PLAN_BIND(plan_bind_transpose_conv);
PLAN_BIND(plan_bind_pool_nd);
PLAN_BIND(plan_bind_unpool);
PLAN_BIND(plan_bind_quant_linear);
PLAN_BIND(plan_bind_dynamic_quantize);
PLAN_BIND(plan_bind_attention);
PLAN_BIND(plan_bind_nms);
PLAN_BIND(plan_bind_nms_v5);
PLAN_BIND(plan_bind_detect);
PLAN_BIND(plan_bind_layer_norm);
PLAN_BIND(plan_bind_channel_norm);
PLAN_BIND(plan_bind_axis_norm);
PLAN_BIND(plan_bind_mvn);
PLAN_BIND(plan_bind_resize);
PLAN_BIND(plan_bind_rnn);
PLAN_BIND(plan_bind_svdf);

PLAN_RUN(plan_run_matmul);
PLAN_RUN(plan_run_matmul_integer);
PLAN_RUN(plan_run_conv_any);
PLAN_RUN(plan_run_conv_integer);
PLAN_RUN(plan_run_dense_any);
PLAN_RUN(plan_run_transpose_conv);
PLAN_RUN(plan_run_pool_nd);
PLAN_RUN(plan_run_unpool);
PLAN_RUN(plan_run_quantize_linear);
PLAN_RUN(plan_run_dequantize_linear);
PLAN_RUN(plan_run_dynamic_quantize);
PLAN_RUN(plan_run_attention);
PLAN_RUN(plan_run_nms);
PLAN_RUN(plan_run_nms_v5);
PLAN_RUN(plan_run_detect);
PLAN_RUN(plan_run_layer_norm);
PLAN_RUN(plan_run_group_norm);
PLAN_RUN(plan_run_batch_norm);
PLAN_RUN(plan_run_lrn);
PLAN_RUN(plan_run_lp_norm);
PLAN_RUN(plan_run_mvn);
PLAN_RUN(plan_run_resize);
PLAN_RUN(plan_run_rnn);
PLAN_RUN(plan_run_svdf);

#endif /* PLAN_NN_H */
