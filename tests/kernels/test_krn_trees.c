/* test_krn_trees.c - tree ensembles: answers worked out by hand and those of onnxruntime 1.32,
 * every quick version against the plain one, what the builders refuse; --bench times them. Layer:
 * tests. */
#include "tests/support/checkkern.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_trees.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define INTS(a)  ((krn_ints){(a), NF_COUNT(a)})
#define REALS(a) ((krn_reals){.f32 = (a), .n = NF_COUNT(a)})

enum { LEQ = KRN_TREE_LEQ, LT, GTE, GT, EQ, NEQ, MEMBER, LEAF };

/* Two trees over two features: a branch with two leaves each. Weights of class 0, then of 1. */
static const int64_t tree_ids[] = {0, 0, 0, 4, 4, 4}, node_ids[] = {0, 1, 2, 0, 1, 2};
static const int64_t features[] = {0, 0, 0, 1, 0, 0}, yes_ids[] = {1, 0, 0, 2, 0, 0};
static const int64_t no_ids[] = {2, 0, 0, 1, 0, 0}, missing[] = {1, 0, 0, 0, 0, 0};
static const float values[] = {0.5f, 0, 0, -1, 0, 0};
static const int64_t weight_trees[] = {0, 0, 4, 4, 0, 0, 4, 4};
static const int64_t weight_nodes[] = {1, 2, 1, 2, 1, 2, 1, 2};
static const int64_t weight_ids[] = {0, 0, 0, 0, 1, 1, 1, 1};
static const float weights[] = {0.25f, 0.5f, 0.125f, 1, -1, 2, 0.5f, -0.5f};

static krn_trees_classic two_trees(const uint8_t *modes, size_t n_weights, size_t n_outputs)
{
    krn_trees_classic a = {.tree_ids = INTS(tree_ids),
                           .node_ids = INTS(node_ids),
                           .feature_ids = INTS(features),
                           .true_ids = INTS(yes_ids),
                           .false_ids = INTS(no_ids),
                           .missing_true = INTS(missing),
                           .modes = modes,
                           .n_modes = NF_COUNT(tree_ids),
                           .values = REALS(values),
                           .weight_trees = {weight_trees, n_weights},
                           .weight_nodes = {weight_nodes, n_weights},
                           .weight_ids = {weight_ids, n_weights},
                           .weights = {.f32 = weights, .n = n_weights},
                           .n_outputs = n_outputs,
                           .aggregate = KRN_AGGREGATE_SUM};
    return a;
}

static krn_trees build(const krn_trees_classic *a)
{
    krn_trees t;
    nf_error err = {0};
    assert_ok(krn_trees_from_classic(&t, a, &err), &err);
    assert_ok(krn_trees_quicken(&t, &err), &err);
    return t;
}

static void every_mode_decides(void **state)
{
    /* the answers for x = 0.25, 0.5, 0.75 and NaN, which goes to yes at the root */
    static const float yes = 0.25f + 0.125f, no = 0.5f + 0.125f;
    static const struct {
        uint8_t mode;
        float want[4];
    } cases[] = {{LEQ, {yes, yes, no, yes}}, {LT, {yes, no, no, yes}}, {GTE, {no, yes, yes, yes}},
                 {GT, {no, no, yes, yes}},   {EQ, {no, yes, no, yes}}, {NEQ, {yes, no, yes, yes}}};
    const float x[][2] = {{0.25f, 0}, {0.5f, 0}, {0.75f, 0}, {NAN, 0}};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        const uint8_t modes[] = {cases[i].mode, LEAF, LEAF, LT, LEAF, LEAF};
        const krn_trees_classic a = two_trees(modes, 4, 1);
        krn_trees t = build(&a);
        float z[4];
        uint64_t scratch[256];
        assert_true(krn_trees_scratch(&t) <= sizeof(scratch));
        krn_trees_f32_ref(z, NULL, x[0], 4, 2, &t, scratch);
        assert_memory_equal(z, cases[i].want, sizeof(z));
        assert_int_equal(t.quick.depth, cases[i].mode < EQ);
        krn_trees_free(&t);
    }
}

