/* krn_f32_table.h - the float kernels that this CPU runs best. Layer: kernels.
 * Thread rule: filled once, then read-only. */
#ifndef KRN_F32_TABLE_H
#define KRN_F32_TABLE_H

#include "engine/kernels/krn_f32.h"
#include "engine/kernels/krn_norm.h"
#include "engine/kernels/krn_rnn.h"
#include "engine/kernels/krn_winograd.h"

typedef struct krn_f32 {
    const char *isa;       /* what its kernels' names end in */
    krn_f32_layout layout; /* of packed weights */
    krn_f32_product_fn product;
    krn_f32_gemm_fn gemm;
    krn_f32_depthwise_fn depthwise;
    krn_f32_max_pool_fn max_pool;
    krn_f32_mean_pool_fn mean_pool;
    krn_f32_binary_fn binary;
    krn_f32_clamp_fn clamp;
    krn_f32_curve_fn curve;
    krn_f32_softmax_fn softmax;
    krn_f32_layer_norm_fn layer_norm;
    krn_f32_group_norm_fn group_norm;
    krn_f32_winograd_in_fn winograd_in;
    krn_f32_winograd_out_fn winograd_out;
    krn_f32_lstm_cells_fn lstm_cells;
    krn_f32_gru_reset_fn gru_reset;
    krn_f32_gru_cells_fn gru_cells;
    const char *product_name, *depthwise_name;
    const char *winograd_name[2]; /* of tiles of 2 and of 4 pixels */
} krn_f32;

/** The best kernels for these CPU bits; plain C where there is nothing better. */
void krn_f32_init(krn_f32 *k, unsigned cpu);

#endif /* KRN_F32_TABLE_H */
