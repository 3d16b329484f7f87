/* test_krn_f32_lines.c - every version of the float operators that work along lines: exact where
 * plain C is, else within units in the last place of the function in double. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_f32_table.h"

#include <float.h>
#include <math.h>
#include <string.h>

static check_guard floats(size_t n, uint64_t *seed, float low, float high)
{
    check_guard g = check_guard_make(n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        ((float *)g.data)[i] = test_uniform(seed, low, high);
    return g;
}

/* Distance in units in the last place of want; below the normal numbers anything is near. */
static double ulps(float got, double want)
{
    const double size = fabs(want);
    if (isnan(got) || isnan(want)) return isnan(got) && isnan(want) ? 0 : INFINITY;
    if (size > (double)FLT_MAX) return isinf(got) && (got > 0) == (want > 0) ? 0 : INFINITY;
    if (size < (double)FLT_MIN) return fabs((double)got) <= (double)FLT_MIN ? 0 : INFINITY;
    return fabs((double)got - want) / ldexp(1, ilogb(size) - 23);
}

typedef void (*each_tier_fn)(const krn_f32 *k, uint64_t seed);

static void on_each_tier(each_tier_fn fn)
{
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_f32 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_f32_init(&k, check_tiers[t].bits);
        for (uint64_t seed = 1; seed <= 80; seed++)
            fn(&k, seed);
    }
}

static void binary_tier(const krn_f32 *k, uint64_t seed)
{
    const size_t n = seed, step_a = seed % 3 != 0, step_b = seed % 5 != 0 ? 1 : seed % 2 * 2;
    check_guard a = floats(n, &seed, -2, 2), b = floats(2 * n, &seed, 0.5f, 2);
    check_guard want = floats(n, &seed, 0, 0), got = floats(n, &seed, 0, 0);
    const krn_f32_operands o = {a.data, b.data, step_a, step_b, -1, 1, 0, 0};
    for (int op = 0; op < KRN_F32_OPS; op++) {
        krn_f32_binary_ref(want.data, &o, 1, n, (krn_f32_op)op);
        k->binary(got.data, &o, 1, n, (krn_f32_op)op);
        assert_memory_equal(want.data, got.data, n * sizeof(float));
    }
    ((float *)a.data)[0] = NAN;
    krn_f32_clamp_ref(want.data, a.data, n, -1, 1);
    k->clamp(got.data, a.data, n, -1, 1);
    assert_true(isnan(((float *)got.data)[0]));
    assert_memory_equal((float *)want.data + 1, (float *)got.data + 1, (n - 1) * sizeof(float));
    check_guard *const all[] = {&a, &b, &want, &got};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        check_guard_free(all[i]);
}

/* Lines that both sides go on with, or repeat whole, or repeat one element of. */
static void binary_lines_tier(const krn_f32 *k, uint64_t seed)
{
    const size_t lines = 1 + seed % 4, n = seed, all = lines * n;
    const size_t step_a = seed % 3 != 0, next_a = seed % 5 ? (step_a ? n : 1) : 0;
    const size_t step_b = seed % 7 != 0, next_b = seed % 2 ? (step_b ? n : 1) : 0;
    check_guard a = floats(all, &seed, -2, 2), b = floats(all, &seed, 0.5f, 2);
    check_guard want = floats(all, &seed, 0, 0), got = floats(all, &seed, 0, 0);
    const krn_f32_operands o = {a.data, b.data, step_a, step_b, -1, 1, next_a, next_b};
    for (int op = 0; op < KRN_F32_OPS; op++) {
        krn_f32_binary_ref(want.data, &o, lines, n, (krn_f32_op)op);
        k->binary(got.data, &o, lines, n, (krn_f32_op)op);
        assert_memory_equal(want.data, got.data, all * sizeof(float));
    }
    check_guard *const guards[] = {&a, &b, &want, &got};
    for (size_t i = 0; i < NF_COUNT(guards); i++)
        check_guard_free(guards[i]);
}

