/* test_krn_ml.c - linear models, preparation of features and tables of keys: answers of onnxruntime
 * 1.32 and of the formulas. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_ml.h"

#include <math.h>
#include <string.h>

static void near(const float *got, const float *want, size_t n, float bound)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(got[i] - want[i]) <= bound))
            fail_msg("%zu: %.9g, not %.9g", i, (double)got[i], (double)want[i]);
}

static const float x[3][2] = {{0.3f, -0.6f}, {-1, 1.5f}, {2, 0.125f}};
static const float weights[] = {0.5f, -1, 1.5f, 0.25f, -0.75f, 2};
static const float intercepts[] = {0.1f, -0.2f, 0.3f};

static void linear_classifiers_are_onnxruntimes(void **state)
{
    static const struct {
        krn_post post;
        float want[9];
    } cases[] = {
        {KRN_POST_NONE, {0.85f, 0.1f, -1.125f, -1.9f, -1.325f, 4.05f, 0.975f, 2.83125f, -0.95f}},
        {KRN_POST_SOFTMAX,
         {0.620683193f, 0.293189973f, 0.0861268193f, 0.00258711772f, 0.00459764665f, 0.992815256f,
          0.132528126f, 0.848139286f, 0.0193326399f}},
        {KRN_POST_LOGISTIC,
         {0.700567126f, 0.524979174f, 0.245085001f, 0.130108446f, 0.209987611f, 0.982875943f,
          0.726114988f, 0.944341302f, 0.278884828f}}};
    static const int64_t labels[] = {0, 2, 1};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        const krn_linear p = {2, 3, weights, intercepts, 3, cases[i].post};
        float z[9], y[9];
        int64_t got[3];
        assert_int_equal(krn_linear_columns(&p), 3);
        krn_linear_classify_ref(z, got, x[0], 3, &p);
        krn_linear_regress_ref(y, x[0], 3, &p);
        near(z, cases[i].want, 9, 2e-6f);
        near(y, cases[i].want, 9, 2e-6f);
        assert_memory_equal(got, labels, sizeof(labels));
    }
}

static void one_target_answers_two_scores(void **state)
{
    static const float none[] = {0.15f, 0.85f, 2.9f, -1.9f, 0.025f, 0.975f};
    static const float logistic[] = {0.299432814f, 0.700567186f, 0.869891584f,
                                     0.130108416f, 0.273885012f, 0.726114988f};
    static const int64_t labels[] = {1, 0, 1};
    krn_linear p = {2, 1, weights, intercepts, 2, KRN_POST_NONE};
    float z[6];
    int64_t got[3];
    (void)state;
    assert_int_equal(krn_linear_columns(&p), 2);
    krn_linear_classify_ref(z, got, x[0], 3, &p);
    near(z, none, 6, 1e-6f);
    assert_memory_equal(got, labels, sizeof(labels));
    p.post = KRN_POST_LOGISTIC;
    krn_linear_classify_ref(z, got, x[0], 3, &p);
    near(z, logistic, 6, 1e-6f);
}

static void long_products_are_sums(void **state)
{
    uint64_t seed = 8;
    (void)state;
    for (size_t n = 1; n < 20; n++) {
        float a[20], w[20], y;
        double want = 0;
        for (size_t i = 0; i < n; i++) {
            a[i] = test_uniform(&seed, -1, 1);
            w[i] = test_uniform(&seed, -1, 1);
            want += (double)a[i] * (double)w[i];
        }
        krn_linear_regress_ref(&y, a, 1, &(krn_linear){n, 1, w, NULL, 0, KRN_POST_NONE});
        assert_true(fabs((double)y - want) < 1e-6);
    }
}

static void columns_are_prepared(void **state)
{
    const float a[2][3] = {{1, -2, 3}, {NAN, 0, -3}}, offset[] = {1, 2, 3}, scale[] = {2, 1, -1};
    static const float scaled[] = {0, -4, -0.0f}, by_one[] = {0, -6, 4},
                       binary[] = {1, 0, 1, 0, 0, 0};
    static const float imputed[] = {1, -2, 3, 7, 0, -3}, zeros[] = {1, -2, 3}, fill[] = {7, 8, 9};
    const int64_t ints[] = {4, -1, -1, 5}, ints_want[] = {4, 20, 10, 5}, ints_fill[] = {10, 20};
    float y[6];
    int64_t k[4];
    (void)state;
    krn_scale_ref(y, a[0], 1, 3, offset, scale, 3);
    assert_memory_equal(y, scaled, sizeof(scaled));
    krn_scale_ref(y, a[0], 1, 3, offset, scale, 1);
    assert_memory_equal(y, by_one, sizeof(by_one));
    krn_binarize_ref(y, a[0], 6, 0);
    assert_memory_equal(y, binary, sizeof(binary));
    krn_impute_f32_ref(y, a[0], 2, 3, fill, 1, NAN);
    assert_memory_equal(y, imputed, sizeof(imputed));
    krn_impute_f32_ref(y, a[1], 1, 3, fill, 3, 0);
    assert_true(isnan(y[0]) && y[1] == 8 && y[2] == -3);
    krn_impute_f32_ref(y, a[0], 1, 3, fill, 3, 0);
    assert_memory_equal(y, zeros, sizeof(zeros));
    krn_impute_s64_ref(k, ints, 2, 2, ints_fill, 2, -1);
    assert_memory_equal(k, ints_want, sizeof(k));
}

static void rows_are_normalized(void **state)
{
    static const float a[][3] = {{1, -2, 3}, {-1, -2, -3}, {0, 0, 0}, {-4, 0, 2}};
    static const float want[][12] = {
        {1.0f / 3, -2.0f / 3, 1, 1, 2, 3, 0, 0, 0, -2, 0, 1},
        {1.0f / 6, -2.0f / 6, 0.5f, -1.0f / 6, -2.0f / 6, -0.5f, 0, 0, 0, -2.0f / 3, 0, 1.0f / 3},
        {0.267261237f, -0.534522474f, 0.80178374f, -0.267261237f, -0.534522474f, -0.80178374f, 0, 0,
         0, -0.89442718f, 0, 0.44721359f}};
    (void)state;
    for (int norm = KRN_NORM_MAX; norm <= KRN_NORM_L2; norm++) {
        float y[12];
        krn_normalize_ref(y, a[0], 4, 3, (krn_norm)norm);
        near(y, want[norm], 12, 1e-7f);
    }
}

static void columns_are_picked_and_joined(void **state)
{
    const int16_t a[2][3] = {{1, 2, 3}, {4, 5, 6}}, picked[] = {3, 1, 6, 4};
    const int64_t at[] = {2, 0}, high[] = {3}, low[] = {-1};
    static const float joined[] = {1, -2, 0, 0.3f, -0.6f, -1, 1.5f, 0, 2, 0.125f};
    static const float left[] = {1, -2, 9, -1, 1.5f, 9};
    float y[10];
    int16_t b[4];
    (void)state;
    assert_true(krn_pick_columns_ref(b, a, sizeof(b[0]), 2, 3, at, 2));
    assert_memory_equal(b, picked, sizeof(b));
    assert_false(krn_pick_columns_ref(b, a, sizeof(b[0]), 2, 3, high, 1));
    assert_false(krn_pick_columns_ref(b, a, sizeof(b[0]), 2, 3, low, 1));
    krn_join_columns_ref(y, 5, 0, 3, left, 2, 1); /* widened by a zero */
    krn_join_columns_ref(y, 5, 3, 2, x[0], 2, 1);
    krn_join_columns_ref(y + 5, 5, 0, 2, left + 3, 3, 1); /* cut to two */
    krn_join_columns_ref(y + 5, 5, 2, 3, (const float[]){0, 2, 0.125f}, 3, 1);
    near(y, joined, 10, 0);
}

