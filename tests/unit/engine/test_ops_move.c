/* test_ops_move.c - operators that move values, through shape rules, passes and kernels: what comes
 * out, whether rows stay rows, and what a bad file or request is told. Layer: tests. */
#include "tests/unit/engine/make_graph.h"

#include "engine/plan/compiled.h"
#include "engine/session.h"

#define MOST 5 /* inputs of a node */

typedef struct list {
    size_t n; /* 0: left out */
    int64_t v[8];
} list;

static nf_status load(eng_model **m, ir_graph *take_graph, nf_error *err)
{
    const eng_options o = {.mode = ENG_MODE_FILE};
    plan_env env = {.round = KRN_ROUND_FLOAT};
    nf_status st;
    krn_qs8_init(&env.qs8, 0);
    krn_f32_init(&env.f32, 0);
    *m = NULL;
    if ((st = ir_graph_verify(take_graph, err)) || (st = run_passes(take_graph, &o, err))) {
        ir_graph_destroy(&take_graph);
        return st;
    }
    return plan_compile(m, take_graph, &o, &env, err);
}

static int32_t make_ints(ir_graph *g, const list *l)
{
    const int64_t dim[] = {(int64_t)l->n};
    const int32_t t = make_tensor(g, "list", ENG_I64, 1, dim);
    make_data(g, t, l->v, l->n * sizeof(int64_t));
    return t;
}

/* x, op(x, lists) -> y, of one-byte elements. */
static ir_graph *graph_of(ir_op op, const ir_attr *attr, int rank, const int64_t *dim,
                          const list lists[MOST - 1])
{
    static const int64_t none[1] = {0};
    ir_graph *g = make_graph();
    ir_node *n;
    nf_error err = {0};
    const int32_t x = make_tensor(g, "x", ENG_U8, rank, dim),
                  y = make_tensor(g, "y", ENG_U8, 0, none);
    int32_t in[MOST] = {x, IR_NONE, IR_NONE, IR_NONE, IR_NONE}, n_in = 1;
    for (int32_t i = 1; i < MOST; i++)
        if (lists[i - 1].n) {
            in[i] = make_ints(g, &lists[i - 1]);
            n_in = i + 1;
        }
    assert_ok(ir_add_node(&n, g, op, in, n_in, y, &err), &err);
    n->attr = *attr;
    make_io(g, x, y);
    return g;
}

typedef struct move_case {
    ir_op op;
    ir_attr attr;
    int rank;
    int64_t dim[8];
    const char *x;
    list lists[MOST - 1];
    const char *shape, *want; /* of y: one digit a dimension */
} move_case;

#define AXIS(...)                                                                                  \
    {                                                                                              \
        .axis = { __VA_ARGS__ }                                                                    \
    }
#define MISC(...)                                                                                  \
    {                                                                                              \
        .misc = { __VA_ARGS__ }                                                                    \
    }
#define STRIDED(...)                                                                               \
    {                                                                                              \
        .strided = { __VA_ARGS__ }                                                                 \
    }
#define FAR INT64_MAX

