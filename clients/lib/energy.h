/* energy.h - modelled energy and price of a request: coefficients with their sources. Nothing here
 * is measured. Layer: clients. Thread rule: pure functions. Joules, bytes, US dollars. */
#ifndef CL_ENERGY_H
#define CL_ENERGY_H

#include <stdbool.h>
#include <stddef.h>

/* Compute: M. Horowitz, ISSCC 2014, 45 nm: arithmetic and one DRAM read of each weight; not this
 * machine's processor. Picojoules: a float multiply-add 3.7 + 0.9, an 8-bit one 0.2 + 0.1 (into 32
 * bits), a 32-bit word out of DRAM 640. */
#define CL_PJ_FLOAT_MAC 4.6
#define CL_PJ_INT8_MAC  0.3
#define CL_PJ_DRAM_WORD 640.0

/** `precision` as servers say it: "int8" and "hybrid" multiply 8-bit numbers, all else floats. */
double cl_energy_compute(const char *precision, double macs, double weight_bytes);

/* Radio: measured on phones by Aalborg University (data download for different technologies, 500 KB
 * downloads, 250 runs): joules a bit = a + b (rate - c), rate in kbit/s between low and high. */
typedef struct cl_radio {
    const char *name;
    double a, b, c, low, high;
} cl_radio;

/** NULL when there is no such row; cl_radio_names lists them as "wifi|hsdpa|gprs". */
const cl_radio *cl_radio_find(const char *name);
const char *cl_radio_names(void);

typedef struct cl_radio_use {
    double joule;
    bool extrapolated; /* the rate lies outside what was measured; the nearest end was used */
} cl_radio_use;

cl_radio_use cl_energy_radio(const cl_radio *r, double bytes, double kbps);

/* Price: AWS Lambda as an anchor (How AWS Pricing Works): 0.20 a million requests, 0.00001667 a
 * GB-second, time rounded up to a millisecond. The price of a gigabyte that leaves the cloud is not
 * part of that source: a parameter. */
typedef struct cl_tariff {
    double memory_gb, egress_per_gb;
} cl_tariff;

/** Of a million requests that compute `ms` and answer with `reply` bytes. */
double cl_price_million(const cl_tariff *t, double ms, double reply);

#define CL_ENERGY_SOURCE                                                                           \
    "modelled: arithmetic and DRAM from M. Horowitz, ISSCC 2014 (45 nm, not this processor); "     \
    "radio "                                                                                       \
    "from Aalborg University's phone measurements"
#define CL_PRICE_SOURCE                                                                            \
    "modelled: AWS Lambda list price, 0.20 USD a million requests and 0.00001667 USD a GB-second"

#endif /* CL_ENERGY_H */
