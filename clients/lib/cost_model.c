/* cost_model.c - the formulas. Layer: clients. Thread rule: pure functions. */
#include "clients/lib/cost_model.h"

#include <math.h>

static double queue_us(double service_us, double rate)
{
    const double rho = rate * service_us / 1e6;
    if (rate <= 0) return 0;
    return rho < 1 ? rho * service_us / (2 * (1 - rho)) : INFINITY;
}

static double transfer_us(double bytes, double bps)
{
    return bps > 0 ? 8e6 * bytes / bps : 0;
}

static int slow_rounds(double payload)
{
    const double window = CL_INITIAL_WINDOW * CL_MSS;
    return payload > window ? (int)ceil(log2(payload / window + 1)) - 1 : 0;
}

cl_forecast cl_forecast_of(const cl_way *w)
{
    cl_forecast f = {.slow_rounds = w->slow_start ? slow_rounds(w->payload) : 0};
    const double trips = w->trips + f.slow_rounds;
    f.edge_queue_us = queue_us(w->edge_us, w->rate);
    f.cloud_queue_us = queue_us(w->cloud_us, w->rate);
    f.trips_us = trips * w->rtt_us;
    f.up_us = transfer_us(w->payload, w->up_bps);
    f.down_us = transfer_us(w->reply, w->down_bps);
    f.edge_us = f.edge_queue_us + w->edge_us;
    const double served = f.cloud_queue_us + w->cloud_us;
    f.cloud_us = f.trips_us + f.up_us + f.down_us + served;
    const double for_trips = f.edge_us - f.up_us - f.down_us - served;
    const double for_up = f.edge_us - f.trips_us - f.down_us - served;
    f.rtt_star_us = for_trips > 0 ? for_trips / trips : NAN;
    f.up_star_bps = for_up > 0 ? 8e6 * w->payload / for_up : NAN;
    f.edge_star_us = fmax(0, f.cloud_us - f.edge_queue_us);
    return f;
}
