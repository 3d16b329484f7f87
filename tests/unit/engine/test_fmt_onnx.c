/* test_fmt_onnx.c - the ONNX reader on files built here: layouts, folding, versions. Layer: tests.
 */
#include "tests/unit/engine/onnx_bytes.h"

#include "engine/base/mem.h"
#include "engine/format/fmt.h"

#include <math.h>

enum { F32 = 1, I8 = 3, I32 = 6, I64 = 7 };

typedef struct given {
    const char *name;
    int type, rank;
    int64_t dim[4];
} given;

/* A graph with inputs "x", constants that count 1, 2, 3 ..., nodes, and the output "y". */
static bytes build(const char *const *nodes, size_t n_nodes, given x, const given *consts,
                   size_t n_consts)
{
    bytes g = {.len = 0};
    for (size_t i = 0; i < n_nodes; i++)
        put_node(&g, nodes[i]);
    for (size_t i = 0; i < n_consts; i++) {
        float f[512];
        int8_t q[512];
        int32_t w[512];
        size_t n = 1;
        for (int k = 0; k < consts[i].rank; k++)
            n *= (size_t)consts[i].dim[k];
        for (size_t k = 0; k < n; k++) {
            f[k] = (float)(k + 1);
            q[k] = (int8_t)(k + 1);
            w[k] = 0;
        }
        const nf_bytes raw = consts[i].type == F32  ? (nf_bytes){(uint8_t *)f, n * 4}
                             : consts[i].type == I8 ? (nf_bytes){(uint8_t *)q, n}
                                                    : (nf_bytes){(uint8_t *)w, n * 4};
        put_const(&g, consts[i].name, consts[i].type, consts[i].dim, consts[i].rank, raw);
    }
    put_info(&g, 11, "x", x.type, x.dim, x.rank);
    put_info(&g, 12, "y", F32, (int64_t[]){0}, 1);
    return g;
}

static nf_status read_file(ir_graph **g, const bytes *graph, int64_t opset, nf_error *err)
{
    const bytes file = onnx_file(graph, opset);
    return fmt_read(g, (nf_bytes){file.data, file.len}, err);
}

static ir_graph *must_read(const bytes *graph, int64_t opset)
{
    nf_error err = {0};
    ir_graph *g = NULL;
    assert_ok(read_file(&g, graph, opset, &err), &err);
    return g;
}

static const ir_node *find_node(const ir_graph *g, ir_op op)
{
    for (size_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op == op) return &g->nodes[i];
    fail_msg("no %s", ir_op_name(op));
    return NULL;
}

static void expect_dims(const ir_tensor *t, int rank, const int64_t *dim)
{
    assert_int_equal(t->rank, rank);
    for (int i = 0; i < rank; i++)
        assert_int_equal(t->dim[i], dim[i]);
}

static const ir_tensor *output(const ir_graph *g)
{
    return &g->tensors[g->outputs[0]];
}

static void conv_goes_to_nhwc(void **state)
{
    (void)state;
    const char *const nodes[] = {"Conv: x w b -> y; pads=1,0,2,0 strides=2,1"};
    const given consts[] = {{"w", F32, 4, {2, 3, 2, 2}}, {"b", F32, 1, {2}}};
    const bytes file = build(nodes, 1, (given){"x", F32, 4, {0, 3, 8, 8}}, consts, 2);
    ir_graph *g = must_read(&file, 13);
    const ir_node *conv = find_node(g, IR_CONV_2D);
    const ir_tensor *w = &g->tensors[conv->in[1]];
    const float *v = (const float *)(const void *)w->data;
    expect_dims(w, 4, (int64_t[]){2, 2, 2, 3});
    for (int o = 0; o < 2; o++)
        for (int c = 0; c < 3; c++)
            for (int k = 0; k < 4; k++) /* [o][k][c] holds what stood at [o][c][k] */
                assert_float_equal(v[o * 12 + k * 3 + c], (float)(o * 12 + c * 4 + k + 1), 0);
    assert_int_equal(conv->attr.window.top, 1);
    assert_int_equal(conv->attr.window.bottom, 2);
    assert_int_equal(conv->attr.window.stride_h, 2);
    assert_int_equal(g->nodes[0].op, IR_TRANSPOSE);
    expect_dims(&g->tensors[conv->out[0]], 4, (int64_t[]){IR_BATCH, 5, 7, 2});
    expect_dims(output(g), 4, (int64_t[]){IR_BATCH, 2, 5, 7});
    assert_string_equal(output(g)->name, "y");
    ir_graph_destroy(&g);
}

