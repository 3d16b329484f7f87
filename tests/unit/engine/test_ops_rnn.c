/* test_ops_rnn.c - recurrent operators on numbers small enough to check by hand: weights that make
 * each step a sum, sequences that end early, states that stay from run to run. Layer: tests. */
#include "tests/unit/engine/make_run.h"

#include "engine/kernels/krn_rnn.h"

static void gates_follow_their_formulas(void **state)
{
    (void)state;
    static const struct {
        krn_gate g;
        float x, want;
    } rows[] = {
        {{KRN_GATE_NONE, 0, 0, NULL}, -3, -3},
        {{KRN_GATE_SIGMOID, 0, 0, NULL}, 0, 0.5f},
        {{KRN_GATE_TANH, 0, 0, NULL}, 1, 0.76159416f},
        {{KRN_GATE_RELU, 0, 0, NULL}, -1, 0},
        {{KRN_GATE_RELU6, 0, 0, NULL}, 7, 6},
        {{KRN_GATE_AFFINE, 2, 1, NULL}, 3, 7},
        {{KRN_GATE_LEAKY_RELU, 0.5f, 0, NULL}, -2, -1},
        {{KRN_GATE_THRESHOLDED_RELU, 2, 0, NULL}, 1, 0},
        {{KRN_GATE_SCALED_TANH, 2, 0.5f, NULL}, 2, 1.5231883f},
        {{KRN_GATE_HARD_SIGMOID, 0.25f, 0.5f, NULL}, 1, 0.75f},
        {{KRN_GATE_ELU, 2, 0, NULL}, -1, -1.2642411f},
        {{KRN_GATE_SOFTSIGN, 0, 0, NULL}, -3, -0.75f},
        {{KRN_GATE_SOFTPLUS, 0, 0, NULL}, 0, 0.6931472f},
    };
    for (size_t i = 0; i < NF_COUNT(rows); i++) {
        float x = rows[i].x;
        krn_f32_gate_ref(&x, 1, &rows[i].g);
        if (fabsf(x - rows[i].want) > 1e-6f)
            fail_msg("row %zu gives %g, expected %g", i, (double)x, (double)rows[i].want);
    }
}

static void twice(float *y, const float *x, size_t n, krn_f32_curve curve)
{
    for (size_t i = 0; i < n; i++)
        y[i] = curve == KRN_F32_TANH ? 2 * x[i] : 3 * x[i];
}

static void gates_take_the_curves_they_are_given(void **state)
{
    (void)state;
    float x[] = {1, 2};
    krn_f32_gate_ref(x, 2, &(krn_gate){KRN_GATE_TANH, 0, 0, twice});
    assert_true(x[0] == 2 && x[1] == 4);
    krn_f32_gate_ref(x, 1, &(krn_gate){KRN_GATE_SIGMOID, 0, 0, twice});
    assert_true(x[0] == 6 && x[1] == 4);
}

static void lstm_step_is_the_formula(void **state)
{
    (void)state;
    const krn_gate plain = {KRN_GATE_NONE, 0, 0, NULL};
    static const float peephole[] = {1, 10, 100};
    const krn_lstm p = {.h = 1, .gate = plain, .cell = plain, .out = plain, .peephole = peephole};
    float sums[] = {1, 2, 3, 4}, c = 2, y;
    krn_f32_lstm_ref(&y, &c, sums, &p);
    assert_true(c == 203 * 2 + 3 * 4);      /* f = 3 + 100 * 2, i = 1 + 1 * 2 */
    assert_true(y == (2 + 10 * 418) * 418); /* o looks at the new cell */
}

static void lstm_couples_its_gates(void **state)
{
    (void)state;
    const krn_gate plain = {KRN_GATE_NONE, 0, 0, NULL};
    krn_lstm p = {.h = 1, .gate = plain, .cell = plain, .out = plain, .couple = 1};
    float sums[] = {0.25f, 1, 9, 8}, c = 4, y;
    krn_f32_lstm_ref(&y, &c, sums, &p);
    assert_true(c == 0.75f * 4 + 0.25f * 8);
    p.couple = 2;
    float other[] = {9, 1, 0.75f, 8};
    c = 4;
    krn_f32_lstm_ref(&y, &c, other, &p);
    assert_true(c == 0.75f * 4 + 0.25f * 8);
}

/* An RNN that adds its input to its state: two rows, three steps, lengths 3 and 2. */
static ir_node *adder(run_graph *r, const float *x, const int32_t *lengths)
{
    static const float one = 1;
    const int32_t w = make_tensor(r->g, "w", ENG_F32, 3, (int64_t[]){1, 1, 1});
    const int32_t in[] = {run_input(r, ENG_F32, 3, (int64_t[]){3, 2, 1}, x, 6 * sizeof(*x)), w, w,
                          IR_NONE,
                          run_input(r, ENG_I32, 1, (int64_t[]){2}, lengths, 2 * sizeof(*lengths))};
    const eng_dtype types[] = {ENG_F32, ENG_F32};
    make_data(r->g, w, &one, sizeof(one));
    ir_node *n = run_node_types(r, IR_RNN, in, 5, types, 2);
    n->attr.rnn = (ir_rnn){.directions = 1, .act = {IR_GATE_NONE}};
    return n;
}

static void rnn_stops_at_the_length(void **state)
{
    (void)state;
    static const float x[] = {1, 10, 2, 20, 3, 30}, want[] = {1, 10, 3, 30, 6, 0};
    static const int32_t lengths[] = {3, 2};
    static const float last[] = {6, 30};
    run_graph r = run_open();
    adder(&r, x, lengths);
    run_expect_floats(&r, want, 6, 0);
    run_expect_result(&r, 1, last, 2, 0);
    run_close(&r);
}

