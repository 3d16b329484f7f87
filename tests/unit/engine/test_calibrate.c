/* test_calibrate.c - FP32 models in edge mode with calibration rows: INT8 that keeps the accuracy,
 * rows that do not fit, graphs by hand, every allocation failing once. Layer: tests. */
#include "tests/unit/engine/make_graph.h"

#include "engine/base/mem.h"
#include "engine/plan/compiled.h"
#include "engine/session.h"
#include "server/table/float_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGITS_ROWS "tests/models/calibration/digits.npy"
#define TEMP_ROWS   "tests/models/calibration/temp.csv"

static srv_rows read_rows(const char *path)
{
    char whole[1024];
    nf_error err = {0};
    srv_rows rows;
    snprintf(whole, sizeof(whole), "%s/%s", NF_SOURCE_DIR, path);
    assert_ok(srv_rows_read(&rows, whole, &err), &err);
    return rows;
}

static nf_status load(eng_model **m, const char *path, eng_options o, const char *rows_path,
                      nf_error *err)
{
    srv_rows rows = rows_path ? read_rows(rows_path) : (srv_rows){0};
    const eng_calibration c = {rows.v, rows.n, rows.width, "rows.csv"};
    nf_bytes file = test_file(path);
    if (rows_path) o.calibration = &c;
    const nf_status st = eng_model_load(m, file, &o, err);
    nf_free((void *)(uintptr_t)file.data);
    srv_rows_fini(&rows);
    return st;
}

static eng_model *load_ok(const char *path, eng_options o, const char *rows_path)
{
    nf_error err = {0};
    eng_model *m;
    assert_ok(load(&m, path, o, rows_path, &err), &err);
    return m;
}

/* The numbers of a test set and its labels, which are the last column: as many as fit. */
static size_t read_tests(float *x, char (*label)[16], size_t most, size_t width, const char *path)
{
    nf_bytes file = test_file(path);
    const char *at = strchr((const char *)file.data, '\n') + 1;
    size_t n = 0;
    for (; n < most && *at; n++) {
        for (size_t i = 0; i < width; i++) {
            char *end;
            x[n * width + i] = strtof(at, &end);
            at = end + 1;
        }
        const size_t len = strcspn(at, "\r\n");
        assert_true(len < sizeof(*label));
        snprintf(label[n], sizeof(*label), "%.*s", (int)len, at);
        at += len + strspn(at + len, "\r\n");
    }
    nf_free((void *)(uintptr_t)file.data);
    return n;
}

#define TESTS 200

typedef struct test_set {
    const char *model, *rows, *tests;
    const char *const *labels;
    size_t width, classes;
    float divisor;
    size_t lost_of_four; /* rows at most, of TESTS */
} test_set;

static size_t count_right(eng_model *m, const test_set *t)
{
    static float x[TESTS * 64], y[TESTS * 10];
    static char label[TESTS][16];
    nf_error err = {0};
    eng_session *s;
    size_t right = 0;
    const size_t n = read_tests(x, label, TESTS, t->width, t->tests);
    assert_int_equal(n, TESTS);
    for (size_t i = 0; i < n * t->width; i++)
        x[i] /= t->divisor;
    const eng_view in = {.dtype = ENG_F32, .data = x, .bytes = n * t->width * sizeof(float)};
    const eng_view out = {.dtype = ENG_F32, .data = y, .bytes = n * t->classes * sizeof(float)};
    assert_ok(eng_session_create(&s, m, 64, &err), &err);
    assert_ok(eng_session_run(s, &in, &out, n, &err), &err);
    for (size_t i = 0; i < n; i++) {
        size_t best = 0;
        for (size_t c = 1; c < t->classes; c++)
            if (y[i * t->classes + c] > y[i * t->classes + best]) best = c;
        right += strcmp(label[i], t->labels[best]) == 0;
    }
    eng_session_destroy(&s);
    return right;
}

/* At most one point in a hundred is lost, with weights of 4 bits two; but temp has only 48 of them
 * a layer: that is too few to be coarse. */
static void accuracy_stays(void **state)
{
    static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    static const char *const temps[] = {"normal", "hot", "cold"};
    static const test_set sets[] = {
        {"models/digits/1/cloud.onnx", DIGITS_ROWS, "models/digits/testset.csv", digits, 64, 10, 16,
         4},
        {"models/temp/1/cloud.onnx", TEMP_ROWS, "models/temp/testset.csv", temps, 3, 3, 1, 80}};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(sets); i++) {
        eng_model *real = load_ok(sets[i].model, (eng_options){.mode = ENG_MODE_CLOUD}, NULL);
        eng_model *m = load_ok(sets[i].model, (eng_options){.mode = ENG_MODE_EDGE}, sets[i].rows);
        assert_int_equal(eng_model_info(m)->precision, ENG_PREC_INT8);
        assert_int_equal(eng_model_info(m)->calibration_rows, 100);
        const size_t whole = count_right(real, &sets[i]);
        assert_true(count_right(m, &sets[i]) + TESTS / 100 >= whole);
        eng_model_unref(&m);
        m = load_ok(sets[i].model, (eng_options){.precision = ENG_PREC_INT4}, sets[i].rows);
        assert_int_equal(eng_model_info(m)->precision, ENG_PREC_INT4);
        assert_true(count_right(m, &sets[i]) + sets[i].lost_of_four >= whole);
        eng_model_unref(&m);
        eng_model_unref(&real);
    }
}