static void aggregates_join_the_trees(void **state)
{
    static const float want[] = {(0.5f + 1) / 2, 0.5f + 1, 0.5f, 1};
    const uint8_t modes[] = {LEQ, LEAF, LEAF, LEQ, LEAF, LEAF};
    const float x[] = {1, -2}, base = 0.25f;
    (void)state;
    for (int how = KRN_AGGREGATE_AVERAGE; how <= KRN_AGGREGATE_MAX; how++) {
        krn_trees_classic a = two_trees(modes, 4, 1);
        a.aggregate = (krn_aggregate)how;
        a.base = (krn_reals){.f32 = &base, .n = 1};
        krn_trees t = build(&a);
        float z;
        double z64;
        const double x64[] = {1, -2};
        uint64_t scratch[256];
        krn_trees_f32_ref(&z, NULL, x, 1, 2, &t, scratch);
        krn_trees_f64_ref(&z64, NULL, x64, 1, 2, &t, scratch);
        assert_true(z == want[how] + base && z64 == (double)z);
        krn_trees_free(&t);
    }
}

typedef struct binary_case { /* answers of onnxruntime 1.32 */
    float leaf[2];           /* weights of one leaf for class 0 and 1; NAN: it has none */
    float other;             /* weight of the other leaf for class 0; NAN: none */
    size_t n_base;
    krn_post post;
    int64_t label;
    float want[2];
} binary_case;

static const binary_case binary_cases[] = {
    {{0.3f, 0.2f}, NAN, 0, KRN_POST_NONE, 1, {0.3f, 0.2f}},
    {{0.3f, NAN}, NAN, 0, KRN_POST_NONE, 0, {0.7f, 0.3f}},
    {{NAN, 0.3f}, NAN, 0, KRN_POST_NONE, 0, {0, 0.3f}},
    {{0.3f, NAN}, -0.1f, 0, KRN_POST_NONE, 1, {-0.3f, 0.3f}},
    {{0.3f, NAN}, NAN, 0, KRN_POST_LOGISTIC, 0, {0.42555749f, 0.57444251f}},
    {{0.3f, 0.2f}, NAN, 0, KRN_POST_SOFTMAX, 1, {0.52497917f, 0.47502083f}},
    {{NAN, 0.3f}, NAN, 1, KRN_POST_NONE, 0, {0, 0.3f}},
    {{0.3f, NAN}, NAN, 1, KRN_POST_NONE, 1, {0.45f, 0.55f}},
    {{0.3f, NAN}, -0.1f, 1, KRN_POST_LOGISTIC, 1, {0.36586440f, 0.63413560f}},
    {{0.3f, 0.2f}, NAN, 2, KRN_POST_NONE, 1, {-0.8f, 0.8f}},
    {{0.3f, NAN}, NAN, 2, KRN_POST_NONE, 1, {0.55f, 0}},
    {{NAN, 0.3f}, NAN, 2, KRN_POST_SOFTMAX, 0, {0.37754068f, 0.62245932f}},
    {{0.3f, NAN}, NAN, 2, KRN_POST_LOGISTIC, 1, {0.63413560f, 0.5f}},
};

static void check_binary(const binary_case *c)
{
    static const float base[] = {0.25f, 0.5f};
    const uint8_t modes[] = {LEQ, LEAF, LEAF, LEQ, LEAF, LEAF};
    const int64_t trees[] = {0, 0, 0}, nodes[] = {1, 1, 2};
    int64_t ids[3];
    float w[3];
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        const float v = i < 2 ? c->leaf[i] : c->other;
        if (isnan(v)) continue;
        ids[n] = i < 2 ? (int64_t)i : 0;
        w[n++] = v;
    }
    krn_trees_classic a = two_trees(modes, 0, 2);
    a.tree_ids.n = a.node_ids.n = a.feature_ids.n = a.true_ids.n = a.false_ids.n = 3;
    a.missing_true.n = a.n_modes = a.values.n = 3;
    a.weight_trees = (krn_ints){trees, n};
    a.weight_nodes = (krn_ints){isnan(c->leaf[0]) || isnan(c->leaf[1]) ? nodes + 1 : nodes, n};
    a.weight_ids = (krn_ints){ids, n};
    a.weights = (krn_reals){.f32 = w, .n = n};
    a.base = (krn_reals){.f32 = base, .n = c->n_base};
    a.post = c->post;
    a.classifier = true;
    krn_trees t = build(&a);
    const float x[] = {-1, 0};
    float z[2];
    int64_t label;
    uint64_t scratch[256];
    krn_trees_f32_ref(z, &label, x, 1, 2, &t, scratch);
    assert_int_equal(label, c->label);
    for (int i = 0; i < 2; i++)
        assert_true(fabsf(z[i] - c->want[i]) <= 1e-6f);
    krn_trees_free(&t);
}

