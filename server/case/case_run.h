/* case_run.h - runs a model on recorded inputs. Layer: server/case. Thread rule: one owner. */
#ifndef SRV_CASE_RUN_H
#define SRV_CASE_RUN_H

#include "engine/session.h"
#include "server/case/case.h"

/* A session of a model, and which of its inputs and outputs are which of the case's. */
typedef struct srv_case_run {
    const eng_info *info;
    eng_session *session;              /* holds the model */
    bool real_units;                   /* set where a recorded input had to be converted */
    size_t in[SRV_CASE_MAX_IO];        /* engine's input of the case's input k */
    size_t out[SRV_CASE_MAX_IO];       /* engine's output of the case's output k */
    srv_recorded got[SRV_CASE_MAX_IO]; /* what the last run gave, in the case's order */
} srv_case_run;

/**
 * Pairs the case's inputs and outputs with the model's: by name where every name is found, else by
 * position. Returns NF_OK; NF_EINVAL (not as many inputs or outputs as the case has);
 * what eng_session_create returns.
 */
nf_status srv_case_run_init(srv_case_run *r, eng_model *model, const srv_case *c, nf_error *err);
void srv_case_run_fini(srv_case_run *r);

/** Runs item `i`; r->got holds the outputs in the model's own dtype until the next run. A recorded
 * input of another dtype or quantization than the model's goes in as float32 in real units. */
nf_status srv_case_run_item(srv_case_run *r, const srv_case *c, size_t i, nf_error *err);

/** The engine's description of the case's output k, as a case would give it: for conversions. */
srv_case_io srv_case_run_out_io(const srv_case_run *r, size_t k);

#endif /* SRV_CASE_RUN_H */
