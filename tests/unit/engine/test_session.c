/* test_session.c - the bundled models through load and run: modes, blocks of rows, no allocation in
 * a run, every allocation of a load failing once. Layer: tests. */
#include "tests/unit/engine/make_graph.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/plan/compiled.h"
#include "engine/session.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const temp_files[] = {"models/temp/1/edge.tflite", "models/temp/1/cloud.onnx"};

static eng_model *load(const char *path, eng_options o)
{
    nf_error err = {0};
    eng_model *m;
    nf_bytes file = test_file(path);
    const nf_status st = eng_model_load(&m, file, &o, &err);
    nf_free((void *)(uintptr_t)file.data);
    assert_ok(st, &err);
    return m;
}

static void run(eng_session *s, const float *x, size_t n_in, float *y, size_t n_out, size_t rows)
{
    nf_error err = {0};
    const eng_view in = {
        .dtype = ENG_F32, .data = (void *)(uintptr_t)x, .bytes = rows * n_in * sizeof(float)};
    const eng_view out = {.dtype = ENG_F32, .data = y, .bytes = rows * n_out * sizeof(float)};
    assert_ok(eng_session_run(s, &in, &out, rows, &err), &err);
}

/* The lecture's reading is `normal`, a hot room hot, a cold one cold: in every file and mode. */
static void readings_get_their_class(void **state)
{
    static const float x[3][3] = {{22.0f, 23.5f, 21.0f}, {35, 36, 34}, {2, 4, 3}};
    (void)state;
    for (size_t f = 0; f < NF_COUNT(temp_files); f++)
        for (int mode = ENG_MODE_FILE; mode <= ENG_MODE_CLOUD; mode++) {
            nf_error err = {0};
            eng_session *s;
            eng_model *m = load(temp_files[f], (eng_options){.mode = (eng_mode)mode});
            float y[3][3];
            assert_ok(eng_session_create(&s, m, 1, &err), &err);
            run(s, &x[0][0], 3, &y[0][0], 3, 3);
            for (int row = 0; row < 3; row++)
                for (int c = 0; c < 3; c++)
                    if (c != row) assert_true(y[row][row] > y[row][c] + 0.5f);
            eng_session_destroy(&s);
            eng_model_unref(&m);
        }
}

/* A run with clocks answers as one without, and says a time for each step that works. */
static void profile_answers_as_run(void **state)
{
    static const float x[64] = {0.5f, 1, 0.25f};
    uint64_t ns[64] = {0};
    float y[2][10];
    nf_error err = {0};
    eng_session *s;
    eng_model *m = load("models/digits/1/edge.tflite", (eng_options){.mode = ENG_MODE_EDGE});
    const eng_view in = {.dtype = ENG_F32, .data = (void *)(uintptr_t)x, .bytes = sizeof(x)};
    const eng_view out = {.dtype = ENG_F32, .data = y[1], .bytes = sizeof(y[1])};
    const eng_view cut = {.dtype = ENG_F32, .data = y[1], .bytes = sizeof(y[1]) - 4};
    (void)state;
    assert_ok(eng_session_create(&s, m, 1, &err), &err);
    run(s, x, 64, y[0], 10, 1);
    for (size_t i = 0; i < NF_COUNT(ns); i++)
        ns[i] = UINT64_MAX;
    assert_ok(eng_session_profile(s, &in, &out, ns, &err), &err);
    assert_memory_equal(y[0], y[1], sizeof(y[0]));
    for (size_t i = 0; i < eng_model_info(m)->n_ops; i++) {
        eng_step_info step;
        eng_model_step(&step, m, i);
        assert_true(ns[i] < 1000000000);
        assert_true(strcmp(step.kernel, "view") == 0 ? ns[i] == 0 : ns[i] > 0);
    }
    assert_true(ns[eng_model_info(m)->n_ops] == UINT64_MAX);
    assert_int_equal(eng_session_profile(s, &in, &cut, ns, &err), NF_EINVAL);
    eng_session_destroy(&s);
    eng_model_unref(&m);
}

