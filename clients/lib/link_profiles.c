/* link_profiles.c - one row a named link. Layer: clients. Thread rule: the table is const.
 * To add one: a row here, or a file in deploy/links/ for --profile FILE. */
#include "clients/lib/link_profiles.h"

#include "engine/base/file.h"

#include <jansson.h>
#include <stdio.h>

#define K 1000

#define WPT      "WebPageTest, www/settings/connectivity.ini.sample: "
#define COMCAST  "tylertreat/comcast, README: "
#define DEVTOOLS "Chrome DevTools, front_end/core/sdk/NetworkManager.ts: "

// clang-format off
static const cl_profile table[] = {
    {"lan",       500,    1000000 * K, 1000000 * K, 0,     "own definition: gigabit Ethernet, 0.5 ms"},
    {"wifi-good", 40000,  30000 * K,   30000 * K,   0.002, COMCAST "Wi-Fi (good); its latency taken as round trip"},
    {"fios",      4000,   20000 * K,   5000 * K,    0,     WPT "FIOS"},
    {"cable",     28000,  5000 * K,    1000 * K,    0,     WPT "Cable"},
    {"dsl",       50000,  1500 * K,    384 * K,     0,     WPT "DSL"},
    {"lte",       70000,  12000 * K,   12000 * K,   0,     WPT "LTE"},
    {"4g",        170000, 9000 * K,    9000 * K,    0,     WPT "4G"},
    {"fast-4g",   60000,  9000 * K,    1500 * K,    0,     DEVTOOLS "Fast4GConditions, before its request-level factors"},
    {"slow-4g",   150000, 1600 * K,    750 * K,     0,     "Lighthouse, docs/throttling.md: slow 4G"},
    {"3g-fast",   150000, 1600 * K,    768 * K,     0,     WPT "3GFast"},
    {"3g",        300000, 1600 * K,    768 * K,     0,     WPT "3G"},
    {"3g-slow",   400000, 400 * K,     400 * K,     0,     WPT "3GSlow"},
    {"2g",        800000, 280 * K,     256 * K,     0,     WPT "2G"},
    {"edge-cell", 840000, 240 * K,     200 * K,     0,     WPT "Edge; named so because edge means the machine here"},
    {"gprs",      500000, 50 * K,      50 * K,      0.02,  COMCAST "GPRS; its latency taken as round trip"},
    {"starlink",  50000,  100000 * K,  10000 * K,   0.025, "APNIC blog 2022-11-28: 50 ms median, 100 Mbit/s; loss: comcast README; up: own choice"},
    {"geo-sat",   600000, 100000 * K,  10000 * K,   0,     "APNIC blog 2022-05-02: about 600 ms; rates: APNIC blog 2022-11-28"},
    {"offline",   0,      0,           0,           1,     DEVTOOLS "OfflineConditions"},
};
// clang-format on

const cl_profile *cl_profiles(size_t *n)
{
    *n = NF_COUNT(table);
    return table;
}

static bool is_file(const char *name)
{
    const size_t len = strlen(name);
    return strchr(name, '/') || (len > 5 && strcmp(name + len - 5, ".json") == 0);
}

static nf_status take_text(char *to, size_t room, json_t *j, const char *key, nf_error *err)
{
    const char *s = json_string_value(json_object_get(j, key));
    if (!s || !s[0] || strlen(s) >= room)
        return nf_fail(err, NF_EINVAL, key, "expected a text of 1 to %zu bytes", room - 1);
    snprintf(to, room, "%s", s);
    return NF_OK;
}

/* "name" and "source" are the profile's own; the rest are settings of a link. */
static nf_status from_json(cl_profile *out, json_t *j, nf_error *err)
{
    cl_link_settings s = {0};
    nf_status st;
    if (!json_is_object(j)) return nf_fail(err, NF_EINVAL, "profile", "expected a JSON object");
    if ((st = take_text(out->name, sizeof(out->name), j, "name", err))) return st;
    if ((st = take_text(out->source, sizeof(out->source), j, "source", err))) return st;
    json_object_del(j, "name");
    json_object_del(j, "source");
    if ((st = cl_settings_from_json(&s, j, CL_SETTINGS_PROFILE, err))) return st;
    out->rtt_us = s.rtt_us;
    out->up_bps = s.up_bps;
    out->down_bps = s.down_bps;
    out->loss = s.loss;
    return NF_OK;
}

static nf_status read_profile(cl_profile *out, const char *path, nf_error *err)
{
    nf_bytes file = {0};
    json_error_t why;
    nf_status st = nf_read_file(&file, path, 65536, NF_MEM_CLIENT, err);
    if (st) return st;
    json_t *j = json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, &why);
    st = j ? from_json(out, j, err)
           : nf_fail(err, NF_EINVAL, path, "line %d: %s", why.line, why.text);
    json_decref(j);
    nf_free((void *)file.data);
    return st;
}

nf_status cl_profile_get(cl_profile *out, const char *name, nf_error *err)
{
    *out = (cl_profile){0};
    if (is_file(name)) return read_profile(out, name, err);
    for (size_t i = 0; i < NF_COUNT(table); i++)
        if (strcmp(table[i].name, name) == 0) {
            *out = table[i];
            return NF_OK;
        }
    return nf_fail(err, NF_EINVAL, "--profile", "unknown '%s'; link --profiles lists them", name);
}

void cl_profile_apply(cl_link_settings *s, const cl_profile *p)
{
    s->rtt_us = p->rtt_us;
    s->up_bps = p->up_bps;
    s->down_bps = p->down_bps;
    s->loss = p->loss < 1 ? p->loss : 0;
}
