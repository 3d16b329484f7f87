/* math_reduce_ref.c - reductions over any axes in plain C. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/krn_math.h"

#include <math.h>

static void add_group(krn_groups *g, size_t dim, bool reduced)
{
    if (g->n > 0 && g->reduced[g->n - 1] == reduced) {
        g->dim[g->n - 1] *= dim;
        return;
    }
    g->dim[g->n] = dim;
    g->reduced[g->n++] = reduced;
}

void krn_groups_of(krn_groups *g, const size_t *dim, int rank, uint32_t axes)
{
    *g = (krn_groups){.kept = 1, .count = 1};
    for (int i = 0; i < rank; i++) {
        const bool reduced = axes >> i & 1;
        *(reduced ? &g->count : &g->kept) *= dim[i];
        if (dim[i] != 1) add_group(g, dim[i], reduced);
    }
    if (g->n == 0) add_group(g, 1, false);
}

/* The place in the result where line `k` of x belongs; lines run along the last group. */
static size_t place_of(const krn_groups *g, size_t k)
{
    size_t at = 0, step = g->reduced[g->n - 1] ? 1 : g->dim[g->n - 1];
    for (int i = g->n - 2; i >= 0; i--) {
        const size_t index = k % g->dim[i];
        k /= g->dim[i];
        if (g->reduced[i]) continue;
        at += index * step;
        step *= g->dim[i];
    }
    return at;
}

static size_t lines_of(const krn_groups *g)
{
    size_t n = g->dim[g->n - 1] ? 1 : 0;
    for (int i = 0; i < g->n - 1; i++)
        n *= g->dim[i];
    return n;
}

#define LANES 8 /* sums at once, so that compilers make vectors of them */

/* acc[i * step] takes in x[i], i < n; most: what is taken off x first, at the same place. */
typedef void (*fold_f32)(double *acc, const float *x, size_t n, size_t step, const float *most);

static void fold_lines(double *acc, const float *x, const krn_groups *g, fold_f32 fold,
                       const float *most)
{
    const size_t n = g->dim[g->n - 1], lines = lines_of(g);
    const size_t step = g->reduced[g->n - 1] ? 0 : 1;
    for (size_t k = 0; k < lines; k++) {
        const size_t at = place_of(g, k);
        fold(acc + at, x + k * n, n, step, most ? most + at : NULL);
    }
}

#define FOLD(name, start, term, join)                                                              \
    static void name(double *acc, const float *x, size_t n, size_t step, const float *most)        \
    {                                                                                              \
        double lane[LANES];                                                                        \
        size_t i = 0;                                                                              \
        (void)most;                                                                                \
        if (step) {                                                                                \
            for (; i < n; i++) {                                                                   \
                const float v = x[i], m = most ? most[i] : 0;                                      \
                const double a = acc[i], b = (term);                                               \
                (void)m;                                                                           \
                acc[i] = (join);                                                                   \
            }                                                                                      \
            return;                                                                                \
        }                                                                                          \
        for (size_t k = 0; k < LANES; k++)                                                         \
            lane[k] = (start);                                                                     \
        const float m = most ? *most : 0;                                                          \
        (void)m;                                                                                   \
        for (; i + LANES <= n; i += LANES)                                                         \
            for (size_t k = 0; k < LANES; k++) {                                                   \
                const float v = x[i + k];                                                          \
                const double a = lane[k], b = (term);                                              \
                lane[k] = (join);                                                                  \
            }                                                                                      \
        for (; i < n; i++) {                                                                       \
            const float v = x[i];                                                                  \
            const double a = *acc, b = (term);                                                     \
            *acc = (join);                                                                         \
        }                                                                                          \
        for (size_t k = 0; k < LANES; k++) {                                                       \
            const double a = *acc, b = lane[k];                                                    \
            *acc = (join);                                                                         \
        }                                                                                          \
    }

/* NaN stays, whichever side it is on. */
FOLD(fold_sum, 0, (double)v, a + b)
FOLD(fold_size, 0, (double)fabsf(v), a + b)
FOLD(fold_square, 0, (double)v *(double)v, a + b)
FOLD(fold_product, 1, (double)v, a *b)
FOLD(fold_max, -(double)INFINITY, (double)v, a > b || a != a ? a : b)
FOLD(fold_min, (double)INFINITY, (double)v, a < b || a != a ? a : b)
FOLD(fold_exp, 0, (double)expf(v - m), a + b)

static const struct {
    fold_f32 fold;
    double start;
} real[KRN_REDUCES] = {
    [KRN_REDUCE_SUM] = {fold_sum, 0},
    [KRN_REDUCE_MEAN] = {fold_sum, 0},
    [KRN_REDUCE_MAX] = {fold_max, -(double)INFINITY},
    [KRN_REDUCE_MIN] = {fold_min, (double)INFINITY},
    [KRN_REDUCE_PROD] = {fold_product, 1},
    [KRN_REDUCE_L1] = {fold_size, 0},
    [KRN_REDUCE_L2] = {fold_square, 0},
    [KRN_REDUCE_SUM_SQUARE] = {fold_square, 0},
    [KRN_REDUCE_LOG_SUM] = {fold_sum, 0},
    [KRN_REDUCE_LOG_SUM_EXP] = {fold_exp, 0},
};

static float finished(double acc, krn_reduce op, size_t count)
{
    switch (op) {
    case KRN_REDUCE_MEAN:
        return (float)(acc / (double)count);
    case KRN_REDUCE_L2:
        return (float)sqrt(acc);
    case KRN_REDUCE_LOG_SUM:
    case KRN_REDUCE_LOG_SUM_EXP:
        return (float)log(acc);
    default:
        return (float)acc;
    }
}