static void binary_classifiers_are_onnxruntimes(void **state)
{
    (void)state;
    for (size_t i = 0; i < NF_COUNT(binary_cases); i++)
        check_binary(&binary_cases[i]);
}

/* One node that asks for membership, as TreeEnsemble 5 has it, and one that compares. */
static void members_are_found(void **state)
{
    static const int64_t roots[] = {0}, feature[] = {0, 0}, yes[] = {0, 1}, yes_leaf[] = {1, 1};
    static const int64_t no[] = {1, 2}, no_leaf[] = {0, 1}, ids[] = {0, 0, 1};
    static const uint8_t modes[] = {MEMBER, GT};
    static const float splits[] = {0, 5}, members[] = {7, -2, 3.5f, NAN}, leaf[] = {1, 2, 4};
    const krn_trees_five a = {.roots = INTS(roots),
                              .feature_ids = INTS(feature),
                              .true_ids = INTS(yes),
                              .true_leafs = INTS(yes_leaf),
                              .false_ids = INTS(no),
                              .false_leafs = INTS(no_leaf),
                              .modes = modes,
                              .n_modes = 2,
                              .splits = REALS(splits),
                              .members = REALS(members),
                              .leaf_ids = INTS(ids),
                              .leaf_weights = REALS(leaf),
                              .n_outputs = 2,
                              .aggregate = KRN_AGGREGATE_SUM};
    const float x[] = {7, -2, 3.5f, 6, 5, NAN};
    static const float want[][2] = {{1, 0}, {1, 0}, {1, 0}, {2, 0}, {0, 4}, {0, 4}};
    float z[6][2];
    uint64_t scratch[256];
    krn_trees t;
    nf_error err = {0};
    (void)state;
    assert_ok(krn_trees_from_five(&t, &a, &err), &err);
    krn_trees_f32_ref(z[0], NULL, x, 6, 1, &t, scratch);
    assert_memory_equal(z, want, sizeof(want));
    krn_trees_free(&t);
}

/* Each change makes the two trees impossible. */
static void bad_ensembles_are_refused(void **state)
{
    static const int64_t twice[] = {0, 1, 1, 0, 1, 2}, far[] = {0, 0, 0, -1, 0, 0};
    static const int64_t cycle[] = {0, 0, 0, 2, 0, 0}, nowhere[] = {1, 0, 0, 9, 0, 0};
    static const uint8_t modes[] = {LEQ, LEAF, LEAF, LEQ, LEAF, LEAF};
    static const uint8_t odd[] = {LEQ, LEAF, 9, LEQ, LEAF, LEAF};
    static const int64_t outputs[] = {0, 0, 0, 2}, no_node[] = {1, 2, 1, 3};
    (void)state;
    for (int i = 0; i < 10; i++) {
        krn_trees_classic a = two_trees(i == 0 ? odd : modes, 4, 1);
        krn_trees t;
        nf_error err = {0};
        if (i == 1) a.node_ids.v = twice;
        if (i == 2) a.feature_ids.v = far;
        if (i == 3) a.true_ids.v = cycle;
        if (i == 4) a.false_ids.v = nowhere;
        if (i == 5) a.weight_ids.v = outputs;
        if (i == 6) a.weight_nodes.v = no_node;
        if (i == 7) a.values.n--;
        if (i == 8) a.weight_trees.n--;
        if (i == 9) a.n_outputs = 0;
        assert_int_equal(krn_trees_from_classic(&t, &a, &err), NF_EFORMAT);
        assert_true(err.text[0]);
        krn_trees_free(&t);
    }
    assert_int_equal(nf_mem_live(NF_MEM_WEIGHTS), 0);
}