static void modes_pick_the_precision(void **state)
{
    static const struct {
        const char *file;
        eng_mode mode;
        eng_precision want;
    } rows[] = {
        {"models/temp/1/edge.tflite", ENG_MODE_FILE, ENG_PREC_INT8},
        {"models/temp/1/edge.tflite", ENG_MODE_EDGE, ENG_PREC_INT8},
        {"models/temp/1/edge.tflite", ENG_MODE_CLOUD, ENG_PREC_FP32},
        {"models/temp/1/cloud.onnx", ENG_MODE_FILE, ENG_PREC_FP32},
        {"models/temp/1/cloud.onnx", ENG_MODE_EDGE, ENG_PREC_HYBRID},
        {"models/temp/1/cloud.onnx", ENG_MODE_CLOUD, ENG_PREC_FP32},
        {"models/digits/1/cloud.onnx", ENG_MODE_EDGE, ENG_PREC_HYBRID},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(rows); i++) {
        eng_model *m = load(rows[i].file, (eng_options){.mode = rows[i].mode});
        assert_int_equal(eng_model_info(m)->precision, rows[i].want);
        eng_model_unref(&m);
    }
}

/* Rows in blocks give what rows one by one give, to the bit where sums are of integers. */
static void blocks_equal_single_rows(void **state)
{
    static const char *const files[] = {"models/temp/1/edge.tflite", "models/digits/1/edge.tflite",
                                        "models/digits/1/cloud.onnx"};
    (void)state;
    for (size_t f = 0; f < NF_COUNT(files); f++) {
        nf_error err = {0};
        uint64_t seed = 7;
        eng_session *one, *many;
        eng_model *m = load(files[f], (eng_options){0});
        const size_t n_in = eng_model_info(m)->inputs[0].row_elems;
        const size_t n_out = eng_model_info(m)->outputs[0].row_elems;
        float x[11 * 64], y[11 * 10], z[11 * 10];
        for (size_t i = 0; i < 11 * n_in; i++)
            x[i] = n_in == 3 ? test_uniform(&seed, -10, 45) : test_uniform(&seed, 0, 1);
        assert_ok(eng_session_create(&one, m, 1, &err), &err);
        assert_ok(eng_session_create(&many, m, 4, &err), &err);
        run(one, x, n_in, y, n_out, 11);
        run(many, x, n_in, z, n_out, 11);
        for (size_t i = 0; i < 11 * n_out; i++)
            assert_true(fabsf(y[i] - z[i]) <= (f == 2 ? 1e-6f : 0.0f));
        eng_session_destroy(&one);
        eng_session_destroy(&many);
        eng_model_unref(&m);
    }
}

static void a_run_allocates_nothing(void **state)
{
    (void)state;
    for (size_t f = 0; f < NF_COUNT(temp_files); f++) {
        nf_error err = {0};
        eng_session *s;
        eng_model *m = load(temp_files[f], (eng_options){.mode = ENG_MODE_EDGE});
        const float x[3] = {20, 21, 22};
        float y[3];
        assert_ok(eng_session_create(&s, m, 8, &err), &err);
        const uint64_t before = nf_mem_calls();
        for (int i = 0; i < 100; i++)
            run(s, x, 3, y, 3, 1);
        assert_int_equal(nf_mem_calls(), before);
        eng_session_destroy(&s);
        eng_model_unref(&m);
    }
}

