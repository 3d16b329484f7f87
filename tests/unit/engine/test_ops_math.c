/* test_ops_math.c - operators on numbers as nodes of a graph: broadcasting, axes, types, what is
 * refused and what fails in a run. Layer: tests. */
#include "tests/unit/engine/make_graph.h"

#include "engine/kernels/cpu.h"
#include "engine/plan/compiled.h"
#include "engine/session.h"

#include <math.h>

#define MOST 3 /* inputs */

typedef struct value {
    eng_dtype dtype;
    int rank;
    int64_t dim[4];
    const void *data;
} value;

/* One node: input 0 comes with the request, the others are constants. */
typedef struct single {
    ir_op op;
    ir_attr attr;
    eng_dtype result;
    value in[MOST];
    int32_t n_in;
} single;

static size_t bytes_of(const value *v)
{
    size_t n = eng_dtype_size(v->dtype);
    for (int i = 0; i < v->rank; i++)
        n *= (size_t)v->dim[i];
    return n;
}

static ir_graph *graph_of(const single *s)
{
    ir_graph *g = make_graph();
    int32_t in[MOST] = {IR_NONE, IR_NONE, IR_NONE};
    for (int32_t i = 0; i < s->n_in; i++) {
        in[i] = make_tensor(g, "in", s->in[i].dtype, s->in[i].rank, s->in[i].dim);
        if (i > 0) make_data(g, in[i], s->in[i].data, bytes_of(&s->in[i]));
    }
    const int32_t y = make_tensor(g, "y", s->result, 0, (int64_t[1]){0});
    make_node(g, s->op, in, y)->attr = s->attr;
    make_io(g, in[0], y);
    return g;
}

/* The model, or what refused it. */
static nf_status load(eng_model **m, const single *s, nf_error *err)
{
    const eng_options o = {0};
    plan_env env = {.round = KRN_ROUND_FLOAT, .cpu = krn_cpu_flags(0)};
    krn_f32_init(&env.f32, env.cpu);
    ir_graph *g = graph_of(s);
    const nf_status st = ir_graph_verify(g, err);
    if (!st) return plan_compile(m, g, &o, &env, err);
    ir_graph_destroy(&g);
    return st;
}

static nf_status run(void *y, size_t bytes, const single *s)
{
    nf_error err = {0};
    eng_model *m = NULL;
    eng_session *session = NULL;
    eng_view in = {.dtype = s->in[0].dtype,
                   .data = (void *)(uintptr_t)s->in[0].data,
                   .bytes = bytes_of(&s->in[0]),
                   .rank = s->in[0].rank};
    eng_view out;
    memcpy(in.dim, s->in[0].dim, sizeof(s->in[0].dim));
    assert_ok(load(&m, s, &err), &err);
    assert_ok(eng_session_create(&session, m, 1, &err), &err);
    const nf_status st = eng_session_run_open(session, &in, &err);
    if (!st) {
        eng_session_result(&out, session, 0);
        assert_int_equal(out.bytes, bytes);
        memcpy(y, out.data, bytes);
    }
    eng_session_destroy(&session);
    eng_model_unref(&m);
    return st;
}

static nf_status refused(const single *s)
{
    nf_error err = {0};
    eng_model *m = NULL;
    const nf_status st = load(&m, s, &err);
    eng_model_unref(&m);
    return st;
}

#define EXPECT(s, ...)                                                                             \
    do {                                                                                           \
        const __typeof__((__VA_ARGS__)[0]) *want_ = (__VA_ARGS__);                                 \
        __typeof__((__VA_ARGS__)) got_;                                                            \
        assert_int_equal(run(got_, sizeof(got_), s), NF_OK);                                       \
        assert_memory_equal(got_, want_, sizeof(got_));                                            \
    } while (0)

