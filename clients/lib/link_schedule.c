/* link_schedule.c - reads and asks a schedule of outages. Layer: clients. Thread rule: no shared
 * state. */
#include "clients/lib/link_schedule.h"

#include "engine/base/bytes.h"
#include "engine/base/opts.h"

#include <stdio.h>

#define SPAN_MOST 86400000000 /* a day */

static nf_status bad(const char *text, nf_error *err)
{
    return nf_fail(err, NF_EINVAL, "schedule",
                   "expected up to %d spans as in '10s up,30s down', got '%s'", CL_OUTAGES_MOST,
                   text);
}

/* One span, NUL-ended, as "10s up". */
static nf_status read_span(cl_outages *s, char *span, const char *all, nf_error *err)
{
    static const nf_opt row = {
        .name = "schedule", .arg = "TIME", .kind = NF_OPT_TIME, .least = 1, .most = SPAN_MOST};
    int64_t us = 0;
    char *time = span + strspn(span, " ");
    char *word = time + strcspn(time, " ");
    if (*word) *word++ = 0;
    word += strspn(word, " ");
    char *end = word + strcspn(word, " ");
    if (end[strspn(end, " ")]) return bad(all, err);
    *end = 0;
    const bool up = strcmp(word, "up") == 0;
    if (s->n == CL_OUTAGES_MOST || (!up && strcmp(word, "down") != 0)) return bad(all, err);
    if (nf_opts_value(&us, &row, time, NULL)) return bad(all, err);
    const uint64_t since = s->n ? s->span[s->n - 1].until_us : 0;
    s->span[s->n].until_us = since + (uint64_t)us;
    s->span[s->n++].up = up;
    return NF_OK;
}

nf_status cl_outages_parse(cl_outages *out, const char *text, nf_error *err)
{
    const char *at = text;
    *out = (cl_outages){0};
    for (;;) {
        char span[64];
        const size_t len = strcspn(at, ",");
        nf_status st;
        if (len >= sizeof(span)) return bad(text, err);
        snprintf(span, sizeof(span), "%.*s", (int)len, at);
        if ((st = read_span(out, span, text, err))) return st;
        if (!at[len]) return NF_OK;
        at += len + 1;
    }
}

bool cl_outages_at(const cl_outages *s, uint64_t at_us, uint64_t *next_us)
{
    for (unsigned i = 0; i < s->n; i++)
        if (at_us < s->span[i].until_us) {
            *next_us = i + 1 < s->n ? s->span[i].until_us : UINT64_MAX;
            return s->span[i].up;
        }
    *next_us = UINT64_MAX;
    return s->n ? s->span[s->n - 1].up : true;
}
