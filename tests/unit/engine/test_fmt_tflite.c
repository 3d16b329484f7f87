/* test_fmt_tflite.c - the TensorFlow Lite reader on the bundled models, and on each cut and many
 * flipped bytes of them. Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/mem.h"
#include "engine/format/fmt.h"

#include <stdlib.h>

static ir_graph *must_read(const char *path)
{
    nf_bytes file = test_file(path);
    nf_error err = {0};
    ir_graph *g = NULL;
    assert_ok(fmt_read(&g, file, &err), &err);
    nf_free((void *)(uintptr_t)file.data);
    return g; /* nothing in it points into the file */
}

static void reads_the_temperature_model(void **state)
{
    (void)state;
    ir_graph *g = must_read("models/temp/1/edge.tflite");
    size_t dense = 0;
    assert_string_equal(g->format, "tflite");
    assert_int_equal(g->n_inputs, 1);
    assert_int_equal(g->n_outputs, 1);
    const ir_tensor *x = &g->tensors[g->inputs[0]], *y = &g->tensors[g->outputs[0]];
    assert_int_equal(x->dtype, ENG_I8);
    assert_int_equal(x->quant.n, 1);
    assert_int_equal(x->rank, 3);
    assert_int_equal(y->dim[y->rank - 1], 3);
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *n = &g->nodes[i];
        if (n->op != IR_FULLY_CONNECTED) continue;
        const ir_tensor *w = &g->tensors[n->in[1]], *b = &g->tensors[n->in[2]];
        assert_int_equal(w->dtype, ENG_I8);
        assert_int_equal(b->dtype, ENG_I32);
        assert_int_equal(w->bytes, w->dim[0] * w->dim[1]);
        assert_int_equal(b->bytes, 4 * w->dim[0]);
        if (dense++ == 0) assert_float_equal(n->attr.dense.clamp.low, 0, 0); /* its fused RELU */
    }
    assert_int_equal(dense, 2);
    assert_int_equal(g->nodes[g->n_nodes - 1].op, IR_SOFTMAX);
    assert_float_equal(g->nodes[g->n_nodes - 1].attr.softmax.beta, 1, 0);
    ir_graph_destroy(&g);
}

static void reads_the_image_model(void **state)
{
    (void)state;
    ir_graph *g = must_read("models/digits/1/edge.tflite");
    size_t convs = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const ir_node *n = &g->nodes[i];
        if (n->op != IR_CONV_2D) continue;
        const ir_tensor *w = &g->tensors[n->in[1]];
        assert_int_equal(w->quant.n, (size_t)w->dim[0]);
        assert_int_equal(n->attr.window.groups, 1);
        assert_in_range(n->attr.window.stride_h, 1, 4);
        convs++;
    }
    assert_true(convs > 0);
    ir_graph_destroy(&g);
}

/* A read of any bytes: a graph, or an error that says something; nothing is left over. */
static nf_status try_read(const uint8_t *data, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1); /* so that a sanitizer sees the first byte behind it */
    nf_error err = {0};
    ir_graph *g = NULL;
    assert_non_null(exact);
    memcpy(exact, data, len);
    const nf_status st = fmt_read(&g, (nf_bytes){exact, len}, &err);
    free(exact);
    assert_int_equal(g == NULL, st != NF_OK);
    assert_int_equal(err.status, st);
    if (st) assert_true(err.text[0] != '\0' && err.where[0] != '\0');
    ir_graph_destroy(&g);
    return st;
}

static const char *const files[] = {"models/temp/1/edge.tflite", "models/temp/1/cloud.onnx"};

static void every_prefix(void **state)
{
    (void)state;
    for (size_t f = 0; f < NF_COUNT(files); f++) {
        nf_bytes file = test_file(files[f]);
        const size_t before = nf_mem_live_all();
        assert_int_equal(try_read(file.data, file.len), NF_OK);
        for (size_t len = 0; len < file.len; len++)
            (void)try_read(file.data, len);
        assert_int_equal(nf_mem_live_all(), before);
        nf_free((void *)(uintptr_t)file.data);
    }
}

static void flipped_bytes(void **state)
{
    (void)state;
    uint64_t seed = 20;
    for (size_t f = 0; f < NF_COUNT(files); f++) {
        nf_bytes file = test_file(files[f]);
        const size_t before = nf_mem_live_all();
        uint8_t *copy = (uint8_t *)(uintptr_t)file.data;
        for (int round = 0; round < 20000; round++) {
            size_t at[4];
            uint8_t old[4];
            const size_t n = 1 + test_random(&seed) % 4;
            for (size_t i = 0; i < n; i++) {
                at[i] = test_random(&seed) % file.len;
                old[i] = copy[at[i]];
                copy[at[i]] = (uint8_t)test_random(&seed);
            }
            (void)try_read(copy, file.len);
            for (size_t i = n; i-- > 0;)
                copy[at[i]] = old[i];
        }
        assert_int_equal(try_read(copy, file.len), NF_OK); /* all of it was put back */
        assert_int_equal(nf_mem_live_all(), before);
        nf_free(copy);
    }
}

/* The n-th allocation fails, for every n until the read succeeds. */
static void no_memory(void **state)
{
    (void)state;
    for (size_t f = 0; f < NF_COUNT(files); f++) {
        nf_bytes file = test_file(files[f]);
        const size_t before = nf_mem_live_all();
        nf_status st = NF_ENOMEM;
        uint64_t n = 0;
        while (st == NF_ENOMEM) {
            nf_error err = {0};
            ir_graph *g = NULL;
            nf_mem_fail_nth(++n);
            st = fmt_read(&g, file, &err);
            nf_mem_fail_nth(0);
            ir_graph_destroy(&g);
            assert_int_equal(err.status, st);
            assert_int_equal(nf_mem_live_all(), before);
        }
        assert_int_equal(st, NF_OK);
        assert_true(n > 20);
        nf_free((void *)(uintptr_t)file.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_temperature_model),
        cmocka_unit_test(reads_the_image_model),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(flipped_bytes),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
