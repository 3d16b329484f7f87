/* inspect_devices.c - would the model fit a device, with the arithmetic. Layer: server/cmd. Thread
 * rule: main thread. */
#include "server/cmd/inspect_devices.h"

#include "server/device/device_text.h"

#include <stdio.h>

#define TEXT_MOST 2000

static void print_device(const srv_device *d, const eng_need *need)
{
    const eng_fit fit = eng_fit_of(need, &d->is);
    srv_buf b = {.most = TEXT_MOST};
    srv_device_why(&b, &fit);
    printf("  %-14s %-6s %.*s%s(%s)\n", d->name, eng_fit_name(fit.verdict), (int)b.len, b.data,
           b.len ? "  " : "", d->source);
    for (int t = 0; t < SRV_DEVICE_TOPICS; t++) {
        srv_buf_reset(&b, TEXT_MOST);
        srv_device_arithmetic(&b, (srv_device_topic)t, need, d, &fit);
        printf("    %-8s %.*s\n", srv_device_topic_name((srv_device_topic)t), (int)b.len, b.data);
    }
    srv_buf_fini(&b);
}

void inspect_devices_print(const srv_devices *devices, const char *dir, const eng_need *need)
{
    printf("\ndevices    modelled, not measured; assumptions in %s/*.json\n", dir);
    for (size_t i = 0; i < devices->n; i++)
        print_device(&devices->list[i], need);
}

static json_t *part_json(const eng_fit_part *p)
{
    return json_pack("{s:s, s:f, s:f, s:f}", "verdict", eng_fit_name(p->verdict), "need", p->need,
                     "have_low", p->have.low, "have_high", p->have.high);
}

static json_t *text_json(const srv_buf *b)
{
    return json_stringn(b->len ? b->data : "", b->len);
}

static json_t *arithmetic_json(const srv_device *d, const eng_need *need, const eng_fit *fit)
{
    json_t *o = json_object();
    for (int t = 0; t < SRV_DEVICE_TOPICS; t++) {
        srv_buf b = {.most = TEXT_MOST};
        srv_device_arithmetic(&b, (srv_device_topic)t, need, d, fit);
        json_object_set_new(o, srv_device_topic_name((srv_device_topic)t), text_json(&b));
        srv_buf_fini(&b);
    }
    return o;
}

static json_t *device_json(const srv_device *d, const eng_need *need)
{
    const eng_fit fit = eng_fit_of(need, &d->is);
    srv_buf why = {.most = TEXT_MOST};
    srv_device_why(&why, &fit);
    json_t *o = json_pack("{s:s, s:s, s:b, s:s}", "name", d->name, "source", d->source, "modelled",
                          1, "verdict", eng_fit_name(fit.verdict));
    json_object_set_new(o, "why", text_json(&why));
    json_object_set_new(o, "ram", part_json(&fit.ram));
    json_object_set_new(o, "flash", part_json(&fit.flash));
    json_object_set_new(o, "cycles", part_json(&fit.time));
    json_object_set_new(o, "latency_low_clock_s", json_real(fit.latency_s.high));
    json_object_set_new(o, "latency_high_clock_s", json_real(fit.latency_s.low));
    json_object_set_new(o, "inference_j", json_real(fit.inference_j));
    json_object_set_new(o, "battery_h",
                        d->is.battery_wh > 0 ? json_real(fit.battery_h) : json_null());
    json_object_set_new(o, "arithmetic", arithmetic_json(d, need, &fit));
    srv_buf_fini(&why);
    return o;
}

json_t *inspect_devices_json(const srv_devices *devices, const eng_need *need)
{
    json_t *list = json_array();
    for (size_t i = 0; i < devices->n; i++)
        json_array_append_new(list, device_json(&devices->list[i], need));
    return list;
}
