/* test_krn_svm.c - support vector machines: the answers of onnxruntime 1.32 for a small machine,
 * the coupling of pairs, what the builder refuses. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_svm.h"

#include <math.h>

#define FLOATS(a) ((krn_floats){(a), NF_COUNT(a)})
#define ROWS      3

static const float vectors[] = {0.5f, -1,     1.5f, 0.25f, -0.75f,
                                2,    -1.25f, 0.5f, 0.75f, 1.25f}; /* [5, 2] */
static const float coefficients[] = {1,     0.5f,  -0.75f, -0.5f, -0.25f,
                                     -0.5f, 0.25f, 1.5f,   -1,    0.75f}; /* [2, 5] */
static const float rho[] = {0.1f, -0.2f, 0.05f}, params[] = {0.4f, 0.5f, 3};
static const float prob_a[] = {-1.5f, -0.75f, -2}, prob_b[] = {0.1f, -0.05f, 0.2f};
static const int64_t three[] = {2, 1, 2}, two[] = {2, 3};
static const float x[ROWS][2] = {{0.3f, -0.6f}, {-1, 1.5f}, {2, 0.125f}};

static krn_svm_attrs classifier(krn_svm_kernel kernel, bool probabilities)
{
    krn_svm_attrs a = {.kernel = kernel,
                       .kernel_params = FLOATS(params),
                       .vectors = FLOATS(vectors),
                       .coefficients = FLOATS(coefficients),
                       .rho = FLOATS(rho),
                       .vectors_per_class = three,
                       .n_per_class = 3,
                       .n_labels = 3};
    if (probabilities) {
        a.prob_a = FLOATS(prob_a);
        a.prob_b = FLOATS(prob_b);
    }
    return a;
}

static void check(const krn_svm_attrs *a, const int64_t *labels, const float *want)
{
    krn_svm s;
    nf_error err = {0};
    float z[ROWS * 3], scratch[64];
    int64_t got[ROWS];
    assert_ok(krn_svm_make(&s, a, &err), &err);
    assert_true(krn_svm_scratch(&s) <= NF_COUNT(scratch));
    if (labels)
        krn_svm_classify_ref(z, got, x[0], ROWS, &s, scratch);
    else
        krn_svm_regress_ref(z, x[0], ROWS, &s, scratch);
    const size_t n = ROWS * (labels ? krn_svm_columns(&s) : 1);
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(z[i] - want[i]) <= 2e-6f * fmaxf(1, fabsf(want[i]))))
            fail_msg("kernel %d, score %zu: %.9g, not %.9g", (int)a->kernel, i, (double)z[i],
                     (double)want[i]);
    for (size_t i = 0; labels && i < ROWS; i++)
        assert_int_equal(got[i], labels[i]);
    krn_svm_free(&s);
}

static const struct {
    krn_svm_kernel kernel;
    bool probabilities;
    int64_t labels[ROWS];
    float want[ROWS * 3];
} three_classes[] = {
    {KRN_SVM_LINEAR,
     false,
     {2, 1, 0},
     {2.06875014f, -0.0312499851f, -1.8062501f, -5.2750001f, -0.762499988f, 4.51875019f, 3.4281249f,
      0.925000012f, 1.85468745f}},
    {KRN_SVM_LINEAR,
     true,
     {2, 1, 0},
     {0.496735662f, 0.0177296139f, 0.485534698f, 1.59962852e-07f, 0.999872148f, 0.000127657215f,
      0.785677195f, 0.0572968274f, 0.157025918f}},
    {KRN_SVM_POLY,
     false,
     {0, 1, 0},
     {0.731421292f, -0.408598751f, 0.055610247f, -5.92693758f, -1.4993124f, 10.4960318f,
      3.22521162f, 0.409314334f, 1.33542931f}},
    {KRN_SVM_POLY,
     true,
     {0, 1, 0},
     {0.383977652f, 0.228639781f, 0.387382418f, 1.73658172e-08f, 0.999999821f, 1.2961992e-07f,
      0.70375216f, 0.0908094719f, 0.205438197f}},
    {KRN_SVM_RBF,
     false,
     {0, 1, 0},
     {1.20134187f, -0.732810915f, 0.0547820441f, -0.506530941f, -0.604213476f, 0.934854209f,
      0.785735726f, -0.185300425f, 0.295996338f}},
    {KRN_SVM_RBF,
     true,
     {0, 1, 0},
     {0.374145955f, 0.188279316f, 0.437574655f, 0.207226425f, 0.63100177f, 0.161771849f,
      0.431986451f, 0.248290762f, 0.319722801f}},
    {KRN_SVM_SIGMOID,
     false,
     {2, 1, 0},
     {1.09201527f, -0.5777843f, -0.0692561269f, -0.88935411f, -0.657661438f, 1.18915546f,
      1.2595464f, -0.295644462f, 1.10862005f}},
    {KRN_SVM_SIGMOID,
     true,
     {2, 1, 0},
     {0.382266492f, 0.174804017f, 0.442929357f, 0.141967669f, 0.748178542f, 0.109853864f,
      0.53488636f, 0.226263329f, 0.238850266f}},
};

