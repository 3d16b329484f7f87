/* f32_lines.h - work along lines of floats: elementwise operators, softmax, normalization; for any
 * vector: included once by a file of each instruction set. Layer: kernels.
 * Thread rule: pure functions. */
#ifndef F32_LINES_H
#define F32_LINES_H

#include "engine/kernels/krn_f32.h"
#include "engine/kernels/krn_norm.h"
#include "engine/kernels/simd/f32_math.h"

#include <math.h>

/* One vector of an operand: a run of it, or one element again and again. */
INLINE vf operand(const float *p, size_t step, size_t i, size_t left)
{
    if (step == 0) return vf_set(*p);
    return left >= VF_LANES ? vf_load(p + i) : vf_load_part(p + i, vf_first(left));
}

INLINE void put(float *y, vf v, size_t left)
{
    if (left >= VF_LANES)
        vf_store(y, v);
    else
        vf_store_part(y, v, vf_first(left));
}

INLINE vf two(vf a, vf b, const krn_f32_op op)
{
    return op == KRN_F32_ADD     ? vf_add(a, b)
           : op == KRN_F32_SUB   ? vf_sub(a, b)
           : op == KRN_F32_MUL   ? vf_mul(a, b)
           : op == KRN_F32_DIV   ? vf_div(a, b)
           : op == KRN_F32_PRELU ? vf_pick(vf_less(a, vf_set(0)), vf_mul(a, b), a)
                                 : vf_mul(vf_sub(a, b), vf_sub(a, b));
}

/* A short line of b is the same for all of them: several lines fill a vector, and are one. */
INLINE bool is_period(const krn_f32_operands *o, size_t lines, size_t n)
{
    return lines > 1 && n < VF_LANES && VF_LANES % n == 0 && o->step_a == 1 && o->next_a == n &&
           o->step_b == 1 && o->next_b == 0;
}

INLINE void binary_period(float *y, const krn_f32_operands *o, size_t all, size_t n,
                          const krn_f32_op op)
{
    const vf low = vf_set(o->low), high = vf_set(o->high);
    float period[VF_LANES];
    for (size_t i = 0; i < VF_LANES; i++)
        period[i] = o->b[i % n];
    const vf b = vf_load(period);
    for (size_t i = 0; i < all; i += VF_LANES)
        put(y + i, vf_min(high, vf_max(low, two(operand(o->a, 1, i, all - i), b, op))), all - i);
}

INLINE void binary(float *y, const krn_f32_operands *o, size_t lines, size_t n, const krn_f32_op op)
{
    if (is_period(o, lines, n)) {
        binary_period(y, o, lines * n, n, op);
        return;
    }
    const vf low = vf_set(o->low), high = vf_set(o->high);
    const float *pa = o->a, *pb = o->b;
    const size_t step_a = o->step_a, step_b = o->step_b, next_a = o->next_a, next_b = o->next_b;
    for (size_t r = 0; r < lines; r++, y += n, pa += next_a, pb += next_b)
        for (size_t i = 0; i < n; i += VF_LANES) {
            const vf a = operand(pa, step_a, i, n - i), b = operand(pb, step_b, i, n - i);
            put(y + i, vf_min(high, vf_max(low, two(a, b, op))), n - i);
        }
}

KRN_DECL_F32_BINARY(VF_NAME(krn_f32_binary))
{
    if (o->step_a > 1 || o->step_b > 1)
        krn_f32_binary_ref(y, o, lines, n, op);
    else if (op == KRN_F32_ADD)
        binary(y, o, lines, n, KRN_F32_ADD);
    else if (op == KRN_F32_SUB)
        binary(y, o, lines, n, KRN_F32_SUB);
    else if (op == KRN_F32_MUL)
        binary(y, o, lines, n, KRN_F32_MUL);
    else if (op == KRN_F32_DIV)
        binary(y, o, lines, n, KRN_F32_DIV);
    else if (op == KRN_F32_PRELU)
        binary(y, o, lines, n, KRN_F32_PRELU);
    else
        binary(y, o, lines, n, KRN_F32_SQUARED_DIFFERENCE);
}

KRN_DECL_F32_CLAMP(VF_NAME(krn_f32_clamp))
{
    const vf l = vf_set(low), h = vf_set(high);
    for (size_t i = 0; i < n; i += VF_LANES)
        put(y + i, vf_min(h, vf_max(l, operand(x, 1, i, n - i))), n - i);
}

INLINE void unary(float *y, const float *x, size_t n, const krn_f32_curve curve)
{
    for (size_t i = 0; i < n; i += VF_LANES) {
        const vf v = operand(x, 1, i, n - i);
        put(y + i,
            curve == KRN_F32_EXP    ? vf_exp(v)
            : curve == KRN_F32_TANH ? vf_tanh(v)
                                    : vf_sigmoid(v),
            n - i);
    }
}

