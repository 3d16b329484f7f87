/* slo.c - reads and judges service levels. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/slo.h"

#include "clients/lib/stats.h"
#include "engine/base/bytes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    cl_slo_metric metric;
} metrics[] = {
    {"mean", CL_SLO_MEAN}, {"max", CL_SLO_MAX}, {"err", CL_SLO_ERR}, {"rate", CL_SLO_RATE}};

/* Factors to the unit of cl_slo.limit; a time without a unit is in milliseconds. */
static const struct {
    const char *text;
    bool time, share;
    double factor;
} units[] = {{"ns", true, false, 1},  {"us", true, false, 1e3}, {"ms", true, false, 1e6},
             {"s", true, false, 1e9}, {"", true, false, 1e6},   {"%", false, true, 0.01},
             {"", false, true, 1},    {"", false, false, 1},    {"/s", false, false, 1}};

/* "p95", "p99.9": a decimal with at most one digit behind the point, 0 < p < 100. */
static bool read_quantile(unsigned *permille, const char *name)
{
    char *end;
    if (name[0] != 'p' || name[1] < '0' || name[1] > '9') return false;
    const double tenths = strtod(name + 1, &end) * 10;
    if (*end || !(tenths >= 1 && tenths <= 999) || fabs(tenths - round(tenths)) > 1e-6)
        return false;
    *permille = (unsigned)lround(tenths);
    return true;
}

static bool read_metric(cl_slo *s, const char *name)
{
    if (read_quantile(&s->permille, name)) {
        s->metric = CL_SLO_QUANTILE;
        return true;
    }
    for (size_t i = 0; i < NF_COUNT(metrics); i++) {
        if (strcmp(name, metrics[i].name) != 0) continue;
        s->metric = metrics[i].metric;
        return true;
    }
    return false;
}

static bool read_limit(cl_slo *s, const char *text)
{
    char *end;
    const double v = strtod(text, &end);
    const bool share = s->metric == CL_SLO_ERR;
    const bool time = !share && s->metric != CL_SLO_RATE;
    if (end == text || !isfinite(v) || v < 0) return false;
    for (size_t i = 0; i < NF_COUNT(units); i++) {
        if (units[i].time != time || units[i].share != share) continue;
        if (strcmp(end, units[i].text) != 0) continue;
        s->limit = v * units[i].factor;
        return !share || s->limit <= 1;
    }
    return false;
}

static bool read_one(cl_slo *s, const char *text, size_t len)
{
    char name[16];
    if (len >= sizeof(s->expr)) return false;
    memcpy(s->expr, text, len);
    s->expr[len] = '\0';
    const size_t n = strcspn(s->expr, "<>");
    if (n == 0 || n >= sizeof(name) || !s->expr[n]) return false;
    memcpy(name, s->expr, n);
    name[n] = '\0';
    s->above = s->expr[n] == '>';
    s->equal = s->expr[n + 1] == '=';
    return read_metric(s, name) && read_limit(s, s->expr + n + 1 + s->equal);
}

nf_status cl_slos_read(cl_slos *out, const char *text, nf_error *err)
{
    *out = (cl_slos){0};
    for (;;) {
        const size_t len = strcspn(text, ",");
        if (out->n == CL_SLO_MOST)
            return nf_fail(err, NF_EINVAL, "slo", "expected at most %d expressions", CL_SLO_MOST);
        if (!read_one(&out->one[out->n], text, len))
            return nf_fail(err, NF_EINVAL, "slo",
                           "expected METRIC<VALUE like p95<100ms, err<1%% or rate>50, got '%.*s'",
                           len < 60 ? (int)len : 60, text);
        out->n++;
        if (!text[len]) return NF_OK;
        text += len + 1;
    }
}

cl_slo_result cl_slo_judge(const cl_slo *s, const cl_slo_facts *f)
{
    const nf_hist *h = f->latency;
    cl_slo_result r = {.known = h->count > 0};
    switch (s->metric) {
    case CL_SLO_QUANTILE:
        r.known = cl_quantile_shown(h->count, s->permille);
        r.value = (double)nf_hist_quantile(h, s->permille / 1000.0);
        break;
    case CL_SLO_MEAN:
        r.value = h->count ? (double)h->sum / (double)h->count : 0;
        break;
    case CL_SLO_MAX:
        r.value = (double)h->most;
        break;
    case CL_SLO_ERR:
        r.known = true;
        r.value = f->err;
        break;
    case CL_SLO_RATE:
    default:
        r.known = true;
        r.value = f->rate;
        break;
    }
    r.pass = r.known && (s->above ? r.value > s->limit : r.value < s->limit);
    if (r.known && s->equal && r.value == s->limit) r.pass = true;
    return r;
}