static void no_memory_is_an_answer(void **state)
{
    const uint8_t modes[] = {LEQ, LEAF, LEAF, LEQ, LEAF, LEAF};
    const krn_trees_classic a = two_trees(modes, 4, 1);
    nf_status st = NF_ENOMEM;
    (void)state;
    for (uint64_t n = 1; st != NF_OK; n++) {
        krn_trees t;
        nf_mem_fail_nth(n);
        st = krn_trees_from_classic(&t, &a, NULL);
        if (st == NF_OK) st = krn_trees_quicken(&t, NULL);
        nf_mem_fail_nth(0);
        assert_true(st == NF_OK || st == NF_ENOMEM);
        krn_trees_free(&t);
        assert_int_equal(nf_mem_live_all(), 0);
    }
}

/* A random ensemble in growing arrays. */
#define MOST_NODES 60000

typedef struct forest {
    int64_t tree[MOST_NODES], node[MOST_NODES], feature[MOST_NODES], yes[MOST_NODES];
    int64_t no[MOST_NODES], missing[MOST_NODES];
    uint8_t mode[MOST_NODES];
    float value[MOST_NODES];
    int64_t w_tree[4 * MOST_NODES], w_node[4 * MOST_NODES], w_id[4 * MOST_NODES];
    float weight[4 * MOST_NODES];
    size_t n, n_weights;
    uint64_t seed;
} forest;

typedef struct kind { /* of ensemble */
    size_t trees, depth, features, outputs;
    bool full;     /* every tree of full depth, not ragged */
    bool mixed;    /* tree i is i levels deep, from 0 on again behind `depth` */
    bool each;     /* a leaf has a weight for each output, not for one */
    uint8_t modes; /* of LEQ, LT, GTE, GT, ... how many */
    bool missing, classifier;
} kind;

static void grow_leaf(forest *f, const kind *k, size_t tree, int64_t at)
{
    for (size_t id = 0; id < k->outputs; id++) {
        if (!k->each && id != tree % k->outputs) continue;
        const size_t w = f->n_weights++;
        f->w_tree[w] = (int64_t)tree;
        f->w_node[w] = at;
        f->w_id[w] = (int64_t)id;
        f->weight[w] = test_uniform(&f->seed, -1, 1);
    }
}

static int64_t grow(forest *f, const kind *k, size_t tree, size_t first, size_t depth)
{
    const size_t i = f->n++;
    const bool leaf = depth == 0 || (!k->full && test_random(&f->seed) % 5 == 0);
    f->tree[i] = (int64_t)tree;
    f->node[i] = (int64_t)(i - first);
    f->feature[i] = (int64_t)(test_random(&f->seed) % k->features);
    f->value[i] = test_uniform(&f->seed, -1, 1);
    if (test_random(&f->seed) % 8 == 0) /* a few that are easily hit, and the ends */
        f->value[i] = (float[]){0, -0.0f, 1, INFINITY, -INFINITY, NAN}[test_random(&f->seed) % 6];
    f->mode[i] = (uint8_t)(leaf ? LEAF : (int)(test_random(&f->seed) % k->modes));
    f->missing[i] = k->missing && test_random(&f->seed) % 2;
    if (leaf) {
        grow_leaf(f, k, tree, f->node[i]);
        return f->node[i];
    }
    f->yes[i] = grow(f, k, tree, first, depth - 1);
    f->no[i] = grow(f, k, tree, first, depth - 1);
    return f->node[i];
}

static krn_trees forest_make(const kind *k, uint64_t seed)
{
    forest *f = nf_alloc(sizeof(*f), NF_MEM_MISC);
    f->seed = seed;
    for (size_t i = 0; i < k->trees; i++)
        grow(f, k, i, f->n, k->mixed ? i % (k->depth + 1) : k->depth);
    const krn_trees_classic a = {.tree_ids = {f->tree, f->n},
                                 .node_ids = {f->node, f->n},
                                 .feature_ids = {f->feature, f->n},
                                 .true_ids = {f->yes, f->n},
                                 .false_ids = {f->no, f->n},
                                 .missing_true = {f->missing, f->n},
                                 .modes = f->mode,
                                 .n_modes = f->n,
                                 .values = {.f32 = f->value, .n = f->n},
                                 .weight_trees = {f->w_tree, f->n_weights},
                                 .weight_nodes = {f->w_node, f->n_weights},
                                 .weight_ids = {f->w_id, f->n_weights},
                                 .weights = {.f32 = f->weight, .n = f->n_weights},
                                 .n_outputs = k->outputs,
                                 .aggregate = KRN_AGGREGATE_SUM,
                                 .classifier = k->classifier};
    krn_trees t = build(&a);
    nf_free(f);
    return t;
}

