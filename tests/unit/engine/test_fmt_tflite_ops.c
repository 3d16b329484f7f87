/* test_fmt_tflite_ops.c - operators of TensorFlow Lite on files built here. Layer: tests. */
#include "tests/unit/engine/tflite_bytes.h"

#include "engine/format/fmt.h"

enum { F32 = 0, I32 = 2, I8 = 9 };

typedef struct tensor {
    int type, rank;
    int32_t dim[4];
    const int32_t *ints; /* constant INT32 content, or NULL */
    bool zeros;          /* a constant of zeros */
    int32_t open;        /* the signature says -1 for this many first dimensions */
} tensor;

typedef struct op {
    int32_t code, kind; /* kind: member of the options union, 0 = no options */
    int32_t in[3];
    size_t n_in;
    struct {
        size_t slot;
        int64_t value;
    } fields[6];
    size_t n_fields;
    int32_t list[2]; /* slot 0 of the options as a vector */
    size_t n_list;
} op;

static size_t element(int type)
{
    return type == I8 ? 1 : 4;
}

static void put_tensor(flat *f, size_t at, const tensor *t, uint32_t buffer)
{
    int32_t sign[4];
    flat_set(f, at, 1, (uint64_t)t->type);
    flat_set(f, at, 2, buffer);
    flat_ints(f, at, 0, (size_t)t->rank, t->dim);
    for (int i = 0; i < t->rank; i++)
        sign[i] = i < t->open ? -1 : t->dim[i];
    if (t->open) flat_ints(f, at, 7, (size_t)t->rank, sign);
    if (t->type != I8) return;
    const size_t q = flat_child(f, at, 4, 7);
    const size_t scale = flat_vector(f, q, 2, 1, 4);
    flat_put(f, scale, 0x3f000000, 4); /* 0.5f */
}

static void put_buffer(flat *f, size_t at, const tensor *t)
{
    size_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= (size_t)t->dim[i];
    if (t->ints)
        flat_ints(f, at, 0, n, t->ints);
    else if (t->zeros)
        (void)flat_vector(f, at, 0, n * element(t->type), 1);
    if (!t->ints && !t->zeros) return;
    /* The vector counts bytes. */
    const size_t place = flat_slot(f, at, 0);
    const size_t vector = place + (f->data[place] | (size_t)f->data[place + 1] << 8);
    flat_put(f, vector, n * element(t->type), 4);
}

static void put_op(flat *f, size_t at, const op *o, int32_t result)
{
    flat_ints(f, at, 1, o->n_in, o->in);
    flat_ints(f, at, 2, 1, &result);
    if (!o->kind) return;
    flat_set(f, at, 3, (uint64_t)o->kind);
    const size_t options = flat_child(f, at, 4, 8);
    for (size_t i = 0; i < o->n_fields; i++)
        flat_set(f, options, o->fields[i].slot, (uint64_t)o->fields[i].value);
    if (o->n_list) flat_ints(f, options, 0, o->n_list, o->list);
}

/* Tensor 0 is the input, the last one the result of the only operator. */
static flat build(const tensor *t, size_t n, const op *o)
{
    flat f = {.len = 0};
    const size_t start = flat_room(&f, 8);
    const size_t model = flat_table(&f, 5);
    memcpy(f.data + 4, "TFL3", 4);
    flat_refer(&f, start, model);
    flat_set(&f, model, 0, 3);
    const size_t codes = flat_vector(&f, model, 1, 1, 4), code = flat_table(&f, 4);
    flat_refer(&f, codes, code);
    flat_set(&f, code, 0, (uint64_t)(o->code < 127 ? o->code : 127));
    flat_set(&f, code, 3, (uint64_t)o->code);
    const size_t graphs = flat_vector(&f, model, 2, 1, 4), graph = flat_table(&f, 4);
    flat_refer(&f, graphs, graph);
    flat_ints(&f, graph, 1, 1, &(int32_t){0});
    flat_ints(&f, graph, 2, 1, &(int32_t){(int32_t)n - 1});
    const size_t tensors = flat_vector(&f, graph, 0, n, 4);
    for (size_t i = 0; i < n; i++) {
        const size_t at = flat_table(&f, 8);
        flat_refer(&f, tensors + 4 * i, at);
        put_tensor(&f, at, &t[i], (uint32_t)i + 1);
    }
    const size_t ops = flat_vector(&f, graph, 3, 1, 4), only = flat_table(&f, 6);
    flat_refer(&f, ops, only);
    put_op(&f, only, o, (int32_t)n - 1);
    const size_t buffers = flat_vector(&f, model, 4, n + 1, 4);
    for (size_t i = 0; i <= n; i++) {
        const size_t at = flat_table(&f, 3);
        flat_refer(&f, buffers + 4 * i, at);
        if (i) put_buffer(&f, at, &t[i - 1]);
    }
    return f;
}

static ir_graph *must_read(const tensor *t, size_t n, const op *o)
{
    const flat f = build(t, n, o);
    nf_error err = {0};
    ir_graph *g = NULL;
    assert_ok(fmt_read(&g, (nf_bytes){f.data, f.len}, &err), &err);
    return g;
}