// clang-format off
static const move_case cases[] = {
    {IR_SLICE, AXIS(0), 2, {2, 3}, "abcdef", {{1, {1}}, {1, {FAR}}, {1, {1}}}, "22", "bcef"},
    {IR_SLICE, AXIS(0), 1, {6}, "abcdef", {{1, {-1}}, {1, {-FAR}}, {1, {0}}, {1, {-2}}}, "3", "fdb"},
    {IR_SLICE, AXIS(0), 1, {6}, "abcdef", {{1, {9}}, {1, {20}}}, "0", ""},
    {IR_SLICE, AXIS(0), 1, {6}, "abcdef", {{1, {1}}, {1, {FAR}}, {1, {-1}}, {1, {FAR}}}, "1", "b"},
    {IR_SLICE, AXIS(.flag = true), 2, {2, 3}, "abcdef", {{2, {0, 1}}, {2, {-1, 2}}}, "22", "bcef"},
    {IR_STRIDED_SLICE, STRIDED(.shrink = 1), 2, {2, 3}, "abcdef", {{1, {-1}}, {1, {0}}, {1, {1}}}, "3", "def"},
    {IR_STRIDED_SLICE, STRIDED(.new_axis = 1, .end = 2), 1, {3}, "abc", {{2, {0, 1}}, {2, {0, 0}}, {2, {1, 1}}}, "12", "bc"},
    {IR_STRIDED_SLICE, STRIDED(.ellipsis = 1), 3, {2, 1, 2}, "abcd", {{2, {0, 1}}, {2, {0, 2}}, {2, {1, 1}}}, "211", "bd"},
    {IR_STRIDED_SLICE, STRIDED(.begin = 1, .end = 1), 1, {3}, "abc", {{1, {7}}, {1, {7}}, {1, {-1}}}, "3", "cba"},
    {IR_STRIDED_SLICE, STRIDED(.offset = true), 1, {5}, "abcde", {{1, {1}}, {1, {2}}, {1, {1}}}, "2", "bc"},
    {IR_PAD, MISC(.mode = IR_PAD_EDGE), 2, {2, 2}, "abcd", {{4, {0, 1, 1, 0}}}, "33", "aabccdccd"},
    {IR_PAD, MISC(.mode = IR_PAD_REFLECT, .flag = true), 2, {1, 3}, "abc", {{4, {0, 0, 1, 2}}}, "16", "babcba"},
    {IR_PAD, MISC(.mode = IR_PAD_WRAP), 2, {1, 2}, "ab", {{2, {-1, 2}}, {0}, {1, {-1}}}, "13", "bab"},
    {IR_TILE, AXIS(0), 2, {1, 2}, "ab", {{2, {2, 3}}}, "26", "abababababab"},
    {IR_TILE, AXIS(0), 1, {2}, "ab", {{1, {0}}}, "0", ""},
    {IR_BROADCAST_TO, AXIS(0), 2, {2, 1}, "ab", {{3, {2, 1, 2}}}, "222", "aabbaabb"},
    {IR_BROADCAST_TO, AXIS(0), 2, {2, 1}, "ab", {{1, {1}}}, "21", "ab"},
    {IR_GATHER, AXIS(.axis = 1), 2, {2, 3}, "abcdef", {{2, {-1, 0}}}, "22", "cafd"},
    {IR_GATHER, AXIS(.axis = 1, .batch_dims = 1), 2, {2, 3}, "abcdef", {{2, {2, 0}}}, "2", "cd"},
    {IR_GATHER_ND, AXIS(0), 2, {2, 3}, "abcdef", {{2, {1, -1}}}, "", "f"},
    {IR_GATHER_ELEMENTS, AXIS(.axis = 0), 1, {3}, "abc", {{4, {2, 2, 0, -2}}}, "4", "ccab"},
    {IR_REVERSE_V2, AXIS(0), 2, {2, 2}, "abcd", {{2, {0, -1}}}, "22", "dcba"},
    {IR_REVERSE_SEQUENCE, AXIS(.axis = 1, .batch_dims = 0), 2, {2, 3}, "abcdef", {{2, {2, 3}}}, "23", "bacfed"},
    {IR_SPACE_TO_DEPTH, MISC(.size = {2}), 4, {1, 2, 4, 1}, "abcdefgh", {{0}}, "1124", "abefcdgh"},
    {IR_DEPTH_TO_SPACE, MISC(.size = {2}), 4, {1, 1, 2, 4}, "abefcdgh", {{0}}, "1241", "abcdefgh"},
    {IR_DEPTH_TO_SPACE, MISC(.size = {2}, .flag = true), 4, {1, 8, 1, 1}, "abcdefgh", {{0}}, "1222", "acegbdfh"},
    {IR_DEPTH_TO_SPACE, MISC(.size = {2}, .flag = true, .flag2 = true), 4, {1, 8, 1, 1}, "abcdefgh", {{0}}, "1222", "abcdefgh"},
    {IR_SPACE_TO_DEPTH, MISC(.size = {2}, .flag = true), 4, {1, 2, 2, 2}, "acegbdfh", {{0}}, "1811", "abcdefgh"},
    {IR_TRILU, AXIS(.flag = true), 2, {2, 2}, "abcd", {{1, {1}}}, "22", "\0b\0\0"},
    {IR_SQUEEZE, AXIS(0), 3, {1, 2, 1}, "ab", {{1, {-1}}}, "12", "ab"},
    {IR_UNSQUEEZE, AXIS(0), 1, {2}, "ab", {{2, {0, -1}}}, "121", "ab"},
    {IR_MATRIX_DIAG, AXIS(0), 2, {1, 2}, "ab", {{0}}, "122", "a\0\0b"},
    {IR_ZEROS_LIKE, AXIS(0), 1, {2}, "ab", {{0}}, "2", "\0\0"},
    {IR_TOP_K, AXIS(.axis = 0), 1, {4}, "adcb", {{1, {2}}}, "2", "dc"},
    {IR_TOP_K, AXIS(.axis = -1, .flag = true), 2, {2, 2}, "badc", {{1, {1}}}, "21", "ac"},
    {IR_UNIQUE, AXIS(.flag = true), 2, {2, 2}, "baca", {{0}}, "3", "abc"},
    {IR_UNIQUE, AXIS(.axis = 1), 2, {2, 3}, "babdcd", {{0}}, "22", "abcd"},
};
// clang-format on

