/* cost.c - the energy table and its sums. Layer: engine/cost. Thread rule: pure functions. */
#include "engine/cost/cost.h"

#include <stddef.h>

typedef struct energy_row {
    const char *text;
    double pj;
} energy_row;

static const energy_row table[ENG_ENERGY_COUNT] = {
#define X(name, text, pj) {text, pj},
    ENG_ENERGY_MAP(X)
#undef X
};

double eng_energy_pj(eng_energy e)
{
    return table[e].pj;
}

const char *eng_energy_text(eng_energy e)
{
    return table[e].text;
}

static double words(uint64_t bytes)
{
    return (double)bytes / 4.0;
}

eng_cost eng_cost_of(const eng_work *work)
{
    const double float_mac = table[ENG_ENERGY_MUL_F32].pj + table[ENG_ENERGY_ADD_F32].pj;
    const double int_mac = table[ENG_ENERGY_MUL_I8].pj + table[ENG_ENERGY_ADD_I32].pj;
    return (eng_cost){
        .compute = (double)work->float_macs * float_mac + (double)work->int_macs * int_mac,
        .activations = words(work->activation_bytes) * table[ENG_ENERGY_SRAM_32].pj,
        .weights_sram = words(work->weight_bytes) * table[ENG_ENERGY_SRAM_32].pj,
        .weights_dram = words(work->weight_bytes) * table[ENG_ENERGY_DRAM_32].pj,
    };
}

double eng_cost_total(const eng_cost *cost, bool dram)
{
    return cost->compute + cost->activations + (dram ? cost->weights_dram : cost->weights_sram);
}