typedef struct version {
    const char *name;
    unsigned bits;
    krn_trees_f32_fn fn;
} version;

static const version versions[] = {{"plain", KRN_CPU_SCALAR, krn_trees_f32_ref},
                                   {"crown", KRN_CPU_SCALAR, krn_trees_f32_crown},
#if defined(__x86_64__)
                                   {"avx2", KRN_CPU_AVX2, krn_trees_f32_avx2},
                                   {"avx512", KRN_CPU_AVX512, krn_trees_f32_avx512}
#endif
};

typedef struct rows { /* one evaluation; guarded to the byte */
    check_guard x, z, label, scratch;
    size_t n, cols;
    const krn_trees *t;
    krn_trees_f32_fn fn;
} rows;

static float a_value(uint64_t *seed, bool nans)
{
    static const float odd[] = {0, -0.0f, 1, INFINITY, -INFINITY, NAN};
    if (test_random(seed) % 8 != 0) return test_uniform(seed, -1.2f, 1.2f);
    return odd[test_random(seed) % (nans ? 6 : 5)];
}

static rows rows_make(const krn_trees *t, size_t n, size_t cols, uint64_t seed, bool nans)
{
    rows r = {.n = n, .cols = cols, .t = t};
    r.x = check_guard_make(n * cols * sizeof(float));
    r.z = check_guard_make(n * t->n_outputs * sizeof(float));
    r.label = check_guard_make(n * sizeof(int64_t));
    r.scratch = check_guard_make((krn_trees_scratch(t) + 7) / 8 * 8);
    for (size_t i = 0; i < n * cols; i++)
        ((float *)r.x.data)[i] = a_value(&seed, nans);
    return r;
}

static void rows_free(rows *r)
{
    check_guard_free(&r->x);
    check_guard_free(&r->z);
    check_guard_free(&r->label);
    check_guard_free(&r->scratch);
}

static void run_rows(void *user)
{
    rows *r = user;
    r->fn(r->z.data, r->label.data, r->x.data, r->n, r->cols, r->t, r->scratch.data);
}

static void compare(const krn_trees *t, size_t n, size_t cols, uint64_t seed, bool nans)
{
    rows want = rows_make(t, n, cols, seed, nans), got = rows_make(t, n, cols, seed, nans);
    want.fn = krn_trees_f32_ref;
    run_rows(&want);
    for (size_t v = 1; v < NF_COUNT(versions); v++) {
        if ((krn_cpu_flags(0) & versions[v].bits) == 0) continue;
        got.fn = versions[v].fn;
        memset(got.z.data, 0x5a, n * t->n_outputs * sizeof(float));
        run_rows(&got);
        if (memcmp(got.z.data, want.z.data, n * t->n_outputs * sizeof(float)) != 0 ||
            (t->classifier && memcmp(got.label.data, want.label.data, n * sizeof(int64_t)) != 0))
            fail_msg("%s: %zu rows of %zu, %zu trees, depth %zu, seed %llu", versions[v].name, n,
                     cols, t->n_trees, t->depth, (unsigned long long)seed);
    }
    rows_free(&want);
    rows_free(&got);
}

static void every_version_equals_ref(void **state)
{
    static const size_t counts[] = {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 63, 64, 65, 130};
    size_t quick = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 220; seed++) {
        uint64_t r = seed;
        const kind k = {.trees = 1 + test_random(&r) % 9,
                        .depth = test_random(&r) % 10,
                        .features = 1 + test_random(&r) % 20,
                        .outputs = (size_t[]){1, 1, 2, 3, 4, 5, 10, 17}[test_random(&r) % 8],
                        .full = test_random(&r) % 4 == 0,
                        .each = test_random(&r) % 2,
                        .modes = (uint8_t)(1 + test_random(&r) % 4),
                        .missing = test_random(&r) % 2,
                        .classifier = test_random(&r) % 2};
        krn_trees t = forest_make(&k, seed);
        const size_t cols = t.n_features + test_random(&r) % 3;
        quick += t.quick.depth > 0;
        for (size_t i = 0; i < 3 && t.quick.depth; i++)
            compare(&t, counts[(seed + i * 5) % NF_COUNT(counts)], cols ? cols : 1, seed, i > 0);
        krn_trees_free(&t);
    }
    assert_true(quick > 150); /* else the loop proves nothing */
}