static void run_open(eng_session *s, const move_case *c, eng_view *y)
{
    nf_error err = {0};
    eng_view x = {.dtype = ENG_U8, .data = (void *)(uintptr_t)c->x, .rank = c->rank, .bytes = 1};
    for (int i = 0; i < c->rank; i++) {
        x.dim[i] = c->dim[i];
        x.bytes *= (size_t)c->dim[i];
    }
    assert_ok(eng_session_run_open(s, &x, &err), &err);
    eng_session_result(y, s, 0);
}

static void check_result(size_t i, const move_case *c, const eng_view *y)
{
    size_t elems = 1;
    for (int k = 0; k < y->rank; k++)
        elems *= (size_t)y->dim[k];
    if (y->rank != (int)strlen(c->shape)) fail_msg("case %zu: rank %d", i, y->rank);
    for (int k = 0; k < y->rank; k++)
        if (y->dim[k] != c->shape[k] - '0')
            fail_msg("case %zu: dimension %d is %lld", i, k, (long long)y->dim[k]);
    if (y->bytes != elems || (elems && memcmp(y->data, c->want, elems) != 0))
        fail_msg("case %zu: %.*s", i, (int)y->bytes, (const char *)y->data);
}

/* Once with the shapes of the file, once with shapes that come with the request. */
static void every_operator_gives_what_it_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++)
        for (int open = 0; open < 2; open++) {
            const move_case *c = &cases[i];
            int64_t dim[8];
            nf_error err = {0};
            eng_model *m;
            eng_session *s;
            eng_view y;
            for (int k = 0; k < c->rank; k++)
                dim[k] = open ? IR_FREE : c->dim[k];
            assert_ok(load(&m, graph_of(c->op, &c->attr, c->rank, dim, c->lists), &err), &err);
            assert_ok(eng_session_create(&s, m, 1, &err), &err);
            run_open(s, c, &y);
            check_result(i, c, &y);
            eng_session_destroy(&s);
            eng_model_unref(&m);
        }
}

