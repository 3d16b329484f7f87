/* device.h - would a model fit a device, how long would it take, how long would the battery last.
 * Layer: engine/cost. Thread rule: pure functions. Everything here is MODELLED: counts of the model
 * times assumptions about the device, never a measurement. */
#ifndef ENG_DEVICE_H
#define ENG_DEVICE_H

#include "engine/cost/cost.h"

/* A figure that is known as a range: low is the budget. */
typedef struct eng_range {
    double low, high;
} eng_range;

typedef struct eng_device {
    eng_range ram_bytes, cpu_hz;
    eng_range power_w; /* low between two inferences, high during one */
    double cores;      /* one inference uses one */
    double flash_bytes;
    double ram_usable, flash_usable;               /* shares, 0..1 */
    double runtime_ram_bytes, runtime_flash_bytes; /* beside the model */
    bool weights_in_flash; /* read where they lie, kernels without scratch */
    double f32_macs_per_cycle, i8_macs_per_cycle;
    double bytes_per_cycle; /* activations written or read */
    double rate_hz;         /* inferences a second that are wanted */
    double battery_wh;      /* 0 = none */
} eng_device;

/* What one model asks for. */
typedef struct eng_need {
    eng_work work;
    uint64_t file_bytes;
    uint64_t arena_bytes;  /* activations and scratch */
    uint64_t values_bytes; /* activations alone */
} eng_need;

typedef enum eng_fit_verdict {
    ENG_FIT_NO,    /* not even with the high figures */
    ENG_FIT_TIGHT, /* over ENG_FIT_ROOM of the low figure, or only with more than that */
    ENG_FIT_YES
} eng_fit_verdict;

#define ENG_FIT_ROOM 0.8

/* One resource: what is needed against what there is. */
typedef struct eng_fit_part {
    eng_fit_verdict verdict;
    double need;
    eng_range have;
} eng_fit_part;

typedef struct eng_fit {
    eng_fit_verdict verdict; /* the worst of the three */
    eng_fit_part ram, flash; /* bytes */
    eng_fit_part time;       /* need: cycles of one inference, have: cycles between two */
    eng_range latency_s;     /* low: at the high clock, high: at the low clock */
    double busy;             /* share of the time at the low clock, at most 1 */
    double inference_j;      /* high power for the latency at the low clock */
    double battery_h;        /* 0 where there is no battery */
} eng_fit;

/**
 * Holds a model against a device:
 * ram = arena + weights + runtime, or activations + runtime where the weights stay in flash;
 * flash = the file + runtime, or weights + runtime; cycles = int8 MACs / rate + float MACs / rate +
 * activation bytes / rate; latency = cycles / clock; battery hours =
 * Wh / (low W + (high W - low W) * busy), busy = latency at the low clock * inferences a second.
 */
eng_fit eng_fit_of(const eng_need *need, const eng_device *device);

/** "fits", "tight" or "no". */
const char *eng_fit_name(eng_fit_verdict v);

#endif /* ENG_DEVICE_H */
