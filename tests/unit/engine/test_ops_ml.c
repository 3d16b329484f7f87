/* test_ops_ml.c - operators of classical machine learning and of text: numbers, labels, what a
 * request may get wrong, and loads that run out of memory. Layer: tests. */
#include "tests/unit/engine/make_graph.h"

#include "engine/base/file.h"
#include "engine/base/letters.h"
#include "engine/base/mem.h"
#include "engine/plan/compiled.h"
#include "engine/session.h"

#include <math.h>
#include <stdio.h>

#define SEEDS NF_SOURCE_DIR "/tests/fuzz/corpus/fuzz_onnx"

static const float rows3[] = {0, 0, 0, 1, 0, 0, 1, 1, 0}; /* the three leaves of the trees */
static const float sides[] = {1, 0, 0, 0, 1, 0};

static nf_bytes read_seed(const char *name)
{
    char path[512];
    nf_bytes file;
    nf_error err = {0};
    snprintf(path, sizeof(path), SEEDS "/%s.onnx", name);
    assert_ok(nf_read_file(&file, path, 1 << 20, NF_MEM_MISC, &err), &err);
    return file;
}

static eng_model *load_seed(const char *name, eng_mode mode, unsigned isa)
{
    const eng_options o = {.mode = mode, .isa = isa};
    nf_bytes file = read_seed(name);
    eng_model *m;
    nf_error err = {0};
    assert_ok(eng_model_load(&m, file, &o, &err), &err);
    nf_free((void *)(uintptr_t)file.data);
    return m;
}

static eng_view view_of(const eng_io *io, void *data, size_t rows)
{
    return (eng_view){.dtype = io->dtype,
                      .data = data,
                      .bytes = rows * io->row_elems * eng_dtype_size(io->dtype)};
}

/* Runs rows in blocks of two and drops the model's reference. out[1] may be NULL. */
static void run_rows(eng_model *m, const void *x, size_t rows, void *out0, void *out1)
{
    const eng_info *info = eng_model_info(m);
    eng_session *s;
    nf_error err = {0};
    assert_int_equal(info->shapes, ENG_SHAPES_ROWS);
    assert_ok(eng_session_create(&s, m, 2, &err), &err);
    const eng_view in = view_of(&info->inputs[0], (void *)(uintptr_t)x, rows);
    eng_view out[2] = {view_of(&info->outputs[0], out0, rows)};
    if (info->n_outputs > 1) out[1] = view_of(&info->outputs[1], out1, rows);
    assert_ok(eng_session_run(s, &in, out, rows, &err), &err);
    eng_session_destroy(&s);
}

static void expect(const float *got, const float *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(got[i] - want[i]) <= 1e-6f))
            fail_msg("element %zu is %g, expected %g", i, (double)got[i], (double)want[i]);
}