static nf_status refused(const tensor *t, size_t n, const op *o)
{
    const flat f = build(t, n, o);
    nf_error err = {0};
    ir_graph *g = NULL;
    const nf_status st = fmt_read(&g, (nf_bytes){f.data, f.len}, &err);
    ir_graph_destroy(&g);
    return st;
}

static void expect_output(ir_graph *g, int rank, const int64_t *dim)
{
    const ir_tensor *y = &g->tensors[g->outputs[0]];
    assert_int_equal(y->rank, rank);
    for (int i = 0; i < rank; i++)
        assert_int_equal(y->dim[i], dim[i]);
    ir_graph_destroy(&g);
}

static void an_open_first_dimension_is_the_batch(void **state)
{
    (void)state;
    const op relu6 = {.code = 21, .in = {0}, .n_in = 1};
    const tensor open[] = {{F32, 2, .dim = {1, 3}, .open = 1}, {F32, 2, .dim = {1, 3}}};
    const tensor closed[] = {{F32, 2, .dim = {1, 3}}, {F32, 2, .dim = {1, 3}}};
    const tensor both[] = {{F32, 2, .dim = {1, 1}, .open = 2}, {F32, 2, .dim = {1, 1}}};
    ir_graph *g = must_read(open, 2, &relu6);
    assert_int_equal(g->nodes[0].op, IR_CLAMP);
    assert_float_equal(g->nodes[0].attr.clamp.clamp.high, 6, 0);
    expect_output(g, 2, (int64_t[]){IR_BATCH, 3});
    expect_output(must_read(closed, 2, &relu6), 2, (int64_t[]){1, 3});
    expect_output(must_read(both, 2, &relu6), 2, (int64_t[]){IR_BATCH, IR_FREE});
}

static void reshapes(void **state)
{
    (void)state;
    const int32_t target[] = {1, -1, 2};
    const tensor with_input[] = {{F32, 2, .dim = {1, 6}, .open = 1},
                                 {I32, 1, .dim = {3}, .ints = target},
                                 {F32, 3, .dim = {1, 3, 2}}};
    const op input = {.code = 22, .kind = 17, .in = {0, 1}, .n_in = 2};
    expect_output(must_read(with_input, 3, &input), 3, (int64_t[]){IR_BATCH, 3, 2});
    const tensor with_options[] = {{F32, 2, .dim = {1, 6}}, {F32, 2, .dim = {2, 3}}};
    const op options = {.code = 22, .kind = 17, .in = {0}, .n_in = 1, .list = {2, -1}, .n_list = 2};
    expect_output(must_read(with_options, 2, &options), 2, (int64_t[]){2, 3});
    const op nothing = {.code = 22, .in = {0}, .n_in = 1};
    assert_int_equal(refused(with_options, 2, &nothing), NF_EFORMAT);
}

static void squeezes_and_expands(void **state)
{
    (void)state;
    const tensor image[] = {{F32, 4, .dim = {1, 1, 1, 5}, .open = 1}, {F32, 2, .dim = {1, 5}}};
    const op all = {.code = 43, .kind = 30, .in = {0}, .n_in = 1};
    const op listed = {.code = 43, .kind = 30, .in = {0}, .n_in = 1, .list = {1, -2}, .n_list = 2};
    const op wrong = {.code = 43, .kind = 30, .in = {0}, .n_in = 1, .list = {3, 1}, .n_list = 2};
    expect_output(must_read(image, 2, &all), 2, (int64_t[]){IR_BATCH, 5});
    expect_output(must_read(image, 2, &listed), 2, (int64_t[]){IR_BATCH, 5});
    assert_int_equal(refused(image, 2, &wrong), NF_EFORMAT);
    const int32_t axis = -1;
    const tensor row[] = {{F32, 2, .dim = {1, 5}, .open = 1},
                          {I32, 1, .dim = {1}, .ints = &axis},
                          {F32, 3, .dim = {1, 5, 1}}};
    const op expand = {.code = 70, .in = {0, 1}, .n_in = 2};
    expect_output(must_read(row, 3, &expand), 3, (int64_t[]){IR_BATCH, 5, 1});
}

static void transposes(void **state)
{
    (void)state;
    const int32_t perm[] = {0, 2, 1};
    const tensor t[] = {{I8, 3, .dim = {1, 2, 3}, .open = 1},
                        {I32, 1, .dim = {3}, .ints = perm},
                        {I8, 3, .dim = {1, 3, 2}}};
    const op transpose = {.code = 39, .in = {0, 1}, .n_in = 2};
    const op computed = {.code = 39, .in = {0, 0}, .n_in = 2};
    expect_output(must_read(t, 3, &transpose), 3, (int64_t[]){IR_BATCH, 3, 2});
    assert_int_equal(refused(t, 3, &computed), NF_EUNSUPPORTED);
}

