/* test_ir_verify.c - what a graph may not be. Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/mem.h"
#include "engine/ir/graph.h"

typedef struct build { /* x -> FULLY_CONNECTED(w, b) -> h -> SOFTMAX -> y */
    ir_graph *g;
    int32_t x, w, b, h, y;
    nf_error err;
} build;

static int32_t add(build *s, const char *name, eng_dtype dtype, int rank, int64_t d0, int64_t d1)
{
    int32_t t;
    assert_ok(ir_add_tensor(&t, s->g, name, strlen(name), dtype, &s->err), &s->err);
    s->g->tensors[t].rank = rank;
    s->g->tensors[t].dim[0] = d0;
    s->g->tensors[t].dim[1] = d1;
    return t;
}

static void fill(build *s, int32_t t, size_t bytes)
{
    assert_ok(ir_take_data(&s->g->tensors[t], nf_alloc(bytes, NF_MEM_GRAPH), bytes, &s->err),
              &s->err);
}

static ir_node *node(build *s, ir_op op, const int32_t *in, int32_t n, int32_t out)
{
    ir_node *k;
    assert_ok(ir_add_node(&k, s->g, op, in, n, out, &s->err), &s->err);
    return k;
}

static void quantize(build *s, int32_t t, size_t n, int axis)
{
    const float scale[4] = {1, 1, 1, 1};
    assert_ok(ir_set_quant(&s->g->tensors[t], n, scale, NULL, axis, &s->err), &s->err);
}

/* The nodes stand in the wrong order, which verification has to mend. */
static build start(void)
{
    build s = {0};
    assert_ok(ir_graph_create(&s.g, &s.err), &s.err);
    s.x = add(&s, "x", ENG_F32, 2, IR_BATCH, 3);
    s.w = add(&s, "w", ENG_F32, 2, 2, 3);
    s.b = add(&s, "b", ENG_F32, 1, 2, 0);
    s.h = add(&s, "h", ENG_F32, 0, 0, 0);
    s.y = add(&s, "y", ENG_F32, 2, 1, 2); /* as a file with one row says */
    fill(&s, s.w, 24);
    fill(&s, s.b, 8);
    ir_node *soft = node(&s, IR_SOFTMAX, &s.h, 1, s.y);
    soft->attr.softmax.beta = 1;
    soft->attr.softmax.axis = 1;
    node(&s, IR_FULLY_CONNECTED, (int32_t[]){s.x, s.w, s.b}, 3, s.h);
    assert_ok(ir_set_io(s.g, &s.x, 1, &s.y, 1, &s.err), &s.err);
    return s;
}

static void good(void **state)
{
    (void)state;
    build s = start();
    assert_ok(ir_graph_verify(s.g, &s.err), &s.err);
    assert_int_equal(s.g->nodes[0].op, IR_FULLY_CONNECTED);
    assert_int_equal(s.g->nodes[1].op, IR_SOFTMAX);
    assert_int_equal(s.g->tensors[s.h].rank, 2);
    assert_int_equal(s.g->tensors[s.h].dim[0], IR_BATCH);
    assert_int_equal(s.g->tensors[s.h].dim[1], 2);
    assert_int_equal(s.g->tensors[s.y].dim[0], IR_BATCH);
    assert_ok(ir_graph_verify(s.g, &s.err), &s.err); /* nothing more to do */
    ir_graph_destroy(&s.g);
}

typedef void (*change)(build *s);

static void cycle(build *s)
{
    s->g->nodes[1].in[0] = s->y;
}

static void double_writer(build *s)
{
    node(s, IR_CLAMP, &s->x, 1, s->h);
}

static void writes_constant(build *s)
{
    s->g->nodes[1].out[0] = s->w;
}

static void writes_input(build *s)
{
    node(s, IR_CLAMP, &s->h, 1, s->x);
}

static void nothing_makes_it(build *s)
{
    s->g->nodes[1].in[0] = add(s, "z", ENG_F32, 2, 1, 3);
}

static void input_out_of_range(build *s)
{
    s->g->nodes[1].in[0] = 99;
}

static void input_minus_2(build *s)
{
    s->g->nodes[1].in[0] = -2;
}

static void result_out_of_range(build *s)
{
    s->g->nodes[1].out[0] = -1;
}

static void least_input_absent(build *s)
{
    s->g->nodes[1].in[1] = IR_NONE;
}

static void no_outputs(build *s)
{
    s->g->n_outputs = 0;
}

static void no_inputs(build *s)
{
    s->g->n_inputs = 0;
}

static void output_is_input(build *s)
{
    s->g->outputs[0] = s->x;
}

static void output_out_of_range(build *s)
{
    s->g->outputs[0] = 1000;
}

static void input_twice(build *s)
{
    const int32_t in[] = {s->x, s->x};
    assert_ok(ir_set_io(s->g, in, 2, &s->y, 1, &s->err), &s->err);
}

static void dim_zero(build *s)
{
    s->g->tensors[s->x].dim[1] = 0;
}

