/* qs8_gemm_ref.c - the meaning of the 8-bit matrix product, in plain C. Layer: kernels. */
#include "engine/kernels/krn_qs8.h"

KRN_DECL_QS8_GEMM(krn_qs8_gemm_ref)
{
    for (size_t row = 0; row < m; row++)
        for (size_t c = 0; c < n_pad; c++) {
            const int16_t *x = a + row * k_pad;
            const int8_t *v = w + c / KRN_QS8_N * KRN_QS8_N * k_pad + c % KRN_QS8_N * KRN_QS8_K;
            int32_t sum = 0;
            for (size_t k = 0; k < k_pad; k += KRN_QS8_K, v += KRN_QS8_N * KRN_QS8_K)
                sum += x[k] * v[0] + x[k + 1] * v[1];
            acc[row * n_pad + c] = sum;
        }
}