static void positions_become_values(void **state)
{
    const size_t at[] = {1, 3, 0};
    static const float one_hot[] = {0, 1, 0, 0, 0, 0, 1, 0, 0};
    const int64_t values[] = {10, 20, 30}, other = -1, want[] = {20, -1, 10};
    float y[9];
    int64_t v[3];
    (void)state;
    krn_ml_one_hot_ref(y, at, 3, 3);
    assert_memory_equal(y, one_hot, sizeof(y));
    krn_map_ref(v, at, 3, values, 3, &other, sizeof(v[0]));
    assert_memory_equal(v, want, sizeof(v));
}

#define KEYS 5000

static void every_text_is_found(void **state)
{
    nf_span *spans = nf_alloc_array(KEYS, sizeof(*spans), NF_MEM_MISC);
    char *text = nf_alloc(KEYS * 24, NF_MEM_MISC);
    uint64_t seed = 5;
    krn_keys k;
    nf_error err = {0};
    (void)state;
    for (size_t i = 0; i < KEYS; i++) { /* distinct in their first bytes, of all lengths to 23 */
        char *s = text + i * 24;
        memcpy(s, &(uint32_t){(uint32_t)i}, 4);
        for (size_t b = 4; b < 24; b++)
            s[b] = (char)test_random(&seed);
        spans[i] = (nf_span){s, i ? 4 + i % 20 : 0};
    }
    assert_ok(krn_keys_of_spans(&k, spans, KEYS, &err), &err);
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(krn_keys_find_span(&k, spans[i]), i);
    for (size_t i = 1; i < KEYS; i++) /* a shorter one is another */
        assert_int_equal(krn_keys_find_span(&k, (nf_span){spans[i].s, 3}), KEYS);
    krn_keys_free(&k);
    nf_free(spans);
    nf_free(text);
}

