/* device.c - needs against a device, part by part. Layer: engine/cost. Thread rule: pure
 * functions. */
#include "engine/cost/device.h"

static eng_fit_part part_of(double need, double have_low, double have_high)
{
    eng_fit_part p = {.need = need, .have = {have_low, have_high}};
    p.verdict = need <= ENG_FIT_ROOM * have_low ? ENG_FIT_YES
                : need <= have_high             ? ENG_FIT_TIGHT
                                                : ENG_FIT_NO;
    return p;
}

static double cycles_of(const eng_work *work, const eng_device *d)
{
    return (double)work->int_macs / d->i8_macs_per_cycle +
           (double)work->float_macs / d->f32_macs_per_cycle +
           (double)work->activation_bytes / d->bytes_per_cycle;
}

static eng_fit_verdict worse(eng_fit_verdict a, eng_fit_verdict b)
{
    return a < b ? a : b;
}

eng_fit eng_fit_of(const eng_need *need, const eng_device *d)
{
    const double weights = (double)need->work.weight_bytes;
    const double ram =
        d->weights_in_flash ? (double)need->values_bytes : (double)need->arena_bytes + weights;
    const double flash = d->weights_in_flash ? weights : (double)need->file_bytes;
    const double cycles = cycles_of(&need->work, d);
    const double flash_have = d->flash_bytes * d->flash_usable;
    eng_fit f = {
        .ram = part_of(ram + d->runtime_ram_bytes, d->ram_bytes.low * d->ram_usable,
                       d->ram_bytes.high * d->ram_usable),
        .flash = part_of(flash + d->runtime_flash_bytes, flash_have, flash_have),
        .time = part_of(cycles, d->cpu_hz.low / d->rate_hz, d->cpu_hz.high / d->rate_hz),
        .latency_s = {cycles / d->cpu_hz.high, cycles / d->cpu_hz.low},
    };
    f.verdict = worse(f.time.verdict, worse(f.ram.verdict, f.flash.verdict));
    f.busy = f.latency_s.high * d->rate_hz;
    if (f.busy > 1) f.busy = 1;
    f.inference_j = f.latency_s.high * d->power_w.high;
    if (d->battery_wh > 0)
        f.battery_h =
            d->battery_wh / (d->power_w.low + (d->power_w.high - d->power_w.low) * f.busy);
    return f;
}

const char *eng_fit_name(eng_fit_verdict v)
{
    static const char *const names[] = {"no", "tight", "fits"};
    return names[v];
}