static void groups_of_one_are_depthwise(void **state)
{
    (void)state;
    const char *const nodes[] = {"Conv: x w -> y; group=3 kernel_shape=2,2 auto_pad=SAME_UPPER"};
    const given consts[] = {{"w", F32, 4, {6, 1, 2, 2}}};
    const bytes file = build(nodes, 1, (given){"x", F32, 4, {1, 3, 4, 4}}, consts, 1);
    ir_graph *g = must_read(&file, 13);
    const ir_node *conv = find_node(g, IR_DEPTHWISE_CONV_2D);
    const ir_tensor *w = &g->tensors[conv->in[1]];
    const float *v = (const float *)(const void *)w->data;
    expect_dims(w, 4, (int64_t[]){1, 2, 2, 6});
    for (int o = 0; o < 6; o++)
        for (int k = 0; k < 4; k++)
            assert_float_equal(v[k * 6 + o], (float)(o * 4 + k + 1), 0);
    assert_int_equal(conv->attr.window.pad, IR_PAD_SAME);
    expect_dims(output(g), 4, (int64_t[]){1, 6, 4, 4});
    ir_graph_destroy(&g);
}

/* Weights behind a DequantizeLinear: the integers are permuted, and with them the axis. */
static void quantized_weights_are_permuted(void **state)
{
    (void)state;
    const char *const nodes[] = {"DequantizeLinear: q s -> w; axis=0", "Conv: x w -> y; group=3"};
    const given consts[] = {{"q", I8, 4, {3, 1, 2, 2}}, {"s", F32, 1, {3}}};
    const bytes file = build(nodes, 2, (given){"x", F32, 4, {1, 3, 4, 4}}, consts, 2);
    ir_graph *g = must_read(&file, 13);
    const ir_tensor *q = &g->tensors[find_node(g, IR_DEQUANTIZE)->in[0]];
    expect_dims(q, 4, (int64_t[]){1, 2, 2, 3});
    assert_int_equal(q->dtype, ENG_I8);
    assert_int_equal(q->quant.n, 3);
    assert_int_equal(q->quant.axis, 3);
    assert_float_equal(q->quant.scale[2], 3, 0);
    for (int o = 0; o < 3; o++)
        for (int k = 0; k < 4; k++)
            assert_int_equal((int8_t)q->data[k * 3 + o], o * 4 + k + 1);
    assert_non_null(find_node(g, IR_DEPTHWISE_CONV_2D));
    ir_graph_destroy(&g);
}

static void gemm_is_folded(void **state)
{
    (void)state;
    const char *const nodes[] = {"Gemm: x w b -> y; alpha=0.5f beta=2f"};
    const given consts[] = {{"w", F32, 2, {3, 2}}, {"b", F32, 1, {2}}};
    const bytes file = build(nodes, 1, (given){"x", F32, 2, {0, 3}}, consts, 2);
    ir_graph *g = must_read(&file, 13);
    const ir_node *dense = find_node(g, IR_FULLY_CONNECTED);
    const float *w = (const float *)(const void *)g->tensors[dense->in[1]].data;
    const float *b = (const float *)(const void *)g->tensors[dense->in[2]].data;
    static const float want[] = {0.5f, 1.5f, 2.5f, 1, 2, 3};
    expect_dims(&g->tensors[dense->in[1]], 2, (int64_t[]){2, 3});
    for (int i = 0; i < 6; i++)
        assert_float_equal(w[i], want[i], 0);
    assert_float_equal(b[0], 2, 0);
    assert_float_equal(b[1], 4, 0);
    assert_int_equal(g->n_nodes, 1);
    expect_dims(output(g), 2, (int64_t[]){IR_BATCH, 2});
    ir_graph_destroy(&g);
}

