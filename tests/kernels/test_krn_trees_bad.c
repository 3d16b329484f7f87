/* test_krn_trees_bad.c - tree ensembles with a few numbers changed at random: refused, or evaluated
 * alike by every version, and never a byte out of place. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/base/mem.h"
#include "engine/kernels/krn_trees.h"

#include <math.h>
#include <string.h>

#define TREES   5
#define NODES   15 /* of one tree: perfect, depth 3 */
#define ALL     (TREES * NODES)
#define LEAVES  (TREES * 8)
#define OUTPUTS 2
#define COLS    6
#define ROWS    40

typedef struct file { /* the attributes of one operator */
    int64_t tree[ALL], node[ALL], feature[ALL], yes[ALL], no[ALL], missing[ALL];
    int64_t w_tree[LEAVES], w_node[LEAVES], w_id[LEAVES];
    uint8_t mode[ALL];
    float split[ALL], weight[LEAVES];
} file;

static file file_make(uint64_t *seed)
{
    file f = {0};
    for (size_t i = 0, w = 0; i < ALL; i++) {
        const size_t n = i % NODES;
        const bool leaf = n >= NODES / 2;
        f.tree[i] = (int64_t)(i / NODES);
        f.node[i] = (int64_t)n;
        f.feature[i] = (int64_t)(test_random(seed) % COLS);
        f.missing[i] = (int64_t)(test_random(seed) % 2);
        f.mode[i] = (uint8_t)(leaf ? KRN_TREE_LEAF : (int)(test_random(seed) % 4));
        f.split[i] = test_uniform(seed, -1, 1);
        f.yes[i] = leaf ? 0 : (int64_t)(2 * n + 1);
        f.no[i] = leaf ? 0 : (int64_t)(2 * n + 2);
        if (!leaf) continue;
        f.w_tree[w] = f.tree[i];
        f.w_node[w] = f.node[i];
        f.w_id[w] = f.tree[i] % OUTPUTS;
        f.weight[w++] = test_uniform(seed, -1, 1);
    }
    return f;
}

/* One number becomes another: small, near the end of its range, or far outside. */
static void change(file *f, uint64_t *seed)
{
    static const int64_t far[] = {-1, NODES, ALL, INT32_MAX, INT64_MAX, INT64_MIN, 1LL << 32};
    int64_t *ints[] = {f->tree, f->node, f->feature, f->yes, f->no, f->w_tree, f->w_node, f->w_id};
    const size_t which = test_random(seed) % (NF_COUNT(ints) + 2);
    const int64_t to = test_random(seed) % 4 ? (int64_t)(test_random(seed) % NODES)
                                             : far[test_random(seed) % NF_COUNT(far)];
    if (which < NF_COUNT(ints))
        ints[which][test_random(seed) % (which < 5 ? ALL : LEAVES)] = to;
    else if (which == NF_COUNT(ints))
        f->mode[test_random(seed) % ALL] = (uint8_t)to;
    else
        f->split[test_random(seed) % ALL] = (float[]){NAN, INFINITY, -INFINITY, 0}[to & 3];
}

static krn_trees_classic classic(const file *f)
{
    return (krn_trees_classic){.tree_ids = {f->tree, ALL},
                               .node_ids = {f->node, ALL},
                               .feature_ids = {f->feature, ALL},
                               .true_ids = {f->yes, ALL},
                               .false_ids = {f->no, ALL},
                               .missing_true = {f->missing, ALL},
                               .modes = f->mode,
                               .n_modes = ALL,
                               .values = {.f32 = f->split, .n = ALL},
                               .weight_trees = {f->w_tree, LEAVES},
                               .weight_nodes = {f->w_node, LEAVES},
                               .weight_ids = {f->w_id, LEAVES},
                               .weights = {.f32 = f->weight, .n = LEAVES},
                               .n_outputs = OUTPUTS,
                               .aggregate = KRN_AGGREGATE_SUM};
}

/* The same arrays read as TreeEnsemble 5: node numbers run through all trees; a child is a leaf
 * where `missing` says so. */
