/* link_settings.c - the table of what a link can be told. Layer: clients. Thread rule: no shared
 * state. */
#include "clients/lib/link_settings.h"

#include "clients/lib/text_out.h"
#include "engine/base/opts.h"

#include <stdio.h>
#include <stdlib.h>

#define AT(field) offsetof(cl_link_settings, field)

typedef struct field_row {
    const char *json, *option; /* option: NULL for a second way to say it */
    const char *arg;           /* what an error says was expected */
    size_t offset;
    int64_t least, most;
    nf_opt_kind kind;
    bool in_profile;
} field_row;

#define RATE_MOST 100000000000
#define LOSS_MOST 0.5

static const field_row fields[] = {
    {"rtt_us", "rtt", "TIME", AT(rtt_us), 0, 60000000, NF_OPT_TIME, true},
    {"jitter_us", "jitter", "TIME", AT(jitter_us), 0, 60000000, NF_OPT_TIME, false},
    {"connect_delay_us", "connect-delay", "TIME", AT(connect_us), 0, 60000000, NF_OPT_TIME, false},
    {"up_bps", "up", "RATE", AT(up_bps), 8000, RATE_MOST, NF_OPT_RATE, true},
    {"down_bps", "down", "RATE", AT(down_bps), 8000, RATE_MOST, NF_OPT_RATE, true},
    {"loss", "loss", "SHARE", AT(loss), 0, 1, NF_OPT_REAL, true},
    {"queue_bytes", "queue", "BYTES", AT(queue_bytes), CL_QUEUE_LEAST, 1 << 30, NF_OPT_BYTES,
     false},
    {"queue_us", NULL, "TIME", AT(queue_us), 0, 60000000, NF_OPT_TIME, false},
};

cl_link_settings cl_settings_default(void)
{
    return (cl_link_settings){.connect_us = CL_CONNECT_RTT, .queue_bytes = CL_QUEUE_BYTES};
}

/* "1%" or a share, "0.01". */
static nf_status read_loss(double *out, const char *name, const char *text, double most,
                           nf_error *err)
{
    char *end;
    double v = strtod(text, &end);
    const bool percent = end != text && strcmp(end, "%") == 0;
    if (percent) v /= 100;
    if (end == text || (*end && !percent) || !(v >= 0 && v <= most))
        return nf_fail(err, NF_EINVAL, name, "expected 0%% to %g%%, or a share 0 to %g; got '%s'",
                       most * 100, most, text);
    *out = v;
    return NF_OK;
}

static nf_status read_value(cl_link_settings *s, const field_row *f, const char *name,
                            const char *text, nf_error *err)
{
    const nf_opt row = {
        .name = name, .arg = f->arg, .kind = f->kind, .least = f->least, .most = f->most};
    void *at = (char *)s + f->offset;
    int64_t v = 0;
    nf_status st;
    if (f->kind == NF_OPT_REAL) return read_loss(at, name, text, LOSS_MOST, err);
    /* A rate of 0 takes the limit away. */
    if (f->kind == NF_OPT_RATE && strcmp(text, "0") == 0) {
        *(int64_t *)at = 0;
        return NF_OK;
    }
    if ((st = nf_opts_value(&v, &row, text, err))) return st;
    *(int64_t *)at = v;
    return NF_OK;
}

/* "256k" is bytes, "100ms" a time at the link's rate. */
static const field_row *queue_row(const char *text)
{
    const size_t len = strlen(text);
    return &fields[NF_COUNT(fields) - (len && text[len - 1] == 's' ? 1 : 2)];
}

nf_status cl_settings_option(cl_link_settings *s, const char *name, const char *text, nf_error *err)
{
    for (size_t i = 0; i < NF_COUNT(fields); i++) {
        const field_row *f = &fields[i];
        if (!f->option || strcmp(f->option, name) != 0) continue;
        if (strcmp(name, "queue") == 0) {
            f = queue_row(text);
            s->queue_us = 0;
        }
        char flag[32];
        snprintf(flag, sizeof(flag), "--%s", name);
        return read_value(s, f, flag, text, err);
    }
    return nf_fail(err, NF_EINVAL, name, "no setting of a link");
}