/* A file may use one weight twice: scaling it for one product leaves the other alone. */
static void shared_weights_stay_apart(void **state)
{
    (void)state;
    const char *const nodes[] = {"Gemm: x w -> h; transB=1", "Gemm: h w -> y; alpha=3f transB=1"};
    const given consts[] = {{"w", F32, 2, {2, 2}}};
    const bytes file = build(nodes, 2, (given){"x", F32, 2, {0, 2}}, consts, 1);
    ir_graph *g = must_read(&file, 13);
    const float *first = (const float *)(const void *)g->tensors[g->nodes[0].in[1]].data;
    const float *second = (const float *)(const void *)g->tensors[g->nodes[1].in[1]].data;
    for (int i = 0; i < 4; i++) {
        assert_float_equal(first[i], (float)(i + 1), 0);
        assert_float_equal(second[i], 3 * (float)(i + 1), 0);
    }
    ir_graph_destroy(&g);
}

/* Unrolled loops use the same weights at every step: one copy serves all. */
static void permuted_weights_are_shared(void **state)
{
    (void)state;
    const char *const nodes[] = {"MatMul: x w -> h", "MatMul: h w -> y"};
    const given consts[] = {{"w", F32, 2, {2, 2}}};
    const bytes file = build(nodes, 2, (given){"x", F32, 2, {0, 2}}, consts, 1);
    ir_graph *g = must_read(&file, 13);
    assert_int_equal(g->nodes[0].in[1], g->nodes[1].in[1]);
    ir_graph_destroy(&g);
}

static void a_matrix_is_added_afterwards(void **state)
{
    (void)state;
    const char *const nodes[] = {"Gemm: x w c -> y; beta=2f"};
    const given consts[] = {{"w", F32, 2, {3, 2}}, {"c", F32, 2, {4, 2}}};
    const bytes file = build(nodes, 1, (given){"x", F32, 2, {4, 3}}, consts, 2);
    ir_graph *g = must_read(&file, 13);
    assert_int_equal(find_node(g, IR_FULLY_CONNECTED)->n_in, 2);
    assert_non_null(find_node(g, IR_MUL));
    assert_int_equal(find_node(g, IR_ADD)->out[0], g->outputs[0]);
    expect_dims(output(g), 2, (int64_t[]){4, 2});
    ir_graph_destroy(&g);
}

static void constants_are_folded(void **state)
{
    (void)state;
    const char *const nodes[] = {"Transpose: w -> t; perm=1,0", "Unsqueeze: t -> u; axes=0,",
                                 "Squeeze: u -> v; axes=0,", "Identity: v -> i",
                                 "MatMul: x i -> y"};
    const given consts[] = {{"w", F32, 2, {2, 3}}};
    const bytes file = build(nodes, 5, (given){"x", F32, 3, {0, 5, 3}}, consts, 1);
    ir_graph *g = must_read(&file, 12);
    const ir_node *dense = find_node(g, IR_FULLY_CONNECTED);
    const float *w = (const float *)(const void *)g->tensors[dense->in[1]].data;
    for (int i = 0; i < 6; i++)
        assert_float_equal(w[i], (float)(i + 1), 0); /* there and back */
    assert_int_equal(g->n_nodes, 1);
    expect_dims(output(g), 3, (int64_t[]){IR_BATCH, 5, 2});
    ir_graph_destroy(&g);
}

