/* krn_qs8.c - chooses 8-bit kernels and packs their weights. Layer: kernels. */
#include "engine/kernels/krn_qs8.h"

#include "engine/kernels/cpu.h"
#include "engine/kernels/krn_qs8_real.h"
#include "engine/kernels/krn_qs8_tile.h"

#include <string.h>

#define SET(field, fn) (k->field = (fn), k->field##_name = #fn)

void krn_qs8_init(krn_qs8 *k, unsigned cpu)
{
    SET(gemm, krn_qs8_gemm_ref); /* the plain version is always there and always right */
    SET(requant, krn_qs8_requant_ref);
    SET(mean, krn_qs8_mean_pool_ref);
    SET(max, krn_qs8_max_pool_ref);
    SET(pairs, krn_q_pairs_ref);
    SET(softmax, krn_qs8_softmax_ref);
    SET(lookup, krn_qs8_lookup_ref);
    k->tier = NULL;
    k->real = &krn_qs8_real_ref;
    k->add = NULL;
    k->add_name = NULL;
    k->sums = NULL;
    k->sums_name = NULL;
#if defined(__x86_64__)
    if (cpu & KRN_CPU_AVX2) {
        SET(gemm, krn_qs8_gemm_avx2);
        SET(requant, krn_qs8_requant_avx2);
        SET(add, krn_qs8_add_avx2);
        SET(mean, krn_qs8_mean_pool_avx2);
        SET(max, krn_qs8_max_pool_avx2);
        SET(pairs, krn_q_pairs_avx2);
        SET(sums, krn_q_sums_avx2);
        SET(softmax, krn_qs8_softmax_avx2);
        SET(lookup, krn_qs8_lookup_avx2);
        k->tier = &krn_qs8_avx2;
        k->real = &krn_qs8_real_avx2;
    }
    if (cpu & KRN_CPU_AVXVNNI) k->tier = &krn_qs8_avxvnni;
    if (cpu & KRN_CPU_AVX512) {
        SET(add, krn_qs8_add_avx512);
        SET(pairs, krn_q_pairs_avx512);
        SET(sums, krn_q_sums_avx512);
        SET(softmax, krn_qs8_softmax_avx512);
        k->real = &krn_qs8_real_avx512;
    }
    if (cpu & KRN_CPU_AVX512VNNI) k->tier = &krn_qs8_avx512vnni;
    if (cpu & KRN_CPU_AVX512VBMI) SET(lookup, krn_qs8_lookup_avx512vbmi);
#elif defined(__aarch64__)
    if (cpu & KRN_CPU_NEON) {
        SET(pairs, krn_q_pairs_neon);
        SET(sums, krn_q_sums_neon);
        SET(softmax, krn_qs8_softmax_neon);
        SET(lookup, krn_qs8_lookup_neon);
        k->tier = &krn_qs8_neon;
    }
    if (cpu & KRN_CPU_DOTPROD) k->tier = &krn_qs8_dotprod;
#else
    (void)cpu;
#endif
}

void krn_qs8_pack(int8_t *dst, const int8_t *w, size_t n, size_t k)
{
    const size_t k_pad = krn_round_up(k, KRN_QS8_K), n_pad = krn_round_up(n, KRN_QS8_N);
    memset(dst, 0, n_pad * k_pad);
    for (size_t c = 0; c < n; c++)
        for (size_t i = 0; i < k; i++) {
            const size_t block = c / KRN_QS8_N, lane = c % KRN_QS8_N;
            const size_t pair = i / KRN_QS8_K, half = i % KRN_QS8_K;
            dst[((block * (k_pad / KRN_QS8_K) + pair) * KRN_QS8_N + lane) * KRN_QS8_K + half] =
                w[c * k + i];
        }
}
