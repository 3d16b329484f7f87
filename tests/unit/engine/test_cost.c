/* test_cost.c - the energy model against sums done by hand. Layer: tests. */
#include "tests/support/support.h"

#include "engine/cost/cost.h"

#include <math.h>
#include <string.h>

static void near_to(double got, double want)
{
    if (fabs(got - want) > 1e-6 * fabs(want)) fail_msg("got %.9g, want %.9g", got, want);
}

static void the_table_is_the_lectures(void **state)
{
    (void)state;
    near_to(eng_energy_pj(ENG_ENERGY_ADD_I8), 0.03);
    near_to(eng_energy_pj(ENG_ENERGY_MUL_I8), 0.2);
    near_to(eng_energy_pj(ENG_ENERGY_ADD_I32), 0.1);
    near_to(eng_energy_pj(ENG_ENERGY_ADD_F32), 0.9);
    near_to(eng_energy_pj(ENG_ENERGY_MUL_F32), 3.7);
    near_to(eng_energy_pj(ENG_ENERGY_SRAM_32), 5);
    near_to(eng_energy_pj(ENG_ENERGY_DRAM_32), 640);
    for (int e = 0; e < ENG_ENERGY_COUNT; e++)
        assert_true(strlen(eng_energy_text((eng_energy)e)) > 0);
}

/* The lecture's net with two classes: 3*16 + 16*2 = 80 products, 98 parameters of 4 bytes. */
static void the_lectures_float_net(void **state)
{
    const eng_work work = {.float_macs = 80, .weight_bytes = 98 * 4};
    const eng_cost cost = eng_cost_of(&work);
    (void)state;
    near_to(cost.compute, 368);
    near_to(cost.weights_dram, 62720);
    near_to(cost.weights_sram, 490);
    near_to(eng_cost_total(&cost, true), 63088);
    near_to(eng_cost_total(&cost, false), 858);
}

static void an_int8_product_is_a_fifteenth(void **state)
{
    const eng_work f = {.float_macs = 1500}, q = {.int_macs = 1500};
    (void)state;
    near_to(eng_cost_of(&q).compute, 450);
    near_to(eng_cost_of(&f).compute / eng_cost_of(&q).compute, 46.0 / 3.0);
}

static void activations_move_through_sram(void **state)
{
    const eng_work work = {.activation_bytes = 1024};
    const eng_cost cost = eng_cost_of(&work);
    (void)state;
    near_to(cost.activations, 1280);
    near_to(eng_cost_total(&cost, false), 1280);
    near_to(eng_cost_total(&cost, true), 1280);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_the_lectures),
        cmocka_unit_test(the_lectures_float_net),
        cmocka_unit_test(an_int8_product_is_a_fifteenth),
        cmocka_unit_test(activations_move_through_sram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
