/* f32_product_ref.c - packing of weights, and products with them in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_f32.h"

#include <string.h>

bool krn_f32_in_pairs(const krn_f32_layout *l, size_t n, size_t k)
{
    return l->pairs && n <= l->lanes / 2 && k >= KRN_F32_FEW;
}

bool krn_f32_is_packed(const krn_f32_layout *l, size_t n)
{
    return n % l->lanes == 0 && n <= l->lanes * l->units;
}

size_t krn_f32_packed_size(const krn_f32_layout *l, const krn_f32_weights *w)
{
    if (krn_f32_in_pairs(l, w->n, w->k)) return w->k / w->run * ((w->run + 1) / 2) * l->lanes;
    return (w->n + l->lanes - 1) / l->lanes * l->lanes * w->k;
}

static void pack_pairs(float *to, const krn_f32_layout *l, const krn_f32_weights *w)
{
    memset(to, 0, krn_f32_packed_size(l, w) * sizeof(*to));
    for (size_t first = 0; first < w->k; first += w->run)
        for (size_t i = 0; i < w->run; i += 2, to += l->lanes)
            for (size_t c = 0; c < w->n; c++) {
                const float *from = w->w + c * w->step_n + (first + i) * w->step_k;
                to[2 * c] = from[0];
                if (i + 1 < w->run) to[2 * c + 1] = from[w->step_k];
            }
}

/* One panel of `wide` outputs, `n` of them real. */
static void pack_panel(float *to, const krn_f32_weights *w, size_t first, size_t n, size_t wide)
{
    for (size_t i = 0; i < w->k; i++, to += wide) {
        const float *from = w->w + first * w->step_n + i * w->step_k;
        if (w->step_n == 1)
            memcpy(to, from, n * sizeof(*to));
        else
            for (size_t c = 0; c < n; c++)
                to[c] = from[c * w->step_n];
        memset(to + n, 0, (wide - n) * sizeof(*to));
    }
}

void krn_f32_pack(float *to, const krn_f32_layout *l, const krn_f32_weights *w)
{
    if (krn_f32_in_pairs(l, w->n, w->k)) {
        pack_pairs(to, l, w);
        return;
    }
    const size_t units = (w->n + l->lanes - 1) / l->lanes;
    const size_t panels = (units + l->units - 1) / l->units;
    for (size_t i = 0, first = 0; i < panels; i++) {
        const size_t wide = (units / panels + (i < units % panels)) * l->lanes;
        pack_panel(to, w, first, w->n - first < wide ? w->n - first : wide, wide);
        to += wide * w->k;
        first += wide;
    }
}

static inline float limit(float v, float low, float high)
{
    return v < low ? low : v > high ? high : v;
}

/* Eight outputs of one row. */
static void unit(float *y, const float *x, const krn_f32_rows *a, const krn_f32_packed *w, size_t c)
{
    const size_t n = w->n - c < KRN_F32_REF_LANES ? w->n - c : KRN_F32_REF_LANES;
    const float *p = w->w + c * w->k;
    float acc[KRN_F32_REF_LANES] = {0};
    if (w->bias) memcpy(acc, w->bias + c, sizeof(acc));
    for (size_t r = 0; r < a->runs; r++)
        for (size_t i = 0; i < a->run; i++, p += KRN_F32_REF_LANES)
            for (size_t u = 0; u < KRN_F32_REF_LANES; u++)
                acc[u] += x[r * a->run_step + i] * p[u];
    for (size_t u = 0; u < n; u++)
        y[c + u] = limit(acc[u], w->low, w->high);
}

KRN_DECL_F32_PRODUCT(krn_f32_product_ref)
{
    for (size_t i = 0; i < m; i++) {
        const float *x = a->x + i / a->line * a->line_step + i % a->line * a->step;
        float *to = y + i / a->line * a->out_step + i % a->line * ld;
        for (size_t c = 0; c < w->n; c += KRN_F32_REF_LANES)
            unit(to, x, a, w, c);
    }
}