static void wrong_views_are_named(void **state)
{
    nf_error err = {0};
    eng_session *s;
    eng_model *m = load(temp_files[0], (eng_options){0});
    float x[4] = {0}, y[3];
    const eng_view out = {.dtype = ENG_F32, .data = y, .bytes = sizeof(y)};
    (void)state;
    assert_ok(eng_session_create(&s, m, 1, &err), &err);
    const eng_view too_long = {.dtype = ENG_F32, .data = x, .bytes = sizeof(x)},
                   not_ours = {.dtype = ENG_I64, .data = x, .bytes = sizeof(x)};
    assert_int_equal(eng_session_run(s, &too_long, &out, 1, &err), NF_EINVAL);
    assert_string_equal(err.where, "input");
    err = (nf_error){0};
    assert_int_equal(eng_session_run(s, &not_ours, &out, 1, &err), NF_EINVAL);
    assert_int_equal(eng_session_run(s, &too_long, &out, 0, NULL), NF_EINVAL);
    eng_session_destroy(&s);
    eng_model_unref(&m);
}

/* Load and session with the n-th allocation failing, n = 1 until all succeed: each failure is clean
 * and gives everything back. */
static void torture(const char *path, eng_options o)
{
    nf_bytes file = test_file(path);
    const size_t live = nf_mem_live_all();
    nf_status st = NF_ENOMEM;
    for (uint64_t n = 1; st != NF_OK; n++) {
        eng_model *m = NULL;
        eng_session *s = NULL;
        nf_error err = {0};
        nf_mem_fail_nth(n);
        st = eng_model_load(&m, file, &o, &err);
        if (!st) st = eng_session_create(&s, m, 4, &err);
        nf_mem_fail_nth(0);
        if (st != NF_OK && st != NF_ENOMEM)
            fail_msg("%s: allocation %llu: %s: %s", path, (unsigned long long)n, err.where,
                     err.text);
        eng_session_destroy(&s);
        eng_model_unref(&m);
        assert_int_equal(nf_mem_live_all(), live);
        assert_true(n < 100000);
    }
    nf_free((void *)(uintptr_t)file.data);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    torture("models/temp/1/edge.tflite", (eng_options){.mode = ENG_MODE_EDGE});
    torture("models/temp/1/edge.tflite", (eng_options){.mode = ENG_MODE_CLOUD});
    torture("models/temp/1/cloud.onnx", (eng_options){.mode = ENG_MODE_EDGE});
    torture("tests/golden/digits-onnx-qdq/model.onnx", (eng_options){0});
    torture("tests/golden/digits-onnx-qdq/model.onnx", (eng_options){.mode = ENG_MODE_CLOUD});
    torture("tests/golden/temp-tflite-dynrange/model.tflite", (eng_options){.mode = ENG_MODE_EDGE});
    torture("tests/golden/digits-tflite-fp32/model.tflite", (eng_options){.mode = ENG_MODE_EDGE});
}

/* A precision is not quietly replaced by another. */
static void int4_of_int8_weights_is_refused(void **state)
{
    nf_error err = {0};
    eng_model *m;
    nf_bytes file = test_file(temp_files[0]);
    const eng_options o = {.precision = ENG_PREC_INT4};
    (void)state;
    assert_int_equal(eng_model_load(&m, file, &o, &err), NF_EUNSUPPORTED);
    assert_string_equal(err.where, "precision");
    assert_non_null(strstr(err.text, "int4 needs weights of floats or of 4 bits"));
    assert_null(m);
    nf_free((void *)(uintptr_t)file.data);
}

static void budget_is_kept(void **state)
{
    nf_error err = {0};
    eng_model *m;
    nf_bytes file = test_file("models/digits/1/edge.tflite");
    const eng_options o = {.max_arena = 1000};
    (void)state;
    assert_int_equal(eng_model_load(&m, file, &o, &err), NF_EBUDGET);
    assert_null(m);
    assert_non_null(strstr(err.text, "1000"));
    nf_free((void *)(uintptr_t)file.data);
}

