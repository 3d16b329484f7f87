/* ml_ops_ref.c - linear models and the preparation of features in plain C. Layer: kernels. Thread
 * rule: pure functions. */
#include "engine/kernels/krn_ml.h"

#include <math.h>
#include <string.h>

static float dot(const float *x, const float *w, size_t n)
{
    float part[4] = {0}, sum;
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++)
            part[k] += x[i + k] * w[i + k];
    sum = part[0] + part[1] + (part[2] + part[3]);
    for (; i < n; i++)
        sum += x[i] * w[i];
    return sum;
}

static void scores_of(float *z, const float *x, const krn_linear *p)
{
    for (size_t t = 0; t < p->n_targets; t++)
        z[t] = dot(x, p->coefficients + t * p->n_features, p->n_features) +
               (p->intercepts ? p->intercepts[t] : 0);
}

void krn_linear_regress_ref(float *y, const float *x, size_t rows, const krn_linear *p)
{
    for (size_t r = 0; r < rows; r++, y += p->n_targets, x += p->n_features) {
        scores_of(y, x, p);
        krn_post_f32_ref(y, p->n_targets, p->post, KRN_SECOND_NONE);
    }
}

size_t krn_linear_columns(const krn_linear *p)
{
    return p->n_targets == 1 && p->n_labels == 2 ? 2 : p->n_targets;
}

void krn_linear_classify_ref(float *z, int64_t *label, const float *x, size_t rows,
                             const krn_linear *p)
{
    const size_t cols = krn_linear_columns(p);
    const krn_second second = cols > p->n_targets ? KRN_SECOND_COMPLEMENT : KRN_SECOND_NONE;
    for (size_t r = 0; r < rows; r++, z += cols, x += p->n_features) {
        scores_of(z, x, p);
        label[r] = p->n_targets == 1 ? z[0] > 0 : (int64_t)krn_f32_top_ref(z, p->n_targets);
        krn_post_f32_ref(z, p->n_targets, p->post, second);
    }
}

void krn_scale_ref(float *y, const float *x, size_t rows, size_t cols, const float *offset,
                   const float *scale, size_t n)
{
    for (size_t r = 0; r < rows; r++, y += cols, x += cols)
        for (size_t c = 0; c < cols; c++)
            y[c] = (x[c] - offset[n == 1 ? 0 : c]) * scale[n == 1 ? 0 : c];
}

static float divisor(const float *x, size_t cols, krn_norm norm)
{
    float max = -INFINITY, sum = 0;
    for (size_t c = 0; c < cols; c++) {
        max = x[c] > max ? x[c] : max;
        sum += norm == KRN_NORM_L2 ? x[c] * x[c] : fabsf(x[c]);
    }
    return norm == KRN_NORM_MAX ? max : norm == KRN_NORM_L1 ? sum : sqrtf(sum);
}

void krn_normalize_ref(float *y, const float *x, size_t rows, size_t cols, krn_norm norm)
{
    for (size_t r = 0; r < rows; r++, y += cols, x += cols) {
        const float by = divisor(x, cols, norm);
        for (size_t c = 0; c < cols; c++)
            y[c] = by != 0 ? x[c] / by : x[c];
    }
}

void krn_impute_f32_ref(float *y, const float *x, size_t rows, size_t cols, const float *values,
                        size_t n, float replaced)
{
    const bool nan = isnan(replaced);
    for (size_t r = 0; r < rows; r++, y += cols, x += cols)
        for (size_t c = 0; c < cols; c++)
            y[c] = (nan ? isnan(x[c]) : x[c] == replaced) ? values[n == 1 ? 0 : c] : x[c];
}

void krn_impute_s64_ref(int64_t *y, const int64_t *x, size_t rows, size_t cols,
                        const int64_t *values, size_t n, int64_t replaced)
{
    for (size_t r = 0; r < rows; r++, y += cols, x += cols)
        for (size_t c = 0; c < cols; c++)
            y[c] = x[c] == replaced ? values[n == 1 ? 0 : c] : x[c];
}

void krn_binarize_ref(float *y, const float *x, size_t n, float threshold)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] > threshold;
}

bool krn_pick_columns_ref(void *y, const void *x, size_t size, size_t rows, size_t cols,
                          const int64_t *at, size_t n)
{
    uint8_t *to = y;
    const uint8_t *from = x;
    for (size_t i = 0; i < n; i++)
        if (at[i] < 0 || (uint64_t)at[i] >= cols) return false;
    for (size_t r = 0; r < rows; r++, from += cols * size)
        for (size_t i = 0; i < n; i++, to += size)
            memcpy(to, from + (size_t)at[i] * size, size);
    return true;
}

void krn_join_columns_ref(float *y, size_t y_cols, size_t at, size_t width, const float *x,
                          size_t x_cols, size_t rows)
{
    const size_t n = x_cols < width ? x_cols : width;
    for (size_t r = 0; r < rows; r++, x += x_cols) {
        float *to = y + r * y_cols + at;
        for (size_t c = 0; c < width; c++)
            to[c] = c < n ? x[c] : 0;
    }
}

void krn_ml_one_hot_ref(float *y, const size_t *at, size_t n, size_t categories)
{
    memset(y, 0, n * categories * sizeof(*y));
    for (size_t i = 0; i < n; i++)
        if (at[i] < categories) y[i * categories + at[i]] = 1;
}

void krn_map_ref(void *y, const size_t *at, size_t n, const void *values, size_t n_values,
                 const void *other, size_t size)
{
    uint8_t *to = y;
    for (size_t i = 0; i < n; i++, to += size)
        memcpy(to, at[i] < n_values ? (const uint8_t *)values + at[i] * size : other, size);
}