/* FULLY_CONNECTED cuts any input into rows: the graph says so with a RESHAPE. */
static void dense_takes_images(void **state)
{
    (void)state;
    const tensor t[] = {{F32, 4, .dim = {1, 2, 2, 3}, .open = 1},
                        {F32, 2, .dim = {5, 12}, .zeros = true},
                        {F32, 2, .dim = {1, 5}}};
    op dense = {
        .code = 9, .kind = 8, .in = {0, 1, -1}, .n_in = 3, .fields = {{0, 2}}, .n_fields = 1};
    ir_graph *g = must_read(t, 3, &dense);
    assert_int_equal(g->n_nodes, 2);
    assert_int_equal(g->nodes[0].op, IR_RESHAPE);
    assert_int_equal(g->nodes[1].n_in, 2); /* the bias is absent */
    assert_float_equal(g->nodes[1].attr.dense.clamp.low, -1, 0);
    assert_float_equal(g->nodes[1].attr.dense.clamp.high, 1, 0);
    expect_output(g, 2, (int64_t[]){IR_BATCH, 5});
    dense.fields[0].value = 4; /* TANH */
    assert_int_equal(refused(t, 3, &dense), NF_EUNSUPPORTED);
    dense.fields[0].slot = 1; /* shuffled weights */
    assert_int_equal(refused(t, 3, &dense), NF_EUNSUPPORTED);
    dense.kind = 9; /* the options of SOFTMAX */
    assert_int_equal(refused(t, 3, &dense), NF_EFORMAT);
}

static void convolutions(void **state)
{
    (void)state;
    const tensor grouped[] = {{F32, 4, .dim = {1, 5, 5, 4}, .open = 1},
                              {F32, 4, .dim = {6, 3, 3, 2}, .zeros = true},
                              {F32, 4, .dim = {1, 3, 5, 6}}};
    const op conv = {
        .code = 3, .kind = 1, .in = {0, 1}, .n_in = 2, .fields = {{1, 1}, {2, 2}}, .n_fields = 2};
    ir_graph *g = must_read(grouped, 3, &conv);
    assert_int_equal(g->nodes[0].attr.window.groups, 2);
    assert_int_equal(g->nodes[0].attr.window.dilation_h, 1); /* the schema's default */
    assert_int_equal(g->nodes[0].attr.window.stride_h, 2);
    expect_output(g, 4, (int64_t[]){IR_BATCH, 3, 5, 6});
    const tensor depthwise[] = {{F32, 4, .dim = {1, 5, 5, 4}},
                                {F32, 4, .dim = {1, 3, 3, 8}, .zeros = true},
                                {F32, 4, .dim = {1, 1, 1, 8}}};
    const op dw = {.code = 4,
                   .kind = 2,
                   .in = {0, 1},
                   .n_in = 2,
                   .fields = {{0, 1}, {1, 1}, {2, 1}, {4, 1}, {5, 2}, {6, 2}},
                   .n_fields = 6};
    g = must_read(depthwise, 3, &dw);
    assert_int_equal(g->nodes[0].op, IR_DEPTHWISE_CONV_2D);
    assert_int_equal(g->nodes[0].attr.window.dilation_w, 2);
    assert_int_equal(g->nodes[0].attr.window.pad, IR_PAD_VALID);
    expect_output(g, 4, (int64_t[]){1, 1, 1, 8});
}

static void pools(void **state)
{
    (void)state;
    const tensor t[] = {{I8, 4, .dim = {1, 4, 6, 2}, .open = 1}, {I8, 4, .dim = {1, 2, 2, 2}}};
    const op pool = {.code = 1,
                     .kind = 5,
                     .in = {0},
                     .n_in = 1,
                     .fields = {{0, 1}, {1, 3}, {2, 2}, {3, 3}, {4, 2}, {5, 1}},
                     .n_fields = 6};
    ir_graph *g = must_read(t, 2, &pool);
    assert_int_equal(g->nodes[0].attr.window.kernel_w, 3);
    assert_int_equal(g->nodes[0].attr.window.kernel_h, 2);
    assert_float_equal(g->nodes[0].attr.window.clamp.low, 0, 0);
    expect_output(g, 4, (int64_t[]){IR_BATCH, 2, 2, 2});
}

static void missing_operators_have_names(void **state)
{
    (void)state;
    const tensor t[] = {{F32, 2, .dim = {1, 3}}, {F32, 2, .dim = {1, 3}}};
    const op imag = {.code = 133, .in = {0}, .n_in = 1}, new = {.code = 5000, .n_in = 1};
    const op *const ops[] = {&imag, &new};
    static const char *const texts[] = {"operators: IMAG x1", "operators: operator 5000 x1"};
    for (size_t i = 0; i < NF_COUNT(ops); i++) {
        const flat f = build(t, 2, ops[i]);
        nf_error err = {0};
        ir_graph *g = NULL;
        assert_int_equal(fmt_read(&g, (nf_bytes){f.data, f.len}, &err), NF_EUNSUPPORTED);
        assert_string_equal(err.text, texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_first_dimension_is_the_batch),
        cmocka_unit_test(reshapes),
        cmocka_unit_test(squeezes_and_expands),
        cmocka_unit_test(transposes),
        cmocka_unit_test(dense_takes_images),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(pools),
        cmocka_unit_test(missing_operators_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