static void batch_norm_is_folded(void **state)
{
    (void)state;
    const char *const nodes[] = {"BatchNormalization: x s b m v -> y; epsilon=0.25f"};
    const given consts[] = {
        {"s", F32, 1, {3}}, {"b", F32, 1, {3}}, {"m", F32, 1, {3}}, {"v", F32, 1, {3}}};
    const bytes file = build(nodes, 1, (given){"x", F32, 4, {0, 3, 2, 2}}, consts, 4);
    ir_graph *g = must_read(&file, 9);
    const float *k = (const float *)(const void *)g->tensors[find_node(g, IR_MUL)->in[1]].data;
    const float *b = (const float *)(const void *)g->tensors[find_node(g, IR_ADD)->in[1]].data;
    for (int c = 1; c <= 3; c++) { /* scale, bias, mean and variance of channel c are all c */
        const float factor = (float)c / sqrtf((float)c + 0.25f);
        assert_float_equal(k[c - 1], factor, 1e-6);
        assert_float_equal(b[c - 1], (float)c - (float)c * factor, 1e-5);
    }
    expect_dims(output(g), 4, (int64_t[]){IR_BATCH, 3, 2, 2});
    ir_graph_destroy(&g);
}

/* Before opset 13 Softmax runs over everything behind its axis. */
static void softmax_changed_its_meaning(void **state)
{
    (void)state;
    const char *const nodes[] = {"Softmax: x -> y; axis=1"};
    const bytes file = build(nodes, 1, (given){"x", F32, 3, {0, 3, 4}}, NULL, 0);
    ir_graph *old = must_read(&file, 12), *new = must_read(&file, 13);
    const ir_node *flat = find_node(old, IR_SOFTMAX), *one = find_node(new, IR_SOFTMAX);
    expect_dims(&old->tensors[flat->out[0]], 2, (int64_t[]){IR_BATCH, 12});
    expect_dims(output(old), 3, (int64_t[]){IR_BATCH, 3, 4});
    assert_int_equal(new->n_nodes, 1);
    assert_int_equal(one->attr.softmax.axis, 1);
    ir_graph_destroy(&old);
    ir_graph_destroy(&new);
}

/* [3] at axis 1 of [rows, 3, 2] is [3, 1]; since opset 7 it would meet the 2. */
static void operands_began_at_an_axis(void **state)
{
    (void)state;
    const char *const nodes[] = {"Add: x w -> y; broadcast=1 axis=1"};
    const given consts[] = {{"w", F32, 1, {3}}};
    const bytes file = build(nodes, 1, (given){"x", F32, 3, {0, 3, 2}}, consts, 1);
    nf_error err = {0};
    ir_graph *none, *g = must_read(&file, 6);
    expect_dims(&g->tensors[find_node(g, IR_RESHAPE)->out[0]], 2, (int64_t[]){3, 1});
    expect_dims(output(g), 3, (int64_t[]){IR_BATCH, 3, 2});
    ir_graph_destroy(&g);
    assert_int_equal(read_file(&none, &file, 7, &err), NF_EFORMAT);
}

static void axes_became_an_input(void **state)
{
    (void)state;
    const char *const old[] = {"ReduceSum: x -> y; axes=-1,1 keepdims=1"};
    const char *const new[] = {"ReduceSum: x a -> y; keepdims=0"};
    const given consts[] = {{"a", I32, 1, {1}}}; /* {0} */
    const bytes a = build(old, 1, (given){"x", F32, 3, {0, 3, 4}}, NULL, 0);
    const bytes b = build(new, 1, (given){"x", F32, 3, {0, 3, 4}}, consts, 1);
    ir_graph *g = must_read(&a, 12);
    expect_dims(output(g), 3, (int64_t[]){IR_BATCH, 1, 1});
    ir_graph_destroy(&g);
    g = must_read(&b, 13);
    expect_dims(output(g), 2, (int64_t[]){3, 4});
    assert_true(find_node(g, IR_REDUCE_SUM)->attr.reduce.all);
    ir_graph_destroy(&g);
}

