/* bench_layers.h - nearfar bench --layers: where the time of one row goes. Layer: server/cmd.
 * Thread rule: main thread. */
#ifndef SRV_BENCH_LAYERS_H
#define SRV_BENCH_LAYERS_H

#include "engine/session.h"
#include "server/cmd/cmd_model.h"

/* What is run again and again: a session, and views of one row. */
typedef struct bench_row {
    eng_session *session;
    const eng_view *in, *out;
} bench_row;

/**
 * Runs the row for `seconds`, or BENCH_LAYERS_RUNS times, and prints for each step the median of
 * its time, its multiply-accumulates a second and its share of all steps; beside them the median of
 * calls without a clock inside, in turn with the others. NF_EINVAL where the model's shapes are
 * open; NF_ENOMEM.
 */
nf_status bench_layers(const cmd_model *m, const bench_row *r, double seconds, bool json,
                       nf_error *err);

#define BENCH_LAYERS_RUNS 4096

#endif /* SRV_BENCH_LAYERS_H */
