/* norm_ref.c - normalization in plain C. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/krn_norm.h"

#include <math.h>
#include <string.h>

/* Mean, and 1 / sqrt(variance + epsilon), in two walks: nothing is lost to a large mean. */
static void moments(float *mean, float *inverse, const float *x, size_t n, float epsilon, bool rms)
{
    float sum = 0, square = 0;
    for (size_t i = 0; !rms && i < n; i++)
        sum += x[i];
    *mean = sum / (float)n;
    for (size_t i = 0; i < n; i++)
        square += (x[i] - *mean) * (x[i] - *mean);
    *inverse = 1 / sqrtf(square / (float)n + epsilon);
}

KRN_DECL_F32_LAYER_NORM(krn_f32_layer_norm_ref)
{
    for (size_t r = 0; r < rows; r++, x += p->n, y += p->n) {
        float m, k;
        moments(&m, &k, x, p->n, p->epsilon, p->rms);
        for (size_t i = 0; i < p->n; i++) {
            const float scale = p->scale ? p->scale[i * p->step_scale] : 1;
            const float bias = p->bias ? p->bias[i * p->step_bias] : 0;
            y[i] = (x[i] - m) * k * scale + bias;
        }
        if (mean) mean[r] = m;
        if (inverse) inverse[r] = k;
    }
}

KRN_DECL_F32_GROUP_NORM(krn_f32_group_norm_ref)
{
    const size_t each = p->channels / p->groups;
    for (size_t g = 0; g < p->groups; g++) {
        float mean, inverse;
        moments(&mean, &inverse, x, each * p->size, p->epsilon, false);
        for (size_t c = 0; c < each; c++, x += p->size, y += p->size) {
            const size_t at = p->per_group ? g : g * each + c;
            for (size_t i = 0; i < p->size; i++)
                y[i] = (x[i] - mean) * inverse * p->scale[at] + p->bias[at];
        }
    }
}

void krn_f32_batch_norm_ref(float *y, const float *x, size_t channels, size_t size,
                            const float *const param[4], float epsilon)
{
    for (size_t c = 0; c < channels; c++, x += size, y += size) {
        const float k = param[0][c] / sqrtf(param[3][c] + epsilon);
        for (size_t i = 0; i < size; i++)
            y[i] = (x[i] - param[2][c]) * k + param[1][c];
    }
}

void krn_f32_lrn_ref(float *y, const float *x, size_t outer, size_t n, size_t inner,
                     const krn_lrn *p)
{
    for (size_t o = 0; o < outer; o++, x += n * inner, y += n * inner)
        for (size_t c = 0; c < n; c++) {
            const size_t first = c > p->before ? c - p->before : 0;
            const size_t end = n - c > p->after ? c + p->after + 1 : n;
            for (size_t i = 0; i < inner; i++) {
                float sum = 0;
                for (size_t k = first; k < end; k++)
                    sum += x[k * inner + i] * x[k * inner + i];
                y[c * inner + i] = x[c * inner + i] / powf(p->bias + p->alpha * sum, p->beta);
            }
        }
}

void krn_f32_lp_norm_ref(float *y, const float *x, size_t outer, size_t n, size_t inner, int32_t p,
                         float epsilon)
{
    for (size_t o = 0; o < outer; o++, x += n * inner, y += n * inner)
        for (size_t i = 0; i < inner; i++) {
            float sum = 0;
            for (size_t k = 0; k < n; k++)
                sum += p == 1 ? fabsf(x[k * inner + i]) : x[k * inner + i] * x[k * inner + i];
            const float norm = p == 1 ? sum : sqrtf(sum), by = norm > epsilon ? norm : epsilon;
            for (size_t k = 0; k < n; k++)
                y[k * inner + i] = by > 0 ? x[k * inner + i] / by : 0;
        }
}

/* Place of element `at` among the sums: its coordinates along the axes that stay. */
static size_t kept(size_t at, int rank, const size_t *dim, uint32_t axes)
{
    size_t place = 0, step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        if (!(axes >> i & 1)) {
            place += at % dim[i] * step;
            step *= dim[i];
        }
        at /= dim[i];
    }
    return place;
}

void krn_f32_mvn_ref(float *y, const float *x, int rank, const size_t *dim, uint32_t axes,
                     float epsilon, double *sums)
{
    size_t all = 1, places = 1;
    for (int i = 0; i < rank; i++) {
        all *= dim[i];
        places *= axes >> i & 1 ? 1 : dim[i];
    }
    double *squares = sums + places;
    memset(sums, 0, 2 * places * sizeof(*sums));
    const double n = places ? (double)all / (double)places : 1;
    for (size_t i = 0; i < all; i++)
        sums[kept(i, rank, dim, axes)] += (double)x[i] / n;
    for (size_t i = 0; i < all; i++) {
        const size_t at = kept(i, rank, dim, axes);
        squares[at] += ((double)x[i] - sums[at]) * ((double)x[i] - sums[at]) / n;
    }
    for (size_t i = 0; i < all; i++) {
        const size_t at = kept(i, rank, dim, axes);
        y[i] = (float)(((double)x[i] - sums[at]) / (sqrt(squares[at]) + (double)epsilon));
    }
}
