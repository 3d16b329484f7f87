/* test_krn_qs8_lstm.c - every version of the integer LSTM equals the plain one, exactly, in guarded
 * memory. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/kernels/krn_qs8_lstm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANDOM, EXTREME, SMALL, KINDS }; /* weights and inputs */

typedef struct lstm_case {
    krn_q_lstm p;
    int64_t *bias;
    int8_t *weights;
    size_t steps;
    bool reverse;
} lstm_case;

static void *memory(size_t bytes)
{
    void *p = calloc(1, bytes + 1);
    if (!p) abort();
    return p;
}

static int8_t byte_of(int kind, uint64_t *seed)
{
    const int v = (int)(test_random(seed) % 256) - 128;
    return (int8_t)(kind == EXTREME ? (v & 1 ? 127 : -128) : kind == SMALL ? v % 5 : v);
}

/* Seldom a factor that wraps or vanishes, else one that gives values of Q3.12. */
static krn_factor a_factor(uint64_t *seed, size_t n)
{
    const krn_factor f = {(int32_t)(1u << 30 | (uint32_t)test_random(seed) >> 2), -2};
    const uint64_t v = test_random(seed) % 32;
    if (v == 0) return (krn_factor){0, 0};
    if (v < 4) return (krn_factor){f.m, (int32_t)(test_random(seed) % 62) - 31};
    return (krn_factor){f.m, (int32_t)(test_random(seed) % 5) - (n > 16 ? 3 : 1)};
}

static lstm_case a_case(size_t in, size_t cells, int kind, uint64_t *seed)
{
    const size_t rows = KRN_GATES * cells;
    lstm_case c = {.bias = memory(rows * sizeof(*c.bias)),
                   .weights = memory(rows * (in + cells)),
                   .steps = test_random(seed) % 6,
                   .reverse = test_random(seed) & 1};
    c.p = (krn_q_lstm){.in = in,
                       .cells = cells,
                       .out = cells,
                       .type = KRN_I8,
                       .zero_x = (int8_t)test_random(seed),
                       .zero = (int8_t)test_random(seed),
                       .power = -15 + (int)(test_random(seed) % 7),
                       .hidden = {(int32_t)(1u << 30 | (uint32_t)test_random(seed) >> 2),
                                  -22 + (int32_t)(test_random(seed) % 3)}};
    c.p.zero_hidden = c.p.zero;
    if (test_random(seed) & 1) c.p.cell_clip = 1 + (int32_t)(test_random(seed) % INT16_MAX);
    for (size_t i = 0; i < rows * (in + cells); i++)
        c.weights[i] = byte_of(kind, seed);
    for (size_t i = 0; i < rows; i++)
        c.bias[i] = (int32_t)test_random(seed) >> (kind == EXTREME ? 0 : 16);
    for (size_t g = 0; g < KRN_GATES; g++)
        c.p.gate[g] = (krn_q_gate){.w = c.weights + g * cells * in,
                                   .r = c.weights + rows * in + g * cells * cells,
                                   .bias = test_random(seed) % 8 ? c.bias + g * cells : NULL,
                                   .w_factor = a_factor(seed, in),
                                   .r_factor = a_factor(seed, cells)};
    return c;
}

static void free_case(lstm_case *c)
{
    free(c->bias);
    free(c->weights);
}

/* What a sequence reads, and what becomes of it. */
typedef struct sequence {
    check_guard x, y, h, cell;
} sequence;

static sequence a_sequence(const lstm_case *c, int kind, uint64_t seed)
{
    sequence s = {check_guard_make(c->steps * c->p.in), check_guard_make(c->steps * c->p.out),
                  check_guard_make(c->p.out), check_guard_make(c->p.cells * sizeof(int16_t))};
    for (size_t i = 0; i < c->steps * c->p.in; i++)
        ((int8_t *)s.x.data)[i] = byte_of(kind, &seed);
    for (size_t i = 0; i < c->p.out; i++)
        ((int8_t *)s.h.data)[i] = byte_of(kind, &seed);
    for (size_t i = 0; i < c->p.cells; i++)
        ((int16_t *)s.cell.data)[i] =
            (int16_t)(kind == EXTREME && test_random(&seed) % 4 == 0 ? INT16_MIN
                                                                     : test_random(&seed));
    return s;
}

static void free_sequence(sequence *s)
{
    check_guard_free(&s->x);
    check_guard_free(&s->y);
    check_guard_free(&s->h);
    check_guard_free(&s->cell);
}

static void run_plain(const lstm_case *c, sequence *s)
{
    int16_t *scratch = memory(krn_q_lstm_scratch(&c->p) * sizeof(*scratch));
    for (size_t i = 0; i < c->steps; i++) {
        const size_t t = c->reverse ? c->steps - 1 - i : i;
        krn_q_lstm_step_ref((int8_t *)s->y.data + t * c->p.out,
                            (const int8_t *)s->x.data + t * c->p.in, s->h.data, s->cell.data, &c->p,
                            scratch);
    }
    free(scratch);
}

