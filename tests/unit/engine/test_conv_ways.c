/* test_conv_ways.c - float convolutions in every way and every instruction set, over windows of all
 * kinds, against the sum they stand for, in double. Layer: tests. */
#include "tests/unit/engine/make_graph.h"

#include "engine/base/mem.h"
#include "engine/kernels/cpu.h"
#include "engine/plan/pack.h"

#include <math.h>

typedef struct conv {
    int64_t x[4], w[4], y[4]; /* NHWC; [out, kh, kw, in / groups] */
    ir_window a;
    ir_graph *g;
    float *image, *taps, *bias, *got;
} conv;

static float *floats(size_t n, uint64_t *seed)
{
    float *p = nf_alloc_array(n, sizeof(*p), NF_MEM_MISC);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = test_uniform(seed, -1, 1);
    return p;
}

static size_t elems(const int64_t dim[4])
{
    return (size_t)(dim[0] * dim[1] * dim[2] * dim[3]);
}

static int64_t below(uint64_t *seed, uint64_t n)
{
    return (int64_t)(test_random(seed) % n);
}

/* Explicit padding of up to 2 on each side; every fourth one is 3 x 3 with padding 1, as Winograd's
 * way wants it, and every sixth of the others a column. */
static void random_sizes(conv *c, uint64_t *seed)
{
    const bool plain = below(seed, 4) == 0;
    const int64_t groups = below(seed, 5) == 0 ? 2 : 1, channels = 1 + below(seed, 24);
    const int64_t kh = plain ? 3 : 1 + below(seed, 4);
    int64_t kw = plain ? 3 : 1 + below(seed, 4), width = 8 + below(seed, 30);
    c->a = (ir_window){.stride_h = plain ? 1 : 1 + (int32_t)below(seed, 2),
                       .stride_w = plain ? 1 : 1 + (int32_t)below(seed, 2),
                       .dilation_h = plain || below(seed, 4) ? 1 : 2,
                       .dilation_w = plain || below(seed, 4) ? 1 : 2,
                       .top = plain ? 1 : (int32_t)below(seed, 3),
                       .left = plain ? 1 : (int32_t)below(seed, 3),
                       .bottom = plain ? 1 : (int32_t)below(seed, 3),
                       .right = plain ? 1 : (int32_t)below(seed, 3),
                       .groups = (int32_t)(plain ? 1 : groups),
                       .clamp = {-1.5f, 2}};
    if (!plain && below(seed, 6) == 0) {
        width = kw = 1;
        c->a.left = c->a.right = 0;
    }
    const int64_t in[4] = {1, 8 + below(seed, 8), width, channels * c->a.groups};
    const int64_t w[4] = {(8 + below(seed, 30)) * c->a.groups, kh, kw, channels};
    const int64_t high = in[1] + c->a.top + c->a.bottom - ((kh - 1) * c->a.dilation_h + 1);
    const int64_t wide = in[2] + c->a.left + c->a.right - ((kw - 1) * c->a.dilation_w + 1);
    const int64_t y[4] = {1, high / c->a.stride_h + 1, wide / c->a.stride_w + 1, w[0]};
    memcpy(c->x, in, sizeof(in));
    memcpy(c->w, w, sizeof(w));
    memcpy(c->y, y, sizeof(y));
}

static conv conv_make(uint64_t *seed)
{
    conv c = {0};
    random_sizes(&c, seed);
    const int64_t n[1] = {c.w[0]};
    c.g = make_graph();
    const int32_t x = make_tensor(c.g, "x", ENG_F32, 4, c.x);
    const int32_t w = make_tensor(c.g, "w", ENG_F32, 4, c.w);
    const int32_t b = make_tensor(c.g, "b", ENG_F32, 1, n);
    const int32_t y = make_tensor(c.g, "y", ENG_F32, 4, c.y);
    c.image = floats(elems(c.x), seed);
    c.taps = floats(elems(c.w), seed);
    c.bias = floats((size_t)c.w[0], seed);
    c.got = floats(elems(c.y), seed);
    make_data(c.g, w, c.taps, elems(c.w) * sizeof(float));
    make_data(c.g, b, c.bias, (size_t)c.w[0] * sizeof(float));
    make_node(c.g, IR_CONV_2D, (int32_t[]){x, w, b}, y)->attr.window = c.a;
    return c;
}

static void conv_free(conv *c)
{
    ir_graph_destroy(&c->g);
    nf_free(c->image);
    nf_free(c->taps);
    nf_free(c->bias);
    nf_free(c->got);
}

static double exact(const conv *c, int64_t oh, int64_t ow, int64_t n)
{
    const int64_t per_group = c->w[0] / c->a.groups, c0 = n / per_group * c->w[3];
    double sum = (double)c->bias[n];
    for (int64_t ky = 0; ky < c->w[1]; ky++)
        for (int64_t kx = 0; kx < c->w[2]; kx++) {
            const int64_t h = oh * c->a.stride_h + ky * c->a.dilation_h - c->a.top;
            const int64_t v = ow * c->a.stride_w + kx * c->a.dilation_w - c->a.left;
            if (h < 0 || v < 0 || h >= c->x[1] || v >= c->x[2]) continue;
            const float *x = c->image + (h * c->x[2] + v) * c->x[3] + c0;
            const float *w = c->taps + ((n * c->w[1] + ky) * c->w[2] + kx) * c->w[3];
            for (int64_t i = 0; i < c->w[3]; i++)
                sum += (double)x[i] * (double)w[i];
        }
    return fmax(-1.5, fmin(2, sum));
}

