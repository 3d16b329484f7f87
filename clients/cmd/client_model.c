/* client_model.c - nearfar-client model: the comparison computed, without a network. Layer:
 * clients/cmd. */
#include "clients/cmd/client_cmd.h"
#include "clients/lib/cost_model.h"
#include "clients/lib/energy.h"
#include "clients/lib/report_json.h"
#include "clients/lib/text_out.h"

#include <math.h>
#include <stdio.h>

typedef struct model_opts {
    int64_t edge_us, cloud_us, rtt_us, up_bps, down_bps, payload, reply;
    double rate, macs, weights, memory_gb, egress;
    const char *edge_precision, *cloud_precision;
    int radio;
    bool new_connections, tls, warm_window, json;
} model_opts;

#define AT(field) offsetof(model_opts, field)
#define HOUR      3600000000
static const nf_opt rows[] = {
    {"edge-compute", "TIME", NULL, "one prediction at the edge", NF_OPT_TIME, AT(edge_us), 0, HOUR,
     NULL},
    {"cloud-compute", "TIME", NULL, "one prediction in the cloud", NF_OPT_TIME, AT(cloud_us), 0,
     HOUR, NULL},
    {"rtt", "TIME", "0", "round trip to the cloud", NF_OPT_TIME, AT(rtt_us), 0, HOUR, NULL},
    {"up", "RATE", NULL, "uplink; absent: unlimited", NF_OPT_RATE, AT(up_bps), 1, 1000000000000,
     NULL},
    {"down", "RATE", NULL, "downlink; absent: unlimited", NF_OPT_RATE, AT(down_bps), 1,
     1000000000000, NULL},
    {"payload", "BYTES", "200", "a request, with its headers", NF_OPT_BYTES, AT(payload), 1,
     1099511627776, NULL},
    {"reply", "BYTES", "200", "its answer", NF_OPT_BYTES, AT(reply), 1, 1099511627776, NULL},
    {"rate", "N", "0", "requests a second that arrive; 0: one at a time", NF_OPT_REAL, AT(rate), 0,
     1000000000, NULL},
    {"new-connections", NULL, NULL, "a new TCP connection for each request", NF_OPT_FLAG,
     AT(new_connections), 0, 0, NULL},
    {"tls", NULL, NULL, "with TLS 1.3 on each new connection", NF_OPT_FLAG, AT(tls), 0, 0, NULL},
    {"warm-window", NULL, NULL, "the connection is past slow start", NF_OPT_FLAG, AT(warm_window),
     0, 0, NULL},
    {"macs", "N", "0", "multiply-accumulates of a prediction, for the energy", NF_OPT_REAL,
     AT(macs), 0, 1000000000000000, NULL},
    {"weights", "N", "0", "bytes of weights, for the energy", NF_OPT_REAL, AT(weights), 0,
     1000000000000, NULL},
    {"edge-precision", "NAME", "int8", "arithmetic at the edge: int8 or fp32", NF_OPT_TEXT,
     AT(edge_precision), 0, 0, NULL},
    {"cloud-precision", "NAME", "fp32", "arithmetic in the cloud", NF_OPT_TEXT, AT(cloud_precision),
     0, 0, NULL},
    {"radio", NULL, "wifi", "what the device sends with, for the energy", NF_OPT_PICK, AT(radio), 0,
     0, "wifi|hsdpa|gprs"},
    {"memory-gb", "N", "0.5", "of the cloud function, for the price", NF_OPT_REAL, AT(memory_gb), 0,
     10000, NULL},
    {"egress", "USD", "0", "price of a gigabyte out of the cloud", NF_OPT_REAL, AT(egress), 0, 1000,
     NULL},
    CL_ROW_JSON(model_opts),
};

static const cl_usage usage = {
    "model",
    "--edge-compute TIME --cloud-compute TIME [options]",
    "Computes what compare would measure: which side wins, and at which round trip, uplink and "
    "edge\n"
    "compute time they cross. Energy and price are modelled from cited coefficients.",
    "nearfar-client model --edge-compute 120ms --cloud-compute 20ms --rtt 60 --up 12 --payload 14k",
    {rows, NF_COUNT(rows)}};

typedef struct outlook {
    const model_opts *o;
    cl_way way;
    cl_forecast f;
    double edge_j, cloud_j, million;
    cl_radio_use radio;
    const cl_radio *radio_row;
} outlook;

static const char *const radio_name[] = {"wifi", "hsdpa", "gprs"};

static outlook look(const model_opts *o)
{
    const bool fresh = o->new_connections || o->tls;
    const cl_tariff tariff = {o->memory_gb, o->egress};
    outlook l = {.o = o, .radio_row = cl_radio_find(radio_name[o->radio])};
    l.way = (cl_way){.edge_us = (double)o->edge_us,
                     .cloud_us = (double)o->cloud_us,
                     .rtt_us = (double)o->rtt_us,
                     .up_bps = (double)o->up_bps,
                     .down_bps = (double)o->down_bps,
                     .payload = (double)o->payload,
                     .reply = (double)o->reply,
                     .rate = o->rate,
                     .trips = 1 + fresh + o->tls,
                     .slow_start = !o->warm_window};
    l.f = cl_forecast_of(&l.way);
    l.edge_j = cl_energy_compute(o->edge_precision, o->macs, o->weights);
    l.cloud_j = cl_energy_compute(o->cloud_precision, o->macs, o->weights);
    l.radio = cl_energy_radio(l.radio_row, l.way.payload,
                              o->up_bps ? l.way.up_bps / 1e3 : l.radio_row->high);
    l.million = cl_price_million(&tariff, l.way.cloud_us / 1e3, l.way.reply);
    return l;
}

