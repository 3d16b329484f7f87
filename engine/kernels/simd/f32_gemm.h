/* f32_gemm.h - products whose right side is read as it comes, not packed, for any vector: included
 * once by a file of each instruction set, after its vf_*.h. Layer: kernels.
 * Thread rule: pure functions. */
#ifndef F32_GEMM_H
#define F32_GEMM_H

#include "engine/kernels/krn_f32.h"

#include "engine/kernels/simd/simd.h"

enum {
    GEMM_UNITS = 4,
    GEMM_ROWS = 6,
    GEMM_PHASES = 8 / VF_UNITS /* partial sums of a single row, that hide the products' latency */
};

/* Some neighbouring columns of a product. */
typedef struct gemm {
    float *y;
    const float *a, *w;
    size_t n, k;
    vf_mask last; /* lanes of the last unit */
} gemm;

INLINE vf weights(const gemm *g, const float *w, int u, const int units, const bool full)
{
    const float *at = w + u * VF_LANES;
    return full || u < units - 1 ? vf_load(at) : vf_load_part(at, g->last);
}

INLINE void store_sums(const gemm *g, size_t row, const vf *sum, const int units, const bool full)
{
    float *y = g->y + row * g->n;
    UNROLL
    for (int u = 0; u < units; u++) {
        if (full || u < units - 1)
            vf_store(y + u * VF_LANES, sum[u]);
        else
            vf_store_part(y + u * VF_LANES, sum[u], g->last);
    }
}

INLINE void gemm_block(const gemm *g, size_t row, const int rows, const int units, const bool full)
{
    vf acc[GEMM_ROWS][GEMM_UNITS], wide[GEMM_UNITS];
    const float *a = g->a + row * g->k, *w = g->w;
    UNROLL
    for (int i = 0; i < rows * units; i++)
        acc[i / units][i % units] = vf_set(0);
    for (size_t k = 0; k < g->k; k++, w += g->n) {
        UNROLL
        for (int u = 0; u < units; u++)
            wide[u] = weights(g, w, u, units, full);
        UNROLL
        for (int i = 0; i < rows; i++) {
            const vf x = vf_set(a[(size_t)i * g->k + k]);
            UNROLL
            for (int u = 0; u < units; u++)
                acc[i][u] = vf_fma(x, wide[u], acc[i][u]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++)
        store_sums(g, row + (size_t)i, acc[i], units, full);
}

INLINE void add_row(const gemm *g, vf *acc, float a, const float *w, const int units,
                    const bool full)
{
    const vf x = vf_set(a);
    UNROLL
    for (int u = 0; u < units; u++)
        acc[u] = vf_fma(x, weights(g, w, u, units, full), acc[u]);
}

INLINE void gemm_line(const gemm *g, size_t row, const int units, const bool full)
{
    vf acc[GEMM_PHASES][GEMM_UNITS];
    const float *a = g->a + row * g->k, *w = g->w;
    const size_t phased = g->k < KRN_F32_FEW ? 0 : g->k;
    size_t k = 0;
    UNROLL
    for (int i = 0; i < GEMM_PHASES * units; i++)
        acc[i / units][i % units] = vf_set(0);
    for (; k + GEMM_PHASES <= phased; k += GEMM_PHASES) {
        UNROLL
        for (int i = 0; i < GEMM_PHASES; i++, w += g->n)
            add_row(g, acc[i], a[k + (size_t)i], w, units, full);
    }
    for (; k < g->k; k++, w += g->n)
        add_row(g, acc[0], a[k], w, units, full);
    UNROLL
    for (int i = units; i < GEMM_PHASES * units; i++)
        acc[0][i % units] = vf_add(acc[0][i % units], acc[i / units][i % units]);
    store_sums(g, row, acc[0], units, full);
}

INLINE void gemm_rows(const gemm *g, size_t m, const int units, const bool full)
{
    size_t row = 0;
    for (; row + GEMM_ROWS <= m; row += GEMM_ROWS)
        gemm_block(g, row, GEMM_ROWS, units, full);
    for (; row + 2 <= m; row += 2)
        gemm_block(g, row, 2, units, full);
    if (row < m) gemm_line(g, row, units, full);
}

KRN_DECL_F32_GEMM(VF_NAME(krn_f32_gemm))
{
    for (size_t c = 0; c < n; c += VF_UNITS * VF_LANES) {
        const size_t left = n - c, units = (left + VF_LANES - 1) / VF_LANES;
        const gemm g = {y + c, a, w + c, n, k, vf_first((left - 1) % VF_LANES + 1)};
        if (left >= VF_UNITS * VF_LANES)
            gemm_rows(&g, m, VF_UNITS, true);
        else if (units == 1)
            gemm_rows(&g, m, 1, false);
        else if (units == 2)
            gemm_rows(&g, m, 2, false);
        else if (units == 3)
            gemm_rows(&g, m, 3, false);
        else
            gemm_rows(&g, m, 4, false);
    }
}

#endif /* F32_GEMM_H */
