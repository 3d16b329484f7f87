/* cost_model.h - how long edge and cloud take, computed instead of measured, and where they cross.
 * Layer: clients. Thread rule: pure functions. Times are microseconds, rates bit/s, sizes bytes.
 *
 *   T_edge  = q_e + c_e
 *   T_cloud = (k + s) RTT + 8 S_up / BW_up + 8 S_down / BW_down + q_c + c_c
 *
 * k round trips: 1 on an open connection, 2 with a new one, 3 with TLS 1.3 (RFC 8446) on top.
 * s further ones of slow start when the payload exceeds the initial window of 10 segments
 * (RFC 6928): ceil(log2(S_up / (10 MSS) + 1)) - 1.
 * q waiting time of an M/D/1 queue: rho c / (2 (1 - rho)), rho = rate c (Pollaczek, Khinchine). */
#ifndef CL_COST_MODEL_H
#define CL_COST_MODEL_H

#include <stdbool.h>

#define CL_MSS            1448 /* bytes of payload in a segment: 1500 less IPv4, TCP, timestamps */
#define CL_INITIAL_WINDOW 10   /* segments */

typedef struct cl_way {
    double edge_us, cloud_us; /* service times, without the network */
    double rtt_us;
    double up_bps, down_bps; /* 0 = unlimited */
    double payload, reply;   /* bytes of a request and of its answer */
    double rate;             /* requests a second that arrive; 0 = one at a time, no queue */
    int trips;               /* k */
    bool slow_start;
} cl_way;

typedef struct cl_forecast {
    int slow_rounds;
    double edge_queue_us, cloud_queue_us; /* INFINITY: more arrives than is served */
    double trips_us, up_us, down_us;      /* parts of the cloud's time */
    double edge_us, cloud_us;             /* the whole */
    double rtt_star_us;                   /* the cloud wins below it; NAN: at no round trip */
    double up_star_bps;                   /* the cloud wins above it; NAN: at no uplink */
    double edge_star_us; /* the cloud wins when the edge computes longer than this */
} cl_forecast;

/** rate and trips as above; every field finite and not negative, trips >= 1. */
cl_forecast cl_forecast_of(const cl_way *w);

#endif /* CL_COST_MODEL_H */
