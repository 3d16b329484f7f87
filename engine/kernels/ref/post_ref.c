/* post_ref.c - the last transforms of scores in plain C. Layer: kernels. Thread rule: pure
 * functions. */
#include "engine/kernels/krn_post.h"

#include <float.h>
#include <math.h>

float krn_logistic(float v)
{
    const float p = 1.0f / (1.0f + expf(-fabsf(v)));
    return v < 0 ? 1.0f - p : p;
}

/* sqrt(2) * erfinv(2 v - 1); S. Winitzki, "A handy approximation for the error function and its
 * inverse", 2008, with a = 0.147. */
static float probit(float v)
{
    const float a = 0.147f, pi = 3.14159f;
    const float x = 2 * v - 1;
    const float log_term = logf((1 - x) * (1 + x));
    const float half = 2 / (pi * a) + 0.5f * log_term;
    const float root = sqrtf(-half + sqrtf(half * half - 1 / a * log_term));
    return 1.41421356f * (x < 0 ? -root : root);
}

static void softmax_f32(float *s, size_t n, bool keep_zeros)
{
    float most = -FLT_MAX, sum = 0;
    for (size_t i = 0; i < n; i++)
        most = s[i] > most ? s[i] : most;
    const float of_zero = expf(-most);
    for (size_t i = 0; i < n; i++) {
        if (keep_zeros && fabsf(s[i]) <= 1e-7f) {
            s[i] *= of_zero;
            continue;
        }
        sum += s[i] = expf(s[i] - most);
    }
    for (size_t i = 0; i < n; i++)
        s[i] /= sum;
}

static void softmax_f64(double *s, size_t n, bool keep_zeros)
{
    double most = -DBL_MAX, sum = 0;
    for (size_t i = 0; i < n; i++)
        most = s[i] > most ? s[i] : most;
    const double of_zero = exp(-most);
    for (size_t i = 0; i < n; i++) {
        if (keep_zeros && fabs(s[i]) <= 1e-7) {
            s[i] *= of_zero;
            continue;
        }
        sum += s[i] = exp(s[i] - most);
    }
    for (size_t i = 0; i < n; i++)
        s[i] /= sum;
}

/* One score; the second place as krn_second says. */
static void alone_f32(float *s, krn_post post, krn_second second)
{
    const float v = post == KRN_POST_PROBIT ? probit(s[0]) : s[0];
    s[0] = v;
    if (second == KRN_SECOND_NONE) return;
    s[0] = second == KRN_SECOND_COMPLEMENT ? 1.0f - v : -v;
    s[1] = v;
    if (post != KRN_POST_LOGISTIC) return;
    s[0] = krn_logistic(-v);
    s[1] = krn_logistic(v);
}

static void alone_f64(double *s, krn_post post, krn_second second)
{
    const double v = post == KRN_POST_PROBIT ? (double)probit((float)s[0]) : s[0];
    s[0] = v;
    if (second == KRN_SECOND_NONE) return;
    s[0] = second == KRN_SECOND_COMPLEMENT ? 1.0 - v : -v;
    s[1] = v;
    if (post != KRN_POST_LOGISTIC) return;
    s[0] = (double)krn_logistic((float)-v);
    s[1] = (double)krn_logistic((float)v);
}

void krn_post_f32_ref(float *s, size_t n, krn_post post, krn_second second)
{
    if (n == 1) {
        alone_f32(s, post, second);
        return;
    }
    if (post == KRN_POST_SOFTMAX || post == KRN_POST_SOFTMAX_ZERO)
        softmax_f32(s, n, post == KRN_POST_SOFTMAX_ZERO);
    for (size_t i = 0; i < n && post == KRN_POST_LOGISTIC; i++)
        s[i] = krn_logistic(s[i]);
    for (size_t i = 0; i < n && post == KRN_POST_PROBIT; i++)
        s[i] = probit(s[i]);
}

void krn_post_f64_ref(double *s, size_t n, krn_post post, krn_second second)
{
    if (n == 1) {
        alone_f64(s, post, second);
        return;
    }
    if (post == KRN_POST_SOFTMAX || post == KRN_POST_SOFTMAX_ZERO)
        softmax_f64(s, n, post == KRN_POST_SOFTMAX_ZERO);
    for (size_t i = 0; i < n && post == KRN_POST_LOGISTIC; i++)
        s[i] = (double)krn_logistic((float)s[i]);
    for (size_t i = 0; i < n && post == KRN_POST_PROBIT; i++)
        s[i] = (double)probit((float)s[i]);
}

size_t krn_f32_top_ref(const float *s, size_t n)
{
    size_t top = 0;
    for (size_t i = 1; i < n; i++)
        if (s[i] > s[top]) top = i;
    return top;
}