KRN_DECL_F32_CURVE(VF_NAME(krn_f32_curve))
{
    if (curve == KRN_F32_EXP)
        unary(y, x, n, KRN_F32_EXP);
    else if (curve == KRN_F32_TANH)
        unary(y, x, n, KRN_F32_TANH);
    else
        unary(y, x, n, KRN_F32_SIGMOID);
}

/* The lanes past the end become `rest`. */
INLINE vf filled(const float *x, size_t left, float rest)
{
    if (left >= VF_LANES) return vf_load(x);
    return vf_pick(vf_first(left), vf_load_part(x, vf_first(left)), vf_set(rest));
}

static void softmax_line(float *y, const float *x, size_t n, float beta)
{
    vf most = vf_set(-INFINITY), sum = vf_set(0);
    for (size_t i = 0; i < n; i += VF_LANES)
        most = vf_max(filled(x + i, n - i, -INFINITY), most);
    const vf top = vf_set(vf_most(most)), scale = vf_set(beta);
    for (size_t i = 0; i < n; i += VF_LANES) {
        const vf v = filled(x + i, n - i, -INFINITY);
        const vf e = vf_exp(vf_mul(vf_sub(v, top), scale));
        put(y + i, e, n - i);
        sum = vf_add(sum, n - i >= VF_LANES ? e : vf_pick(vf_first(n - i), e, vf_set(0)));
    }
    const vf part = vf_set(1 / vf_sum(sum)); /* one division a line: they take long */
    for (size_t i = 0; i < n; i += VF_LANES)
        put(y + i, vf_mul(operand(y, 1, i, n - i), part), n - i);
}

KRN_DECL_F32_SOFTMAX(VF_NAME(krn_f32_softmax))
{
    if (inner != 1) {
        krn_f32_softmax_ref(y, x, outer, n, inner, beta);
        return;
    }
    for (size_t o = 0; o < outer; o++)
        softmax_line(y + o * n, x + o * n, n, beta);
}

/* The sum of x - middle or of its squares; in several sums, so that none waits for the last. */
INLINE float sum_about(const float *x, size_t n, float middle, const bool squares)
{
    const vf m = vf_set(middle);
    vf sum[4] = {vf_set(0), vf_set(0), vf_set(0), vf_set(0)};
    size_t i = 0;
    for (; i + 4 * VF_LANES <= n; i += 4 * VF_LANES) {
        UNROLL
        for (size_t u = 0; u < 4; u++) {
            const vf d = vf_sub(vf_load(x + i + u * VF_LANES), m);
            sum[u] = squares ? vf_fma(d, d, sum[u]) : vf_add(sum[u], d);
        }
    }
    for (; i < n; i += VF_LANES) {
        const vf d = vf_sub(filled(x + i, n - i, middle), m);
        sum[0] = squares ? vf_fma(d, d, sum[0]) : vf_add(sum[0], d);
    }
    return vf_sum(vf_add(vf_add(sum[0], sum[1]), vf_add(sum[2], sum[3])));
}

/* Mean, and 1 / sqrt(variance + epsilon), in two walks: nothing is lost to a large mean. */
INLINE void moments(float *mean, float *inverse, const float *x, size_t n, float epsilon, bool rms)
{
    *mean = rms ? 0 : sum_about(x, n, 0, false) / (float)n;
    *inverse = 1 / sqrtf(sum_about(x, n, *mean, true) / (float)n + epsilon);
}

KRN_DECL_F32_LAYER_NORM(VF_NAME(krn_f32_layer_norm))
{
    for (size_t r = 0; r < rows; r++, x += p->n, y += p->n) {
        float m, k;
        moments(&m, &k, x, p->n, p->epsilon, p->rms);
        for (size_t i = 0; i < p->n; i += VF_LANES) {
            const size_t left = p->n - i;
            const vf d = vf_mul(vf_sub(operand(x, 1, i, left), vf_set(m)), vf_set(k));
            const vf scale = p->scale ? operand(p->scale, p->step_scale, i, left) : vf_set(1);
            const vf bias = p->bias ? operand(p->bias, p->step_bias, i, left) : vf_set(0);
            put(y + i, vf_add(vf_mul(d, scale), bias), left);
        }
        if (mean) mean[r] = m;
        if (inverse) inverse[r] = k;
    }
}

KRN_DECL_F32_GROUP_NORM(VF_NAME(krn_f32_group_norm))
{
    const size_t each = p->channels / p->groups, size = p->size;
    for (size_t g = 0; g < p->groups; g++) {
        float mean, inverse;
        moments(&mean, &inverse, x, each * size, p->epsilon, false);
        for (size_t c = 0; c < each; c++, x += size, y += size) {
            const size_t at = p->per_group ? g : g * each + c;
            const vf m = vf_set(mean), k = vf_set(inverse * p->scale[at]), b = vf_set(p->bias[at]);
            for (size_t i = 0; i < size; i += VF_LANES)
                put(y + i, vf_fma(vf_sub(operand(x, 1, i, size - i), m), k, b), size - i);
        }
    }
}

#endif /* F32_LINES_H */
