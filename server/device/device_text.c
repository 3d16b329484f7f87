/* device_text.c - one function a topic: the formula with its numbers. Layer: server/device. Thread
 * rule: no shared state. */
#include "server/device/device_text.h"

/* Seconds in the unit that reads best. */
static void add_seconds(srv_buf *b, double s)
{
    static const char *const units[] = {"s", "ms", "us", "ns"};
    size_t u = 0;
    for (; s < 1 && u + 1 < NF_COUNT(units); u++)
        s *= 1000;
    srv_buf_fmt(b, "%.3g %s", s, units[u]);
}

static double percent(const eng_fit_part *p)
{
    return p->have.low > 0 ? 100 * p->need / p->have.low : 100;
}

static void ram(srv_buf *b, const eng_need *need, const srv_device *d, const eng_fit *fit)
{
    if (d->is.weights_in_flash)
        srv_buf_fmt(b, "activations %llu", (unsigned long long)need->values_bytes);
    else
        srv_buf_fmt(b, "arena %llu + weights %llu", (unsigned long long)need->arena_bytes,
                    (unsigned long long)need->work.weight_bytes);
    srv_buf_fmt(b, " + runtime %.0f = %.0f of %.0f * %g = %.0f bytes (%.3g %%)",
                d->is.runtime_ram_bytes, fit->ram.need, d->is.ram_bytes.low, d->is.ram_usable,
                fit->ram.have.low, percent(&fit->ram));
}

static void flash(srv_buf *b, const eng_need *need, const srv_device *d, const eng_fit *fit)
{
    const bool weights = d->is.weights_in_flash;
    srv_buf_fmt(b, "%s %llu + runtime %.0f = %.0f of %.0f * %g = %.0f bytes (%.3g %%)",
                weights ? "weights" : "file",
                (unsigned long long)(weights ? need->work.weight_bytes : need->file_bytes),
                d->is.runtime_flash_bytes, fit->flash.need, d->is.flash_bytes, d->is.flash_usable,
                fit->flash.have.low, percent(&fit->flash));
}

static void duration(srv_buf *b, const eng_need *need, const srv_device *d, const eng_fit *fit)
{
    srv_buf_fmt(b, "(%llu int8 MACs / %g + %llu float MACs / %g + %llu bytes / %g) = %.0f cycles",
                (unsigned long long)need->work.int_macs, d->is.i8_macs_per_cycle,
                (unsigned long long)need->work.float_macs, d->is.f32_macs_per_cycle,
                (unsigned long long)need->work.activation_bytes, d->is.bytes_per_cycle,
                fit->time.need);
    srv_buf_fmt(b, " / %g MHz = ", d->is.cpu_hz.low / 1e6);
    add_seconds(b, fit->latency_s.high);
    if (d->is.cpu_hz.high > d->is.cpu_hz.low) {
        srv_buf_fmt(b, ", at %g MHz ", d->is.cpu_hz.high / 1e6);
        add_seconds(b, fit->latency_s.low);
    }
    srv_buf_fmt(b, "; %g a second are %.3g %% of a core", d->is.rate_hz, percent(&fit->time));
}

static void battery(srv_buf *b, const eng_need *need, const srv_device *d, const eng_fit *fit)
{
    (void)need;
    if (d->is.battery_wh > 0)
        srv_buf_fmt(b, "%g Wh / (%g W + (%g W - %g W) * %.3g) = %.3g h; ", d->is.battery_wh,
                    d->is.power_w.low, d->is.power_w.high, d->is.power_w.low, fit->busy,
                    fit->battery_h);
    else
        srv_buf_text(b, "none; ");
    srv_buf_fmt(b, "one inference ");
    add_seconds(b, fit->latency_s.high);
    srv_buf_fmt(b, " * %g W = %.3g J", d->is.power_w.high, fit->inference_j);
}

typedef struct topic {
    const char *name;
    void (*write)(srv_buf *b, const eng_need *need, const srv_device *d, const eng_fit *fit);
} topic;

static const topic topics[SRV_DEVICE_TOPICS] = {
    [SRV_DEVICE_RAM] = {"ram", ram},
    [SRV_DEVICE_FLASH] = {"flash", flash},
    [SRV_DEVICE_TIME] = {"time", duration},
    [SRV_DEVICE_BATTERY] = {"battery", battery},
};

const char *srv_device_topic_name(srv_device_topic t)
{
    return topics[t].name;
}

void srv_device_arithmetic(srv_buf *b, srv_device_topic t, const eng_need *need,
                           const srv_device *d, const eng_fit *fit)
{
    topics[t].write(b, need, d, fit);
}

static void why_part(srv_buf *b, const char *name, const eng_fit_part *p)
{
    const bool time = name[0] == 't';
    if (p->verdict == ENG_FIT_YES) return;
    if (b->len) srv_buf_text(b, "; ");
    srv_buf_fmt(b, "%s needs %.0f of %.0f%s", name, p->need,
                p->verdict == ENG_FIT_NO ? p->have.high : p->have.low,
                time ? " cycles between two" : " bytes");
    if (p->verdict == ENG_FIT_TIGHT && p->need > p->have.low)
        srv_buf_fmt(b, ": only with the %s, %.0f", time ? "higher clock" : "larger memory",
                    p->have.high);
}

void srv_device_why(srv_buf *b, const eng_fit *fit)
{
    why_part(b, "ram", &fit->ram);
    why_part(b, "flash", &fit->flash);
    why_part(b, "time", &fit->time);
}