static void batch_in_second_dim(build *s)
{
    s->g->tensors[s->x].dim[1] = IR_BATCH;
}

static void too_many_elements(build *s)
{
    s->g->tensors[s->x].dim[1] = INT64_MAX;
}

static void shape_contradicts(build *s)
{
    s->g->tensors[s->y].dim[1] = 3;
}

static void rank_contradicts(build *s)
{
    s->g->tensors[s->y].rank = 1;
}

static void bias_type(build *s)
{
    s->g->tensors[s->b].dtype = ENG_I32;
}

static void bias_length(build *s)
{
    s->g->tensors[s->b].rank = 0;
    s->g->tensors[s->b].bytes = 4;
}

static void weights_without_scale(build *s)
{
    s->g->tensors[s->w].dtype = ENG_I8;
    s->g->tensors[s->w].bytes = 6;
}

static void scales_along_wrong_axis(build *s)
{
    weights_without_scale(s);
    quantize(s, s->w, 3, 1);
}

static void scale_count(build *s)
{
    weights_without_scale(s);
    quantize(s, s->w, 3, 0);
}

static void scale_axis(build *s)
{
    weights_without_scale(s);
    quantize(s, s->w, 2, 7);
}

static void int16_activations(build *s)
{
    s->g->tensors[s->x].dtype = ENG_I16;
    quantize(s, s->x, 1, 0);
}

static void softmax_axis(build *s)
{
    s->g->nodes[0].attr.softmax.axis = 2;
}

static void softmax_beta(build *s)
{
    s->g->nodes[0].attr.softmax.beta = 0;
}

static void clamp_order(build *s)
{
    s->g->nodes[1].attr.dense.clamp = (ir_clamp){1, 0};
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        change make;
        nf_status want;
    } cases[] = {
        {"cycle", cycle, NF_EFORMAT},
        {"double writer", double_writer, NF_EFORMAT},
        {"writes a constant", writes_constant, NF_EFORMAT},
        {"writes an input", writes_input, NF_EFORMAT},
        {"nothing makes it", nothing_makes_it, NF_EFORMAT},
        {"input out of range", input_out_of_range, NF_EFORMAT},
        {"input -2", input_minus_2, NF_EFORMAT},
        {"result out of range", result_out_of_range, NF_EFORMAT},
        {"an input that must be there", least_input_absent, NF_EFORMAT},
        {"no outputs", no_outputs, NF_EFORMAT},
        {"no inputs", no_inputs, NF_EUNSUPPORTED},
        {"output is input", output_is_input, NF_EUNSUPPORTED},
        {"output out of range", output_out_of_range, NF_EFORMAT},
        {"input twice", input_twice, NF_EFORMAT},
        {"dimension 0", dim_zero, NF_EFORMAT},
        {"batch in dimension 1", batch_in_second_dim, NF_EFORMAT},
        {"too many elements", too_many_elements, NF_ETOOLARGE},
        {"shape contradicts", shape_contradicts, NF_EFORMAT},
        {"rank contradicts", rank_contradicts, NF_EFORMAT},
        {"bias type", bias_type, NF_EFORMAT},
        {"bias length", bias_length, NF_EFORMAT},
        {"weights without scale", weights_without_scale, NF_EFORMAT},
        {"scales along the wrong axis", scales_along_wrong_axis, NF_EUNSUPPORTED},
        {"scale count", scale_count, NF_EFORMAT},
        {"scale axis", scale_axis, NF_EFORMAT},
        {"16-bit activations", int16_activations, NF_EUNSUPPORTED},
        {"softmax axis", softmax_axis, NF_EFORMAT},
        {"softmax beta", softmax_beta, NF_EFORMAT},
        {"clamp order", clamp_order, NF_EFORMAT},
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        build s = start();
        cases[i].make(&s);
        const nf_status st = ir_graph_verify(s.g, &s.err);
        if (st != cases[i].want)
            fail_msg("%s: %s (%s: %s)", cases[i].name, nf_status_name(st), s.err.where, s.err.text);
        assert_int_equal(s.err.status, st);
        ir_graph_destroy(&s.g);
    }
    assert_int_equal(nf_mem_live_all(), 0);
}

/* A long chain in reverse order: sorted in linear time. */
static void long_chain(void **state)
{
    (void)state;
    enum { LONG = 50000 };
    build s = {0};
    assert_ok(ir_graph_create(&s.g, &s.err), &s.err);
    for (int i = 0; i <= LONG; i++)
        add(&s, "t", ENG_F32, i == 0, 4, 0);
    for (int32_t i = LONG; i > 0; i--)
        node(&s, IR_CLAMP, &(int32_t){i - 1}, 1, i);
    assert_ok(ir_set_io(s.g, &(int32_t){0}, 1, &(int32_t){LONG}, 1, &s.err), &s.err);
    assert_ok(ir_graph_verify(s.g, &s.err), &s.err);
    for (int32_t i = 0; i < LONG; i++)
        assert_int_equal(s.g->nodes[i].out[0], i + 1);
    ir_graph_destroy(&s.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(refusals),
        cmocka_unit_test(long_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
