/* pairs.h - the paired comparison: the same input to both targets, in turn, in the order ABBA.
 * Layer: clients. Thread rule: one thread.
 * Why pairs and ABBA: slow drift of a machine or a network hits both sides alike and cancels in
 * the difference; measured one after the other it would look like an effect. */
#ifndef CL_PAIRS_H
#define CL_PAIRS_H

#include "clients/lib/answer.h"
#include "clients/lib/progress.h"
#include "clients/lib/recorder.h"
#include "clients/lib/scores.h"
#include "clients/lib/served.h"
#include "clients/lib/target.h"

#define CL_NO_TIME (-1) /* in the series below: no valid answer */

typedef struct cl_side {
    cl_target *target;
    bool reachable; /* answered something when the run began */
    bool given_up;  /* failed too often in a row later; no longer asked */
    char why[400];  /* the first failure, "" when there was none */
    cl_recorder rec;
    int64_t *ns;        /* per pair, start to end, or CL_NO_TIME */
    int64_t *server_ns; /* per pair, queue + compute as the server says, or CL_NO_TIME */
    uint64_t queue_us, compute_us, said; /* sums over the answers that said it, and their number */
    cl_served served;                    /* of the last answer */
    cl_tcp_facts before, facts;          /* when the measured part began, at its end */
    cl_scores scores;                    /* when the inputs are labelled */
    cl_facts model;                      /* what it says of its model */
} cl_side;

typedef struct cl_pairs {
    cl_side side[2];    /* 0 edge, 1 cloud */
    size_t asked, done; /* pairs */
    int first;          /* side that began */
    bool interrupted;
    cl_agreement agreement;
} cl_pairs;

typedef struct cl_pairs_spec {
    size_t pairs, warmup; /* warm-up pairs are not recorded */
    uint64_t seed;
    size_t give_up;          /* failures in a row after which a side is no longer asked */
    const cl_inputs *inputs; /* what the targets were prepared with, for its labels; may be NULL */
    cl_progress *progress;
} cl_pairs_spec;

/** Room for `pairs` pairs. NF_ENOMEM. */
nf_status cl_pairs_init(cl_pairs *p, cl_target *edge, cl_target *cloud, size_t pairs,
                        nf_error *err);

void cl_pairs_fini(cl_pairs *p);

/** Is the target there at all? Any HTTP answer sets side->reachable. Targets must be prepared.
 * NF_ETIMEOUT (interrupted), NF_ENOMEM, NF_EIO. */
nf_status cl_pairs_knock(cl_side *side, cl_client *client, nf_error *err);

/** Runs until all pairs are done, both sides are given up, or a signal came. Targets must be
 * prepared; sides with reachable = false are left out. NF_ENOMEM, NF_EIO. */
nf_status cl_pairs_run(cl_pairs *p, cl_client *client, const cl_pairs_spec *spec, nf_error *err);

#endif /* CL_PAIRS_H */
