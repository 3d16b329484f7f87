/* report_parts.c - the JSON that plots are drawn from. Layer: clients. Thread rule: no shared
 * state.
 */
#include "clients/lib/report_parts.h"

#include "engine/base/mem.h"

#include <math.h>

#define CDF_POINTS 100
#define BINS       20 /* a decade */
#define WINDOWS    20

static void set(json_t *to, const char *key, json_t *value)
{
    json_object_set_new(to, key, value);
}

static json_t *us(double ns)
{
    return json_real(round(ns / 10) / 100); /* to 10 ns: quick answers take tens of us */
}

json_t *cl_json_cdf(const cl_side_summary *s)
{
    json_t *list = json_array();
    size_t last = 0;
    for (size_t k = 1; k <= CDF_POINTS && s->n; k++) {
        const size_t rank = (s->n * k + CDF_POINTS - 1) / CDF_POINTS; /* 1 .. n */
        const unsigned permille = (unsigned)(1000 * rank / s->n);
        if (rank == last) continue;
        last = rank;
        const cl_interval ci =
            cl_quantile_interval(s->sorted, s->n, permille < 999 ? permille : 999);
        json_t *point = json_array();
        json_array_append_new(point, json_real((double)rank / (double)s->n));
        json_array_append_new(point, us((double)s->sorted[rank - 1]));
        json_array_append_new(point, ci.known ? us(ci.lo) : json_null());
        json_array_append_new(point, ci.known ? us(ci.hi) : json_null());
        json_array_append_new(list, point);
    }
    return list;
}

json_t *cl_json_bins(const cl_side_summary *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->n;) {
        const double bin = floor(log10(fmax(1, (double)s->sorted[i])) * BINS);
        const double end = pow(10, (bin + 1) / BINS);
        size_t n = 0;
        do
            n++;
        while (i + n < s->n && (double)s->sorted[i + n] < end);
        json_t *point = json_array();
        json_array_append_new(point, json_real(pow(10, bin / BINS) / 1e3));
        json_array_append_new(point, json_integer((json_int_t)n));
        json_array_append_new(list, point);
        i += n;
    }
    return list;
}

json_t *cl_json_scores(const cl_scores *s)
{
    if (!s->asked) return json_null();
    json_t *j = json_object();
    set(j, "asked", json_integer((json_int_t)s->asked));
    set(j, "right", json_integer((json_int_t)s->right));
    set(j, "classes", json_integer((json_int_t)s->n));
    set(j, "accuracy", json_real(cl_scores_accuracy(s)));
    set(j, "macro_precision", json_real(cl_scores_precision(s)));
    set(j, "macro_recall", json_real(cl_scores_recall(s)));
    return j;
}

json_t *cl_json_tcp_bytes(const cl_side *side)
{
    const cl_tcp_facts *a = &side->before, *b = &side->facts;
    if (!b->known || !a->known || side->rec.opened || !side->rec.ok) return json_null();
    const double n = (double)side->rec.ok;
    json_t *j = json_object();
    set(j, "requests", json_integer((json_int_t)side->rec.ok));
    set(j, "up", json_real((double)(b->bytes_up - a->bytes_up) / n));
    set(j, "down", json_real((double)(b->bytes_down - a->bytes_down) / n));
    set(j, "again", json_real((double)(b->bytes_again - a->bytes_again) / n));
    set(j, "segments_up", json_real((double)(b->segments_up - a->segments_up) / n));
    return j;
}

json_t *cl_json_energy(const cl_comparison *c, int side)
{
    const cl_side *s = &c->pairs->side[side];
    const cl_billing *bill = &c->billing;
    const double bytes = cl_recorder_each(&s->rec, s->rec.up_total + s->rec.down_total);
    if (!s->model.known || !s->rec.ok || !bill->radio) return json_null();
    const double kbps = bill->kbps > 0 ? bill->kbps : bill->radio->high;
    const cl_radio_use radio = cl_energy_radio(bill->radio, bytes, kbps);
    json_t *j = json_object();
    set(j, "basis", json_string("modelled"));
    set(j, "source", json_string(CL_ENERGY_SOURCE));
    set(j, "precision", json_string(s->model.precision));
    set(j, "macs", json_real(s->model.macs));
    set(j, "compute_j",
        json_real(cl_energy_compute(s->model.precision, s->model.macs, s->model.weight_bytes)));
    set(j, "radio", side ? json_string(bill->radio->name) : json_null());
    set(j, "radio_kbps", side ? json_real(kbps) : json_null());
    set(j, "radio_j", json_real(side ? radio.joule : 0));
    set(j, "extrapolated", json_boolean(side && radio.extrapolated));
    return j;
}

json_t *cl_json_cost(const cl_comparison *c)
{
    const cl_side *s = &c->pairs->side[1];
    const cl_side_summary *sum = &c->side[1];
    if (!s->rec.ok) return json_null();
    const double ms = (sum->server_known ? sum->server_ns : sum->median_ns) / 1e6;
    const double reply = cl_recorder_each(&s->rec, s->rec.down_total);
    json_t *j = json_object();
    set(j, "basis", json_string("modelled"));
    set(j, "source", json_string(CL_PRICE_SOURCE));
    set(j, "usd_per_million", json_real(cl_price_million(&c->billing.tariff, ms, reply)));
    set(j, "compute_ms", json_real(ms));
    set(j, "memory_gb", json_real(c->billing.tariff.memory_gb));
    set(j, "egress_usd_per_gb", json_real(c->billing.tariff.egress_per_gb));
    return j;
}

/* The median of the answered ones, as microseconds, or null. */
static json_t *median_us(const int64_t *ns, size_t n, int64_t *room)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (ns[i] != CL_NO_TIME) room[k++] = ns[i];
    cl_sort(room, k);
    return k ? us(cl_median(room, k)) : json_null();
}

json_t *cl_json_windows(const cl_comparison *c)
{
    const cl_pairs *p = c->pairs;
    json_t *list = json_array();
    int64_t *room = nf_alloc_array(p->done + 1, sizeof(*room), NF_MEM_CLIENT);
    const size_t n = p->done / 5 < WINDOWS ? p->done / 5 : WINDOWS; /* five pairs at least */
    for (size_t w = 0; room && w < n; w++) {
        const size_t from = p->done * w / n, to = p->done * (w + 1) / n;
        json_t *j = json_object();
        set(j, "pairs", json_integer((json_int_t)(to - from)));
        set(j, "edge_us", median_us(p->side[0].ns + from, to - from, room));
        set(j, "cloud_us", median_us(p->side[1].ns + from, to - from, room));
        json_array_append_new(list, j);
    }
    nf_free(room);
    return list;
}