/* A crown is as deep as the deepest tree, six levels at most: trees that end earlier stop earlier,
 * and only those that go deeper are walked below. */
static void flat_and_deep_trees_stand_side_by_side(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const kind k = {.trees = 17,
                        .depth = 1 + seed % 9,
                        .features = 7,
                        .outputs = seed % 4 ? 1 : 3,
                        .full = seed % 3 > 0,
                        .mixed = true,
                        .each = seed % 8 == 0,
                        .modes = 4,
                        .missing = seed % 2};
        krn_trees t = forest_make(&k, seed);
        assert_true(t.quick.depth > 0);
        for (size_t i = 0; i < k.trees && k.full; i++) {
            const size_t levels = t.quick.levels[i], deepest = t.quick.depth + 1;
            const size_t real = i % (k.depth + 1), least = t.quick.depth < 3 ? t.quick.depth : 3;
            assert_int_equal(levels, real > deepest ? deepest : real < least ? least : real);
        }
        compare(&t, 130, 9, seed, seed % 2);
        krn_trees_free(&t);
    }
}

/* Ensembles that the layout cannot express keep the plain evaluator. */
static void others_stay_plain(void **state)
{
    static const kind kinds[] = {{.trees = 2, .depth = 0, .features = 1, .outputs = 1, .modes = 1},
                                 {.trees = 9, .depth = 5, .features = 2, .outputs = 1, .modes = 6}};
    const char *name;
    (void)state;
    for (size_t i = 0; i < NF_COUNT(kinds); i++) {
        krn_trees t = forest_make(&kinds[i], 3);
        assert_int_equal(t.quick.depth, 0);
        assert_ptr_equal(krn_trees_pick(&t, ~0u, &name), krn_trees_f32_ref);
        assert_string_equal(name, "plain");
        krn_trees_free(&t);
    }
}

static int bench(void)
{
    static const kind kinds[] = {
        {.trees = 100, .depth = 6, .features = 20, .outputs = 1, .full = true, .modes = 1},
        {.trees = 100,
         .depth = 6,
         .features = 20,
         .outputs = 10,
         .each = true,
         .modes = 1,
         .full = true,
         .classifier = true},
        {.trees = 100, .depth = 8, .features = 20, .outputs = 1, .full = true, .modes = 1}};
    static const size_t counts[] = {1, 8, 64, 1000};
    printf("%-8s %6s %6s %8s %6s %12s\n", "version", "trees", "depth", "outputs", "rows", "ns/row");
    for (size_t i = 0; i < NF_COUNT(kinds); i++) {
        krn_trees t = forest_make(&kinds[i], 1);
        for (size_t c = 0; c < NF_COUNT(counts); c++)
            for (size_t v = 0; v < NF_COUNT(versions); v++) {
                if ((krn_cpu_flags(0) & versions[v].bits) == 0) continue;
                rows r = rows_make(&t, counts[c], 20, 5, false);
                r.fn = versions[v].fn;
                const double us = check_time_us(run_rows, &r, counts[c] > 100 ? 50 : 2000);
                printf("%-8s %6zu %6zu %8zu %6zu %12.1f\n", versions[v].name, t.n_trees, t.depth,
                       t.n_outputs, counts[c], us * 1000 / (double)counts[c]);
                rows_free(&r);
            }
        krn_trees_free(&t);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mode_decides),
        cmocka_unit_test(aggregates_join_the_trees),
        cmocka_unit_test(binary_classifiers_are_onnxruntimes),
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(bad_ensembles_are_refused),
        cmocka_unit_test(no_memory_is_an_answer),
        cmocka_unit_test(every_version_equals_ref),
        cmocka_unit_test(flat_and_deep_trees_stand_side_by_side),
        cmocka_unit_test(others_stay_plain),
    };
    check_name_missing();
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) return bench();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