/* One short line for many, which fill a vector together. */
static void binary_period_tier(const krn_f32 *k, uint64_t seed)
{
    const size_t n = (size_t)1 << seed % 5, lines = 1 + seed % 9, all = lines * n;
    check_guard a = floats(all, &seed, -2, 2), b = floats(n, &seed, 0.5f, 2);
    check_guard want = floats(all, &seed, 0, 0), got = floats(all, &seed, 0, 0);
    const krn_f32_operands o = {a.data, b.data, 1, 1, -1, 1, n, 0};
    for (int op = 0; op < KRN_F32_OPS; op++) {
        krn_f32_binary_ref(want.data, &o, lines, n, (krn_f32_op)op);
        k->binary(got.data, &o, lines, n, (krn_f32_op)op);
        assert_memory_equal(want.data, got.data, all * sizeof(float));
    }
    check_guard *const guards[] = {&a, &b, &want, &got};
    for (size_t i = 0; i < NF_COUNT(guards); i++)
        check_guard_free(guards[i]);
}

static void operators_are_exact(void **state)
{
    (void)state;
    on_each_tier(binary_period_tier);
    on_each_tier(binary_tier);
    on_each_tier(binary_lines_tier);
}

static double exact_curve(double x, int curve)
{
    return curve == KRN_F32_EXP ? exp(x) : curve == KRN_F32_TANH ? tanh(x) : 1 / (1 + exp(-x));
}

static void curve_tier(const krn_f32 *k, uint64_t seed)
{
    static const float odd[] = {NAN,   INFINITY, -INFINITY, 0.0f,   -0.0f,  1e-30f, -1e-30f,
                                88.7f, -87.3f,   -104.0f,   0.625f, 0.624f, 200.0f, -200.0f};
    const size_t n = 40 + seed;
    const float size = seed % 4 == 0 ? 90 : seed % 4 == 1 ? 1e-3f : 4;
    check_guard x = floats(n, &seed, -size, size), y = floats(n, &seed, 0, 0);
    memcpy(x.data, odd, sizeof(odd));
    for (int curve = KRN_F32_EXP; curve <= KRN_F32_SIGMOID; curve++) {
        k->curve(y.data, x.data, n, (krn_f32_curve)curve);
        for (size_t i = 0; i < n; i++) {
            const float v = ((const float *)x.data)[i], got = ((const float *)y.data)[i];
            if (ulps(got, exact_curve((double)v, curve)) > 4)
                fail_msg("krn_f32_curve_%s: curve %d of %.9g is %.9g, %g off", k->isa, curve,
                         (double)v, (double)got, ulps(got, exact_curve((double)v, curve)));
        }
    }
    check_guard_free(&x);
    check_guard_free(&y);
}

static void curves_are_near(void **state)
{
    (void)state;
    on_each_tier(curve_tier);
}

static void softmax_tier(const krn_f32 *k, uint64_t seed)
{
    const size_t n = seed, inner = seed % 7 == 0 ? 3 : 1, outer = 2;
    check_guard x = floats(outer * n * inner, &seed, -20, 20);
    check_guard y = floats(outer * n * inner, &seed, 0, 0);
    k->softmax(y.data, x.data, outer, n, inner, 0.5f);
    for (size_t o = 0; o < outer; o++)
        for (size_t i = 0; i < inner; i++) {
            const float *from = (const float *)x.data + o * n * inner + i;
            const float *to = (const float *)y.data + o * n * inner + i;
            double sum = 0;
            for (size_t j = 0; j < n; j++)
                sum += exp(0.5 * (double)from[j * inner]);
            for (size_t j = 0; j < n; j++)
                assert_true(ulps(to[j * inner], exp(0.5 * (double)from[j * inner]) / sum) <=
                            32); /* of the argument, up to 20, half a unit is 16 of the result */
        }
    check_guard_free(&x);
    check_guard_free(&y);
}

static void softmax_is_near(void **state)
{
    (void)state;
    on_each_tier(softmax_tier);
}