/* Limits of the file are one CLAMP, those that the model computes a choice of the greater one. */
static void limits_may_be_computed(void **state)
{
    (void)state;
    const char *const fixed[] = {"Clip: x low high -> y"};
    const char *const computed[] = {"ReduceMean: x -> m; keepdims=0", "Clip: x m -> y"};
    const given consts[] = {{"low", F32, 0, {0}}, {"high", F32, 0, {0}}}; /* 1 and 1 */
    const bytes a = build(fixed, 1, (given){"x", F32, 2, {0, 3}}, consts, 2);
    const bytes b = build(computed, 2, (given){"x", F32, 2, {0, 3}}, NULL, 0);
    ir_graph *g = must_read(&a, 13);
    assert_true(find_node(g, IR_CLAMP)->attr.clamp.clamp.low == 1);
    ir_graph_destroy(&g);
    g = must_read(&b, 13);
    assert_int_equal(find_node(g, IR_MAXIMUM)->n_in, 2);
    ir_graph_destroy(&g);
}

static void quantization_is_on_the_integers(void **state)
{
    (void)state;
    const char *const nodes[] = {"QuantizeLinear: x s -> q", "Reshape: q t -> r",
                                 "DequantizeLinear: r s -> y"};
    bytes file = {.len = 0};
    const float scale = 0.25f;
    const int64_t shape[] = {0, -1};
    for (int i = 0; i < 3; i++)
        put_node(&file, nodes[i]);
    put_const(&file, "s", F32, NULL, 0, (nf_bytes){(const uint8_t *)&scale, 4});
    put_const(&file, "t", I64, (int64_t[]){2}, 1, (nf_bytes){(const uint8_t *)shape, 16});
    put_info(&file, 11, "x", F32, (int64_t[]){0, 3, 1}, 3);
    put_info(&file, 12, "y", F32, (int64_t[]){0, 3}, 2);
    ir_graph *g = must_read(&file, 13);
    for (int i = 0; i < 2;
         i++) { /* result of QUANTIZE and of RESHAPE; without a zero point UINT8 */
        const ir_tensor *t = &g->tensors[g->nodes[i].out[0]];
        assert_int_equal(t->dtype, ENG_U8);
        assert_int_equal(t->quant.n, 1);
        assert_float_equal(t->quant.scale[0], 0.25f, 0);
        assert_int_equal(t->quant.zero[0], 0);
    }
    ir_graph_destroy(&g);
}

/* int8 weights may stand one a number in int32_data. */
static void numbers_in_lists(void **state)
{
    (void)state;
    bytes file = {.len = 0}, t = {.len = 0};
    const float scale = 1;
    put_node(&file, "DequantizeLinear: q s -> w");
    put_node(&file, "Add: x w -> y");
    put_num(&t, 1, 3);
    put_num(&t, 2, I8);
    for (int v = -1; v < 2; v++)
        put_num(&t, 5, v);
    put_text(&t, 8, "q");
    put_msg(&file, 5, t.data, t.len);
    put_const(&file, "s", F32, NULL, 0, (nf_bytes){(const uint8_t *)&scale, 4});
    put_info(&file, 11, "x", F32, (int64_t[]){0, 3}, 2);
    put_info(&file, 12, "y", F32, (int64_t[]){0, 3}, 2);
    ir_graph *g = must_read(&file, 13);
    const ir_tensor *q = &g->tensors[find_node(g, IR_DEQUANTIZE)->in[0]];
    for (int i = 0; i < 3; i++)
        assert_int_equal((int8_t)q->data[i], i - 1);
    ir_graph_destroy(&g);
}

static void aliases_keep_the_output_name(void **state)
{
    (void)state;
    const char *const nodes[] = {"Relu: x -> a", "Dropout: a -> b", "Identity: b -> y"};
    const bytes file = build(nodes, 3, (given){"x", F32, 2, {0, 3}}, NULL, 0);
    ir_graph *g = must_read(&file, 13);
    assert_string_equal(output(g)->name, "y");
    assert_int_equal(g->n_nodes, 2); /* CLAMP, and a RESHAPE that gives the result its own name */
    ir_graph_destroy(&g);
}