static void three_classes_are_onnxruntimes(void **state)
{
    (void)state;
    for (size_t i = 0; i < NF_COUNT(three_classes); i++) {
        const krn_svm_attrs a = classifier(three_classes[i].kernel, three_classes[i].probabilities);
        check(&a, three_classes[i].labels, three_classes[i].want);
    }
}

static void two_classes_have_two_scores(void **state)
{
    static const int64_t labels[] = {0, 1, 0};
    static const float none[] = {-1.02482629f,  1.02482629f,   0.905042052f,
                                 -0.905042052f, -0.698165655f, 0.698165655f};
    static const float logistic[] = {0.264088392f, 0.735911608f, 0.711984575f,
                                     0.288015425f, 0.332219064f, 0.667780936f};
    krn_svm_attrs a = classifier(KRN_SVM_RBF, false);
    (void)state;
    a.vectors_per_class = two;
    a.n_per_class = a.n_labels = 2;
    a.coefficients.n = 5;
    a.rho.n = 1;
    check(&a, labels, none);
    a.post = KRN_POST_LOGISTIC;
    check(&a, labels, logistic);
}

static void without_vectors_it_is_linear(void **state)
{
    static const int64_t labels[] = {2, 1, 0};
    static const float want[] = {0.1f,  0.175f,  0.325f,   -0.15f,  0.1f,
                                 -0.4f, 2.1625f, -1.4625f, -0.4625f};
    krn_svm_attrs a = classifier(KRN_SVM_RBF, false);
    (void)state;
    a.vectors.n = a.n_per_class = 0;
    a.coefficients.n = 6;
    a.rho.n = 1;
    check(&a, labels, want);
}

static void regressors_are_onnxruntimes(void **state)
{
    static const float want[][ROWS] = {{2.5374999f, -6.5562501f, 4.2328124f},
                                       {0.719240546f, -7.2397809f, 2.88604522f},
                                       {1.02482629f, -0.905041933f, 0.698165596f},
                                       {0.908467472f, -1.5051614f, 1.27519822f}};
    static const float sign[] = {1, -1, 1};
    (void)state;
    for (int k = KRN_SVM_LINEAR; k <= KRN_SVM_SIGMOID; k++) {
        krn_svm_attrs a = classifier((krn_svm_kernel)k, false);
        a.n_labels = a.n_per_class = 0;
        a.coefficients.n = 5;
        a.n_supports = 5;
        check(&a, NULL, want[k]);
        a.one_class = true;
        check(&a, NULL, sign);
    }
}

/* Pairs that come from real probabilities, r_ij = p_i / (p_i + p_j), give these back. */
static void coupling_finds_the_probabilities(void **state)
{
    uint64_t seed = 4;
    (void)state;
    for (size_t n = 2; n <= 7; n++) {
        float want[7], p[7], r[49], q[56], sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += want[i] = test_uniform(&seed, 0.05f, 1);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                r[i * n + j] = want[i] / (want[i] + want[j]);
        krn_couple_ref(p, r, n, q);
        for (size_t i = 0; i < n; i++)
            assert_true(fabsf(p[i] - want[i] / sum) < 0.02f);
    }
}

static void bad_machines_are_refused(void **state)
{
    static const int64_t negative[] = {2, -1, 2}, many[] = {2, 1, 9};
    static const int64_t odd[] = {2, 1, 1};
    (void)state;
    for (int i = 0; i < 11; i++) {
        krn_svm_attrs a = classifier(KRN_SVM_RBF, true);
        krn_svm s;
        nf_error err = {0};
        if (i == 0) a.n_labels = 1;
        if (i == 1) a.n_per_class = 2;
        if (i == 2) a.vectors_per_class = negative;
        if (i == 3) a.vectors_per_class = many;
        if (i == 4) a.vectors_per_class = odd; /* 10 numbers are not 4 vectors */
        if (i == 5) a.coefficients.n--;
        if (i == 6) a.rho.n--;
        if (i == 7) a.prob_a.n--;
        if (i == 8) a.kernel_params.n--;
        if (i == 9) a.n_labels = a.n_per_class = 0, a.n_supports = -1;
        if (i == 10) a.n_labels = a.n_per_class = 0, a.n_supports = 100;
        assert_int_equal(krn_svm_make(&s, &a, &err), NF_EFORMAT);
        krn_svm_free(&s);
    }
    assert_int_equal(nf_mem_live_all(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_classes_are_onnxruntimes),
        cmocka_unit_test(two_classes_have_two_scores),
        cmocka_unit_test(without_vectors_it_is_linear),
        cmocka_unit_test(regressors_are_onnxruntimes),
        cmocka_unit_test(coupling_finds_the_probabilities),
        cmocka_unit_test(bad_machines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