static void rnn_turns_round_within_the_length(void **state)
{
    (void)state;
    static const float x[] = {1, 10, 2, 20, 3, 30}, want[] = {6, 30, 5, 20, 3, 0};
    static const int32_t lengths[] = {3, 2};
    run_graph r = run_open();
    adder(&r, x, lengths)->attr.rnn.reverse = true;
    run_expect_floats(&r, want, 6, 0);
    run_close(&r);
}

static void rnn_refuses_a_length_that_is_none(void **state)
{
    (void)state;
    static const float x[6] = {0};
    static const int32_t lengths[] = {3, 4};
    run_graph r = run_open();
    adder(&r, x, lengths);
    run_expect_status(&r, NF_EINVAL);
    run_close(&r);
}

/* Two rows of lengths 4 and 2 in both directions, with a bias and five cells. */
static run_graph both_ways(ir_op op, const float *v, bool linear, bool plain)
{
    enum { T = 4, N = 2, IN = 3, H = 5 };
    static const int32_t lengths[] = {4, 2};
    const int64_t g = op == IR_GRU ? 3 : 4;
    const eng_dtype types[] = {ENG_F32, ENG_F32, ENG_F32};
    nf_error err = {0};
    run_graph r = run_open();
    const int32_t w = make_tensor(r.g, "w", ENG_F32, 3, (int64_t[]){2, g * H, IN});
    const int32_t h = make_tensor(r.g, "h", ENG_F32, 3, (int64_t[]){2, g * H, H});
    const int32_t b = make_tensor(r.g, "b", ENG_F32, 2, (int64_t[]){2, 2 * g * H});
    const int64_t dx[] = {T, N, IN}, dl[] = {N};
    const int32_t in[] = {run_input(&r, ENG_F32, 3, dx, v, T * N * IN * sizeof(*v)), w, h, b,
                          run_input(&r, ENG_I32, 1, dl, lengths, sizeof(lengths))};
    make_data(r.g, w, v, (size_t)(2 * g * H * IN) * sizeof(*v));
    make_data(r.g, h, v, (size_t)(2 * g * H * H) * sizeof(*v));
    make_data(r.g, b, v, (size_t)(2 * 2 * g * H) * sizeof(*v));
    r.plain = plain;
    ir_rnn *a = &run_node_types(&r, op, in, 5, types, op == IR_GRU ? 2 : 3)->attr.rnn;
    *a = (ir_rnn){.directions = 2, .linear_before = linear};
    for (size_t i = 0; i < 6; i++)
        a->act[i] = i % (op == IR_GRU ? 2 : 3) ? IR_GATE_TANH : IR_GATE_SIGMOID;
    const nf_status st = run_once(&r, &err);
    assert_ok(st, &err);
    return r;
}

static void usual_steps_are_the_plain_ones(void **state)
{
    float v[200];
    uint64_t seed = 5;
    (void)state;
    for (size_t i = 0; i < NF_COUNT(v); i++)
        v[i] = test_uniform(&seed, -0.6f, 0.6f);
    for (int way = 0; way < 3; way++) {
        const ir_op op = way ? IR_GRU : IR_LSTM;
        run_graph want = both_ways(op, v, way == 2, true), got = both_ways(op, v, way == 2, false);
        for (size_t i = 0; i < got.n_out; i++) {
            const eng_view e = run_result(&want, i);
            run_expect_result(&got, i, e.data, e.bytes / sizeof(float), 2e-6f);
        }
        run_close(&want);
        run_close(&got);
    }
}

/* SVDF of one filter with a memory of two: y = x before + x now; a reset forgets. */
static void svdf_remembers_until_reset(void **state)
{
    (void)state;
    static const float one = 1, ones[] = {1, 1}, x = 3, first = 3, second = 6;
    static const int64_t d1[] = {1, 1}, d2[] = {1, 2};
    nf_error err = {0};
    ir_node *n;
    run_graph r = run_open();
    const int32_t f = make_tensor(r.g, "f", ENG_F32, 2, d1);
    const int32_t t = make_tensor(r.g, "t", ENG_F32, 2, d2);
    const int32_t v = make_tensor(r.g, "v", ENG_F32, 2, d2);
    const int32_t in[] = {run_input(&r, ENG_F32, 2, d1, &x, sizeof(x)), f, t, IR_NONE, v};
    const eng_dtype types[] = {ENG_F32, ENG_F32};
    make_data(r.g, f, &one, sizeof(one));
    make_data(r.g, t, ones, sizeof(ones));
    r.g->tensors[v].variable = true;
    run_node_types(&r, IR_SVDF, in, 5, types, 2)->attr.axis.number = 1;
    const int32_t kept = make_tensor(r.g, "kept", ENG_F32, 2, d2);
    assert_ok(ir_add_node(&n, r.g, IR_ASSIGN, (int32_t[]){v, r.outputs[1]}, 2, kept, &err), &err);
    r.n_out = 1;
    run_expect_floats(&r, &first, 1, 0);
    run_expect_floats(&r, &second, 1, 0);
    eng_session_reset(r.session);
    run_expect_floats(&r, &first, 1, 0);
    run_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gates_follow_their_formulas),
        cmocka_unit_test(gates_take_the_curves_they_are_given),
        cmocka_unit_test(lstm_step_is_the_formula),
        cmocka_unit_test(lstm_couples_its_gates),
        cmocka_unit_test(usual_steps_are_the_plain_ones),
        cmocka_unit_test(rnn_stops_at_the_length),
        cmocka_unit_test(rnn_turns_round_within_the_length),
        cmocka_unit_test(rnn_refuses_a_length_that_is_none),
        cmocka_unit_test(svdf_remembers_until_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