/* What the batch becomes. */
static void rows_stay_rows_or_are_mixed(void **state)
{
    static const struct {
        ir_op op;
        ir_attr attr;
        list lists[MOST - 1];
        int64_t want; /* dim[0] of y, for x of [batch, 4, 3] */
    } rows[] = {
        {IR_SLICE, AXIS(0), {{1, {1}}, {1, {2}}, {1, {1}}}, IR_BATCH},
        {IR_SLICE, AXIS(0), {{1, {0}}, {1, {FAR}}, {1, {0}}}, IR_BATCH},
        {IR_SLICE, AXIS(0), {{1, {1}}, {1, {FAR}}, {1, {0}}}, IR_FREE},
        {IR_STRIDED_SLICE,
         STRIDED(.begin = 1, .end = 1, .shrink = 2),
         {{2, {0, 1}}, {2, {0, 2}}, {2, {1, 1}}},
         IR_BATCH},
        {IR_STRIDED_SLICE, STRIDED(.new_axis = 1), {{1, {0}}, {1, {0}}, {1, {1}}}, 1},
        {IR_STRIDED_SLICE, STRIDED(.shrink = 1), {{1, {0}}, {1, {0}}, {1, {1}}}, 4},
        {IR_PAD, MISC(.mode = 0), {{6, {0, 1, 0, 0, 1, 0}}}, IR_BATCH},
        {IR_PAD, MISC(.mode = 0), {{6, {1, 0, 0, 0, 0, 0}}}, IR_FREE},
        {IR_TILE, AXIS(0), {{3, {1, 2, 1}}}, IR_BATCH},
        {IR_TILE, AXIS(0), {{3, {2, 1, 1}}}, IR_FREE},
        {IR_GATHER, AXIS(.axis = 1), {{2, {0, 1}}}, IR_BATCH},
        {IR_GATHER, AXIS(.axis = 0), {{2, {0, 0}}}, 2},
        {IR_REVERSE_V2, AXIS(0), {{1, {1}}}, IR_BATCH},
        {IR_REVERSE_V2, AXIS(0), {{1, {0}}}, IR_FREE},
        {IR_SQUEEZE, AXIS(0), {{1, {0}}}, 4},
        {IR_UNSQUEEZE, AXIS(0), {{1, {1}}}, IR_BATCH},
        {IR_UNSQUEEZE, AXIS(0), {{1, {0}}}, 1},
        {IR_TRILU, AXIS(0), {{0}}, IR_BATCH},
        {IR_UNIQUE, AXIS(.axis = 1), {{0}}, IR_FREE},
        {IR_TOP_K, AXIS(.axis = 1), {{1, {2}}}, IR_BATCH},
        {IR_TOP_K, AXIS(.axis = 0), {{1, {1}}}, 1},
        {IR_BROADCAST_TO, AXIS(0), {{4, {2, 1, 1, 1}}}, 2},
        {IR_NON_ZERO, AXIS(.flag = true), {{0}}, IR_FREE},
    };
    static const int64_t dim[] = {IR_BATCH, 4, 3};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(rows); i++) {
        ir_shape y;
        nf_error err = {0};
        ir_graph *g = graph_of(rows[i].op, &rows[i].attr, 3, dim, rows[i].lists);
        assert_ok(ir_infer_shapes(&y, g, g->tensors, &g->nodes[0], &err), &err);
        if (y.dim[0] != rows[i].want) fail_msg("row %zu: %lld", i, (long long)y.dim[0]);
        ir_graph_destroy(&g);
    }
}

static int32_t make_temp(ir_graph *g, eng_dtype dtype)
{
    static const int64_t none[1] = {0};
    return make_tensor(g, "t", dtype, 0, none);
}

static ir_node *make_pair(ir_graph *g, ir_op op, int32_t a, int32_t b, int32_t out)
{
    return make_node(g, op, (int32_t[]){a, b, IR_NONE}, out);
}

/* How many rows x has, as a list of one number. */
static int32_t make_row_count(ir_graph *g, int32_t x, eng_dtype index)
{
    static const int64_t scalar[1] = {0};
    const int32_t shape = make_temp(g, index), first = make_temp(g, index),
                  one = make_temp(g, index);
    const int32_t zero = make_tensor(g, "zero", ENG_I64, 0, scalar);
    make_data(g, zero, scalar, sizeof(*scalar));
    make_unary(g, IR_SHAPE, x, shape)->attr.axis.number = g->tensors[x].rank;
    make_pair(g, IR_GATHER, shape, zero, first);
    make_pair(g, IR_UNSQUEEZE, first, make_ints(g, &(list){1, {0}}), one);
    return one;
}

