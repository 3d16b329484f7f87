/* svm_ref.c - support vector machines in plain C. Layer: kernels. Thread rule: pure functions.
 * Loops over vectors are innermost: each sum keeps the order of the features, and a compiler works
 * on several vectors at a time. */
#include "engine/kernels/krn_svm.h"

#include <math.h>
#include <string.h>

static float power(float v, float degree)
{
    if (degree == 2) return v * v;
    if (degree == 3) return v * v * v;
    return powf(v, degree);
}

static void distances(float *restrict k, const float *restrict x, const krn_svm *s)
{
    const size_t n = s->n_vectors;
    for (size_t f = 0; f < s->n_features; f++)
        for (size_t v = 0; v < n; v++) {
            const float d = x[f] - s->vectors[f * n + v];
            k[v] += d * d;
        }
}

static void products(float *restrict k, const float *restrict x, const krn_svm *s)
{
    const size_t n = s->n_vectors;
    for (size_t f = 0; f < s->n_features; f++)
        for (size_t v = 0; v < n; v++)
            k[v] += x[f] * s->vectors[f * n + v];
}

/* k[v] = the kernel of x and vector v. */
static void kernels_of(float *k, const float *x, const krn_svm *s)
{
    const size_t n = s->n_vectors;
    memset(k, 0, n * sizeof(*k));
    if (s->kernel == KRN_SVM_RBF)
        distances(k, x, s);
    else
        products(k, x, s);
    for (size_t v = 0; v < n && s->kernel == KRN_SVM_RBF; v++)
        k[v] = expf(-s->gamma * k[v]);
    for (size_t v = 0; v < n && s->kernel == KRN_SVM_POLY; v++)
        k[v] = power(s->gamma * k[v] + s->coef0, s->degree);
    for (size_t v = 0; v < n && s->kernel == KRN_SVM_SIGMOID; v++)
        k[v] = tanhf(s->gamma * k[v] + s->coef0);
}

/* Products are floats, their sum is double: in four parts, none of which waits for another. */
static double weighted(const float *c, const float *k, size_t from, size_t to)
{
    double part[4] = {0};
    size_t v = from;
    for (; v + 4 <= to; v += 4)
        for (size_t i = 0; i < 4; i++)
            part[i] += (double)(c[v + i] * k[v + i]);
    for (; v < to; v++)
        part[0] += (double)(c[v] * k[v]);
    return part[0] + part[1] + (part[2] + part[3]);
}

/* One decision a pair of classes i < j: the vectors of i with row j - 1 of the coefficients, those
 * of j with row i. votes: [n_classes]. */
static void decide(float *pair, float *votes, const float *k, const krn_svm *s)
{
    const float *c = s->coefficients;
    const size_t n = s->n_vectors;
    size_t at = 0;
    memset(votes, 0, s->n_classes * sizeof(*votes));
    for (size_t i = 0; i < s->n_classes; i++)
        for (size_t j = i + 1; j < s->n_classes; j++, at++) {
            const double sum = weighted(c + (j - 1) * n, k, s->first[i], s->first[i + 1]) +
                               weighted(c + i * n, k, s->first[j], s->first[j + 1]) +
                               (double)s->rho[at];
            pair[at] = (float)sum;
            votes[sum > 0 ? i : j]++;
        }
}

void krn_couple_ref(float *p, const float *r, size_t n, float *q)
{
    float *qp = q + n * n;
    const float enough = 0.005f / (float)n;
    for (size_t i = 0; i < n; i++) {
        p[i] = 1.0f / (float)n;
        q[i * n + i] = 0;
        for (size_t j = 0; j < n; j++) {
            if (j == i) continue;
            q[i * n + i] += r[j * n + i] * r[j * n + i];
            q[i * n + j] = -r[j * n + i] * r[i * n + j];
        }
    }
    for (int round = 0; round < 100; round++) {
        float pqp = 0, worst = 0;
        for (size_t i = 0; i < n; i++) {
            qp[i] = 0;
            for (size_t j = 0; j < n; j++)
                qp[i] += q[i * n + j] * p[j];
            pqp += p[i] * qp[i];
        }
        for (size_t i = 0; i < n; i++)
            worst = fmaxf(worst, fabsf(qp[i] - pqp));
        if (worst < enough) return;
        for (size_t i = 0; i < n; i++) {
            const float d = (pqp - qp[i]) / q[i * n + i], whole = 1 + d;
            p[i] += d;
            pqp = (pqp + d * (d * q[i * n + i] + 2 * qp[i])) / whole / whole;
            for (size_t j = 0; j < n; j++) {
                qp[j] = (qp[j] + d * q[i * n + j]) / whole;
                p[j] /= whole;
            }
        }
    }
}