/* A number in the unit of the field's name. */
static nf_status take_number(cl_link_settings *s, const field_row *f, const json_t *v,
                             cl_settings_use use, nf_error *err)
{
    void *at = (char *)s + f->offset;
    const double most = use == CL_SETTINGS_PROFILE ? 1 : LOSS_MOST;
    if (f->kind == NF_OPT_REAL) {
        if (!json_is_number(v) || !(json_number_value(v) >= 0 && json_number_value(v) <= most))
            return nf_fail(err, NF_EINVAL, f->json, "expected a share, 0 to %g", most);
        *(double *)at = json_number_value(v);
        return NF_OK;
    }
    const json_int_t n = json_integer_value(v);
    const bool none = n == 0 && f->kind == NF_OPT_RATE;
    if (!json_is_integer(v) || (!none && (n < f->least || n > f->most)))
        return nf_fail(err, NF_EINVAL, f->json, "expected a whole number, %s%lld to %lld",
                       f->kind == NF_OPT_RATE ? "0 or " : "", (long long)f->least,
                       (long long)f->most);
    *(int64_t *)at = n;
    return NF_OK;
}

static const field_row *find_field(const char *key, cl_settings_use use)
{
    for (size_t i = 0; i < NF_COUNT(fields); i++)
        if (strcmp(fields[i].json, key) == 0 && (fields[i].in_profile || use == CL_SETTINGS_LINK))
            return &fields[i];
    return NULL;
}

nf_status cl_settings_from_json(cl_link_settings *s, json_t *object, cl_settings_use use,
                                nf_error *err)
{
    cl_link_settings next = *s;
    const char *key;
    json_t *v;
    nf_status st;
    json_object_foreach(object, key, v)
    {
        const field_row *f = find_field(key, use);
        if (!f) return nf_fail(err, NF_EINVAL, key, "no setting of a link");
        if (strcmp(key, "queue_bytes") == 0) next.queue_us = 0;
        st = json_is_string(v) ? read_value(&next, f, key, json_string_value(v), err)
                               : take_number(&next, f, v, use, err);
        if (st) return st;
    }
    *s = next;
    return NF_OK;
}

int cl_settings_to_json(const cl_link_settings *s, json_t *object)
{
    int bad = 0;
    for (size_t i = 0; i < NF_COUNT(fields); i++) {
        const void *at = (const char *)s + fields[i].offset;
        int64_t n = fields[i].kind == NF_OPT_REAL ? 0 : *(const int64_t *)at;
        if (at == &s->connect_us && n == CL_CONNECT_RTT) n = s->rtt_us;
        bad |= json_object_set_new(object, fields[i].json,
                                   fields[i].kind == NF_OPT_REAL ? json_real(*(const double *)at)
                                                                 : json_integer(n));
    }
    return bad;
}

cl_link_delay cl_settings_delay(const cl_link_settings *s, bool up)
{
    const uint64_t rtt_ns = (uint64_t)s->rtt_us * 1000, jitter_ns = (uint64_t)s->jitter_us * 1000;
    const uint64_t half_ns = up ? rtt_ns / 2 : rtt_ns - rtt_ns / 2;
    const uint64_t early = jitter_ns / 2 < half_ns ? jitter_ns / 2 : half_ns;
    return (cl_link_delay){half_ns - early, early + (jitter_ns - jitter_ns / 2)};
}

uint64_t cl_settings_queue(const cl_link_settings *s, int64_t bps)
{
    if (!s->queue_us || !bps) return (uint64_t)s->queue_bytes;
    const double bytes = (double)bps / 8 * (double)s->queue_us / 1e6;
    return bytes > CL_QUEUE_LEAST ? (uint64_t)bytes : CL_QUEUE_LEAST;
}

static void add_rate(cl_text *t, const char *name, int64_t bps)
{
    if (bps)
        cl_text_fmt(t, ", %s %g Mbit/s", name, (double)bps / 1e6);
    else
        cl_text_fmt(t, ", %s unshaped", name);
}

const char *cl_settings_text(char *to, size_t room, const cl_link_settings *s)
{
    cl_text t = {.most = 400};
    char time[32];
    cl_text_fmt(&t, "rtt %s",
                s->rtt_us ? cl_time_text(time, sizeof(time), (double)s->rtt_us * 1000)
                          : "unshaped");
    add_rate(&t, "up", s->up_bps);
    add_rate(&t, "down", s->down_bps);
    if (s->jitter_us)
        cl_text_fmt(&t, ", jitter %s",
                    cl_time_text(time, sizeof(time), (double)s->jitter_us * 1000));
    if (s->loss > 0) cl_text_fmt(&t, ", loss %g %%", s->loss * 100);
    snprintf(to, room, "%s", t.s ? t.s : "");
    cl_text_fini(&t);
    return to;
}
