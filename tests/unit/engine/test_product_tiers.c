/* test_product_tiers.c - products of floats on 8-bit weights, and of whole numbers, give the same
 * bits by the tiles of every instruction set and by the plain kernels. Layer: tests. */
#include "tests/support/checkkern.h"
#include "tests/unit/engine/make_run.h"

#include "engine/base/mem.h"

#define MOST_X 4096
#define MOST_W 8192
#define MOST_N 64

typedef struct product {
    ir_op op;
    bool whole; /* bytes by bytes, else floats by bytes */
    int64_t x[4], w[4];
    int rank_x, rank_w;
    size_t n; /* outputs: scales and biases */
    int axis; /* of w, along which they lie */
    int32_t stride, dilation, pad, groups;
    bool asymmetric, is_unsigned;
    ir_clamp clamp;
    krn_round round;
    float real[MOST_X], scale[MOST_N], bias[MOST_N];
    uint8_t bytes[MOST_X], weights[MOST_W], zero;
} product;

static int64_t below(uint64_t *seed, uint64_t n)
{
    return (int64_t)(test_random(seed) % n);
}

static size_t elems(const int64_t *dim, int rank)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= (size_t)dim[i];
    return n;
}

static void set_matrix(product *p, uint64_t *seed)
{
    const int64_t k = 1 + below(seed, 80), n = 1 + below(seed, 40);
    p->rank_x = p->rank_w = 2;
    p->x[0] = 1 + below(seed, 5);
    p->x[1] = k;
    p->w[0] = p->whole ? k : n;
    p->w[1] = p->whole ? n : k;
    p->n = (size_t)n;
}

/* The kernel is smaller than the image; a depthwise one has as many outputs as inputs. */
static void set_image(product *p, uint64_t *seed, bool depthwise)
{
    const int64_t c = 1 + below(seed, 20), kernel = 1 + below(seed, 3);
    const bool point = below(seed, 4) == 0;
    p->rank_x = p->rank_w = 4;
    p->groups = !depthwise && below(seed, 4) == 0 ? 2 : 1;
    p->stride = point ? 1 : 1 + (int32_t)below(seed, 2);
    p->dilation = 1;
    p->pad = point ? 0 : (int32_t)below(seed, 2);
    const int64_t x[4] = {1 + below(seed, 2), 4 + below(seed, 4), 4 + below(seed, 4),
                          c * p->groups};
    const int64_t n = depthwise ? c : (1 + below(seed, 24)) * p->groups;
    const bool across = depthwise && !p->whole;
    const int64_t w[4] = {across ? 1 : n, point ? 1 : kernel, point ? 1 : kernel,
                          across      ? c
                          : depthwise ? 1
                                      : c};
    memcpy(p->x, x, sizeof(x));
    memcpy(p->w, w, sizeof(w));
    p->n = (size_t)n;
    if (depthwise && p->whole) p->groups = (int32_t)c;
    p->axis = across ? 3 : 0;
}

static void fill(product *p, uint64_t *seed)
{
    const size_t n = elems(p->x, p->rank_x), m = elems(p->w, p->rank_w);
    assert_true(n <= MOST_X && m <= MOST_W && p->n <= MOST_N);
    const float high = below(seed, 8) ? 4 : 0; /* none above 0 is a range, too */
    for (size_t i = 0; i < n; i++) {
        p->real[i] = test_uniform(seed, -3, high);
        p->bytes[i] = (uint8_t)test_random(seed);
    }
    for (size_t i = 0; i < m; i++)
        p->weights[i] = (uint8_t)(below(seed, 255) - 127);
    for (size_t c = 0; c < p->n; c++) {
        p->scale[c] = test_uniform(seed, 0.001f, 0.1f);
        p->bias[c] = test_uniform(seed, -1, 1);
    }
    p->zero = (uint8_t)test_random(seed);
    p->is_unsigned = below(seed, 2);
    p->asymmetric = below(seed, 2);
    p->round = below(seed, 2) ? KRN_ROUND_FLOAT : KRN_ROUND_FIXED;
    p->clamp = below(seed, 2) ? (ir_clamp){0, 6} : (ir_clamp){-INFINITY, INFINITY};
}

static int32_t constant(ir_graph *g, const char *name, eng_dtype type, int rank, const int64_t *dim,
                        const void *data)
{
    const int32_t t = make_tensor(g, name, type, rank, dim);
    make_data(g, t, data, elems(dim, rank) * eng_dtype_size(type));
    return t;
}