/* So do the variables of a model, which are not in the arena. */
static void variables_have_the_same_budget(void **state)
{
    static const int64_t large[] = {1 << 20}, one[] = {1, 4};
    nf_error err = {0};
    eng_model *m;
    ir_graph *g = make_graph();
    (void)state;
    const int32_t x = make_tensor(g, "x", ENG_F32, 2, one),
                  y = make_tensor(g, "y", ENG_F32, 2, one);
    const int32_t v = make_tensor(g, "state", ENG_F32, 1, large);
    g->tensors[v].variable = true;
    make_unary(g, IR_CLAMP, x, y)->attr.clamp.clamp = (ir_clamp){0, 6};
    make_io(g, x, y);
    assert_ok(ir_graph_verify(g, &err), &err);
    plan_env env = {.round = KRN_ROUND_FLOAT};
    krn_qs8_init(&env.qs8, 0);
    krn_f32_init(&env.f32, 0);
    const eng_options o = {.max_arena = 1 << 20};
    assert_int_equal(plan_compile(&m, g, &o, &env, &err), NF_EBUDGET);
    assert_string_equal(err.where, "state");
}

/* Half of each row is negative: relu. */
static void run_shape(eng_session *s, int64_t n, int64_t t)
{
    static float x[4096];
    nf_error err = {0};
    const size_t elems = (size_t)(n * t) * 2;
    eng_view in = {.dtype = ENG_F32, .data = x, .bytes = elems * sizeof(*x), .rank = 3};
    eng_view got;
    memcpy(in.dim, (int64_t[]){n, t, 2}, 3 * sizeof(int64_t));
    for (size_t i = 0; i < elems; i++)
        x[i] = i % 2 ? -1.0f : (float)i;
    assert_ok(eng_session_run_open(s, &in, &err), &err);
    eng_session_result(&got, s, 0);
    assert_int_equal(got.rank, 3);
    assert_true(got.dim[0] == n && got.dim[1] == t && got.dim[2] == 2);
    assert_int_equal(got.bytes, in.bytes);
    for (size_t i = 0; i < elems; i++)
        assert_true(((const float *)got.data)[i] == (i % 2 ? 0.0f : (float)i));
    memset(x, 0, sizeof(x));
    assert_ok(eng_session_fetch(&in, s, 0, &err), &err);
    assert_true(elems == 0 || x[elems - 2] == (float)(elems - 2));
    in.bytes++;
    assert_int_equal(eng_session_fetch(&in, s, 0, NULL), NF_EINVAL);
}

static void open_shapes_come_with_the_call(void **state)
{
    const nf_bytes file = test_file("tests/models/open/1/model.onnx");
    const eng_options o = {.mode = ENG_MODE_FILE};
    nf_error err = {0};
    eng_model *m;
    eng_session *s;
    (void)state;
    assert_ok(eng_model_load(&m, file, &o, &err), &err);
    assert_int_equal(eng_model_info(m)->shapes, ENG_SHAPES_OPEN);
    assert_int_equal(eng_model_info(m)->inputs[0].dim[1], -1);
    assert_ok(eng_session_create(&s, m, 1, &err), &err);
    const size_t before = nf_mem_live(NF_MEM_ARENA);
    for (int64_t t = 0; t < 20; t++)
        run_shape(s, 1 + t % 3, 1 + t * 10);
    run_shape(s, 1, 0);
    run_shape(s, 0, 5);
    eng_session_trim(s, 64 << 20);
    assert_true(nf_mem_live(NF_MEM_ARENA) > before);
    eng_session_trim(s, 0);
    assert_int_equal(nf_mem_live(NF_MEM_ARENA), before);
    run_shape(s, 2, 3);
    eng_session_destroy(&s);
    eng_model_unref(&m);
    nf_free((void *)(uintptr_t)file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_get_their_class),
        cmocka_unit_test(modes_pick_the_precision),
        cmocka_unit_test(profile_answers_as_run),
        cmocka_unit_test(blocks_equal_single_rows),
        cmocka_unit_test(a_run_allocates_nothing),
        cmocka_unit_test(wrong_views_are_named),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(budget_is_kept),
        cmocka_unit_test(variables_have_the_same_budget),
        cmocka_unit_test(int4_of_int8_weights_is_refused),
        cmocka_unit_test(open_shapes_come_with_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
