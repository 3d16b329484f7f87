/* test_krn_math.c - elementwise kernels against libm in double, within their stated error, on every
 * instruction set; whole numbers against 128-bit arithmetic; reductions against plain sums.
 * Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_math.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static double rsqrt(double x)
{
    return 1 / sqrt(x);
}

static double gelu(double x)
{
    return 0.5 * x * erfc(-x * sqrt(0.5));
}

static double gelu_tanh(double x)
{
    return x * logistic(2 * sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x));
}

static double silu(double x)
{
    return x * logistic(x);
}

static double mish(double x)
{
    return x * tanh(log1p(exp(x)));
}

static double elu(double x)
{
    return x < 0 ? expm1(x) : x;
}

/* What each quick kernel may be off: units in the last place, or a part of |x|. */
static const struct {
    krn_unary op;
    double (*real)(double x);
    double ulp, part;
} bounds[] = {
    {KRN_EXP, exp, 1, 0},        {KRN_TANH, tanh, 2.5, 0},    {KRN_LOGISTIC, logistic, 2.5, 0},
    {KRN_ERF, erf, 2.5, 0},      {KRN_ELU, elu, 2, 0},        {KRN_CELU, elu, 2, 0},
    {KRN_SQRT, sqrt, 0.5, 0},    {KRN_RSQRT, rsqrt, 1.5, 0},  {KRN_GELU, gelu, 0, 1.5e-7},
    {KRN_SILU, silu, 0, 1.5e-7}, {KRN_MISH, mish, 0, 1.5e-7}, {KRN_GELU_TANH, gelu_tanh, 0, 1.5e-7},
};

static double allowed(size_t row, double x, double want)
{
    int exponent;
    frexp(want, &exponent);
    const double ulp = ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
    return bounds[row].ulp * ulp + bounds[row].part * fabs(x) + 1e-45;
}

/* Every 4001st float, so every exponent and both signs, and the ends of the range. */
static size_t all_kinds(float *x)
{
    size_t n = 0;
    for (uint64_t bits = 0; bits < (uint64_t)1 << 32; bits += 4001 * 512) {
        const uint32_t u = (uint32_t)bits;
        memcpy(&x[n], &u, sizeof(u));
        if (isfinite(x[n])) n++;
    }
    for (int i = -2000; i < 2000; i++)
        x[n++] = (float)i * 0.0101f;
    return n;
}

static void check_bound(size_t row, const check_tier *tier, const float *x, size_t n)
{
    static const float p[2] = {1, 0};
    check_guard y = check_guard_make(n * sizeof(float));
    const krn_unary_fn fn = krn_unary_find(bounds[row].op, KRN_F32, tier->bits);
    fn(y.data, x, n, p);
    for (size_t i = 0; i < n; i++) {
        const double want = bounds[row].real((double)x[i]), got = (double)((float *)y.data)[i];
        if (isnan(want) && isnan(got)) continue;
        if (fabs(want) > 3.4028235e38 && isinf(got)) continue;
        if (!(fabs(got - want) <= allowed(row, (double)x[i], want)))
            fail_msg("op %d of %s: f(%a) = %a, expected %a", (int)bounds[row].op, tier->name,
                     (double)x[i], got, want);
    }
    check_guard_free(&y);
}

static void quick_kernels_keep_their_bounds(void **state)
{
    static float x[8192];
    const size_t n = all_kinds(x);
    (void)state;
    check_name_missing();
    assert_true(n > 5000 && n <= NF_COUNT(x));
    for (size_t row = 0; row < NF_COUNT(bounds); row++)
        for (size_t t = 0; t < check_n_tiers; t++)
            if (check_can_run(&check_tiers[t])) check_bound(row, &check_tiers[t], x, n);
}

/* A slope takes nothing but one product: every tier gives the bits of plain C. */
static void slopes_are_exact(void **state)
{
    static float x[8192], want[8192];
    const size_t n = all_kinds(x);
    const float p[2] = {0.3f, 0};
    (void)state;
    krn_unary_ref(KRN_LEAKY_RELU, KRN_F32)(want, x, n, p);
    for (size_t t = 0; t < check_n_tiers; t++) {
        if (!check_can_run(&check_tiers[t])) continue;
        check_guard y = check_guard_make(n * sizeof(float));
        krn_unary_find(KRN_LEAKY_RELU, KRN_F32, check_tiers[t].bits)(y.data, x, n, p);
        assert_memory_equal(y.data, want, n * sizeof(float));
        check_guard_free(&y);
    }
}

