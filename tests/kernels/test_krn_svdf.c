/* test_krn_svdf.c - every version of the integer SVDF equals the plain one, exactly, in guarded
 * memory. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_quant_rnn.h"

#include <string.h>

static check_guard random_bytes(size_t n, bool extreme, uint64_t *seed)
{
    check_guard g = check_guard_make(n);
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)g.data)[i] =
            (uint8_t)(extreme ? 0x80 - (test_random(seed) & 1) : test_random(seed));
    return g;
}

/* The sums that a product of the features gives. */
static void sums_of(int32_t *sums, const krn_q_svdf *p, const int8_t *x)
{
    for (size_t f = 0; f < p->filters; f++) {
        sums[f] = 0;
        for (size_t i = 0; i < p->in; i++)
            sums[f] += p->feature[f * p->in + i] * (x[i] - p->zero_x);
    }
}

static krn_factor a_factor(uint64_t *seed, int least, int most)
{
    return (krn_factor){(int32_t)(1u << 30 | (uint32_t)test_random(seed) >> 2),
                        least + (int32_t)(test_random(seed) % (uint64_t)(most - least + 1))};
}

static krn_q_svdf a_case(uint64_t *seed)
{
    krn_q_svdf p = {.in = 1 + test_random(seed) % 50,
                    .rank = 1 + test_random(seed) % 3,
                    .memory = 1 + test_random(seed) % 20,
                    .state_type = test_random(seed) & 1 ? KRN_I16 : KRN_I8,
                    .zero_x = (int8_t)test_random(seed),
                    .zero = (int8_t)test_random(seed),
                    .low = INT8_MIN + (int32_t)(test_random(seed) % 9),
                    .high = INT8_MAX - (int32_t)(test_random(seed) % 9)};
    p.filters = p.rank * (1 + test_random(seed) % 20);
    p.in_factor = a_factor(seed, p.state_type == KRN_I16 ? -6 : -12, 2);
    p.out_factor = a_factor(seed, p.state_type == KRN_I16 ? -25 : -12, -4);
    return p;
}

/* A few steps of one row: outputs and states stay the same. */
static void compare(const krn_q_svdf *p, krn_q_svdf_fn fn, const char *name, bool extreme,
                    uint64_t seed)
{
    const size_t size = p->state_type == KRN_I16 ? 2 : 1, width = p->filters * p->memory * size;
    check_guard want = random_bytes(width, extreme, &seed), got = check_guard_make(width);
    check_guard y = check_guard_make(p->filters / p->rank), sums = check_guard_make(4 * p->filters);
    int8_t ref[80];
    memcpy(got.data, want.data, width);
    for (int step = 0; step < 3; step++) {
        check_guard x = random_bytes(p->in, extreme, &seed);
        krn_q_svdf_step_ref(ref, x.data, want.data, p);
        sums_of(sums.data, p, x.data);
        memmove(got.data, (char *)got.data + size, width - size);
        fn(y.data, got.data, sums.data, p);
        if (memcmp(got.data, want.data, width) != 0 ||
            memcmp(y.data, ref, p->filters / p->rank) != 0)
            fail_msg("%s: filters %zu, rank %zu, memory %zu, in %zu", name, p->filters, p->rank,
                     p->memory, p->in);
        check_guard_free(&x);
    }
    check_guard_free(&want);
    check_guard_free(&got);
    check_guard_free(&y);
    check_guard_free(&sums);
}

static void every_size(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(300); seed++) {
        uint64_t s = seed;
        const bool extreme = seed % 4 == 0;
        krn_q_svdf p = a_case(&s);
        const size_t width = p.filters * p.memory * (p.state_type == KRN_I16 ? 2 : 1);
        check_guard feature = random_bytes(p.filters * p.in, extreme, &s);
        check_guard time = random_bytes(width, extreme, &s);
        check_guard bias = random_bytes(p.filters / p.rank * sizeof(int32_t), false, &s);
        p.feature = feature.data;
        p.time = time.data;
        p.bias = seed % 3 ? bias.data : NULL;
        for (size_t i = 0; i < check_n_tiers; i++)
            if (check_can_run(&check_tiers[i]))
                compare(&p, krn_q_svdf_choose(check_tiers[i].bits), check_tiers[i].name, extreme,
                        s);
        check_guard_free(&feature);
        check_guard_free(&time);
        check_guard_free(&bias);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size),
    };
    check_name_missing();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