static void compare(const conv *c, const char *kernel)
{
    const float *y = c->got;
    for (int64_t p = 0; p < c->y[1] * c->y[2]; p++)
        for (int64_t n = 0; n < c->y[3]; n++, y++) {
            const double want = exact(c, p / c->y[2], p % c->y[2], n);
            if (!(fabs((double)*y - want) <= 5e-5))
                fail_msg("%s: %lld x %lld x %lld, kernel %lld x %lld, stride %d %d, groups %d: "
                         "pixel %lld output %lld is %g, not %g",
                         kernel, (long long)c->x[1], (long long)c->x[2], (long long)c->x[3],
                         (long long)c->w[1], (long long)c->w[2], c->a.stride_h, c->a.stride_w,
                         c->a.groups, (long long)p, (long long)n, (double)*y, want);
        }
}

static plan_shape shape_of(const int64_t dim[4])
{
    plan_shape s = {.rank = 4, .elems = elems(dim)};
    for (int i = 0; i < 4; i++)
        s.dim[i] = (size_t)dim[i];
    return s;
}

static void run_way(conv *c, plan_layer *l, plan_way way)
{
    const plan_shape in[2] = {shape_of(c->x), shape_of(c->w)}, out = shape_of(c->y);
    plan_step s = {.run = l->kernel->run, .layer = l, .a = c->image, .y = c->got};
    nf_error err = {0};
    assert_ok(plan_pack_f32(l, c->g, way, &err), &err);
    assert_ok(l->kernel->bind(&s, in, &out, &err), &err);
    s.scratch = nf_alloc(s.scratch_bytes + 1, NF_MEM_MISC);
    memset(s.scratch, 0xff, s.scratch_bytes); /* NaN: whoever reads what it did not write is seen */
    memset(c->got, 0xff, out.elems * sizeof(float));
    s.run(&s);
    compare(c, l->kernel_name);
    nf_free(s.scratch);
}

static bool fits(const conv *c, plan_way way)
{
    const bool winograd = way == PLAN_WAY_WINOGRAD_2 || way == PLAN_WAY_WINOGRAD_4;
    return !winograd || (c->w[1] == 3 && c->w[2] == 3 && c->a.stride_h == 1 && c->a.stride_w == 1 &&
                         c->a.dilation_h == 1 && c->a.dilation_w == 1 && c->a.groups == 1);
}

static void every_way_is_the_sum(void **state)
{
    static const unsigned tiers[] = {0, KRN_CPU_AVX2, KRN_CPU_AVX2 | KRN_CPU_AVX512};
    uint64_t seed = 1;
    (void)state;
    for (int i = 0; i < 120; i++) {
        conv c = conv_make(&seed);
        for (size_t t = 0; t < NF_COUNT(tiers); t++) {
            plan_env env = {.round = KRN_ROUND_FLOAT};
            plan_layer l;
            nf_error err = {0};
            if ((krn_cpu_flags(0) & tiers[t]) != tiers[t]) continue;
            krn_qs8_init(&env.qs8, 0);
            krn_f32_init(&env.f32, tiers[t]);
            env.measure = i % 8 == 0;
            const plan_graph owner = {.g = c.g};
            assert_ok(plan_layer_init(&l, &owner, &c.g->nodes[0], &env, &err), &err);
            for (int way = 0; way < PLAN_WAY_COUNT; way++)
                if (fits(&c, (plan_way)way)) run_way(&c, &l, (plan_way)way);
            plan_layer_fini(&l);
        }
        conv_free(&c);
    }
}

/* Binds and runs where nothing is to be computed. */
static void run_empty(conv *c, plan_layer *l, plan_way way, const int64_t x[4], const int64_t y[4])
{
    const plan_shape in[2] = {shape_of(x), shape_of(c->w)}, out = shape_of(y);
    plan_step s = {.run = l->kernel->run, .layer = l, .a = c->image, .y = c->got};
    nf_error err = {0};
    assert_ok(plan_pack_f32(l, c->g, way, &err), &err);
    assert_ok(l->kernel->bind(&s, in, &out, &err), &err);
    s.run(&s);
}

/* Winograd's way can be taken. */
static bool is_plain(const conv *c)
{
    return c->a.groups == 1 && c->w[1] == 3 && c->w[2] == 3 && c->w[3] >= 8 && c->a.top == 1 &&
           c->a.stride_h == 1 && c->a.stride_w == 1 && c->a.dilation_h == 1 && c->a.dilation_w == 1;
}

static void open_and_empty_shapes_are_not_timed(void **state)
{
    uint64_t seed = 1;
    conv c;
    (void)state;
    for (c = conv_make(&seed); !is_plain(&c); c = conv_make(&seed))
        conv_free(&c);
    c.g->tensors[c.g->nodes[0].in[0]].dim[0] = c.g->tensors[c.g->nodes[0].out[0]].dim[0] = IR_FREE;
    plan_env env = {.round = KRN_ROUND_FLOAT, .measure = true};
    const plan_graph owner = {.g = c.g};
    plan_layer l;
    nf_error err = {0};
    krn_f32_init(&env.f32, krn_cpu_flags(0));
    assert_ok(plan_layer_init(&l, &owner, &c.g->nodes[0], &env, &err), &err);
    for (int way = 0; way < PLAN_WAY_COUNT; way++) {
        run_empty(&c, &l, (plan_way)way, (int64_t[]){0, c.x[1], c.x[2], c.x[3]},
                  (int64_t[]){0, c.y[1], c.y[2], c.y[3]});
        run_empty(&c, &l, (plan_way)way, (int64_t[]){1, c.x[1], 0, c.x[3]},
                  (int64_t[]){1, c.y[1], 0, c.y[3]});
    }
    plan_layer_fini(&l);
    conv_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_is_the_sum),
        cmocka_unit_test(open_and_empty_shapes_are_not_timed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
