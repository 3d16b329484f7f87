/* energy.c - the tables and their sums. Layer: clients. Thread rule: pure functions. */
#include "clients/lib/energy.h"

#include <math.h>
#include <string.h>

static const cl_radio radios[] = {
    {"wifi", 6.45e-7, -1.27e-10, 2130, 2000, 5000},
    {"hsdpa", 1.13e-5, -7.21e-9, 101, 100, 1500},
    {"gprs", 1.47e-5, -2.88e-7, 33.3, 30, 45},
};

double cl_energy_compute(const char *precision, double macs, double weight_bytes)
{
    const bool integer = strcmp(precision, "int8") == 0 || strcmp(precision, "hybrid") == 0;
    const double mac = integer ? CL_PJ_INT8_MAC : CL_PJ_FLOAT_MAC;
    return 1e-12 * (macs * mac + weight_bytes / 4 * CL_PJ_DRAM_WORD);
}

const cl_radio *cl_radio_find(const char *name)
{
    for (size_t i = 0; i < sizeof(radios) / sizeof(radios[0]); i++)
        if (strcmp(radios[i].name, name) == 0) return &radios[i];
    return NULL;
}

const char *cl_radio_names(void)
{
    return "wifi|hsdpa|gprs";
}

cl_radio_use cl_energy_radio(const cl_radio *r, double bytes, double kbps)
{
    const double rate = fmin(fmax(kbps, r->low), r->high);
    return (cl_radio_use){.joule = 8 * bytes * (r->a + r->b * (rate - r->c)),
                          .extrapolated = kbps < r->low || kbps > r->high};
}

double cl_price_million(const cl_tariff *t, double ms, double reply)
{
    const double seconds = ceil(fmax(ms, 1)) / 1e3;
    return 0.20 + 1e6 * seconds * t->memory_gb * 0.00001667 + 1e6 * reply / 1e9 * t->egress_per_gb;
}