/* No NaN becomes a number, no end of the range traps. */
static void ends_of_the_range(void **state)
{
    static const float p[2] = {1, 0}, x[3] = {INFINITY, -INFINITY, NAN};
    static const struct {
        krn_unary op;
        float up, down;
    } rows[] = {
        {KRN_EXP, INFINITY, 0}, {KRN_TANH, 1, -1},       {KRN_LOGISTIC, 1, 0},
        {KRN_ERF, 1, -1},       {KRN_ELU, INFINITY, -1}, {KRN_SQRT, INFINITY, NAN},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(rows); i++)
        for (size_t t = 0; t < check_n_tiers; t++) {
            float y[3];
            if (!check_can_run(&check_tiers[t])) continue;
            krn_unary_find(rows[i].op, KRN_F32, check_tiers[t].bits)(y, x, 3, p);
            assert_true(y[0] == rows[i].up);
            assert_true(y[1] == rows[i].down || (isnan(y[1]) && isnan(rows[i].down)));
            assert_true(isnan(y[2]));
        }
}

typedef __int128 wide;

static wide wide_of(krn_binary op, wide a, wide b)
{
    const wide q = b ? a / b : 0, m = b ? a % b : 0;
    const bool apart = m && (m < 0) != (b < 0);
    switch (op) {
    case KRN_ADD:
        return a + b;
    case KRN_SUB:
        return a - b;
    case KRN_MUL:
        return (wide)((unsigned __int128)a * (unsigned __int128)b);
    case KRN_DIV:
        return q;
    case KRN_FLOOR_DIV:
        return q - apart;
    case KRN_MOD:
        return m;
    case KRN_FLOOR_MOD:
        return apart ? m + b : m;
    case KRN_MINIMUM:
        return a < b ? a : b;
    case KRN_MAXIMUM:
        return a > b ? a : b;
    case KRN_BITWISE_XOR:
        return a ^ b;
    default:
        return a < b;
    }
}

/* Value i of those that are worth a test: small ones, both ends, noise. */
static wide pick(uint64_t *seed, wide least, wide most)
{
    const uint64_t r = test_random(seed);
    switch (r % 8) {
    case 0:
        return least;
    case 1:
        return most;
    case 2:
        return least ? -1 : 1;
    case 3:
        return 0;
    default:
        return least + (wide)(r >> 3) % (most - least + 1);
    }
}

#define CHECK_TYPE(T, type, least, most)                                                           \
    do {                                                                                           \
        for (int i = 0; i < 2000; i++) {                                                           \
            const krn_binary op = ops[i % NF_COUNT(ops)];                                          \
            const T a = (T)pick(&seed, least, most), b = (T)pick(&seed, least, most);              \
            T y = 0;                                                                               \
            uint8_t less = 0;                                                                      \
            krn_binary_ref(op, type)(op == KRN_LESS ? (void *)&less : &y, &a, 1, &b, 0, 1);        \
            assert_true((op == KRN_LESS ? (T)less : y) == (T)wide_of(op, a, b));                   \
        }                                                                                          \
    } while (0)

static void whole_numbers_wrap_and_never_trap(void **state)
{
    static const krn_binary ops[] = {KRN_ADD,       KRN_SUB,         KRN_MUL,       KRN_DIV,
                                     KRN_FLOOR_DIV, KRN_MOD,         KRN_FLOOR_MOD, KRN_MINIMUM,
                                     KRN_MAXIMUM,   KRN_BITWISE_XOR, KRN_LESS};
    uint64_t seed = 31;
    (void)state;
    CHECK_TYPE(int8_t, KRN_I8, INT8_MIN, INT8_MAX);
    CHECK_TYPE(uint8_t, KRN_U8, 0, UINT8_MAX);
    CHECK_TYPE(int16_t, KRN_I16, INT16_MIN, INT16_MAX);
    CHECK_TYPE(uint16_t, KRN_U16, 0, UINT16_MAX);
    CHECK_TYPE(int32_t, KRN_I32, INT32_MIN, INT32_MAX);
    CHECK_TYPE(uint32_t, KRN_U32, 0, UINT32_MAX);
    CHECK_TYPE(int64_t, KRN_I64, INT64_MIN, INT64_MAX);
    CHECK_TYPE(uint64_t, KRN_U64, 0, UINT64_MAX);
}