/* x.view(x.size(0), -1), as PyTorch writes it down. */
static ir_graph *view_graph(eng_dtype index)
{
    static const int64_t dim[] = {IR_BATCH, 2, 3}, one[] = {1};
    const int64_t wide = -1;
    const int32_t narrow = -1;
    ir_graph *g = make_graph();
    const int32_t x = make_tensor(g, "x", ENG_F32, 3, dim), y = make_temp(g, ENG_F32);
    const int32_t rest = make_tensor(g, "rest", index, 1, one), to = make_temp(g, index);
    make_data(g, rest, index == ENG_I64 ? (const void *)&wide : &narrow, eng_dtype_size(index));
    make_pair(g, IR_CONCATENATION, make_row_count(g, x, index), rest, to);
    make_pair(g, IR_RESHAPE, x, to, y);
    make_io(g, x, y);
    return g;
}

static void a_view_of_each_row_keeps_the_rows(void **state)
{
    static const float x[4][6] = {{1, 2, 3, 4, 5, 6}, {7, 8, 9}, {10}, {11}};
    static const eng_dtype types[] = {ENG_I64, ENG_I32};
    float y[4][6];
    (void)state;
    for (size_t i = 0; i < NF_COUNT(types); i++) {
        nf_error err = {0};
        eng_model *m;
        eng_session *s;
        const eng_view in = {.dtype = ENG_F32, .data = (void *)(uintptr_t)x, .bytes = sizeof(x)},
                       out = {.dtype = ENG_F32, .data = y, .bytes = sizeof(y)};
        assert_ok(load(&m, view_graph(types[i]), &err), &err);
        assert_int_equal(eng_model_info(m)->shapes, ENG_SHAPES_ROWS);
        assert_int_equal(eng_model_info(m)->outputs[0].rank, 2);
        assert_ok(eng_session_create(&s, m, 4, &err), &err);
        memset(y, 0, sizeof(y));
        assert_ok(eng_session_run(s, &in, &out, 4, &err), &err);
        assert_memory_equal(x, y, sizeof(x));
        eng_session_destroy(&s);
        eng_model_unref(&m);
    }
}

/* y = x[:, :size(0)]: the number of rows is an end here, and no end before a request. */
static void a_count_of_rows_is_no_place_yet(void **state)
{
    static const int64_t dim[] = {IR_BATCH, 3};
    static const uint8_t x[2][3] = {{1, 2, 3}, {4, 5, 6}};
    ir_graph *g = make_graph();
    nf_error err = {0};
    ir_node *n;
    eng_model *m;
    eng_session *s;
    eng_view in = {
        .dtype = ENG_U8, .data = (void *)(uintptr_t)x, .bytes = 6, .rank = 2, .dim = {2, 3}};
    eng_view y;
    const int32_t t = make_tensor(g, "x", ENG_U8, 2, dim), out = make_temp(g, ENG_U8);
    const int32_t ends[] = {t, make_ints(g, &(list){1, {0}}), make_row_count(g, t, ENG_I64),
                            make_ints(g, &(list){1, {1}})};
    (void)state;
    assert_ok(ir_add_node(&n, g, IR_SLICE, ends, 4, out, &err), &err);
    make_io(g, t, out);
    assert_ok(load(&m, g, &err), &err);
    assert_int_equal(eng_model_info(m)->shapes, ENG_SHAPES_OPEN);
    assert_ok(eng_session_create(&s, m, 1, &err), &err);
    assert_ok(eng_session_run_open(s, &in, &err), &err);
    eng_session_result(&y, s, 0);
    assert_true(y.rank == 2 && y.dim[0] == 2 && y.dim[1] == 2);
    assert_memory_equal(y.data, ((uint8_t[]){1, 2, 4, 5}), 4);
    eng_session_destroy(&s);
    eng_model_unref(&m);
}