/* Rows matter only where INT8 is asked for and the file is float. */
static void precision_decides(void **state)
{
    static const struct {
        const char *file, *rows;
        eng_options o;
        eng_precision want;
        size_t used;
    } cases[] = {
        {"models/temp/1/cloud.onnx", TEMP_ROWS, {.precision = ENG_PREC_INT8}, ENG_PREC_INT8, 100},
        {"models/temp/1/cloud.onnx", TEMP_ROWS, {.precision = ENG_PREC_INT4}, ENG_PREC_INT4, 100},
        {"models/temp/1/cloud.onnx", NULL, {.precision = ENG_PREC_INT4}, ENG_PREC_HYBRID, 0},
        {"models/temp/1/cloud.onnx",
         TEMP_ROWS,
         {.mode = ENG_MODE_EDGE, .precision = ENG_PREC_FP32},
         ENG_PREC_FP32,
         0},
        {"models/temp/1/cloud.onnx", TEMP_ROWS, {.mode = ENG_MODE_CLOUD}, ENG_PREC_FP32, 0},
        {"models/temp/1/cloud.onnx", TEMP_ROWS, {0}, ENG_PREC_FP32, 0},
        {"models/temp/1/cloud.onnx", NULL, {.mode = ENG_MODE_EDGE}, ENG_PREC_HYBRID, 0},
        {"tests/golden/temp-tflite-dynrange/model.tflite",
         TEMP_ROWS,
         {.mode = ENG_MODE_EDGE},
         ENG_PREC_HYBRID,
         0},
        {"models/temp/1/edge.tflite", DIGITS_ROWS, {.mode = ENG_MODE_EDGE}, ENG_PREC_INT8, 0},
        {"tests/golden/temp-tflite-fp32/model.tflite",
         TEMP_ROWS,
         {.mode = ENG_MODE_EDGE, .arith = ENG_ARITH_REFERENCE},
         ENG_PREC_INT8,
         100},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        eng_model *m = load_ok(cases[i].file, cases[i].o, cases[i].rows);
        assert_int_equal(eng_model_info(m)->precision, cases[i].want);
        assert_int_equal(eng_model_info(m)->calibration_rows, cases[i].used);
        eng_model_unref(&m);
    }
}

static void rows_of_another_width_are_named(void **state)
{
    nf_error err = {0};
    eng_model *m;
    (void)state;
    assert_int_equal(load(&m, "models/temp/1/cloud.onnx", (eng_options){.mode = ENG_MODE_EDGE},
                          DIGITS_ROWS, &err),
                     NF_EINVAL);
    assert_null(m);
    assert_string_equal(err.where, "rows.csv");
    assert_non_null(strstr(err.text, "64 numbers a row, the model takes 3"));
}

/* x -> FC -> a; b = PAD(a); c = SIN(a) stays float; y = CONCATENATION(b, c, a) */
static ir_graph *mixed_graph(pass_range *ranges)
{
    static const float weights[6] = {1, -0.5f, 0.25f, 0, 0, 0}, bias[2] = {0.5f, 0.75f};
    static const int64_t pads[4] = {0, 1, 0, 0};
    static const float zero = 0;
    ir_graph *g = make_graph();
    nf_error err = {0};
    const int32_t x = make_tensor(g, "x", ENG_F32, 2, (int64_t[]){IR_BATCH, 3}),
                  w = make_tensor(g, "w", ENG_F32, 2, (int64_t[]){2, 3}),
                  bias_t = make_tensor(g, "bias", ENG_F32, 1, (int64_t[]){2}),
                  a = make_tensor(g, "a", ENG_F32, 2, (int64_t[]){IR_BATCH, 2}),
                  p = make_tensor(g, "pads", ENG_I64, 1, (int64_t[]){4}),
                  v = make_tensor(g, "zero", ENG_F32, 0, (int64_t[]){0}),
                  b = make_tensor(g, "b", ENG_F32, 2, (int64_t[]){IR_BATCH, 3}),
                  c = make_tensor(g, "c", ENG_F32, 2, (int64_t[]){IR_BATCH, 2}),
                  y = make_tensor(g, "y", ENG_F32, 2, (int64_t[]){IR_BATCH, 7});
    make_data(g, w, weights, sizeof(weights));
    make_data(g, bias_t, bias, sizeof(bias));
    make_data(g, p, pads, sizeof(pads));
    make_data(g, v, &zero, sizeof(zero));
    make_node(g, IR_FULLY_CONNECTED, (int32_t[]){x, w, bias_t}, a);
    make_node(g, IR_PAD, (int32_t[]){a, p, v}, b);
    make_unary(g, IR_SIN, a, c);
    make_node(g, IR_CONCATENATION, (int32_t[]){b, c, a}, y)->attr.axis.axis = 1;
    make_io(g, x, y);
    assert_ok(ir_graph_verify(g, &err), &err);
    ir_make_room(g);
    ranges[x] = (pass_range){-1, 1, true};
    ranges[a] = ranges[b] = ranges[y] = (pass_range){-1.25f, 2.25f, true};
    ranges[c] = (pass_range){-1, 1, true};
    return g;
}