static const char *winner(const cl_forecast *f)
{
    if (f->edge_us == f->cloud_us || (isinf(f->edge_us) && isinf(f->cloud_us))) return "neither";
    return f->edge_us < f->cloud_us ? "edge faster" : "cloud faster";
}

static const char *time_or(char *to, size_t room, double us)
{
    if (isfinite(us)) return cl_time_text(to, room, us * 1e3);
    snprintf(to, room, "overloaded");
    return to;
}

static void print_text(const outlook *l)
{
    char a[32], b[32], c[32], d[32];
    const cl_forecast *f = &l->f;
    printf("edge  %s = compute %s + queue %s\n", time_or(a, sizeof(a), f->edge_us),
           time_or(b, sizeof(b), l->way.edge_us), time_or(c, sizeof(c), f->edge_queue_us));
    printf("cloud %s = compute %s + queue %s", time_or(a, sizeof(a), f->cloud_us),
           time_or(b, sizeof(b), l->way.cloud_us), time_or(c, sizeof(c), f->cloud_queue_us));
    printf(" + %d round trips %s (%d of slow start)", l->way.trips + f->slow_rounds,
           time_or(d, sizeof(d), f->trips_us), f->slow_rounds);
    printf(" + up %s + down %s\n", time_or(a, sizeof(a), f->up_us),
           time_or(b, sizeof(b), f->down_us));
    if (isfinite(f->rtt_star_us))
        printf("crossover: the cloud wins below a round trip of %s\n",
               time_or(a, sizeof(a), f->rtt_star_us));
    else
        printf("crossover: the cloud wins at no round trip\n");
    if (isfinite(f->up_star_bps))
        printf("crossover: the cloud wins above an uplink of %.3g Mbit/s\n", f->up_star_bps / 1e6);
    else
        printf("crossover: the cloud wins at no uplink\n");
    printf("crossover: the cloud wins when the edge computes longer than %s\n",
           time_or(a, sizeof(a), f->edge_star_us));
    printf("energy of a request, modelled: edge compute %.3g J; cloud compute %.3g J and the "
           "device's radio (%s) %.3g J%s\n",
           l->edge_j, l->cloud_j, l->radio_row->name, l->radio.joule,
           l->radio.extrapolated ? " (extrapolated: the rate is outside what was measured)" : "");
    printf("price, modelled: %.3g USD a million requests in the cloud\n", l->million);
    printf("%s\n%s\n", CL_ENERGY_SOURCE, CL_PRICE_SOURCE);
    printf("%s (predicted, nothing was measured)\n", winner(f));
}

static void set(json_t *to, const char *key, json_t *value)
{
    json_object_set_new(to, key, value);
}

static json_t *real(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *to_json(const outlook *l, const cl_env *env)
{
    const cl_forecast *f = &l->f;
    json_t *root = cl_json_root(env, 0), *j = json_object();
    json_t *energy = json_object(), *cost = json_object();
    set(j, "winner", json_string(winner(f)));
    set(j, "edge_us", cl_json_us(isfinite(f->edge_us), f->edge_us * 1e3));
    set(j, "cloud_us", cl_json_us(isfinite(f->cloud_us), f->cloud_us * 1e3));
    set(j, "edge_queue_us", cl_json_us(isfinite(f->edge_queue_us), f->edge_queue_us * 1e3));
    set(j, "cloud_queue_us", cl_json_us(isfinite(f->cloud_queue_us), f->cloud_queue_us * 1e3));
    set(j, "round_trips", json_integer(l->way.trips + f->slow_rounds));
    set(j, "slow_start_rounds", json_integer(f->slow_rounds));
    set(j, "trips_us", cl_json_us(true, f->trips_us * 1e3));
    set(j, "up_us", cl_json_us(true, f->up_us * 1e3));
    set(j, "down_us", cl_json_us(true, f->down_us * 1e3));
    set(j, "crossover_rtt_us", cl_json_us(isfinite(f->rtt_star_us), f->rtt_star_us * 1e3));
    set(j, "crossover_up_bps", real(f->up_star_bps));
    set(j, "crossover_edge_compute_us",
        cl_json_us(isfinite(f->edge_star_us), f->edge_star_us * 1e3));
    set(root, "model", j);
    set(energy, "basis", json_string("modelled"));
    set(energy, "source", json_string(CL_ENERGY_SOURCE));
    set(energy, "edge_compute_j", real(l->edge_j));
    set(energy, "cloud_compute_j", real(l->cloud_j));
    set(energy, "radio", json_string(l->radio_row->name));
    set(energy, "radio_j", real(l->radio.joule));
    set(energy, "extrapolated", json_boolean(l->radio.extrapolated));
    set(root, "energy", energy);
    set(cost, "basis", json_string("modelled"));
    set(cost, "source", json_string(CL_PRICE_SOURCE));
    set(cost, "usd_per_million", real(l->million));
    set(root, "cost", cost);
    return root;
}

int cl_cmd_model(int argc, char **argv)
{
    model_opts o = {0};
    nf_error err = {0};
    nf_status st = NF_OK;
    cl_env env;
    int code;

    cl_env_get(&env, argc, argv);
    if (!cl_cmd_parse(&o, &usage, 0, argc, argv, &code)) return code;
    if (!o.edge_us || !o.cloud_us) {
        st = nf_fail(&err, NF_EINVAL, o.edge_us ? "--cloud-compute" : "--edge-compute",
                     "a time above 0 is needed");
        return cl_cmd_fail(usage.name, st, &err);
    }
    const outlook l = look(&o);
    if (o.json)
        st = cl_json_print(to_json(&l, &env), stdout, &err);
    else
        print_text(&l);
    return st ? cl_cmd_fail(usage.name, st, &err) : CL_EXIT_OK;
}