static void powers_and_shifts(void **state)
{
    static const int64_t a[] = {2, -3, 7, 1, -1, 0, -8, -8}, b[] = {62, 3, 0, -5, -3, -1, 1, 70};
    static const int64_t power[] = {(int64_t)1 << 62, -27, 1, 1, -1, 0, -8, 0};
    static const int64_t right[] = {0, -1, 7, 1, -1, 0, -4, -1};
    int64_t y[8];
    (void)state;
    krn_binary_ref(KRN_POW, KRN_I64)(y, a, 1, b, 1, 8);
    assert_memory_equal(y, power, 7 * sizeof(*y));
    krn_binary_ref(KRN_SHIFT_RIGHT, KRN_I64)(y, a, 1, b, 1, 8);
    assert_memory_equal(y, right, sizeof(y));
    const uint8_t one = 1, by[] = {0, 7, 8, 200};
    uint8_t left[4];
    krn_binary_ref(KRN_SHIFT_LEFT, KRN_U8)(left, &one, 0, by, 1, 4);
    assert_memory_equal(left, ((uint8_t[]){1, 128, 0, 0}), 4);
}

/* The same reduction, element by element. */
static double plain_reduce(const float *x, const size_t dim[4], uint32_t axes, size_t at,
                           krn_reduce op)
{
    double acc = op == KRN_REDUCE_MAX ? -INFINITY : op == KRN_REDUCE_PROD ? 1 : 0;
    const size_t all = dim[0] * dim[1] * dim[2] * dim[3];
    for (size_t i = 0; i < all; i++) {
        size_t rest = i, place = 0, step = 1;
        for (int d = 3; d >= 0; d--) {
            if (!(axes >> d & 1)) place += rest % dim[d] * step;
            if (!(axes >> d & 1)) step *= dim[d];
            rest /= dim[d];
        }
        const double v = (double)x[i];
        if (place != at) continue;
        if (op == KRN_REDUCE_MAX) acc = v > acc ? v : acc;
        if (op == KRN_REDUCE_PROD) acc *= v;
        if (op == KRN_REDUCE_SUM) acc += v;
        if (op == KRN_REDUCE_L2) acc += v * v;
        if (op == KRN_REDUCE_LOG_SUM_EXP) acc += exp(v);
    }
    if (op == KRN_REDUCE_L2) return sqrt(acc);
    return op == KRN_REDUCE_LOG_SUM_EXP ? log(acc) : acc;
}

static void check_axes(const float *x, const size_t dim[4], uint32_t axes)
{
    static const krn_reduce ops[] = {KRN_REDUCE_SUM, KRN_REDUCE_MAX, KRN_REDUCE_PROD, KRN_REDUCE_L2,
                                     KRN_REDUCE_LOG_SUM_EXP};
    float y[512];
    double acc[512];
    krn_groups g;
    krn_groups_of(&g, dim, 4, axes);
    assert_true(g.kept <= NF_COUNT(y));
    for (size_t k = 0; k < NF_COUNT(ops); k++) {
        krn_reduce_f32_ref(y, x, &g, ops[k], acc);
        for (size_t i = 0; i < g.kept; i++) {
            const double want = plain_reduce(x, dim, axes, i, ops[k]);
            assert_true(fabs((double)y[i] - want) <= 1e-6 * (1 + fabs(want)));
        }
    }
}