/* Places that a request brings: [3] of 2 is told, and the session still works. */
static void a_place_that_is_not_there_is_told(void **state)
{
    static const int64_t dim[] = {2}, xd[] = {1, 2};
    static const float table[] = {5, 6};
    const int64_t bad[] = {0, 3}, good[] = {0, -1};
    float y[2] = {0};
    ir_graph *g = make_graph();
    nf_error err = {0};
    eng_model *m;
    eng_session *s;
    const int32_t t = make_tensor(g, "table", ENG_F32, 1, dim),
                  at = make_tensor(g, "at", ENG_I64, 2, xd);
    const int32_t out = make_temp(g, ENG_F32);
    (void)state;
    make_data(g, t, table, sizeof(table));
    make_pair(g, IR_GATHER, t, at, out);
    make_io(g, at, out);
    assert_ok(load(&m, g, &err), &err);
    assert_ok(eng_session_create(&s, m, 1, &err), &err);
    eng_view in = {.dtype = ENG_I64, .data = (void *)(uintptr_t)bad, .bytes = sizeof(bad)};
    const eng_view result = {.dtype = ENG_F32, .data = y, .bytes = sizeof(y)};
    assert_int_equal(eng_session_run(s, &in, &result, 1, &err), NF_EINVAL);
    assert_non_null(strstr(err.text, "3"));
    in.data = (void *)(uintptr_t)good;
    err = (nf_error){0};
    assert_ok(eng_session_run(s, &in, &result, 1, &err), &err);
    assert_true(y[0] == 5 && y[1] == 6);
    eng_session_destroy(&s);
    eng_model_unref(&m);
}

/* Files that ask for what cannot be. */
static void bad_parameters_are_refused(void **state)
{
    static const struct {
        ir_op op;
        ir_attr attr;
        list lists[MOST - 1];
    } bad[] = {
        /* x is [2, 3] */
        {IR_SLICE, AXIS(0), {{1, {0}}, {1, {1}}, {1, {2}}}},
        {IR_SLICE, AXIS(0), {{1, {0}}, {1, {1}}, {1, {0}}, {1, {0}}}},
        {IR_SLICE, AXIS(0), {{2, {0, 0}}, {1, {1}}}},
        {IR_SLICE, AXIS(0), {{2, {0, 0}}, {2, {1, 1}}, {2, {0, -2}}}},
        {IR_SLICE, AXIS(.flag = true), {{2, {0, 2}}, {2, {1, 2}}}},
        {IR_SLICE, AXIS(.flag = true), {{2, {0, INT64_MIN + 1}}, {2, {1, -1}}}},
        {IR_STRIDED_SLICE, STRIDED(.shrink = 1), {{1, {2}}, {1, {0}}, {1, {1}}}},
        {IR_STRIDED_SLICE, STRIDED(.begin = 0), {{3, {0}}, {3, {1, 1, 1}}, {3, {1, 1, 1}}}},
        {IR_PAD, MISC(.mode = 0), {{3, {1, 1, 1}}}},
        {IR_PAD, MISC(.mode = 0), {{4, {-3, 0, -1, 0}}}},
        {IR_PAD, MISC(.mode = 0), {{4, {FAR, 0, 0, 0}}}},
        {IR_PAD, MISC(.mode = 9), {{4, {0, 0, 0, 0}}}},
        {IR_TILE, AXIS(0), {{2, {-1, 1}}}},
        {IR_TILE, AXIS(0), {{2, {FAR, 2}}}},
        {IR_TILE, AXIS(0), {{1, {1}}}},
        {IR_BROADCAST_TO, AXIS(0), {{2, {2, 4}}}},
        {IR_GATHER, AXIS(.axis = 2), {{1, {0}}}},
        {IR_GATHER, AXIS(.axis = 0, .batch_dims = 1), {{1, {0}}}},
        {IR_GATHER_ND, AXIS(0), {{3, {0, 0, 0}}}},
        {IR_GATHER_ELEMENTS, AXIS(0), {{1, {0}}}},
        {IR_REVERSE_V2, AXIS(0), {{2, {0, 0}}}},
        {IR_REVERSE_SEQUENCE, AXIS(0), {{3, {1, 1, 1}}}},
        {IR_SPACE_TO_DEPTH, MISC(.size = {2}), {{0}}},
        {IR_TRILU, AXIS(0), {{2, {1, 1}}}},
        {IR_SQUEEZE, AXIS(0), {{1, {1}}}},
        {IR_UNSQUEEZE, AXIS(0), {{7, {0, 1, 2, 3, 4, 5, 6}}}},
        {IR_TOP_K, AXIS(.axis = 1), {{1, {4}}}},
        {IR_TOP_K, AXIS(.axis = 1), {{1, {-1}}}},
        {IR_UNIQUE, AXIS(.axis = 2), {{0}}},
        {IR_COMPRESS, AXIS(0), {{1, {1}}}},
    };
    static const int64_t dim[] = {2, 3};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(bad); i++) {
        nf_error err = {0};
        eng_model *m;
        const nf_status st =
            load(&m, graph_of(bad[i].op, &bad[i].attr, 2, dim, bad[i].lists), &err);
        if (st != NF_EFORMAT && st != NF_EUNSUPPORTED) fail_msg("%zu: %s", i, nf_status_name(st));
        eng_model_unref(&m);
    }
}