/* Row v of n; mean and inverse deviation come from the kernel. */
static void check_row(const float *y, const float *v, float mean, float inverse,
                      const krn_layer_norm *p)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < p->n && !p->rms; i++)
        sum += (double)v[i];
    const double middle = sum / (double)p->n;
    for (size_t i = 0; i < p->n; i++)
        squares += ((double)v[i] - middle) * ((double)v[i] - middle);
    const double factor = 1 / sqrt(squares / (double)p->n + (double)p->epsilon);
    assert_true(fabs((double)mean - middle) <= 8e-5);
    assert_true(fabs((double)inverse - factor) <= 1e-4 * factor);
    for (size_t i = 0; i < p->n; i++) {
        const double g = p->scale ? (double)p->scale[i * p->step_scale] : 1;
        const double b = p->bias ? (double)p->bias[i * p->step_bias] : 0;
        /* the mean of values near 100 is known to about 1e-5 */
        const double want = ((double)v[i] - middle) * factor * g + b;
        assert_true(fabs((double)y[i] - want) <= 2e-5 * factor * 4 + 1e-5);
    }
}

static void norm_tier(const krn_f32 *k, uint64_t seed)
{
    const size_t n = seed, rows = 3;
    const bool bare = seed % 4 == 0;
    check_guard x = floats(rows * n, &seed, 99, 101), y = floats(rows * n, &seed, 0, 0);
    check_guard scale = floats(n, &seed, -2, 2), bias = floats(n, &seed, -1, 1);
    const krn_layer_norm p = {.n = n,
                              .scale = bare ? NULL : scale.data,
                              .bias = bare ? NULL : bias.data,
                              .step_scale = n % 5 != 0,
                              .step_bias = n % 7 != 0,
                              .epsilon = 1e-3f,
                              .rms = n % 3 == 0};
    float mean[3], inverse[3];
    k->layer_norm(y.data, mean, inverse, x.data, rows, &p);
    for (size_t r = 0; r < rows; r++)
        check_row((const float *)y.data + r * n, (const float *)x.data + r * n, mean[r], inverse[r],
                  &p);
    k->layer_norm(y.data, NULL, NULL, x.data, rows, &p);
    check_guard *const all[] = {&x, &y, &scale, &bias};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        check_guard_free(all[i]);
}

static void layer_norm_is_near(void **state)
{
    (void)state;
    on_each_tier(norm_tier);
}

/* Groups of `each` channels, all of which one row of a layer norm would hold. */
static void group_norm_tier(const krn_f32 *k, uint64_t seed)
{
    const size_t groups = 1 + seed % 3, each = 1 + seed % 4, size = 1 + seed / each;
    const size_t n = each * size;
    const bool per_group = seed % 5 == 0;
    check_guard x = floats(groups * n, &seed, 99, 101), y = floats(groups * n, &seed, 0, 0);
    check_guard scale = floats(groups * each, &seed, -2, 2);
    check_guard bias = floats(groups * each, &seed, -1, 1);
    const krn_group_norm p = {groups * each, size, groups, scale.data, bias.data, 1e-3f, per_group};
    k->group_norm(y.data, x.data, &p);
    for (size_t g = 0; g < groups; g++) {
        const float *from = (const float *)x.data + g * n, *to = (const float *)y.data + g * n;
        double sum = 0, squares = 0;
        for (size_t i = 0; i < n; i++)
            sum += (double)from[i] / (double)n;
        for (size_t i = 0; i < n; i++)
            squares += ((double)from[i] - sum) * ((double)from[i] - sum);
        const double factor = 1 / sqrt(squares / (double)n + (double)p.epsilon);
        for (size_t i = 0; i < n; i++) {
            const size_t at = per_group ? g : g * each + i / size;
            const double want =
                ((double)from[i] - sum) * factor * (double)p.scale[at] + (double)p.bias[at];
            assert_true(fabs((double)to[i] - want) <= 2e-5 * factor * 4 + 1e-5);
        }
    }
    check_guard *const all[] = {&x, &y, &scale, &bias};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        check_guard_free(all[i]);
}

static void group_norm_is_near(void **state)
{
    (void)state;
    on_each_tier(group_norm_tier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_are_exact), cmocka_unit_test(curves_are_near),
        cmocka_unit_test(softmax_is_near),     cmocka_unit_test(layer_norm_is_near),
        cmocka_unit_test(group_norm_is_near),
    };
    check_name_missing();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