static void trees_tell_classes(void **state)
{
    static const unsigned limits[] = {0, 1}; /* all that the CPU has; plain kernels */
    static const float want[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    (void)state;
    for (int i = 0; i < 4; i++) {
        int64_t label[3];
        float scores[9];
        eng_model *m = load_seed("trees", i % 2 ? ENG_MODE_EDGE : ENG_MODE_CLOUD, limits[i / 2]);
        const eng_info *info = eng_model_info(m);
        assert_int_equal(info->precision, ENG_PREC_FP32);
        assert_int_equal(info->macs, 0);
        assert_int_equal(info->task, ENG_TASK_CLASSIFICATION);
        assert_int_equal(info->n_labels, 3);
        assert_string_equal(info->labels[2], "30");
        run_rows(m, rows3, 3, label, scores);
        for (int r = 0; r < 3; r++)
            assert_int_equal(label[r], 10 * (r + 1));
        expect(scores, want, 9);
        eng_model_unref(&m);
    }
}

static void labels_may_be_texts(void **state)
{
    static const char *const want[] = {"low", "middle", "high"};
    nf_span label[3];
    float scores[9];
    (void)state;
    eng_model *m = load_seed("trees_texts", ENG_MODE_FILE, 0);
    assert_string_equal(eng_model_info(m)->labels[1], "middle");
    run_rows(m, rows3, 3, label, scores);
    for (int r = 0; r < 3; r++)
        assert_true(nf_span_is(label[r], want[r]));
    eng_model_unref(&m);
}

static void sums_of(const char *name, const float *want)
{
    float y[3];
    eng_model *m = load_seed(name, ENG_MODE_EDGE, 0);
    assert_int_equal(eng_model_info(m)->task, ENG_TASK_REGRESSION);
    run_rows(m, rows3, 3, y, NULL);
    expect(y, want, 3);
    eng_model_unref(&m);
}

/* One target has no other transform than PROBIT, as onnxruntime has it. */
static void trees_sum_up(void **state)
{
    (void)state;
    sums_of("trees_sums", (const float[]){2, 3, 4});
    sums_of("trees_five", (const float[]){1.5f, 2.5f, 3.5f});
}

static void machines_take_sides(void **state)
{
    int64_t label[2];
    float scores[4], y[2];
    (void)state;
    static const char *const names[] = {"svm_pairs", "svm_chances"};
    for (int i = 0; i < 2; i++) {
        eng_model *m = load_seed(names[i], ENG_MODE_EDGE, 0);
        run_rows(m, sides, 2, label, scores);
        assert_int_equal(label[0], 3);
        assert_int_equal(label[1], 7);
        if (i) expect(&(float){scores[0] + scores[1]}, &(float){1}, 1);
        assert_int_equal(eng_model_info(m)->macs, 6);
        eng_model_unref(&m);
    }
    eng_model *m = load_seed("svm_one_class", ENG_MODE_FILE, 0);
    assert_int_equal(eng_model_info(m)->task, ENG_TASK_ANOMALY);
    run_rows(m, sides, 2, y, NULL);
    expect(y, (const float[]){1, -1}, 2);
    eng_model_unref(&m);
}

static void linear_models(void **state)
{
    static const float x[] = {1, 0, 0, -1, 0, 0};
    static const float want[] = {0.952574127f, 0.0474258732f, 0.268941421f, 0.731058579f};
    int64_t label[2];
    float scores[4];
    (void)state;
    eng_model *m = load_seed("linear", ENG_MODE_FILE, 0);
    run_rows(m, x, 2, label, scores);
    assert_int_equal(label[0], 4);
    assert_int_equal(label[1], 5);
    expect(scores, want, 4);
    eng_model_unref(&m);
    m = load_seed("linear_sums", ENG_MODE_FILE, 0);
    run_rows(m, x, 2, scores, NULL);
    expect(scores, (const float[]){1.5f, -1.5f, -0.5f, 0.5f}, 4);
    eng_model_unref(&m);
}

static void features_are_prepared(void **state)
{
    static const float x[] = {0, 3, 4};
    static const struct {
        const char *name;
        float want[3];
    } rows[] = {
        {"scaler", {-1, 4, 9}},   {"normalizer", {0, 0.6f, 0.8f}}, {"imputer", {1, 3, 4}},
        {"binarizer", {0, 1, 1}}, {"vectorizer", {0, 3, 4}},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(rows); i++) {
        float y[3];
        eng_model *m = load_seed(rows[i].name, ENG_MODE_FILE, 0);
        run_rows(m, x, 1, y, NULL);
        expect(y, rows[i].want, 3);
        eng_model_unref(&m);
    }
}

static void numbers_become_texts_and_places(void **state)
{
    static const float x[] = {1, -0.0f, 7};
    nf_span text[3];
    float places[6];
    (void)state;
    eng_model *m = load_seed("encoder", ENG_MODE_FILE, 0);
    run_rows(m, x, 1, text, NULL);
    assert_true(nf_span_is(text[0], "b"));
    assert_true(nf_span_is(text[1], "a")); /* both zeros are one key */
    assert_true(nf_span_is(text[2], "_Unused"));
    eng_model_unref(&m);
    m = load_seed("one_hot", ENG_MODE_FILE, 0);
    run_rows(m, (const float[]){5, 6, 0}, 1, places, NULL);
    expect(places, (const float[]){0, 1, 0, 0, 1, 0}, 6);
    eng_model_unref(&m);
}

/* ---- graphs by hand ----------------------------------------------------------------------------
 */

static void compile(eng_model **m, ir_graph *take_graph)
{
    const eng_options o = {0};
    plan_env env = {.round = KRN_ROUND_FLOAT};
    nf_error err = {0};
    krn_qs8_init(&env.qs8, 0);
    krn_f32_init(&env.f32, 0);
    assert_ok(ir_graph_verify(take_graph, &err), &err);
    ir_make_room(take_graph);
    const nf_status st = plan_compile(m, take_graph, &o, &env, &err);
    assert_ok(st, &err);
}

static int32_t list(ir_graph *g, eng_dtype dtype, const void *data, int64_t n)
{
    const int32_t t = make_tensor(g, "list", dtype, 1, &n);
    make_data(g, t, data, (size_t)n * eng_dtype_size(dtype));
    return t;
}

#define LIST(g, dtype, type, ...)                                                                  \
    list(g, dtype, (const type[]){__VA_ARGS__}, sizeof((const type[]){__VA_ARGS__}) / sizeof(type))

static int32_t texts(ir_graph *g, const nf_span *v, int64_t n)
{
    nf_error err = {0};
    const int32_t t = make_tensor(g, "texts", ENG_STR, 1, &n);
    assert_ok(ir_set_text(&g->tensors[t], v, (size_t)n, &err), &err);
    return t;
}

/* One branch at 1/3, which FP32 cannot tell from its neighbours. */
static ir_graph *double_trees(void)
{
    const int64_t dim[] = {IR_BATCH, 1};
    ir_graph *g = make_graph();
    nf_error err = {0};
    ir_node *n;
    const int32_t x = make_tensor(g, "x", ENG_F64, 2, dim);
    const int32_t y = make_tensor(g, "y", ENG_F32, 2, dim);
    const int32_t in[] = {x,
                          IR_NONE,
                          LIST(g, ENG_I64, int64_t, 0, 0, 0),
                          LIST(g, ENG_I64, int64_t, 0, 1, 2),
                          LIST(g, ENG_I64, int64_t, 0, 0, 0),
                          LIST(g, ENG_I64, int64_t, 1, 0, 0),
                          LIST(g, ENG_I64, int64_t, 2, 0, 0),
                          IR_NONE,
                          LIST(g, ENG_U8, uint8_t, 0, 7, 7),
                          LIST(g, ENG_F64, double, 1.0 / 3, 0, 0),
                          LIST(g, ENG_I64, int64_t, 0, 0),
                          LIST(g, ENG_I64, int64_t, 1, 2),
                          LIST(g, ENG_I64, int64_t, 0, 0),
                          LIST(g, ENG_F64, double, -1, 1),
                          IR_NONE};
    assert_ok(ir_add_node(&n, g, IR_TREE_REGRESSOR, in, IR_TREES_INS, y, &err), &err);
    n->attr.ml.outputs = 1;
    n->attr.ml.aggregate = 1;
    make_io(g, x, y);
    return g;
}

static void double_rows_stay_double(void **state)
{
    const double x[] = {1.0 / 3, nextafter(1.0 / 3, 1), NAN};
    float y[3];
    eng_model *m;
    (void)state;
    compile(&m, double_trees());
    run_rows(m, x, 3, y, NULL);
    expect(y, (const float[]){-1, 1, 1}, 3);
    eng_model_unref(&m);
}

static void places_must_be_columns(void **state)
{
    const int64_t xd[] = {IR_BATCH, 3}, yd[] = {IR_BATCH, 2};
    const float x[] = {1, 2, 3};
    float y[2];
    eng_model *m;
    (void)state;
    for (int bad = 0; bad < 2; bad++) {
        ir_graph *g = make_graph();
        const int32_t tx = make_tensor(g, "x", ENG_F32, 2, xd);
        const int32_t ty = make_tensor(g, "y", ENG_F32, 2, yd);
        const int32_t at = LIST(g, ENG_I64, int64_t, 2, bad ? 3 : 0);
        make_node(g, IR_PICK_COLUMNS, (int32_t[]){tx, at, IR_NONE}, ty);
        make_io(g, tx, ty);
        compile(&m, g);
        if (!bad) {
            run_rows(m, x, 1, y, NULL);
            expect(y, (const float[]){3, 1}, 2);
        } else {
            const eng_info *info = eng_model_info(m);
            const eng_view in = view_of(&info->inputs[0], (void *)(uintptr_t)x, 1);
            const eng_view out = view_of(&info->outputs[0], y, 1);
            eng_session *s;
            nf_error err = {0};
            assert_ok(eng_session_create(&s, m, 1, &err), &err);
            assert_int_equal(eng_session_run(s, &in, &out, 1, &err), NF_EINVAL);
            eng_session_destroy(&s);
        }
        eng_model_unref(&m);
    }
}

static void texts_have_places(void **state)
{
    const int64_t dim[] = {IR_BATCH, 2};
    const nf_span keys[] = {{"ab", 2}, {"", 0}}, x[] = {{NULL, 0}, {"abc", 2}, {"c", 1}, {"ab", 1}};
    int64_t y[4];
    eng_model *m;
    (void)state;
    ir_graph *g = make_graph();
    nf_error err = {0};
    const int32_t tx = make_tensor(g, "x", ENG_STR, 2, dim);
    const int32_t ty = make_tensor(g, "y", ENG_I64, 2, dim);
    const int32_t in[] = {tx, texts(g, keys, 2), LIST(g, ENG_I64, int64_t, 5, 6),
                          LIST(g, ENG_I64, int64_t, -1)};
    assert_ok(ir_add_node(NULL, g, IR_MAP_KEYS, in, 4, ty, &err), &err);
    make_io(g, tx, ty);
    compile(&m, g);
    run_rows(m, x, 2, y, NULL);
    const int64_t want[] = {6, 5, -1, -1};
    assert_memory_equal(y, want, sizeof(want));
    eng_model_unref(&m);
}

static void texts_may_be_constants(void **state)
{
    static const char *const want[] = {"high", "low", ""};
    const float x[] = {2, 0, 1};
    nf_span y[3];
    (void)state;
    eng_model *m = load_seed("texts", ENG_MODE_FILE, 0);
    run_rows(m, x, 1, y, NULL);
    for (int i = 0; i < 3; i++)
        assert_true(nf_span_is(y[i], want[i]));
    eng_model_unref(&m);
}

static size_t run_words(eng_session *s, const nf_span *x, int64_t n, nf_span *y)
{
    const eng_view in = {.dtype = ENG_STR,
                         .data = (void *)(uintptr_t)x,
                         .bytes = (size_t)n * sizeof(*x),
                         .rank = 1,
                         .dim = {n}};
    eng_view out;
    nf_error err = {0};
    assert_ok(eng_session_run_open(s, &in, &err), &err);
    eng_session_result(&out, s, 0);
    assert_int_equal(out.rank, 1);
    memcpy(y, out.data, out.bytes);
    return (size_t)out.dim[0];
}

/* The seed leaves out "a" in any case, and writes in capitals. */
static void words_are_normalized(void **state)
{
    const nf_span x[] = {{"A", 1}, {"b\xc3\xa4", 3}, {"a", 1}, {"", 0}};
    nf_span y[4];
    eng_session *s;
    nf_error err = {0};
    (void)state;
    eng_model *m = load_seed("words", ENG_MODE_FILE, 0);
    assert_int_equal(eng_model_info(m)->shapes, ENG_SHAPES_OPEN);
    assert_ok(eng_session_create(&s, m, 1, &err), &err);
    assert_int_equal(run_words(s, x, 4, y), 2);
    assert_true(nf_span_is(y[0], "B\xc3\x84"));
    assert_int_equal(y[1].len, 0);
    assert_int_equal(run_words(s, x, 1, y), 1); /* of none that are left, one empty text */
    assert_int_equal(y[0].len, 0);
    eng_session_destroy(&s);
    eng_model_unref(&m);
}

static void letters_have_partners(void **state)
{
    static const struct {
        const char *low, *high;
    } rows[] = {{"az{", "AZ{"},
                {"\xc3\xa0\xc3\xb7\xc3\xbe", "\xc3\x80\xc3\xb7\xc3\x9e"}, /* a grave, thorn */
                {"\xc4\x81\xc5\xbe", "\xc4\x80\xc5\xbd"},                 /* a macron, z caron */
                {"\xce\xb1\xd1\x8f\xd1\x91", "\xce\x91\xd0\xaf\xd0\x81"}, /* alpha, ya, yo */
                {"\xe2\x82\xac\xc3", "\xe2\x82\xac\xc3"}};                /* no letters */
    (void)state;
    for (size_t i = 0; i < NF_COUNT(rows); i++) {
        const nf_span low = {rows[i].low, strlen(rows[i].low)},
                      high = {rows[i].high, strlen(rows[i].high)};
        char text[16];
        nf_letters(text, low, true);
        assert_memory_equal(text, high.s, high.len);
        nf_letters(text, high, false);
        assert_memory_equal(text, low.s, low.len);
        assert_true(nf_texts_equal(low, high, true));
        assert_int_equal(nf_texts_equal(low, high, false), i == NF_COUNT(rows) - 1);
    }
}

/* Labels that rows pick: [1, rows] in between, [rows] at the end. */
static void picks_keep_rows_apart(void **state)
{
    const int64_t xd[] = {IR_BATCH, 1}, row[] = {1, IR_FREE}, yd[] = {IR_FREE}, x[] = {2, 0, 1};
    const eng_options o = {.mode = ENG_MODE_FILE};
    const int32_t want[] = {9, 7, 8};
    int32_t label[3];
    eng_model *m;
    nf_error err = {0};
    (void)state;
    ir_graph *g = make_graph();
    const int32_t places = make_tensor(g, "x", ENG_I64, 2, xd);
    const int32_t a = make_tensor(g, "a", ENG_I64, 2, row);
    const int32_t b = make_tensor(g, "b", ENG_I32, 2, row);
    const int32_t y = make_tensor(g, "y", ENG_I32, 1, yd);
    const int32_t labels = LIST(g, ENG_I64, int64_t, 7, 8, 9);
    make_node(g, IR_PICK_COLUMNS, (int32_t[]){labels, places, IR_NONE}, a);
    make_unary(g, IR_CAST, a, b);
    make_node(g, IR_RESHAPE, (int32_t[]){b, LIST(g, ENG_I64, int64_t, -1), IR_NONE}, y);
    make_io(g, places, y);
    assert_ok(ir_graph_verify(g, &err), &err);
    assert_int_equal(g->tensors[y].dim[0], IR_FREE);
    assert_ok(run_passes(g, &o, &err), &err);
    assert_int_equal(g->tensors[y].dim[0], IR_BATCH);
    compile(&m, g);
    run_rows(m, x, 3, label, NULL);
    assert_memory_equal(label, want, sizeof(want));
    eng_model_unref(&m);
}

/* ---- memory ------------------------------------------------------------------------------------
 */

/* Every allocation of a load and of a session may fail: an error, and nothing is left behind. */
static void torture(const char *name)
{
    nf_bytes file = read_seed(name);
    const eng_options o = {.mode = ENG_MODE_EDGE};
    const size_t before = nf_mem_live_all();
    nf_status st = NF_ENOMEM;
    uint64_t n = 0;
    while (st) {
        eng_model *m = NULL;
        eng_session *s = NULL;
        nf_error err = {0};
        nf_mem_fail_nth(++n);
        st = eng_model_load(&m, file, &o, &err);
        if (!st) st = eng_session_create(&s, m, 2, &err);
        nf_mem_fail_nth(0);
        if (st && st != NF_ENOMEM) fail_msg("%s, allocation %d: %s", name, (int)n, err.text);
        eng_session_destroy(&s);
        eng_model_unref(&m);
        assert_int_equal(nf_mem_live_all(), before);
        assert_true(n < 10000);
    }
    assert_true(n > 20);
    nf_free((void *)(uintptr_t)file.data);
}

static void memory_may_end(void **state)
{
    static const char *const names[] = {"trees_texts", "trees_five", "svm_chances", "encoder",
                                        "words",       "sequence",   "linear"};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(names); i++)
        torture(names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_tell_classes),
        cmocka_unit_test(labels_may_be_texts),
        cmocka_unit_test(trees_sum_up),
        cmocka_unit_test(machines_take_sides),
        cmocka_unit_test(linear_models),
        cmocka_unit_test(features_are_prepared),
        cmocka_unit_test(numbers_become_texts_and_places),
        cmocka_unit_test(double_rows_stay_double),
        cmocka_unit_test(places_must_be_columns),
        cmocka_unit_test(texts_have_places),
        cmocka_unit_test(texts_may_be_constants),
        cmocka_unit_test(words_are_normalized),
        cmocka_unit_test(letters_have_partners),
        cmocka_unit_test(picks_keep_rows_apart),
        cmocka_unit_test(memory_may_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