static void functions_with_their_parameters(void **state)
{
    static const float x[] = {-2, -0.5f, 0, 0.5f, 2};
    static const struct {
        ir_op op;
        float alpha, beta, want[5];
    } rows[] = {
        {IR_ABS, 0, 0, {2, 0.5f, 0, 0.5f, 2}},
        {IR_ROUND, 0, 0, {-2, -0.0f, 0, 0, 2}},
        {IR_LEAKY_RELU, 0.5f, 0, {-1, -0.25f, 0, 0.5f, 2}},
        {IR_HARD_SIGMOID, 0.25f, 0.5f, {0, 0.375f, 0.5f, 0.625f, 1}},
        {IR_SHRINK, 0.25f, 1, {-1.75f, 0, 0, 0, 1.75f}},
        {IR_THRESHOLDED_RELU, 0.5f, 0, {0, 0, 0, 0, 2}},
        {IR_ELU, 2, 0, {-1.7293294f, -0.7869387f, 0, 0.5f, 2}},
        {IR_SELU, 0, 0, {-1.5201665f, -0.69175820f, 0, 0.52535051f, 2.1014020f}},
        {IR_SILU, 0, 0, {-0.23840584f, -0.18877033f, 0, 0.31122967f, 1.7615942f}},
        {IR_GELU, 0, 0, {-0.045500263f, -0.15426877f, 0, 0.34573123f, 1.9544997f}},
        {IR_HARD_SWISH, 0, 0, {-1.0f / 3, -5.0f / 24, 0, 7.0f / 24, 5.0f / 3}},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(rows); i++) {
        const single s = {.op = rows[i].op,
                          .attr.scalar = {rows[i].alpha, rows[i].beta},
                          .in = {{ENG_F32, 1, {5}, x}},
                          .n_in = 1};
        float y[5];
        assert_int_equal(run(y, sizeof(y), &s), NF_OK);
        for (int k = 0; k < 5; k++)
            assert_true(fabsf(y[k] - rows[i].want[k]) <= 3e-7f);
    }
}

static void functions_of_whole_numbers(void **state)
{
    static const int32_t x[] = {INT32_MIN, -3, 0, 5};
    single s = {.op = IR_ABS, .result = ENG_I32, .in = {{ENG_I32, 1, {4}, x}}, .n_in = 1};
    (void)state;
    EXPECT(&s, (int32_t[4]){INT32_MIN, 3, 0, 5});
    s.op = IR_SIGN;
    EXPECT(&s, (int32_t[4]){-1, -1, 0, 1});
    s.op = IR_BITWISE_NOT;
    EXPECT(&s, (int32_t[4]){INT32_MAX, 2, -1, -6});
    s.op = IR_CLAMP;
    s.attr.clamp.clamp = (ir_clamp){-1, 2};
    EXPECT(&s, (int32_t[4]){-1, -1, 0, 2});
    s.op = IR_SIN;
    assert_int_equal(refused(&s), NF_EUNSUPPORTED);
}

static void tests_for_numbers(void **state)
{
    static const float x[] = {INFINITY, 1, -INFINITY, NAN};
    single s = {.op = IR_IS_INF, .result = ENG_BOOL, .in = {{ENG_F32, 1, {4}, x}}, .n_in = 1};
    (void)state;
    EXPECT(&s, (uint8_t[4]){1, 0, 1, 0});
    s.attr.misc.flag2 = true;
    EXPECT(&s, (uint8_t[4]){1, 0, 0, 0});
    s.op = IR_IS_NAN;
    EXPECT(&s, (uint8_t[4]){0, 0, 0, 1});
    s.result = ENG_F32;
    assert_int_equal(refused(&s), NF_EUNSUPPORTED);
}

static void bytes_of_another_type(void **state)
{
    static const float x[] = {1, -0.0f};
    single s = {.op = IR_BITCAST, .result = ENG_I32, .in = {{ENG_F32, 1, {2}, x}}, .n_in = 1};
    (void)state;
    EXPECT(&s, (int32_t[2]){0x3f800000, INT32_MIN});
    s.result = ENG_I64;
    assert_int_equal(refused(&s), NF_EUNSUPPORTED);
}

static void rows_and_columns_meet(void **state)
{
    static const int64_t a[] = {10, 20}, b[] = {1, 2, 3};
    single s = {.op = IR_SUB,
                .attr.binary.clamp = ir_no_clamp(),
                .result = ENG_I64,
                .in = {{ENG_I64, 2, {2, 1}, a}, {ENG_I64, 1, {3}, b}},
                .n_in = 2};
    (void)state;
    EXPECT(&s, (int64_t[6]){9, 8, 7, 19, 18, 17});
    s.op = IR_MINIMUM;
    EXPECT(&s, (int64_t[6]){1, 2, 3, 1, 2, 3});
    s.op = IR_FLOOR_MOD;
    EXPECT(&s, (int64_t[6]){0, 0, 1, 0, 0, 2});
    s.op = IR_ADD;
    s.attr.binary.clamp = (ir_clamp){0, 22};
    EXPECT(&s, (int64_t[6]){11, 12, 13, 21, 22, 22});
    s.op = IR_GREATER;
    s.result = ENG_BOOL;
    EXPECT(&s, (uint8_t[6]){1, 1, 1, 1, 1, 1});
}

