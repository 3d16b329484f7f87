/* sweep.h - edge against cloud over a grid of round trips, uplinks, models and payloads, with the
 * analytic model beside every cell. Layer: clients. Thread rule: one thread.
 * For each cell the sweep puts an emulated link of its own before the cloud and measures a few
 * interleaved pairs. The model is not fitted to the cells: its compute times are measured once,
 * through the same link unshaped (round trip 0), HTTP and JSON included. */
#ifndef CL_SWEEP_H
#define CL_SWEEP_H

#include "clients/lib/comparison.h"
#include "clients/lib/cost_model.h"

#define CL_AXIS_MOST 32 /* values of one axis */

typedef struct cl_axis {
    int64_t v[CL_AXIS_MOST];
    size_t n;
} cl_axis;

typedef struct cl_sweep_spec {
    const char *edge, *cloud;     /* URLs */
    char model[CL_AXIS_MOST][64]; /* names */
    size_t n_models;
    cl_axis rtt_us, up_bps, payload; /* up 0: unlimited; payload 0: as the model's input is */
    int64_t down_bps;                /* 0: unlimited */
    const char *input;               /* as --input of compare, "" = made */
    size_t pairs, warmup;
    uint64_t seed;
    double min_effect;
    cl_limits limits;
    cl_progress *progress;
} cl_sweep_spec;

/* One model and payload without a network: where the model's compute times come from. */
typedef struct cl_base {
    const char *model;
    int64_t payload; /* asked for; 0: the input's own */
    double edge_ns, cloud_ns;
    double up_bytes, down_bytes; /* of a request and its answer, headers included */
} cl_base;

typedef struct cl_cell {
    size_t base; /* index */
    int64_t rtt_us, up_bps;
    size_t pairs; /* valid ones; 0: nothing was answered */
    double edge_ns, cloud_ns, diff_ns;
    cl_interval ci; /* of diff_ns */
    cl_verdict verdict;
    cl_forecast model;
    double error; /* |model - measured| / measured of the cloud's time */
} cl_cell;

typedef enum cl_crossing_kind { CL_CROSSES, CL_EDGE_ALWAYS, CL_CLOUD_ALWAYS } cl_crossing_kind;

/* Where edge and cloud are equally fast along one axis, the other one held. */
typedef struct cl_crossing {
    size_t base;
    bool by_uplink; /* else by round trip */
    int64_t held;   /* up_bps, or rtt_us when by_uplink */
    cl_crossing_kind kind;
    double at, lo, hi; /* us, or bit/s; lo and hi NAN: outside the grid */
    double model_at;   /* what the model says; NAN: nowhere */
} cl_crossing;

typedef struct cl_sweep {
    cl_base *base;
    cl_cell *cell;
    cl_crossing *crossing;
    size_t n_bases, n_cells, n_crossings;
    size_t asked; /* cells */
    bool interrupted, unreachable;
    char why[400];
    char congestion[16];
    double median_error; /* of the cells that were answered; NAN: none */
} cl_sweep;

/** Runs the grid; after Ctrl-C the cells so far are there. NF_EINVAL, NF_ELOADING (a target cannot
 * be reached), NF_EDENIED, NF_ENOMEM, NF_EIO. cl_sweep_fini frees in every case. */
nf_status cl_sweep_run(cl_sweep *out, const cl_sweep_spec *spec, cl_client *client, nf_error *err);

void cl_sweep_fini(cl_sweep *s);

/** Fills crossing and median_error from the cells (those of one base and row are consecutive, round
 * trip fastest). NF_ENOMEM. */
nf_status cl_sweep_conclude(cl_sweep *s, const cl_sweep_spec *spec, nf_error *err);

/** One sentence of a crossing: "heavy at 20 Mbit/s up: the cloud wins below …". */
void cl_crossing_text(char *to, size_t room, const cl_sweep *s, const cl_crossing *c);

/** The i-th line of the answer to "from where on does the cloud win?": the crossings, and one line
 * for each model and payload that has none. False: there is no such line. */
bool cl_sweep_answer(char *to, size_t room, const cl_sweep *s, size_t i);

/** "20 Mbit/s", "unlimited". */
const char *cl_rate_text(char *to, size_t room, double bps);

#endif /* CL_SWEEP_H */
