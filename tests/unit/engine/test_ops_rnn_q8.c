/* test_ops_rnn_q8.c - recurrent operators on INT8 in a graph: vectors and plain C say the same of
 * rows, steps and states. Layer: tests. */
#include "tests/unit/engine/make_run.h"

#include "engine/kernels/krn_quant_rnn.h"

enum { ROWS = 3, STEPS = 4, IN = 5, CELLS = 21 };

/* A constant of random bytes about 0. */
static int32_t random_constant(run_graph *r, eng_dtype dtype, int rank, const int64_t *dim,
                               uint64_t *seed)
{
    int8_t v[4096];
    size_t n = eng_dtype_size(dtype);
    const int32_t t = make_tensor(r->g, "w", dtype, rank, dim);
    for (int i = 0; i < rank; i++)
        n *= (size_t)dim[i];
    assert_true(n <= sizeof(v));
    for (size_t i = 0; i < n; i++)
        v[i] = (int8_t)test_random(seed);
    for (size_t i = 0; i < n && dtype == ENG_I32; i++) /* small biases */
        if (i % 4 > 1) v[i] = v[i / 4 * 4 + 1] < 0 ? -1 : 0;
    make_data(r->g, t, v, n);
    make_quant(r->g, t, 0.01f, 0);
    return t;
}

typedef struct lstm_values {
    int8_t x[ROWS * STEPS * IN], h[ROWS * CELLS];
    int16_t c[ROWS * CELLS];
} lstm_values;

/* The node and its weights, the same for each seed. */
static ir_node *add_lstm(run_graph *r, const lstm_values *v, bool batch_first, uint64_t seed)
{
    const int64_t dx[] = {batch_first ? ROWS : STEPS, batch_first ? STEPS : ROWS, IN};
    const int64_t ds[] = {ROWS, CELLS}, dw[] = {CELLS, IN}, dr[] = {CELLS, CELLS}, db[] = {CELLS};
    const eng_dtype types[] = {ENG_I8, ENG_I8, ENG_I16};
    int32_t in[20];
    for (size_t i = 0; i < NF_COUNT(in); i++)
        in[i] = IR_NONE;
    in[0] = run_input(r, ENG_I8, 3, dx, v->x, sizeof(v->x));
    for (size_t i = 0; i < 4; i++) {
        in[1 + i] = random_constant(r, ENG_I8, 2, dw, &seed);
        in[5 + i] = random_constant(r, ENG_I8, 2, dr, &seed);
        in[12 + i] = random_constant(r, ENG_I32, 1, db, &seed);
    }
    in[18] = run_input(r, ENG_I8, 2, ds, v->h, sizeof(v->h));
    in[19] = run_input(r, ENG_I16, 2, ds, v->c, sizeof(v->c));
    make_quant(r->g, in[0], 0.02f, 7);
    make_quant(r->g, in[18], 1.0f / 128, -3);
    make_quant(r->g, in[19], 1.0f / 2048, 0);
    ir_node *n = run_node_types(r, IR_UNIDIRECTIONAL_SEQUENCE_LSTM, in, NF_COUNT(in), types, 3);
    make_quant(r->g, r->outputs[0], 1.0f / 128, -3);
    make_quant(r->g, r->outputs[1], 1.0f / 128, -3);
    make_quant(r->g, r->outputs[2], 1.0f / 2048, 0);
    return n;
}

static run_graph run_lstm(const lstm_values *v, bool batch_first, bool reverse, unsigned cpu)
{
    nf_error err = {0};
    run_graph r = run_open();
    r.cpu = cpu;
    ir_rnn *a = &add_lstm(&r, v, batch_first, 5)->attr.rnn;
    a->batch_first = batch_first;
    a->reverse = reverse;
    a->cell_clip = reverse ? 1.5f : 0;
    const nf_status st = run_once(&r, &err);
    assert_ok(st, &err);
    return r;
}