/* [2, 1, 2] and [3, 1] make [2, 3, 2]: no two axes are walked alike. */
static void three_axes_meet(void **state)
{
    static const float a[] = {1, 2, 3, 4}, b[] = {10, 0, 2.5f};
    const single s = {
        .op = IR_MAXIMUM, .in = {{ENG_F32, 3, {2, 1, 2}, a}, {ENG_F32, 2, {3, 1}, b}}, .n_in = 2};
    (void)state;
    EXPECT(&s, (float[12]){10, 10, 1, 2, 2.5f, 2.5f, 10, 10, 3, 4, 3, 4});
}

static void division_fails_or_wraps(void **state)
{
    static const int32_t a[] = {INT32_MIN, 7}, b[] = {-1, 2}, zero[] = {1, 0};
    int32_t y[2];
    single s = {.op = IR_DIV,
                .attr.binary.clamp = ir_no_clamp(),
                .result = ENG_I32,
                .in = {{ENG_I32, 1, {2}, a}, {ENG_I32, 1, {2}, b}},
                .n_in = 2};
    (void)state;
    EXPECT(&s, (int32_t[2]){INT32_MIN, 3});
    static const ir_op ops[] = {IR_DIV, IR_FLOOR_DIV, IR_FLOOR_MOD, IR_MOD};
    s.in[1].data = zero;
    for (size_t i = 0; i < NF_COUNT(ops); i++) {
        s.op = ops[i];
        assert_int_equal(run(y, sizeof(y), &s), NF_EINVAL);
    }
}

static void choices(void **state)
{
    static const uint8_t c[] = {1, 0};
    static const int16_t a[] = {1, 2, 3}, b[] = {-1};
    single s = {.op = IR_SELECT,
                .result = ENG_I16,
                .in = {{ENG_BOOL, 2, {2, 1}, c}, {ENG_I16, 1, {3}, a}, {ENG_I16, 0, {0}, b}},
                .n_in = 3};
    (void)state;
    EXPECT(&s, (int16_t[6]){1, 2, 3, -1, -1, -1});
    s.in[0].dtype = ENG_U8;
    assert_int_equal(refused(&s), NF_EUNSUPPORTED);
    s.in[0].dtype = ENG_BOOL;
    s.result = ENG_I8;
    assert_int_equal(refused(&s), NF_EUNSUPPORTED);
}

static void shifts_and_logic(void **state)
{
    static const uint8_t a[] = {1, 0, 1}, b[] = {1};
    single s = {.op = IR_BIT_SHIFT,
                .result = ENG_U8,
                .in = {{ENG_U8, 1, {3}, a}, {ENG_U8, 1, {1}, b}},
                .n_in = 2};
    (void)state;
    EXPECT(&s, (uint8_t[3]){2, 0, 2});
    s.attr.misc.flag = true;
    EXPECT(&s, (uint8_t[3]){0, 0, 0});
    s.op = IR_LOGICAL_XOR;
    s.result = s.in[0].dtype = s.in[1].dtype = ENG_BOOL;
    EXPECT(&s, (uint8_t[3]){0, 1, 0});
    s.op = IR_BIT_SHIFT;
    assert_int_equal(refused(&s), NF_EUNSUPPORTED);
}

static const float cube[] = {1, 2, 3, 4, 5, 6, 7, 8}; /* [2, 2, 2] */

static single reduction(ir_op op, const int64_t *axes, int64_t n)
{
    return (single){.op = op,
                    .in = {{ENG_F32, 3, {2, 2, 2}, cube}, {ENG_I64, 1, {n}, axes}},
                    .n_in = axes ? 2 : 1};
}

static void axes_that_are_reduced(void **state)
{
    static const int64_t ends[] = {0, -1}, middle[] = {1}, wrong[] = {3};
    single s = reduction(IR_REDUCE_SUM, ends, 2);
    (void)state;
    EXPECT(&s, (float[2]){14, 22});
    s = reduction(IR_MEAN, middle, 1);
    s.attr.reduce.keep_dims = true;
    EXPECT(&s, (float[4]){2, 3, 6, 7});
    s = reduction(IR_REDUCE_MAX, NULL, 0);
    EXPECT(&s, (float[8]){1, 2, 3, 4, 5, 6, 7, 8}); /* no axes, and not all of them either */
    s.attr.reduce.all = true;
    EXPECT(&s, (float[1]){8});
    s = reduction(IR_REDUCE_SUM_SQUARE, ends, 0);
    EXPECT(&s, (float[8]){1, 4, 9, 16, 25, 36, 49, 64});
    s = reduction(IR_REDUCE_SUM, wrong, 1);
    assert_int_equal(refused(&s), NF_EFORMAT);
    s = reduction(IR_REDUCE_ANY, ends, 1);
    assert_int_equal(refused(&s), NF_EUNSUPPORTED);
}