static void reductions_over_any_axes(void **state)
{
    static const size_t dims[][4] = {{2, 3, 5, 4}, {1, 7, 1, 9}, {4, 1, 1, 33}, {3, 4, 2, 17}};
    float x[512];
    uint64_t seed = 41;
    (void)state;
    for (size_t d = 0; d < NF_COUNT(dims); d++)
        for (uint32_t axes = 0; axes < 16; axes++) {
            for (size_t i = 0; i < NF_COUNT(x); i++)
                x[i] = test_uniform(&seed, -1.5f, 1.5f);
            check_axes(x, dims[d], axes);
        }
}

static void reductions_of_nothing(void **state)
{
    static const size_t dim[2] = {2, 0};
    static const struct {
        krn_reduce op;
        float want;
    } rows[] = {
        {KRN_REDUCE_SUM, 0},
        {KRN_REDUCE_PROD, 1},
        {KRN_REDUCE_MAX, -INFINITY},
        {KRN_REDUCE_MIN, INFINITY},
        {KRN_REDUCE_L2, 0},
        {KRN_REDUCE_LOG_SUM, -INFINITY},
        {KRN_REDUCE_LOG_SUM_EXP, -INFINITY},
    };
    krn_groups g;
    (void)state;
    krn_groups_of(&g, dim, 2, 2);
    for (size_t i = 0; i < NF_COUNT(rows); i++) {
        float y[2], unused = 0;
        double acc[2];
        krn_reduce_f32_ref(y, &unused, &g, rows[i].op, acc);
        assert_true(y[0] == rows[i].want && y[1] == rows[i].want);
    }
}

static void whole_numbers_are_reduced_in_their_order(void **state)
{
    static const uint64_t x[] = {5, UINT64_MAX, 7, 3};
    static const int8_t small[] = {-100, -100, 3, 4};
    const size_t dim = 4;
    uint64_t y;
    int8_t z;
    int64_t acc;
    krn_groups g;
    (void)state;
    krn_groups_of(&g, &dim, 1, 1);
    krn_reduce_int_ref(&y, x, KRN_U64, &g, KRN_REDUCE_MAX, &acc);
    assert_true(y == UINT64_MAX);
    krn_reduce_int_ref(&y, x, KRN_U64, &g, KRN_REDUCE_MIN, &acc);
    assert_true(y == 3);
    krn_reduce_int_ref(&z, small, KRN_I8, &g, KRN_REDUCE_MEAN, &acc);
    assert_int_equal(z, -48); /* -193 / 4, not a sum that wrapped */
    krn_reduce_int_ref(&z, small, KRN_I8, &g, KRN_REDUCE_L1, &acc);
    assert_int_equal(z, (int8_t)207);
}

/* A number that is repeated on one side gives what a full row of it gives. */
static void repeated_sides(void **state)
{
    static const krn_binary ops[] = {KRN_POW, KRN_MAXIMUM, KRN_MINIMUM, KRN_FLOOR_MOD, KRN_ATAN2};
    float row[32], same[32], got[32], want[32];
    uint64_t seed = 51;
    (void)state;
    for (int t = 0; t < 50; t++) {
        const float one = t == 0 ? 2.0f : test_uniform(&seed, 0.5f, 3);
        const krn_binary_fn fn = krn_binary_ref(ops[t % (int)NF_COUNT(ops)], KRN_F32);
        for (int i = 0; i < 32; i++) {
            row[i] = test_uniform(&seed, 0.1f, 3);
            same[i] = one;
        }
        fn(want, row, 1, same, 1, 32);
        fn(got, row, 1, &one, 0, 32);
        for (int i = 0; i < 32; i++)
            assert_true(fabsf(got[i] - want[i]) <= 1e-6f * (1 + fabsf(want[i])));
        fn(want, same, 1, row, 1, 32);
        fn(got, &one, 0, row, 1, 32);
        assert_memory_equal(got, want, sizeof(got));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_kernels_keep_their_bounds),
        cmocka_unit_test(slopes_are_exact),
        cmocka_unit_test(ends_of_the_range),
        cmocka_unit_test(whole_numbers_wrap_and_never_trap),
        cmocka_unit_test(powers_and_shifts),
        cmocka_unit_test(reductions_over_any_axes),
        cmocka_unit_test(reductions_of_nothing),
        cmocka_unit_test(whole_numbers_are_reduced_in_their_order),
        cmocka_unit_test(repeated_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