static void lstm_is_the_same_on_vectors(void **state)
{
    lstm_values v;
    uint64_t seed = 11;
    (void)state;
    for (size_t i = 0; i < sizeof(v); i++)
        ((char *)&v)[i] = (char)test_random(&seed);
    for (int way = 0; way < 4; way++) {
        run_graph plain = run_lstm(&v, way & 1, way & 2, 0);
        run_graph quick = run_lstm(&v, way & 1, way & 2, krn_cpu_flags(0));
        for (size_t i = 0; i < 3; i++) {
            const eng_view want = run_result(&plain, i), got = run_result(&quick, i);
            assert_int_equal(got.bytes, want.bytes);
            assert_memory_equal(got.data, want.data, want.bytes);
        }
        run_close(&plain);
        run_close(&quick);
    }
}

enum { FILTERS = 6, RANK = 2, MEMORY = 3 };

/* The node without a bias, its state a variable that it writes anew. */
static void add_svdf(run_graph *r, const int8_t *x, uint64_t seed)
{
    static const int64_t dx[] = {ROWS, IN}, df[] = {FILTERS, IN}, dt[] = {FILTERS, MEMORY};
    static const int64_t ds[] = {ROWS, FILTERS * MEMORY};
    const eng_dtype types[] = {ENG_I8, ENG_I16};
    nf_error err = {0};
    ir_node *n;
    const int32_t in[] = {
        run_input(r, ENG_I8, 2, dx, x, ROWS * IN), random_constant(r, ENG_I8, 2, df, &seed),
        random_constant(r, ENG_I16, 2, dt, &seed), IR_NONE, make_tensor(r->g, "v", ENG_I16, 2, ds)};
    r->g->tensors[in[4]].variable = true;
    make_quant(r->g, in[0], 0.5f, 4);
    make_quant(r->g, in[4], 0.25f, 0);
    run_node_types(r, IR_SVDF, in, 5, types, 2)->attr.axis.number = RANK;
    make_quant(r->g, r->outputs[0], 100, -6);
    make_quant(r->g, r->outputs[1], 0.25f, 0);
    const int32_t kept = make_tensor(r->g, "kept", ENG_I16, 2, ds);
    make_quant(r->g, kept, 0.25f, 0);
    assert_ok(ir_add_node(&n, r->g, IR_ASSIGN, (int32_t[]){in[4], r->outputs[1]}, 2, kept, &err),
              &err);
    r->n_out = 1;
}

static void svdf_is_the_plain_step(void **state)
{
    int8_t x[ROWS * IN], want[ROWS * FILTERS / RANK];
    int16_t memory[ROWS][FILTERS * MEMORY] = {0};
    uint64_t seed = 17;
    run_graph r = run_open();
    (void)state;
    r.cpu = krn_cpu_flags(0);
    add_svdf(&r, x, 23);
    const ir_tensor *t = r.g->tensors;
    const ir_node *n = &r.g->nodes[0];
    int8_t feature[FILTERS * IN];
    int16_t time[FILTERS * MEMORY];
    memcpy(feature, t[n->in[1]].data, sizeof(feature));
    memcpy(time, t[n->in[2]].data, sizeof(time));
    const krn_q_svdf p = {.in = IN,
                          .filters = FILTERS,
                          .rank = RANK,
                          .memory = MEMORY,
                          .state_type = KRN_I16,
                          .zero_x = 4,
                          .zero = -6,
                          .low = INT8_MIN,
                          .high = INT8_MAX,
                          .feature = feature,
                          .time = time,
                          .in_factor = krn_factor_of(0.5 * (double)0.01f / 0.25),
                          .out_factor = krn_factor_of(0.25 * (double)0.01f / 100)};
    for (int step = 0; step < 5; step++) {
        for (size_t i = 0; i < sizeof(x); i++)
            x[i] = (int8_t)test_random(&seed);
        for (size_t i = 0; i < ROWS; i++)
            krn_q_svdf_step_ref(want + i * FILTERS / RANK, x + i * IN, memory[i], &p);
        run_expect_bytes(&r, want, sizeof(want));
    }
    run_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lstm_is_the_same_on_vectors),
        cmocka_unit_test(svdf_is_the_plain_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