static krn_trees_five five(const file *f)
{
    return (krn_trees_five){.roots = {f->tree, ALL},
                            .feature_ids = {f->feature, ALL},
                            .true_ids = {f->yes, ALL},
                            .true_leafs = {f->missing, ALL},
                            .false_ids = {f->no, ALL},
                            .false_leafs = {f->missing, ALL},
                            .modes = f->mode,
                            .n_modes = ALL,
                            .splits = {.f32 = f->split, .n = ALL},
                            .members = {.f32 = f->split, .n = ALL},
                            .leaf_ids = {f->w_id, LEAVES},
                            .leaf_weights = {.f32 = f->weight, .n = LEAVES},
                            .n_outputs = OUTPUTS,
                            .aggregate = KRN_AGGREGATE_SUM};
}

static void evaluate(const krn_trees *t, uint64_t *seed)
{
    static const unsigned tiers[] = {KRN_CPU_SCALAR, KRN_CPU_SCALAR | KRN_CPU_AVX2, ~0u};
    float x[ROWS * COLS], want[ROWS * OUTPUTS], got[ROWS * OUTPUTS];
    check_guard scratch = check_guard_make((krn_trees_scratch(t) + 7) / 8 * 8);
    for (size_t i = 0; i < NF_COUNT(x); i++)
        x[i] = test_random(seed) % 20 ? test_uniform(seed, -1, 1) : NAN;
    krn_trees_f32_ref(want, NULL, x, ROWS, COLS, t, scratch.data);
    for (size_t i = 0; i < NF_COUNT(tiers); i++) {
        const char *name;
        krn_trees_f32_fn fn = krn_trees_pick(t, tiers[i] & krn_cpu_flags(0), &name);
        fn(got, NULL, x, ROWS, COLS, t, scratch.data);
        if (memcmp(got, want, sizeof(got)) != 0) fail_msg("%s differs", name);
    }
    check_guard_free(&scratch);
}

/* Returns 1 when the ensemble could be built and its rows have columns enough. */
static int finish(krn_trees *t, nf_status st, uint64_t *seed)
{
    const bool good = st == NF_OK;
    assert_true(good || st == NF_EFORMAT);
    if (good) assert_int_equal(krn_trees_quicken(t, NULL), NF_OK);
    if (good && t->n_features <= COLS) evaluate(t, seed);
    krn_trees_free(t);
    assert_int_equal(nf_mem_live_all(), 0);
    return good;
}

static void changed_numbers_do_no_harm(void **state)
{
    uint64_t seed = 77;
    int good = 0, bad = 0;
    (void)state;
    for (int i = 0; i < 3000; i++) {
        file f = file_make(&seed);
        krn_trees t;
        for (uint64_t n = test_random(&seed) % 3; n > 0; n--)
            change(&f, &seed);
        const krn_trees_classic a = classic(&f);
        finish(&t, krn_trees_from_classic(&t, &a, NULL), &seed) ? good++ : bad++;
    }
    assert_true(good > 500 && bad > 500); /* both ways are tried */
}

static void changed_numbers_of_five_do_no_harm(void **state)
{
    uint64_t seed = 78;
    int good = 0, bad = 0;
    (void)state;
    for (int i = 0; i < 3000; i++) {
        file f = file_make(&seed);
        krn_trees t;
        for (size_t n = 0; n < ALL; n++) { /* children lie behind their parent, or are leaves */
            f.mode[n] = (uint8_t)(test_random(&seed) % (i % 4 ? 4 : 7));
            f.missing[n] = n + 10 > ALL || test_random(&seed) % 2;
            f.yes[n] = f.missing[n] ? (int64_t)(n % LEAVES) : (int64_t)(n + 1 + n % 4);
            f.no[n] = f.missing[n] ? (int64_t)(n * 7 % LEAVES) : (int64_t)(n + 2 + n % 5);
            if (test_random(&seed) % 3 == 0) f.split[n] = NAN;
        }
        for (uint64_t n = test_random(&seed) % 3; n > 0; n--)
            change(&f, &seed);
        if (i % 8 == 0) memset(f.w_id, 0, sizeof(f.w_id)); /* all for one output */
        const krn_trees_five a = five(&f);
        finish(&t, krn_trees_from_five(&t, &a, NULL), &seed) ? good++ : bad++;
    }
    assert_true(good > 500 && bad > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_numbers_do_no_harm),
        cmocka_unit_test(changed_numbers_of_five_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