/* CONCATENATION and SPLIT have lists of tensors. */
static ir_graph *split_and_join(const int64_t *dim, int axis, int back)
{
    ir_graph *g = make_graph();
    ir_node *n;
    nf_error err = {0};
    const int32_t x = make_tensor(g, "x", ENG_U8, 2, dim), y = make_temp(g, ENG_U8);
    const int32_t part[] = {make_temp(g, ENG_U8), IR_NONE, make_temp(g, ENG_U8)};
    const int32_t in[] = {x, make_ints(g, &(list){3, {1, 2, -1}})};
    assert_ok(ir_add_node_ends(&n, g, IR_SPLIT, &(ir_ends){in, part, 2, 3}, &err), &err);
    n->attr.axis.axis = axis;
    n = make_pair(g, IR_CONCATENATION, part[2], part[0], y);
    n->attr.axis.axis = back;
    make_io(g, x, y);
    return g;
}

static void parts_are_taken_and_joined(void **state)
{
    static const int64_t dim[] = {IR_BATCH, 5};
    nf_error err = {0};
    eng_model *m;
    eng_session *s;
    char y[7] = {0};
    const eng_view in = {.dtype = ENG_U8, .data = (void *)(uintptr_t) "abcdeABCDE", .bytes = 10},
                   out = {.dtype = ENG_U8, .data = y, .bytes = 6};
    (void)state;
    assert_ok(load(&m, split_and_join(dim, 1, -1), &err), &err);
    assert_ok(eng_session_create(&s, m, 2, &err), &err);
    assert_ok(eng_session_run(s, &in, &out, 2, &err), &err);
    assert_string_equal(y, "deaDEA");
    eng_session_destroy(&s);
    eng_model_unref(&m);
    assert_int_equal(load(&m, split_and_join((int64_t[]){2, 2}, 1, -1), &err), NF_EFORMAT);
    assert_int_equal(load(&m, split_and_join((int64_t[]){2, 5}, 1, 0), &err), NF_EFORMAT);
    assert_int_equal(load(&m, split_and_join((int64_t[]){2, 5}, 2, 1), &err), NF_EFORMAT);
}

/* Zero in real units is the zero point; parts of another scale are not mixed in. */
static void scales_are_kept(void **state)
{
    static const int64_t dim[] = {1, 2};
    nf_error err = {0};
    eng_model *m;
    eng_session *s;
    int8_t y[4];
    const int8_t x[] = {1, 2};
    (void)state;
    for (int same = 1; same >= 0; same--) {
        ir_graph *g = make_graph();
        const int32_t t = make_tensor(g, "x", ENG_I8, 2, dim), out = make_temp(g, ENG_I8);
        make_quant(g, t, 0.5f, -3);
        make_quant(g, out, 0.5f, same ? -3 : 4);
        make_pair(g, IR_PAD, t, make_ints(g, &(list){4, {0, 1, 0, 1}}), out);
        make_io(g, t, out);
        const nf_status st = load(&m, g, &err);
        if (!same) {
            assert_int_equal(st, NF_EFORMAT);
            continue;
        }
        assert_ok(st, &err);
        assert_ok(eng_session_create(&s, m, 1, &err), &err);
        const eng_view in = {.dtype = ENG_I8, .data = (void *)(uintptr_t)x, .bytes = 2},
                       result = {.dtype = ENG_I8, .data = y, .bytes = 4};
        assert_ok(eng_session_run(s, &in, &result, 1, &err), &err);
        assert_memory_equal(y, ((int8_t[]){-3, 1, 2, -3}), 4);
        eng_session_destroy(&s);
        eng_model_unref(&m);
    }
}