static void set_attr(ir_node *n, const product *p)
{
    if (p->op == IR_FULLY_CONNECTED) {
        n->attr.dense.clamp = p->clamp;
        n->attr.dense.asymmetric = p->asymmetric;
    } else if (p->op == IR_CONV_INTEGER) {
        n->attr.nd = (ir_nd){.pad = IR_PAD_EXPLICIT, .n = 2, .groups = p->groups};
        for (int i = 0; i < 2; i++) {
            n->attr.nd.stride[i] = p->stride;
            n->attr.nd.dilation[i] = p->dilation;
            n->attr.nd.before[i] = n->attr.nd.after[i] = p->pad;
        }
    } else if (p->op != IR_MATMUL_INTEGER) {
        n->attr.window = (ir_window){.pad = IR_PAD_EXPLICIT,
                                     .stride_h = p->stride,
                                     .stride_w = p->stride,
                                     .dilation_h = p->dilation,
                                     .dilation_w = p->dilation,
                                     .top = p->pad,
                                     .left = p->pad,
                                     .bottom = p->pad,
                                     .right = p->pad,
                                     .groups = p->groups,
                                     .asymmetric = p->asymmetric,
                                     .clamp = p->clamp};
    }
}

static void build(run_graph *r, const product *p)
{
    const eng_dtype type = !p->whole ? ENG_F32 : p->is_unsigned ? ENG_U8 : ENG_I8;
    const void *x = p->whole ? (const void *)p->bytes : (const void *)p->real;
    const int64_t n = (int64_t)p->n;
    int32_t in[4] = {0, 0, IR_NONE, IR_NONE};
    in[0] = run_input(r, type, p->rank_x, p->x, x, elems(p->x, p->rank_x) * eng_dtype_size(type));
    in[1] = constant(r->g, "w", ENG_I8, p->rank_w, p->w, p->weights);
    if (!p->whole) {
        make_axis_quant(r->g, in[1], p->scale, p->n, p->axis);
        in[2] = constant(r->g, "bias", ENG_F32, 1, &n, p->bias);
    } else {
        in[2] = run_input(r, type, 0, NULL, &p->zero, 1);
    }
    set_attr(run_node(r, p->op, in, 3, p->whole ? ENG_I32 : ENG_F32), p);
}

/* Runs it on the kernels of these CPU bits. */
static size_t run_on(uint8_t *y, const product *p, unsigned cpu, bool *tiles)
{
    nf_error err = {0};
    run_graph r = run_open();
    r.cpu = cpu;
    r.round = p->round;
    build(&r, p);
    const nf_status st = run_once(&r, &err);
    assert_ok(st, &err);
    const eng_view v = run_result(&r, 0);
    memcpy(y, v.data, v.bytes);
    *tiles = r.model->top.layers[0].q8;
    run_close(&r);
    return v.bytes;
}

static void compare(const product *p, uint64_t seed)
{
    static uint8_t want[MOST_X * 64], got[MOST_X * 64];
    bool tiles;
    const size_t n = run_on(want, p, 0, &tiles);
    assert_false(tiles);
    for (size_t t = 0; t < check_n_tiers; t++) {
        krn_qs8 k;
        if (!check_can_run(&check_tiers[t])) continue;
        krn_qs8_init(&k, check_tiers[t].bits);
        assert_int_equal(run_on(got, p, check_tiers[t].bits, &tiles), n);
        assert_int_equal(tiles, k.tier != NULL);
        if (memcmp(got, want, n) != 0)
            fail_msg("%s on %s, seed %llu", ir_op_name(p->op), check_tiers[t].name,
                     (unsigned long long)seed);
    }
}

static void run_all(ir_op op, bool whole, bool image, bool depthwise)
{
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(120); seed++) {
        static product p;
        uint64_t s = seed;
        p = (product){.op = op, .whole = whole};
        if (image)
            set_image(&p, &s, depthwise);
        else
            set_matrix(&p, &s);
        fill(&p, &s);
        compare(&p, seed);
    }
}

static void dense_hybrid(void **state)
{
    (void)state;
    run_all(IR_FULLY_CONNECTED, false, false, false);
}

static void conv_hybrid(void **state)
{
    (void)state;
    run_all(IR_CONV_2D, false, true, false);
}

static void depthwise_hybrid(void **state)
{
    (void)state;
    run_all(IR_DEPTHWISE_CONV_2D, false, true, true);
}

static void matmul_integer(void **state)
{
    (void)state;
    run_all(IR_MATMUL_INTEGER, true, false, false);
}

static void conv_integer(void **state)
{
    (void)state;
    run_all(IR_CONV_INTEGER, true, true, false);
    run_all(IR_CONV_INTEGER, true, true, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_hybrid),     cmocka_unit_test(conv_hybrid),
        cmocka_unit_test(depthwise_hybrid), cmocka_unit_test(matmul_integer),
        cmocka_unit_test(conv_integer),
    };
    check_name_missing();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
