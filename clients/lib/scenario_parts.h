/* scenario_parts.h - what the files of the load share. Layer: clients, private to scenario*.c.
 *
 * scenario.c       connections, the measured part, the closed loop
 * scenario_open.c  the open loop: what is due when, on which connection */
#ifndef CL_SCENARIO_PARTS_H
#define CL_SCENARIO_PARTS_H

#include "clients/lib/alarm.h"
#include "clients/lib/scenario.h"

typedef struct cl_run cl_run;

typedef struct cl_worker {
    cl_run *of;
    cl_conn *conn;
    uv_timer_t retry;
    uint64_t due_ns; /* open loop: when the request under way was due */
    bool measured;   /* open loop: it belongs to the measured part */
} cl_worker;

/* One sequence of arrivals: the warm-up's, then the measured one. */
typedef struct cl_pace {
    cl_arrivals warm; /* the same rate; a trace is warmed up at its mean rate */
    cl_schedule schedule;
    cl_worker **idle; /* the n_idle connections without a request; the last used is on top */
    size_t n_idle;
    cl_alarm *alarm;
    uint64_t from_ns; /* start of the schedule under way */
    uint64_t next_ns; /* when the next request is due; UINT64_MAX: none is left */
    uint64_t issued;  /* of the schedule under way */
    bool measuring;   /* the measured schedule is under way */
    bool next_waits;  /* the next request's moment found no free connection */
    size_t under_way; /* measured requests */
} cl_pace;

struct cl_run {
    cl_client *client;
    const cl_load *load;
    const cl_call *calls;
    size_t n_calls, next_call;
    cl_load_result *out;
    cl_worker *workers;
    size_t n_workers;
    uv_timer_t end, show;
    uint64_t began_ns;   /* of the warm-up */
    uint64_t measure_ns; /* of the measured part; 0 while warming up */
    uint64_t warmed, issued, finished;
    size_t closing; /* handles of this run that libuv has not closed yet */
    bool over;
    cl_pace pace;
    nf_status st;
    nf_error *err;
};

/** Ends the run; the result so far stands. */
void cl_run_stop(cl_run *r);

/** The measured part begins at `at_ns`. */
void cl_run_measure(cl_run *r, uint64_t at_ns);

/** Sends the next call on `w`. */
void cl_run_send(cl_worker *w, cl_conn_done done);

/** Puts an answer of the measured part into the result. */
void cl_run_record(cl_run *r, const cl_exchange *x, uint64_t due_ns);

nf_status cl_pace_start(cl_run *r, nf_error *err);

/** Counts what was due and is still here, and frees. */
void cl_pace_stop(cl_run *r);

#endif /* CL_SCENARIO_PARTS_H */
