/* cost.h - what an inference would cost in energy, from counts alone. Layer: engine/cost. Thread
 * rule: pure functions. Everything here is MODELLED: a table of 45 nm figures times counts, never a
 * measurement. */
#ifndef ENG_COST_H
#define ENG_COST_H

#include <stdbool.h>
#include <stdint.h>

/* name, text, picojoules. Source: the lecture's energy table, which is M. Horowitz, "Computing's
 * energy problem", ISSCC 2014 (45 nm, 0.9 V). A memory row is one 32-bit word. */
#define ENG_ENERGY_MAP(X)                                                                          \
    X(ADD_I8, "8-bit integer add", 0.03)                                                           \
    X(MUL_I8, "8-bit integer multiply", 0.2)                                                       \
    X(ADD_I32, "32-bit integer add", 0.1)                                                          \
    X(ADD_F32, "32-bit float add", 0.9)                                                            \
    X(MUL_F32, "32-bit float multiply", 3.7)                                                       \
    X(SRAM_32, "32-bit SRAM access", 5.0)                                                          \
    X(DRAM_32, "32-bit DRAM access", 640.0)

typedef enum eng_energy {
#define X(name, text, pj) ENG_ENERGY_##name,
    ENG_ENERGY_MAP(X)
#undef X
        ENG_ENERGY_COUNT
} eng_energy;

/** Picojoules of one operation, or of one 32-bit word moved. */
double eng_energy_pj(eng_energy e);

/** "32-bit float add". */
const char *eng_energy_text(eng_energy e);

/* Counts of one inference. */
typedef struct eng_work {
    uint64_t float_macs;       /* one float multiply and one float add each */
    uint64_t int_macs;         /* one 8-bit multiply, one add into a 32-bit accumulator each */
    uint64_t weight_bytes;     /* read once */
    uint64_t activation_bytes; /* written plus read */
} eng_work;

/* Picojoules of one inference. */
typedef struct eng_cost {
    double compute;
    double activations;  /* all of them in SRAM */
    double weights_sram; /* weights that stay on the chip */
    double weights_dram; /* weights fetched from outside */
} eng_cost;

/** Adds up the table. The table has no row for a write: one counts as a read. */
eng_cost eng_cost_of(const eng_work *work);

/** Compute plus memory; `dram`: the weights come from outside the chip. */
double eng_cost_total(const eng_cost *cost, bool dram);

#endif /* ENG_COST_H */