static void run_vectors(const lstm_case *c, sequence *s, const krn_qs8_lstm_tier *t)
{
    krn_qs8_lstm l;
    check_guard packed = check_guard_make(krn_qs8_lstm_bytes(t, &c->p));
    krn_qs8_lstm_pack(&l, t, &c->p, packed.data);
    check_guard scratch = check_guard_make((krn_qs8_lstm_scratch(&l) + 1) / 2 * 2);
    const size_t first = c->reverse && c->steps ? c->steps - 1 : 0;
    const ptrdiff_t by = c->reverse ? -1 : 1;
    const krn_qs8_lstm_row r = {.y = (int8_t *)s->y.data + first * c->p.out,
                                .x = (const int8_t *)s->x.data + first * c->p.in,
                                .y_step = by * (ptrdiff_t)c->p.out,
                                .x_step = by * (ptrdiff_t)c->p.in,
                                .steps = c->steps};
    t->run(&r, s->h.data, s->cell.data, &l, scratch.data);
    check_guard_free(&packed);
    check_guard_free(&scratch);
}

static void same(const check_guard *got, const check_guard *want, size_t n, const char *what,
                 const lstm_case *c, const char *name)
{
    if (memcmp(got->data, want->data, n) != 0)
        fail_msg("%s: %s of %zu cells, %zu inputs, %zu steps", name, what, c->p.cells, c->p.in,
                 c->steps);
}

static void compare(const lstm_case *c, int kind, uint64_t seed)
{
    sequence want = a_sequence(c, kind, seed);
    assert_true(krn_qs8_lstm_fits(&c->p));
    run_plain(c, &want);
    for (size_t i = 0; i < check_n_tiers; i++) {
        const krn_qs8_lstm_tier *t = krn_qs8_lstm_choose(check_tiers[i].bits);
        if (!check_can_run(&check_tiers[i]) || !t) continue;
        sequence got = a_sequence(c, kind, seed);
        run_vectors(c, &got, t);
        same(&got.y, &want.y, c->steps * c->p.out, "y", c, t->name);
        same(&got.h, &want.h, c->p.out, "the state", c, t->name);
        same(&got.cell, &want.cell, c->p.cells * sizeof(int16_t), "the cell", c, t->name);
        free_sequence(&got);
    }
    free_sequence(&want);
}

static void every_size(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CHECK_ROUNDS(300); seed++) {
        uint64_t s = seed;
        const size_t cells = 1 + seed % 70, in = 1 + test_random(&s) % 40;
        lstm_case c = a_case(in, cells, (int)(seed % KINDS), &s);
        compare(&c, (int)(seed % KINDS), s);
        free_case(&c);
    }
}

/* Every value of a gate and of a cell once, the other gates open or shut: all there is of curves.
 */
static void every_value(void **state)
{
    enum { CELLS = 64, LEAST = -32768, OPEN = 32767, EACH = 1 << 20, RUNS = 65536 / CELLS };
    static const int gates[][KRN_GATES] = {
        /* input, forget, cell, output */
        {EACH, LEAST, OPEN, OPEN}, {LEAST, EACH, OPEN, OPEN}, {OPEN, LEAST, EACH, OPEN},
        {LEAST, OPEN, OPEN, OPEN}, {OPEN, OPEN, OPEN, EACH},
    };
    uint64_t seed = 7;
    (void)state;
    lstm_case c = a_case(1, CELLS, RANDOM, &seed);
    memset(c.weights, 0, KRN_GATES * CELLS * (1 + CELLS));
    c.p.cell_clip = 0;
    c.steps = 1;
    for (int g = 0; g < KRN_GATES; g++) {
        c.p.gate[g].bias = c.bias + g * CELLS;
        c.p.gate[g].w_factor = (krn_factor){1 << 30, 1}; /* 1 */
    }
    for (int i = 0; i < RUNS * (int)NF_COUNT(gates); i++) {
        c.p.power = -15 + i % 7;
        for (int k = 0; k < KRN_GATES * CELLS; k++) {
            const int at = gates[i / RUNS][k / CELLS];
            c.bias[k] = at == EACH ? LEAST + (i % RUNS * CELLS + k % CELLS) : at;
        }
        compare(&c, RANDOM, (uint64_t)i);
    }
    free_case(&c);
}

static void only_what_fits(void **state)
{
    uint64_t seed = 3;
    const int16_t some[8] = {0};
    (void)state;
    lstm_case c = a_case(3, 8, RANDOM, &seed);
    krn_q_lstm p = c.p;
    assert_true(krn_qs8_lstm_fits(&p));
    p.gate[1].norm = some;
    assert_false(krn_qs8_lstm_fits(&p));
    p = c.p;
    p.gate[3].peephole = some;
    assert_false(krn_qs8_lstm_fits(&p));
    p = c.p;
    p.coupled = true;
    assert_false(krn_qs8_lstm_fits(&p));
    p = c.p;
    p.type = KRN_I16;
    assert_false(krn_qs8_lstm_fits(&p));
    p = c.p;
    p.proj = c.weights;
    assert_false(krn_qs8_lstm_fits(&p));
    free_case(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size),
        cmocka_unit_test(every_value),
        cmocka_unit_test(only_what_fits),
    };
    check_name_missing();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