/* Platt's probability of each pair, kept off 0 and 1, then all classes. */
static void probabilities(float *z, const float *pair, const krn_svm *s, float *scratch)
{
    const size_t n = s->n_classes;
    float *r = scratch;
    size_t at = 0;
    memset(r, 0, n * n * sizeof(*r));
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++, at++) {
            const float p = 1 - krn_logistic(pair[at] * s->prob_a[at] + s->prob_b[at]);
            r[i * n + j] = fminf(fmaxf(p, 1e-7f), 1 - 1e-7f);
            r[j * n + i] = 1 - r[i * n + j];
        }
    krn_couple_ref(z, r, n, r + n * n);
}

/* liblinear: a row of coefficients a class. */
static int64_t classify_linear(float *z, const float *x, const krn_svm *s)
{
    for (size_t c = 0; c < s->n_classes; c++) {
        z[c] = s->rho[0];
        for (size_t f = 0; f < s->n_features; f++)
            z[c] += x[f] * s->coefficients[c * s->n_features + f];
    }
    const size_t best = krn_f32_top_ref(z, s->n_classes);
    const bool positive = s->all_positive ? z[best] >= 0.5f : z[best] > 0;
    const bool second = s->n_classes == 2 && positive;
    krn_post_f32_ref(z, s->n_classes, s->post, KRN_SECOND_NONE);
    return second ? 1 : (int64_t)best;
}

static int64_t classify_one(float *z, const float *x, const krn_svm *s, float *scratch)
{
    const size_t n = s->n_classes, n_pairs = n * (n - 1) / 2;
    float *pair = scratch + s->n_vectors, *votes = pair + n_pairs;
    kernels_of(scratch, x, s);
    decide(pair, votes, scratch, s);
    const int64_t best = (int64_t)krn_f32_top_ref(votes, n);
    if (s->prob_a) {
        probabilities(z, pair, s, votes + n);
        krn_post_f32_ref(z, n, s->post, KRN_SECOND_NONE);
        return best;
    }
    memcpy(z, pair, n_pairs * sizeof(*z));
    const krn_second second = n > 2                      ? KRN_SECOND_NONE
                              : s->post == KRN_POST_NONE ? KRN_SECOND_NEGATIVE
                                                         : KRN_SECOND_COMPLEMENT;
    krn_post_f32_ref(z, n_pairs, s->post, second);
    return best;
}

void krn_svm_classify_ref(float *z, int64_t *label, const float *x, size_t rows, const krn_svm *s,
                          float *scratch)
{
    const size_t cols = krn_svm_columns(s);
    for (size_t r = 0; r < rows; r++, z += cols, x += s->n_features)
        label[r] = s->n_vectors ? classify_one(z, x, s, scratch) : classify_linear(z, x, s);
}

void krn_svm_regress_ref(float *y, const float *x, size_t rows, const krn_svm *s, float *scratch)
{
    for (size_t r = 0; r < rows; r++, x += s->n_features) {
        const float *values = x;
        size_t n = s->n_features;
        if (s->n_vectors) {
            kernels_of(scratch, x, s);
            values = scratch;
            n = s->n_vectors;
        }
        y[r] = (float)(weighted(s->coefficients, values, 0, n) + (double)s->rho[0]);
        if (s->one_class) y[r] = y[r] > 0 ? 1 : -1;
    }
}
