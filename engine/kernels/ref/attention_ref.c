/* attention_ref.c - one head of attention in plain C. Layer: kernels. Thread rule: pure functions.
 */
#include "engine/kernels/krn_attention.h"

#include <math.h>
#include <string.h>

static float dot(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* What the masks add to the product of row i and column j. */
static float bias_of(const krn_attention *p, size_t i, size_t j)
{
    const bool has = p->bias || p->mask;
    if (j >= p->valid || (p->causal && (ptrdiff_t)j > (ptrdiff_t)i + p->offset)) return -INFINITY;
    if (has && j >= p->bias_len) return -INFINITY;
    if (p->bias) return p->bias[i * p->bias_step + j];
    return p->mask && !p->mask[i * p->bias_step + j] ? -INFINITY : 0;
}

/* e^(scores - the largest) over their sum. */
static void softmax(float *scores, size_t n, bool nothing)
{
    float most = -INFINITY, sum = 0;
    for (size_t j = 0; j < n; j++)
        most = scores[j] > most ? scores[j] : most;
    for (size_t j = 0; j < n; j++)
        sum += scores[j] = nothing ? 0 : expf(scores[j] - most);
    for (size_t j = 0; j < n && !nothing; j++)
        scores[j] /= sum;
}

static void keep(float *products, const float *scores, const krn_attention *p, int mode)
{
    if (products && p->mode == mode) memcpy(products, scores, p->kv_len * sizeof(*scores));
}

/* Keys and values of a head, and room for one row of products. */
typedef struct memory {
    const float *k, *v;
    float *scores;
} memory;

static void one_row(float *y, float *products, const float *q, const memory *m,
                    const krn_attention *p, size_t i)
{
    const float *k = m->k, *v = m->v;
    float *scores = m->scores;
    bool nothing = true;
    for (size_t j = 0; j < p->kv_len; j++)
        scores[j] = dot(q, k + j * p->d, p->d) * p->scale;
    keep(products, scores, p, 0);
    for (size_t j = 0; j < p->kv_len && p->softcap > 0; j++)
        scores[j] = p->softcap * tanhf(scores[j] / p->softcap);
    keep(products, scores, p, 1);
    for (size_t j = 0; j < p->kv_len; j++) {
        const float bias = bias_of(p, i, j);
        nothing = nothing && bias == -INFINITY;
        scores[j] = bias == -INFINITY ? bias : scores[j] + bias;
    }
    keep(products, scores, p, 2);
    softmax(scores, p->kv_len, nothing);
    keep(products, scores, p, 3);
    memset(y, 0, p->dv * sizeof(*y));
    for (size_t j = 0; j < p->kv_len; j++)
        for (size_t c = 0; c < p->dv && scores[j] != 0; c++)
            y[c] += scores[j] * v[j * p->dv + c];
}

void krn_f32_attention_ref(float *y, float *products, const float *q, const float *k,
                           const float *v, float *scores, const krn_attention *p)
{
    const memory m = {k, v, scores};
    for (size_t i = 0; i < p->q_len; i++)
        one_row(y + i * p->step_y, products ? products + i * p->kv_len : NULL, q + i * p->step_q,
                &m, p, i);
}