static void fill(double *acc, double v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        acc[i] = v;
}

/* y: what is taken off each x before it is raised: the greatest of them, 0 where that is infinite
 */
static void find_most(float *y, const float *x, const krn_groups *g, double *acc)
{
    fill(acc, -(double)INFINITY, g->kept);
    fold_lines(acc, x, g, fold_max, NULL);
    for (size_t i = 0; i < g->kept; i++)
        y[i] = isinf(acc[i]) ? 0 : (float)acc[i];
}

void krn_reduce_f32_ref(float *y, const float *x, const krn_groups *g, krn_reduce op, double *acc)
{
    const bool shifted = op == KRN_REDUCE_LOG_SUM_EXP;
    if (shifted) find_most(y, x, g, acc);
    fill(acc, real[op].start, g->kept);
    fold_lines(acc, x, g, real[op].fold, shifted ? y : NULL);
    for (size_t i = 0; i < g->kept; i++)
        y[i] = shifted ? (float)((double)y[i] + log(acc[i])) : finished(acc[i], op, g->count);
}

static inline int64_t fold_int(int64_t acc, int64_t x, krn_reduce op)
{
    const uint64_t a = (uint64_t)acc, v = (uint64_t)x;
    switch (op) {
    case KRN_REDUCE_MAX:
        return acc > x ? acc : x;
    case KRN_REDUCE_MIN:
        return acc < x ? acc : x;
    case KRN_REDUCE_PROD:
        return (int64_t)(a * v);
    case KRN_REDUCE_L1:
        return (int64_t)(a + (x < 0 ? 0 - v : v));
    case KRN_REDUCE_L2:
    case KRN_REDUCE_SUM_SQUARE:
        return (int64_t)(a + v * v);
    default:
        return (int64_t)(a + v);
    }
}

#define CHUNK 256

/* Elements from..from+n as I64. U64 is compared in its order: its top bit is turned over. */
static void widen(int64_t *to, const void *x, krn_type t, size_t from, size_t n, uint64_t turned)
{
    static const uint8_t bytes[KRN_TYPES] = {
        [KRN_I8] = 1,  [KRN_U8] = 1,  [KRN_BOOL] = 1, [KRN_I16] = 2, [KRN_U16] = 2,
        [KRN_I32] = 4, [KRN_U32] = 4, [KRN_I64] = 8,  [KRN_U64] = 8,
    };
    krn_cast_ref(to, KRN_I64, (const uint8_t *)x + from * bytes[t], t, n);
    for (size_t i = 0; i < n; i++)
        to[i] = (int64_t)((uint64_t)to[i] ^ turned);
}

static void fold_int_lines(int64_t *acc, const void *x, krn_type t, const krn_groups *g,
                           krn_reduce op, uint64_t turned)
{
    const size_t n = g->dim[g->n - 1], lines = lines_of(g);
    const size_t step = g->reduced[g->n - 1] ? 0 : 1;
    int64_t v[CHUNK];
    for (size_t k = 0; k < lines; k++) {
        int64_t *to = acc + place_of(g, k);
        for (size_t i = 0; i < n; i += CHUNK) {
            const size_t some = n - i < CHUNK ? n - i : CHUNK;
            widen(v, x, t, k * n + i, some, turned);
            for (size_t j = 0; j < some; j++)
                to[(i + j) * step] = fold_int(to[(i + j) * step], v[j], op);
        }
    }
}

static const struct {
    int64_t least, most;
} ranges[KRN_TYPES] = {
    [KRN_I8] = {INT8_MIN, INT8_MAX},
    [KRN_U8] = {0, UINT8_MAX},
    [KRN_I16] = {INT16_MIN, INT16_MAX},
    [KRN_U16] = {0, UINT16_MAX},
    [KRN_I32] = {INT32_MIN, INT32_MAX},
    [KRN_U32] = {0, UINT32_MAX},
    [KRN_I64] = {INT64_MIN, INT64_MAX},
    [KRN_U64] = {INT64_MIN, INT64_MAX}, /* turned */
    [KRN_BOOL] = {0, 1},
};

static int64_t start_int(krn_reduce op, krn_type t)
{
    switch (op) {
    case KRN_REDUCE_MAX:
        return ranges[t].least;
    case KRN_REDUCE_MIN:
        return ranges[t].most;
    default:
        return op == KRN_REDUCE_PROD;
    }
}

static int64_t finished_int(int64_t acc, krn_reduce op, krn_type t, size_t count)
{
    if (op == KRN_REDUCE_L2) return (int64_t)sqrt((double)(uint64_t)acc);
    if (op != KRN_REDUCE_MEAN) return acc;
    if (count == 0) return 0;
    return t == KRN_U64 ? (int64_t)((uint64_t)acc / count) : acc / (int64_t)count;
}

void krn_reduce_int_ref(void *y, const void *x, krn_type t, const krn_groups *g, krn_reduce op,
                        int64_t *acc)
{
    const bool order = op == KRN_REDUCE_MAX || op == KRN_REDUCE_MIN;
    const uint64_t turned = order && t == KRN_U64 ? (uint64_t)1 << 63 : 0;
    for (size_t i = 0; i < g->kept; i++)
        acc[i] = start_int(op, t);
    fold_int_lines(acc, x, t, g, op, turned);
    for (size_t i = 0; i < g->kept; i++)
        acc[i] = (int64_t)((uint64_t)finished_int(acc[i], op, t, g->count) ^ turned);
    krn_cast_ref(y, t, acc, KRN_I64, g->kept);
}
