/* test_case_check.c - a folder of cases from reading to verdict, on the bundled model. Layer:
 * tests. */
#include "tests/support/support.h"

#include "engine/base/mem.h"
#include "server/case/case_check.h"

#define EDGE  NF_SOURCE_DIR "/models/temp/1/golden/edge"
#define CLOUD NF_SOURCE_DIR "/models/temp/1/golden/cloud"

static void the_reference_is_met_bit_for_bit(void **state)
{
    const srv_check_options options = {0};
    srv_check c;
    (void)state;
    srv_check_folder(&c, EDGE, &options);
    assert_ok(c.why.status, &c.why);
    assert_int_equal(c.verdict, SRV_PASS);
    assert_string_equal(c.id, "edge");
    assert_int_equal(c.precision, ENG_PREC_INT8);
    assert_int_equal(c.arith, ENG_ARITH_REFERENCE);
    assert_int_equal(c.items, 16);
    assert_int_equal(c.failed, 0);
    assert_int_equal(c.out[0].diff.elems, 48);
    assert_int_equal(c.out[0].diff.equal, 48);
    assert_int_equal(c.scored, 16);
    assert_int_equal(c.agree, 16);
    assert_true(c.score.accuracy == 1.0 && c.score.f1 == 1.0);
}

/* What an INT8 model gives in FP32 is compared with what it gave in INT8, in real units. */
static void another_mode_is_compared_in_real_units(void **state)
{
    const srv_check_options options = {.engine.mode = ENG_MODE_CLOUD};
    srv_check c;
    (void)state;
    srv_check_folder(&c, EDGE, &options);
    assert_ok(c.why.status, &c.why);
    assert_int_equal(c.precision, ENG_PREC_FP32);
    assert_true(c.out[0].real_units);
    assert_int_equal(c.agree, 16);
    assert_true(c.out[0].diff.worst < 0.05);
}

static void another_model_is_compared_in_real_units(void **state)
{
    const srv_check_options options = {.model = NF_SOURCE_DIR "/models/temp/1/edge.tflite"};
    srv_check c;
    (void)state;
    srv_check_folder(&c, CLOUD, &options);
    assert_ok(c.why.status, &c.why);
    assert_int_equal(c.verdict, SRV_FAIL); /* INT8 is not within 1e-5 of FP32 */
    assert_true(c.failed > 0 && c.failed == c.out[0].failed);
    assert_true(c.out[0].real_units);
    assert_int_equal(c.agree, 16);
}

static void a_missing_model_fails_with_its_name(void **state)
{
    const srv_check_options options = {.model = "/nowhere/model.onnx"};
    srv_check c;
    (void)state;
    srv_check_folder(&c, CLOUD, &options);
    assert_int_equal(c.verdict, SRV_FAIL);
    assert_int_equal(c.why.status, NF_ENOTFOUND);
    assert_string_equal(c.why.where, "/nowhere/model.onnx");
}

static void a_folder_as_model_is_unsupported(void **state)
{
    const srv_check_options options = {.model = NF_SOURCE_DIR "/models"};
    srv_check c;
    (void)state;
    srv_check_folder(&c, CLOUD, &options);
    assert_int_equal(c.verdict, SRV_UNSUPPORTED);
    assert_int_equal(c.why.status, NF_EUNSUPPORTED);
}

static void every_failed_allocation_is_survived(void **state)
{
    const srv_check_options options = {.layers = true};
    const size_t before = nf_mem_live_all();
    srv_check c = {.verdict = SRV_FAIL};
    uint64_t n = 0;
    (void)state;
    while (c.verdict != SRV_PASS) {
        nf_mem_fail_nth(++n);
        srv_check_folder(&c, EDGE, &options);
        nf_mem_fail_nth(0);
        if (c.verdict != SRV_PASS && c.why.status != NF_ENOMEM)
            fail_msg("allocation %llu: %s: %s", (unsigned long long)n, c.why.where, c.why.text);
        assert_int_equal(nf_mem_live_all(), before);
        assert_true(n < 100000);
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_is_met_bit_for_bit),
        cmocka_unit_test(another_mode_is_compared_in_real_units),
        cmocka_unit_test(another_model_is_compared_in_real_units),
        cmocka_unit_test(a_missing_model_fails_with_its_name),
        cmocka_unit_test(a_folder_as_model_is_unsupported),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
