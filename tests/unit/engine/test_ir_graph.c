/* test_ir_graph.c - building a graph: names, scales, constants. Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/mem.h"
#include "engine/ir/graph.h"

#include <math.h>

static ir_graph *new_graph(void)
{
    ir_graph *g = NULL;
    nf_error err = {0};
    assert_ok(ir_graph_create(&g, &err), &err);
    return g;
}

static void names_become_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        size_t len;
        const char *kept;
    } cases[] = {
        {"probs", 5, "probs"},
        {"", 0, "tensor_0"},
        {"a\xff"
         "b",
         3, "a?b"},
        {"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
        {"cut\xe2\x82", 5, "cut??"},
        {"\xc0\xaf", 2, "??"},           /* an overlong slash */
        {"\xed\xa0\x80", 3, "???"},      /* half of a surrogate pair */
        {"\xf4\x90\x80\x80", 4, "????"}, /* behind the last code point */
        {"\xf0\x9f\x8c\xa1", 4, "\xf0\x9f\x8c\xa1"},
        {"a\"\n", 3, "a\"\n"}, /* quoting is the JSON encoder's */
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        ir_graph *g = new_graph();
        nf_error err = {0};
        int32_t t;
        assert_ok(ir_add_tensor(&t, g, cases[i].given, cases[i].len, ENG_F32, &err), &err);
        assert_string_equal(g->tensors[t].name, cases[i].kept);
        ir_graph_destroy(&g);
        assert_null(g);
    }
}

static void scales_are_checked(void **state)
{
    (void)state;
    static const struct {
        float scale;
        int32_t zero;
        eng_dtype dtype;
        nf_status want;
    } cases[] = {
        {0.5f, -128, ENG_I8, NF_OK},   {0.5f, 128, ENG_I8, NF_EFORMAT},
        {0.5f, 255, ENG_U8, NF_OK},    {0.5f, -1, ENG_U8, NF_EFORMAT},
        {0.5f, 32767, ENG_I16, NF_OK}, {0.5f, INT32_MIN, ENG_I32, NF_OK},
        {0.0f, 0, ENG_I8, NF_EFORMAT}, {-1.0f, 0, ENG_I8, NF_EFORMAT},
        {NAN, 0, ENG_I8, NF_EFORMAT},  {INFINITY, 0, ENG_I8, NF_EFORMAT},
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        ir_graph *g = new_graph();
        nf_error err = {0};
        int32_t t;
        assert_ok(ir_add_tensor(&t, g, "x", 1, cases[i].dtype, &err), &err);
        const nf_status st =
            ir_set_quant(&g->tensors[t], 1, &cases[i].scale, &cases[i].zero, 0, &err);
        assert_int_equal(st, cases[i].want);
        assert_int_equal(g->tensors[t].quant.n, st ? 0 : 1);
        ir_graph_destroy(&g);
    }
}

static void content_fits_the_shape(void **state)
{
    (void)state;
    static const uint8_t bytes[24] = {1, 2, 3};
    ir_graph *g = new_graph();
    nf_error err = {0};
    int32_t t;
    assert_ok(ir_add_tensor(&t, g, "w", 1, ENG_F32, &err), &err);
    g->tensors[t].rank = 2;
    g->tensors[t].dim[0] = 2;
    g->tensors[t].dim[1] = 3;
    assert_int_equal(ir_set_data(&g->tensors[t], (nf_bytes){bytes, 23}, &err), NF_EFORMAT);
    assert_non_null(strstr(err.text, "23"));
    assert_null(g->tensors[t].data);
    err = (nf_error){0};
    assert_ok(ir_set_data(&g->tensors[t], (nf_bytes){bytes, 24}, &err), &err);
    assert_memory_equal(g->tensors[t].data, bytes, 24);
    uint8_t *other = nf_alloc(24, NF_MEM_GRAPH);
    assert_ok(ir_take_data(&g->tensors[t], other, 24, &err), &err);
    assert_ptr_equal(g->tensors[t].data, other);
    ir_graph_destroy(&g);
}

static void elements_do_not_wrap(void **state)
{
    (void)state;
    size_t n = 7;
    ir_tensor t = {.rank = 2, .dim = {IR_BATCH, 3}};
    assert_true(ir_elems(&n, &t, 4));
    assert_int_equal(n, 12);
    t = (ir_tensor){.rank = 4, .dim = {65536, 65536, 65536, 65536}};
    assert_false(ir_elems(&n, &t, 1));
    t = (ir_tensor){.rank = 2, .dim = {INT64_MAX, INT64_MAX}};
    assert_false(ir_elems(&n, &t, 1));
    t = (ir_tensor){.rank = 0};
    assert_true(ir_elems(&n, &t, 1));
    assert_int_equal(n, 1);
}

static void clamps_begin_open(void **state)
{
    (void)state;
    ir_graph *g = new_graph();
    nf_error err = {0};
    const int32_t in = 0;
    int32_t t;
    assert_ok(ir_add_tensor(&t, g, "x", 1, ENG_F32, &err), &err);
    for (int op = 0; op < IR_OP_COUNT; op++) {
        ir_node *node;
        assert_ok(ir_add_node(&node, g, (ir_op)op, &in, 1, 0, &err), &err);
        const ir_clamp *c = ir_node_clamp(node);
        const bool has = op < IR_SOFTMAX && op != IR_RESHAPE;
        assert_int_equal(c != NULL, has);
        if (c) assert_true(isinf(c->low) && c->low < 0 && isinf(c->high) && c->high > 0);
    }
    ir_graph_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_utf8),      cmocka_unit_test(scales_are_checked),
        cmocka_unit_test(content_fits_the_shape), cmocka_unit_test(elements_do_not_wrap),
        cmocka_unit_test(clamps_begin_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
