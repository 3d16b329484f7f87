/* math_axis_ref.c - operators that walk along one axis, in plain C: places of the greatest, running
 * sums, log-softmax, hardmax. Layer: kernels. Thread rule: pure functions. */
#include "engine/kernels/krn_math.h"

#include <math.h>

/* x at `from`, in steps of a->inner */
#define ARG(T)                                                                                     \
    static size_t arg_##T(const void *x, size_t from, const krn_arg *a)                            \
    {                                                                                              \
        const T *v = (const T *)x + from;                                                          \
        size_t best = 0;                                                                           \
        for (size_t i = 1; i < a->n; i++) {                                                        \
            const T p = v[i * a->inner], q = v[best * a->inner];                                   \
            if ((a->least ? p < q : p > q) || (a->last && p == q)) best = i;                       \
        }                                                                                          \
        return best;                                                                               \
    }

ARG(float)
ARG(int8_t)
ARG(uint8_t)
ARG(int16_t)
ARG(uint16_t)
ARG(int32_t)
ARG(uint32_t)
ARG(int64_t)
ARG(uint64_t)

void krn_arg_ref(int64_t *y, const void *x, krn_type t, const krn_arg *a)
{
    static size_t (*const args[KRN_TYPES])(const void *x, size_t from, const krn_arg *a) = {
        [KRN_F32] = arg_float,    [KRN_I8] = arg_int8_t,    [KRN_U8] = arg_uint8_t,
        [KRN_I16] = arg_int16_t,  [KRN_U16] = arg_uint16_t, [KRN_I32] = arg_int32_t,
        [KRN_U32] = arg_uint32_t, [KRN_I64] = arg_int64_t,  [KRN_U64] = arg_uint64_t,
        [KRN_BOOL] = arg_uint8_t,
    };
    if (!args[t]) return;
    for (size_t o = 0; o < a->outer; o++)
        for (size_t i = 0; i < a->inner; i++)
            *y++ = (int64_t)args[t](x, o * a->n * a->inner + i, a);
}

/* One line in steps of `step`, from its first element or from its last. */
#define SCAN(T)                                                                                    \
    static void scan_##T(void *to, const void *from, size_t at, const krn_scan *s)                 \
    {                                                                                              \
        const T *x = (const T *)from + at;                                                         \
        T *y = (T *)to + at, sum = s->product ? 1 : 0;                                             \
        for (size_t k = 0; k < s->n; k++) {                                                        \
            const size_t i = (s->reverse ? s->n - 1 - k : k) * s->inner;                           \
            const T next = (T)(s->product ? sum * x[i] : sum + x[i]);                              \
            y[i] = s->exclusive ? sum : next;                                                      \
            sum = next;                                                                            \
        }                                                                                          \
    }

SCAN(float)
SCAN(uint32_t)
SCAN(uint64_t)

void krn_scan_ref(void *y, const void *x, krn_type t, const krn_scan *s)
{
    static void (*const scans[KRN_TYPES])(void *y, const void *x, size_t at, const krn_scan *s) = {
        [KRN_F32] = scan_float,    [KRN_I32] = scan_uint32_t, [KRN_U32] = scan_uint32_t,
        [KRN_I64] = scan_uint64_t, [KRN_U64] = scan_uint64_t,
    };
    if (!scans[t]) return;
    for (size_t o = 0; o < s->outer; o++)
        for (size_t i = 0; i < s->inner; i++)
            scans[t](y, x, o * s->n * s->inner + i, s);
}

static size_t greatest(const float *x, size_t n, size_t step)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i * step] > x[best * step]) best = i;
    return best;
}

static void log_softmax_line(float *y, const float *x, size_t n, size_t step)
{
    const float most = x[greatest(x, n, step) * step];
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)expf(x[i * step] - most);
    const float ln = (float)log(sum);
    for (size_t i = 0; i < n; i++)
        y[i * step] = x[i * step] - most - ln;
}

void krn_f32_log_softmax_ref(float *y, const float *x, size_t outer, size_t n, size_t inner)
{
    for (size_t o = 0; n && o < outer; o++)
        for (size_t i = 0; i < inner; i++)
            log_softmax_line(y + o * n * inner + i, x + o * n * inner + i, n, inner);
}

static void hardmax_line(float *y, const float *x, size_t n, size_t step)
{
    const size_t best = greatest(x, n, step);
    for (size_t i = 0; i < n; i++)
        y[i * step] = i == best ? 1.0f : 0.0f;
}

void krn_f32_hardmax_ref(float *y, const float *x, size_t outer, size_t n, size_t inner)
{
    for (size_t o = 0; n && o < outer; o++)
        for (size_t i = 0; i < inner; i++)
            hardmax_line(y + o * n * inner + i, x + o * n * inner + i, n, inner);
}
