/* test_krn_rnn.c - steps of float LSTM and GRU behind their products: every version is as near to
 * the plain one as its curves are, in guarded memory. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_f32_table.h"

#include <math.h>
#include <string.h>

#define MOST_OFF 2e-6f

/* What a step reads, and copies of what it changes. */
typedef struct step {
    krn_cells p;
    check_guard sums, own, b, rb, h, c, reset, y;
} step;

static check_guard floats(size_t n, float size, uint64_t *seed)
{
    check_guard g = check_guard_make(n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        ((float *)g.data)[i] = test_uniform(seed, -size, size);
    return g;
}

static step a_step(size_t n, uint64_t seed)
{
    const float size = test_random(&seed) % 4 ? 2.0f : 60.0f;
    step s = {.sums = floats(4 * n, size, &seed),
              .own = floats(4 * n, size, &seed),
              .b = floats(4 * n, 0.5f, &seed),
              .rb = floats(n, 0.5f, &seed),
              .h = floats(n, 1, &seed),
              .c = floats(n, 2, &seed),
              .reset = floats(n, 1, &seed),
              .y = floats(n, 1, &seed)};
    s.p = (krn_cells){.n = n,
                      .b = s.b.data,
                      .rb = test_random(&seed) & 1 ? s.rb.data : NULL,
                      .clip = test_random(&seed) & 1 ? 0.7f : INFINITY};
    if (test_random(&seed) % 4 == 0) ((float *)s.sums.data)[test_random(&seed) % n] = NAN;
    return s;
}

static void free_step(step *s)
{
    check_guard *const all[] = {&s->sums, &s->own, &s->b, &s->rb, &s->h, &s->c, &s->reset, &s->y};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        check_guard_free(all[i]);
}

static void run_lstm(const step *s, const krn_f32 *k)
{
    k->lstm_cells(s->y.data, s->c.data, s->sums.data, s->own.data, &s->p);
}

/* own serves both halves, as sums of z r and, again, of the candidate. */
static void run_gru(const step *s, const krn_f32 *k)
{
    k->gru_reset(s->reset.data, s->sums.data, s->own.data, s->h.data, &s->p);
    k->gru_cells(s->h.data, s->sums.data, s->reset.data, s->own.data, &s->p);
}

static void near(const check_guard *got, const check_guard *want, size_t n, const char *what,
                 const char *isa)
{
    const float *a = got->data, *b = want->data;
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(a[i] - b[i]) <= MOST_OFF) && !(isnan(a[i]) && isnan(b[i])))
            fail_msg("%s: %s[%zu] of %zu is %.9g, not %.9g", isa, what, i, n, (double)a[i],
                     (double)b[i]);
}

/* On every tier, against the plain version. */
static void compare(void (*run)(const step *s, const krn_f32 *k), size_t n, uint64_t seed)
{
    step want = a_step(n, seed);
    krn_f32 k;
    krn_f32_init(&k, 0);
    run(&want, &k);
    for (size_t t = 0; t < check_n_tiers; t++) {
        if (!check_can_run(&check_tiers[t])) continue;
        step got = a_step(n, seed);
        krn_f32_init(&k, check_tiers[t].bits);
        run(&got, &k);
        near(&got.y, &want.y, n, "y", k.isa);
        near(&got.c, &want.c, n, "the cell", k.isa);
        near(&got.h, &want.h, n, "the state", k.isa);
        near(&got.reset, &want.reset, n, "the reset", k.isa);
        near(&got.sums, &want.sums, 4 * n, "sums", k.isa);
        free_step(&got);
    }
    free_step(&want);
}

static void every_size(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(300); seed++) {
        compare(run_lstm, 1 + seed % 70, seed);
        compare(run_gru, 1 + seed % 70, seed);
    }
}

static float logistic(float x)
{
    return 1 / (1 + expf(-x));
}

/* One cell by hand: c' = f c + i g, y = o tanh(c'); h' = (1 - z) g + z h. */
static void the_formulas(void **state)
{
    const float b[] = {0.1f, 0.2f, 0.3f, 0.4f}, own[] = {0.5f, 1, 1.5f, 2}, rb = 0.3f;
    float sums[] = {0.5f, -0.25f, 1, 0.75f}, c = -0.6f, y, reset, h = 0.5f;
    const krn_cells p = {.n = 1, .b = b, .clip = INFINITY}, behind = {.n = 1, .b = b, .rb = &rb};
    const float cell = logistic(2.8f) * c + logistic(1.1f) * tanhf(3.15f);
    krn_f32 k;
    (void)state;
    krn_f32_init(&k, krn_cpu_flags(0));
    k.lstm_cells(&y, &c, sums, own, &p);
    assert_true(fabsf(c - cell) < 1e-6f && fabsf(y - logistic(0.95f) * tanhf(cell)) < 1e-6f);
    k.gru_reset(&reset, sums, own, &h, &p);
    assert_true(fabsf(reset - logistic(0.95f) * 0.5f) < 1e-6f);
    sums[0] = 0.5f;
    k.gru_reset(&reset, sums, own, &h, &behind);
    const float z = logistic(1.1f), r = logistic(0.95f);
    assert_true(fabsf(reset - r) < 1e-6f && fabsf(sums[0] - z) < 1e-6f);
    k.gru_cells(&h, sums, &reset, own, &behind);
    const float want = (1 - z) * tanhf(1.3f + r * 0.8f) + z * 0.5f;
    assert_true(fabsf(h - want) < 1e-6f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size),
        cmocka_unit_test(the_formulas),
    };
    check_name_missing();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