static void every_number_is_found(void **state)
{
    const int64_t ints[] = {5, -1, INT64_MIN, 5, INT64_MAX, 0};
    krn_keys k;
    nf_error err = {0};
    (void)state;
    assert_ok(krn_keys_of_ints(&k, ints, NF_COUNT(ints), &err), &err);
    assert_int_equal(krn_keys_find_int(&k, 5), 0); /* the first of equals */
    assert_int_equal(krn_keys_find_int(&k, INT64_MIN), 2);
    assert_int_equal(krn_keys_find_int(&k, 0), 5);
    assert_int_equal(krn_keys_find_int(&k, 6), NF_COUNT(ints));
    krn_keys_free(&k);
    assert_ok(krn_keys_of_ints(&k, NULL, 0, &err), &err);
    assert_int_equal(krn_keys_find_int(&k, 0), 0); /* none: 0 is their number */
    krn_keys_free(&k);
    nf_mem_fail_nth(1);
    assert_int_equal(krn_keys_of_ints(&k, ints, NF_COUNT(ints), NULL), NF_ENOMEM);
    krn_keys_free(&k);
}

/* Keys in arithmetic series, which weak hashes put in a row. */
static void regular_keys_do_not_collide(void **state)
{
    static const int64_t steps[] = {1, 8, 4096, 1LL << 32, 1LL << 48};
    int64_t *ints = nf_alloc_array(KEYS, sizeof(*ints), NF_MEM_MISC);
    (void)state;
    for (size_t s = 0; s < NF_COUNT(steps); s++) {
        krn_keys k;
        for (int64_t i = 0; i < KEYS; i++)
            ints[i] = i * steps[s];
        assert_int_equal(krn_keys_of_ints(&k, ints, KEYS, NULL), NF_OK);
        assert_int_equal(k.seed, 1);
        for (size_t i = 0; i < KEYS; i++)
            assert_int_equal(krn_keys_find_int(&k, ints[i]), i);
        krn_keys_free(&k);
    }
    nf_free(ints);
}

static void equal_floats_are_one_key(void **state)
{
    (void)state;
    assert_int_equal(krn_key_of_f32(0), krn_key_of_f32(-0.0f));
    assert_int_equal(krn_key_of_f32(NAN), krn_key_of_f32(-NAN));
    assert_int_not_equal(krn_key_of_f32(1), krn_key_of_f32(-1));
    assert_int_equal(krn_key_of_f64(0), krn_key_of_f64(-0.0));
    assert_int_equal(krn_key_of_f64((double)NAN), krn_key_of_f64(-(double)NAN));
    assert_int_not_equal(krn_key_of_f64(1), krn_key_of_f64(1 + 1e-15));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_classifiers_are_onnxruntimes),
        cmocka_unit_test(one_target_answers_two_scores),
        cmocka_unit_test(long_products_are_sums),
        cmocka_unit_test(columns_are_prepared),
        cmocka_unit_test(rows_are_normalized),
        cmocka_unit_test(columns_are_picked_and_joined),
        cmocka_unit_test(positions_become_values),
        cmocka_unit_test(every_text_is_found),
        cmocka_unit_test(every_number_is_found),
        cmocka_unit_test(regular_keys_do_not_collide),
        cmocka_unit_test(equal_floats_are_one_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