/* x8 -> DEQUANTIZE -> x; joined with itself, padded with 0, QUANTIZE -> y8. */
static ir_graph *qdq_moves(float pad_value, float out_scale)
{
    static const int64_t dim[] = {1, 2}, scalar[1] = {0};
    ir_graph *g = make_graph();
    ir_node *n;
    nf_error err = {0};
    const int32_t x8 = make_tensor(g, "x8", ENG_I8, 2, dim), y8 = make_temp(g, ENG_I8);
    const int32_t c8 = make_temp(g, ENG_I8), c = make_temp(g, ENG_F32), x = make_temp(g, ENG_F32);
    const int32_t joined = make_temp(g, ENG_F32), padded = make_temp(g, ENG_F32);
    const int32_t zero = make_tensor(g, "zero", ENG_F32, 0, scalar);
    const int32_t in[] = {c, make_ints(g, &(list){4, {0, 1, 0, 1}}), zero};
    make_quant(g, x8, 0.5f, -3);
    make_quant(g, c8, 0.5f, -3);
    make_quant(g, y8, out_scale, -3);
    make_data(g, zero, &pad_value, sizeof(pad_value));
    make_unary(g, IR_DEQUANTIZE, x8, x);
    make_pair(g, IR_CONCATENATION, x, x, joined)->attr.axis.axis = 1;
    make_unary(g, IR_QUANTIZE, joined, c8);
    make_unary(g, IR_DEQUANTIZE, c8, c);
    assert_ok(ir_add_node(&n, g, IR_PAD, in, 3, padded, &err), &err);
    make_unary(g, IR_QUANTIZE, padded, y8);
    make_io(g, x8, y8);
    return g;
}

static void moves_between_integers_move_integers(void **state)
{
    static const struct {
        float pad, scale;
        size_t nodes; /* that are left */
    } kinds[] = {{0, 0.5f, 2}, {1, 0.5f, 4}, {0, 0.25f, 4}};
    const eng_options o = {.mode = ENG_MODE_FILE};
    const int8_t x[] = {1, 2}, want[] = {-3, 1, 2, 1, 2, -3};
    int8_t y[6];
    (void)state;
    for (size_t i = 0; i < NF_COUNT(kinds); i++) {
        ir_graph *g = qdq_moves(kinds[i].pad, kinds[i].scale);
        nf_error err = {0};
        assert_ok(ir_graph_verify(g, &err), &err);
        assert_ok(run_passes(g, &o, &err), &err);
        assert_int_equal(g->n_nodes, kinds[i].nodes);
        ir_graph_destroy(&g);
    }
    nf_error err = {0};
    eng_model *m;
    eng_session *s;
    const eng_view in = {.dtype = ENG_I8, .data = (void *)(uintptr_t)x, .bytes = 2},
                   out = {.dtype = ENG_I8, .data = y, .bytes = 6};
    assert_ok(load(&m, qdq_moves(0, 0.5f), &err), &err);
    assert_ok(eng_session_create(&s, m, 1, &err), &err);
    assert_ok(eng_session_run(s, &in, &out, 1, &err), &err);
    assert_memory_equal(y, want, sizeof(want));
    eng_session_destroy(&s);
    eng_model_unref(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_gives_what_it_should),
        cmocka_unit_test(rows_stay_rows_or_are_mixed),
        cmocka_unit_test(a_view_of_each_row_keeps_the_rows),
        cmocka_unit_test(a_count_of_rows_is_no_place_yet),
        cmocka_unit_test(a_place_that_is_not_there_is_told),
        cmocka_unit_test(bad_parameters_are_refused),
        cmocka_unit_test(parts_are_taken_and_joined),
        cmocka_unit_test(scales_are_kept),
        cmocka_unit_test(moves_between_integers_move_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
