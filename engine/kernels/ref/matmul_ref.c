/* matmul_ref.c - products of whole numbers in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_nn.h"

#include <string.h>

/* Unsigned arithmetic gives the low bits of a signed sum too, and may wrap. */
static void matmul_32(uint32_t *y, const uint32_t *a, const uint32_t *b, size_t m, size_t n,
                      size_t k)
{
    memset(y, 0, m * n * sizeof(*y));
    for (size_t row = 0; row < m; row++, y += n, a += k)
        for (size_t i = 0; i < k; i++)
            for (size_t c = 0; c < n; c++)
                y[c] += a[i] * b[i * n + c];
}

static void matmul_64(uint64_t *y, const uint64_t *a, const uint64_t *b, size_t m, size_t n,
                      size_t k)
{
    memset(y, 0, m * n * sizeof(*y));
    for (size_t row = 0; row < m; row++, y += n, a += k)
        for (size_t i = 0; i < k; i++)
            for (size_t c = 0; c < n; c++)
                y[c] += a[i] * b[i * n + c];
}

void krn_matmul_ref(void *y, const void *a, const void *b, krn_type type, size_t m, size_t n,
                    size_t k)
{
    if (type == KRN_I64 || type == KRN_U64)
        matmul_64(y, a, b, m, n, k);
    else
        matmul_32(y, a, b, m, n, k);
}

static void swap_32(uint32_t *y, const uint32_t *x, size_t rows, size_t cols)
{
    for (size_t c = 0; c < cols; c++)
        for (size_t r = 0; r < rows; r++)
            *y++ = x[r * cols + c];
}

void krn_swap_ref(void *y, const void *x, size_t size, size_t rows, size_t cols)
{
    if (size == sizeof(uint32_t)) {
        swap_32(y, x, rows, cols);
        return;
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            memcpy((char *)y + (c * rows + r) * size, (const char *)x + (r * cols + c) * size,
                   size);
}

void krn_widen_i32_ref(int32_t *y, const void *x, krn_type type, size_t rows, size_t cols,
                       const krn_zeros *z)
{
    krn_cast_ref(y, KRN_I32, x, type, rows * cols);
    for (size_t r = 0; r < rows; r++, y += cols)
        for (size_t c = 0; c < cols; c++)
            y[c] -= z->zero[r * z->step_r + c * z->step_c];
}