static void places_of_the_greatest(void **state)
{
    static const int64_t axis[] = {-2};
    static const int8_t x[] = {3, 1, 3, 5, 0, 5}; /* [1, 3, 2] */
    single s = {.op = IR_ARG_MAX,
                .result = ENG_I32,
                .in = {{ENG_I8, 3, {1, 3, 2}, x}, {ENG_I64, 1, {1}, axis}},
                .n_in = 2};
    (void)state;
    EXPECT(&s, (int32_t[2]){0, 1});
    s.attr.reduce.last = true;
    s.result = ENG_I64;
    EXPECT(&s, (int64_t[2]){1, 2});
    s.op = IR_ARG_MIN;
    s.attr.reduce.keep_dims = true;
    EXPECT(&s, (int64_t[2]){2, 0});
    s.result = ENG_F32;
    assert_int_equal(refused(&s), NF_EUNSUPPORTED);
}

static void running_sums(void **state)
{
    static const int32_t last[] = {-1}, outside[] = {2};
    static const int32_t x[] = {1, 2, 3, 4, 5, 6};
    single s = {.op = IR_CUMSUM,
                .result = ENG_I32,
                .in = {{ENG_I32, 2, {2, 3}, x}, {ENG_I32, 0, {0}, last}},
                .n_in = 2};
    (void)state;
    EXPECT(&s, (int32_t[6]){1, 3, 6, 4, 9, 15});
    s.attr.reduce.exclusive = s.attr.reduce.reverse = true;
    EXPECT(&s, (int32_t[6]){5, 3, 0, 11, 6, 0});
    s.op = IR_CUM_PROD;
    EXPECT(&s, (int32_t[6]){6, 3, 1, 30, 6, 1});
    s.in[1].data = outside;
    assert_int_equal(refused(&s), NF_EFORMAT);
}

static void along_an_axis(void **state)
{
    static const float x[] = {0, 1000, 1, 1000};
    single s = {.op = IR_LOG_SOFTMAX,
                .attr.softmax = {.beta = 1, .axis = 0},
                .in = {{ENG_F32, 2, {2, 2}, x}},
                .n_in = 1};
    float y[4];
    (void)state;
    assert_int_equal(run(y, sizeof(y), &s), NF_OK);
    assert_true(fabsf(y[0] + 1.3132617f) < 1e-6f && fabsf(y[2] + 0.3132617f) < 1e-6f);
    assert_true(fabsf(y[1] + 0.6931472f) < 1e-6f && y[1] == y[3]);
    s.op = IR_HARDMAX;
    EXPECT(&s, (float[4]){0, 1, 1, 0});
}

/* Rows stay rows where an operator does not mix them, and only there. */
static void rows_of_a_batch(void **state)
{
    static const struct {
        int64_t axis;
        bool keep;
        int rank;
        int64_t first;
    } rows[] = {{1, false, 2, IR_BATCH}, {1, true, 3, IR_BATCH}, {0, true, 3, 1}, {0, false, 2, 3}};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(rows); i++) {
        static const int64_t dim[] = {IR_BATCH, 3, 5}, one[] = {1};
        nf_error err = {0};
        ir_graph *g = make_graph();
        const int32_t x = make_tensor(g, "x", ENG_F32, 3, dim);
        const int32_t axis = make_tensor(g, "axis", ENG_I64, 1, one);
        const int32_t y = make_tensor(g, "y", ENG_F32, 0, dim);
        make_data(g, axis, &rows[i].axis, sizeof(rows[i].axis));
        ir_node *n = make_node(g, IR_MEAN, (int32_t[]){x, axis, IR_NONE}, y);
        n->attr.reduce.keep_dims = rows[i].keep;
        make_io(g, x, y);
        assert_ok(ir_graph_verify(g, &err), &err);
        assert_int_equal(g->tensors[y].rank, rows[i].rank);
        assert_int_equal(g->tensors[y].dim[0], rows[i].first);
        ir_graph_destroy(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_with_their_parameters),
        cmocka_unit_test(functions_of_whole_numbers),
        cmocka_unit_test(tests_for_numbers),
        cmocka_unit_test(bytes_of_another_type),
        cmocka_unit_test(rows_and_columns_meet),
        cmocka_unit_test(three_axes_meet),
        cmocka_unit_test(division_fails_or_wraps),
        cmocka_unit_test(choices),
        cmocka_unit_test(shifts_and_logic),
        cmocka_unit_test(axes_that_are_reduced),
        cmocka_unit_test(places_of_the_greatest),
        cmocka_unit_test(running_sums),
        cmocka_unit_test(along_an_axis),
        cmocka_unit_test(rows_of_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