static void kinds_meet_at_quantize(void **state)
{
    static const float x[3] = {1, -1, 0.5f};
    pass_range ranges[16] = {{0}};
    nf_error err = {0};
    eng_model *m;
    eng_session *s;
    float y[7];
    (void)state;
    ir_graph *g = mixed_graph(ranges);
    assert_ok(pass_calibrate(g, ranges, 127, &err), &err);
    assert_int_equal(count_op(g, IR_QUANTIZE), 2);   /* x, and what SIN gives */
    assert_int_equal(count_op(g, IR_DEQUANTIZE), 2); /* for SIN, and the output */
    plan_env env = {.round = KRN_ROUND_FLOAT};
    krn_qs8_init(&env.qs8, 0);
    assert_ok(plan_compile(&m, g, &(eng_options){0}, &env, &err), &err);
    assert_int_equal(eng_model_info(m)->precision, ENG_PREC_INT8);
    assert_ok(eng_session_create(&s, m, 1, &err), &err);
    const eng_view in = {.dtype = ENG_F32, .data = (void *)(uintptr_t)x, .bytes = sizeof(x)};
    const eng_view out = {.dtype = ENG_F32, .data = y, .bytes = sizeof(y)};
    assert_ok(eng_session_run(s, &in, &out, 1, &err), &err);
    /* 1*1 + 0.5 + 0.125 + 0.5; weights of nothing but 0 leave the bias */
    const float a0 = 2.125f, a1 = 0.75f;
    const float want[7] = {0, a0, a1, sinf(a0), sinf(a1), a0, a1};
    for (int i = 0; i < 7; i++)
        assert_true(fabsf(y[i] - want[i]) < 0.025f);
    eng_session_destroy(&s);
    eng_model_unref(&m);
}

/* Without a range, or with numbers that are none, a tensor stays float, and what needs it too. */
static void unseen_tensors_stay_float(void **state)
{
    pass_range ranges[16] = {{0}};
    nf_error err = {0};
    (void)state;
    ir_graph *g = mixed_graph(ranges);
    ranges[3].seen = false; /* a */
    assert_ok(pass_calibrate(g, ranges, 127, &err), &err);
    assert_int_equal(count_op(g, IR_QUANTIZE) + count_op(g, IR_DEQUANTIZE), 0);
    ir_graph_destroy(&g);
}

/* A load with the n-th allocation failing, n = 1 until all succeed. */
static void torture(const char *path, const char *rows_path)
{
    srv_rows rows = read_rows(rows_path);
    const eng_calibration c = {rows.v, 3, rows.width, rows_path};
    const eng_options o = {.mode = ENG_MODE_EDGE, .no_blas = true, .calibration = &c};
    nf_bytes file = test_file(path);
    const size_t live = nf_mem_live_all();
    nf_status st = NF_ENOMEM;
    for (uint64_t n = 1; st != NF_OK; n++) {
        eng_model *m = NULL;
        nf_error err = {0};
        nf_mem_fail_nth(n);
        st = eng_model_load(&m, file, &o, &err);
        nf_mem_fail_nth(0);
        if (st != NF_OK && st != NF_ENOMEM)
            fail_msg("%s: allocation %llu: %s: %s", path, (unsigned long long)n, err.where,
                     err.text);
        eng_model_unref(&m);
        assert_int_equal(nf_mem_live_all(), live);
        assert_true(n < 100000);
    }
    nf_free((void *)(uintptr_t)file.data);
    srv_rows_fini(&rows);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    torture("models/temp/1/cloud.onnx", TEMP_ROWS);
    torture("tests/golden/digits-tflite-fp32/model.tflite", DIGITS_ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accuracy_stays),
        cmocka_unit_test(precision_decides),
        cmocka_unit_test(rows_of_another_width_are_named),
        cmocka_unit_test(kinds_meet_at_quantize),
        cmocka_unit_test(unseen_tensors_stay_float),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
