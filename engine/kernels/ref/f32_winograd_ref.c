/* f32_winograd_ref.c - Winograd's transforms in plain C: the vector bodies over a vector of one.
 * Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/ref/vec_plain.h"

#include "engine/kernels/simd/f32_winograd.h"

/* G of F(m, 3), rows: a point's powers over the product of its distances to the others. */
static const double g2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
#define POINT(p, q)                                                                                \
    {                                                                                              \
        1 / (2.0 * p * p * (p * p - q * q)), 1 / (2.0 * p * (p * p - q * q)),                      \
            1 / (2.0 * (p * p - q * q))                                                            \
    }
static const double g4[6][3] = {
    {1.0 / (AA * BB), 0, 0}, POINT(A, B), POINT(-A, B), POINT(B, A), POINT(-B, A), {0, 0, 1}};

void krn_f32_winograd_weights(float *u, const float *g, size_t step, size_t m)
{
    const double(*const t)[3] = m == 2 ? g2 : g4;
    for (size_t i = 0; i < m + 2; i++)
        for (size_t j = 0; j < m + 2; j++) {
            double sum = 0;
            for (size_t a = 0; a < 3; a++)
                for (size_t b = 0; b < 3; b++)
                    sum += t[i][a] * t[j][b] * (double)g[(a * 3 + b) * step];
            u[i * (m + 2) + j] = (float)sum;
        }
}