static void all_missing_operators_are_named(void **state)
{
    (void)state;
    const char *const nodes[] = {"Sine: x -> a", "Cosine: a -> b", "Relu: b -> c", "Sine: c -> y"};
    const bytes file = build(nodes, 4, (given){"x", F32, 2, {0, 3}}, NULL, 0);
    nf_error err = {0};
    ir_graph *g = NULL;
    assert_int_equal(read_file(&g, &file, 13, &err), NF_EUNSUPPORTED);
    assert_null(g);
    assert_string_equal(err.text, "operators: Sine x2, Cosine x1");
}

/* Few bytes may not become many: each node here scales a copy of the same weights. */
static void copies_are_limited(void **state)
{
    (void)state;
    static bytes graph;
    const size_t side = 1700;
    char line[64];
    size_t n = 0, len = 0;
    graph.len = 0;
    for (; n < 60; n++) {
        snprintf(line, sizeof(line), "Gemm: h%zu w -> h%zu; alpha=2f", n, n + 1);
        put_node(&graph, line);
    }
    put_info(&graph, 11, "h0", F32, (int64_t[]){0, (int64_t)side}, 2);
    put_info(&graph, 12, "h60", F32, (int64_t[]){0, (int64_t)side}, 2);
    bytes head = {.len = 0}, tail = {.len = 0}, set = {.len = 0}, tensor = {.len = 0};
    put_num(&tensor, 1, (int64_t)side);
    put_num(&tensor, 1, (int64_t)side);
    put_num(&tensor, 2, F32);
    put_text(&tensor, 8, "w");
    put_varint(&tensor, 9 << 3 | 2);
    put_varint(&tensor, side * side * 4);
    put_varint(&tail, 5 << 3 | 2);
    put_varint(&tail, tensor.len + side * side * 4);
    put(&tail, tensor.data, tensor.len);
    put_num(&set, 2, 13);
    put_num(&head, 1, 8);
    put_msg(&head, 8, set.data, set.len);
    put_varint(&head, 7 << 3 | 2);
    put_varint(&head, graph.len + tail.len + side * side * 4);
    uint8_t *file = nf_alloc(head.len + graph.len + tail.len + side * side * 4, NF_MEM_MISC);
    assert_non_null(file);
    memcpy(file, head.data, head.len);
    memcpy(file + head.len, graph.data, graph.len);
    memcpy(file + head.len + graph.len, tail.data, tail.len);
    len = head.len + graph.len + tail.len + side * side * 4;
    nf_error err = {0};
    ir_graph *g = NULL;
    assert_int_equal(fmt_read(&g, (nf_bytes){file, len}, &err), NF_ETOOLARGE);
    nf_free(file);
    assert_int_equal(nf_mem_live_all(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_goes_to_nhwc),
        cmocka_unit_test(groups_of_one_are_depthwise),
        cmocka_unit_test(quantized_weights_are_permuted),
        cmocka_unit_test(gemm_is_folded),
        cmocka_unit_test(shared_weights_stay_apart),
        cmocka_unit_test(permuted_weights_are_shared),
        cmocka_unit_test(a_matrix_is_added_afterwards),
        cmocka_unit_test(constants_are_folded),
        cmocka_unit_test(batch_norm_is_folded),
        cmocka_unit_test(softmax_changed_its_meaning),
        cmocka_unit_test(operands_began_at_an_axis),
        cmocka_unit_test(axes_became_an_input),
        cmocka_unit_test(limits_may_be_computed),
        cmocka_unit_test(quantization_is_on_the_integers),
        cmocka_unit_test(numbers_in_lists),
        cmocka_unit_test(aliases_keep_the_output_name),
        cmocka_unit_test(all_missing_operators_are_named),
        cmocka_unit_test(copies_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
