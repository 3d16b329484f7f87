/* krn_f32.c - picks the float kernels for a CPU. Layer: kernels. Thread rule: pure function. */
#include "engine/kernels/krn_f32_table.h"

#include "engine/kernels/cpu.h"

#define TIER(tier, lanes_, units_, pairs_)                                                         \
    {                                                                                              \
        .isa = #tier, .layout = {lanes_, units_, pairs_}, .product = krn_f32_product_##tier,       \
        .gemm = krn_f32_gemm_##tier, .depthwise = krn_f32_depthwise_##tier,                        \
        .max_pool = krn_f32_max_pool_##tier, .mean_pool = krn_f32_mean_pool_##tier,                \
        .binary = krn_f32_binary_##tier, .clamp = krn_f32_clamp_##tier,                            \
        .curve = krn_f32_curve_##tier, .softmax = krn_f32_softmax_##tier,                          \
        .layer_norm = krn_f32_layer_norm_##tier, .group_norm = krn_f32_group_norm_##tier,          \
        .winograd_in = krn_f32_winograd_in_##tier, .winograd_out = krn_f32_winograd_out_##tier,    \
        .lstm_cells = krn_f32_lstm_cells_##tier, .gru_reset = krn_f32_gru_reset_##tier,            \
        .gru_cells = krn_f32_gru_cells_##tier, .product_name = "krn_f32_product_" #tier,           \
        .depthwise_name = "krn_f32_depthwise_" #tier,                                              \
        .winograd_name = {"krn_f32_winograd2_" #tier, "krn_f32_winograd4_" #tier},                 \
    }

void krn_f32_init(krn_f32 *k, unsigned cpu)
{
    static const krn_f32 ref = TIER(ref, KRN_F32_REF_LANES, 1, false);
    *k = ref; /* the reference is always there and always right */
    (void)cpu;
#if defined(__x86_64__)
    static const krn_f32 avx2 = TIER(avx2, 8, 2, true), avx512 = TIER(avx512, 16, 4, true);
    if (cpu & KRN_CPU_AVX2) *k = avx2;
    if (cpu & KRN_CPU_AVX512) *k = avx512;
#endif
}
