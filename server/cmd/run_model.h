/* run_model.h - instances as JSON text in, tensors out, for `nearfar run`. Layer: server/cmd.
 * Thread rule: main thread. */
#ifndef SRV_RUN_MODEL_H
#define SRV_RUN_MODEL_H

#include "engine/session.h"
#include "server/cmd/cmd_model.h"
#include "server/codec/codec.h"

#define RUN_BLOCK 64 /* rows that are decoded and run together */

typedef struct run_model {
    const cmd_model *m; /* borrowed */
    eng_session *session;
    srv_arena arena; /* of the inputs and outputs of one call */
    srv_buf body;    /* what they were read from: texts point into it */
    srv_call call;   /* of the last run */
    uint64_t run_us; /* what the last run took in the engine */
} run_model;

nf_status run_model_init(run_model *r, const cmd_model *m, nf_error *err);
void run_model_fini(run_model *r);

/**
 * Decodes and runs instances.
 *
 * text: a JSON list of instances as the server's predict takes it, or one instance (a flat list, or
 * an object with the names of the inputs). r->call holds the outputs until the next call. `where`
 * names the text in errors. NF_EINVAL; what the engine returns.
 */
nf_status run_model_json(run_model *r, nf_span text, const char *where, nf_error *err);

/** Runs what stands in r->call's inputs, of `rows` rows, with memory for the outputs from r->arena
 * where they have none yet. */
nf_status run_model_call(run_model *r, nf_error *err);

/** The class of row `row`: its index, or -1 where no output holds scores of labelled classes. */
long run_model_class(const run_model *r, size_t row);

/** Elements of one row of an output of the last run. */
size_t run_model_row(const run_model *r, size_t output);

#endif /* SRV_RUN_MODEL_H */
