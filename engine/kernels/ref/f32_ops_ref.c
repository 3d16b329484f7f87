/* f32_ops_ref.c - float products, elementwise operators and softmax in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_f32.h"

#include <math.h>
#include <string.h>

static inline float limit(float v, float low, float high)
{
    return v < low ? low : v > high ? high : v;
}

KRN_DECL_F32_GEMM(krn_f32_gemm_ref)
{
    memset(y, 0, m * n * sizeof(*y));
    for (size_t row = 0; row < m; row++, y += n, a += k)
        for (size_t i = 0; i < k; i++)
            for (size_t c = 0; c < n; c++)
                y[c] += a[i] * w[i * n + c];
}

void krn_f32_tail_ref(float *y, const float *bias, size_t rows, size_t n, float low, float high)
{
    for (size_t r = 0; r < rows; r++, y += n)
        for (size_t c = 0; c < n; c++)
            y[c] = limit(bias ? y[c] + bias[c] : y[c], low, high);
}

static inline float apply(float a, float b, krn_f32_op op)
{
    switch (op) {
    case KRN_F32_ADD:
        return a + b;
    case KRN_F32_SUB:
        return a - b;
    case KRN_F32_MUL:
        return a * b;
    case KRN_F32_DIV:
        return a / b;
    case KRN_F32_SQUARED_DIFFERENCE:
        return (a - b) * (a - b);
    case KRN_F32_PRELU:
        return a < 0 ? a * b : a;
    case KRN_F32_OPS:
        break;
    }
    return 0;
}

KRN_DECL_F32_BINARY(krn_f32_binary_ref)
{
    for (size_t r = 0; r < lines; r++) {
        const float *a = o->a + r * o->next_a, *b = o->b + r * o->next_b;
        for (size_t i = 0; i < n; i++)
            y[r * n + i] = limit(apply(a[i * o->step_a], b[i * o->step_b], op), o->low, o->high);
    }
}

KRN_DECL_F32_CLAMP(krn_f32_clamp_ref)
{
    for (size_t i = 0; i < n; i++)
        y[i] = limit(x[i], low, high);
}

KRN_DECL_F32_CURVE(krn_f32_curve_ref)
{
    for (size_t i = 0; i < n; i++)
        y[i] = curve == KRN_F32_EXP    ? expf(x[i])
               : curve == KRN_F32_TANH ? tanhf(x[i])
                                       : 1 / (1 + expf(-x[i]));
}

static void softmax_line(float *y, const float *x, size_t n, size_t step, float beta)
{
    float most = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        most = x[i * step] > most ? x[i * step] : most;
    for (size_t i = 0; i < n; i++)
        sum += y[i * step] = expf((x[i * step] - most) * beta);
    for (size_t i = 0; i < n; i++)
        y[i * step] /= sum;
}

KRN_DECL_F32_SOFTMAX(krn_f32_softmax_ref)
{
    for (size_t o = 0; o < outer; o++)
        for (size_t i = 0; i < inner; i++)
            softmax_line(y + o * n * inner + i, x + o * n * inner + i, n, inner, beta);
}
